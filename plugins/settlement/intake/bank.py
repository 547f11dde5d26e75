"""Bank receipts: transactions of pain.002 and camt.054 into raw.bank_transaction, each once."""

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from settlement.banking.camt054 import BookedEntry, parse_camt054
from settlement.banking.pain002 import TransactionStatus, parse_pain002
from settlement.banking.payment_file import CURRENCY
from settlement.contract.limits import Limits
from settlement.contract.manifest import DeliveredFile, Manifest
from settlement.contract.tables import TABLES
from settlement.intake import control
from settlement.intake.load import FileOutcome

Row = dict[str, Any]
IS_TRANSACTION = "is_transaction"
"""Name that no column has: whether the manifest counts the row."""


def load_file(
    connection: psycopg.Connection[Any], manifest: Manifest, file: DeliveredFile, path: Path, limits: Limits
) -> FileOutcome:
    """Insert the transactions of one file; returns what became of its rows and the control sums found.

    The same transaction in another message (a bank that repeats itself) is `repeated`. A report that rejects a message
    as a whole gives a row that is no transaction, and the manifest does not count it.

    Raises:
        SettlementError: ``control_mismatch`` when the number of transactions or a control sum differs from the
            manifest, and the parsers' own codes for a file that is no such message.
    """
    names = [column.name for column in TABLES["bank_receipt"].columns]
    rows = list(_rows(file, path, limits))
    control.check_rows(file, sum(row[IS_TRANSACTION] for row in rows))
    sums = {
        column: control.check_sum(file, column, sum((row.get(column) or Decimal(0) for row in rows), Decimal(0)))
        for column in file.control
    }
    columns = ["area_code", "batch_id", "accepted_batch_id", "file_no", "line_no", "row_hash", *names]
    statement = (
        f"insert into raw.bank_transaction ({', '.join(columns)}) "  # names of the contract
        f"values ({', '.join(['%s'] * len(columns))}) on conflict (row_hash) do nothing"
    )
    origin = [manifest.area_code, manifest.batch_id, manifest.batch_id, file.file_no]
    accepted = 0
    with connection.cursor() as cursor:
        for line_no, row in enumerate(rows, start=1):
            cursor.execute(
                statement,
                [*origin, line_no, _identity(manifest.area_code, row, line_no), *(row.get(name) for name in names)],
            )
            accepted += cursor.rowcount
    counts = {"accepted": accepted, "quarantined": 0, "repeated": len(rows) - accepted, "pending": 0}
    return FileOutcome(file, counts, sums)


def _rows(file: DeliveredFile, path: Path, limits: Limits) -> Iterator[Row]:
    with path.open("rb") as stream:
        if file.format == "pain002":
            for status in parse_pain002(stream, max_bytes=limits.file_bytes):
                yield _status_row(status)
        else:
            for entry in parse_camt054(stream, max_bytes=limits.file_bytes):
                yield _entry_row(entry)


def _status_row(status: TransactionStatus) -> Row:
    return {
        IS_TRANSACTION: status.is_of_transaction,
        "message_format": "pain002",
        "message_id": status.message_id,
        "original_message_id": status.original_message_id,
        "end_to_end_id": status.end_to_end_id,
        "status": status.status,
        "reason_code": status.reason_code,
        "reason_text": status.reason_text,
    }


def _entry_row(entry: BookedEntry) -> Row:
    return {
        IS_TRANSACTION: True,
        "message_format": "camt054",
        "message_id": entry.message_id,
        "account_no": entry.account,
        "entry_reference": entry.entry_reference,
        "servicer_reference": entry.servicer_reference,
        "end_to_end_id": entry.end_to_end_id,
        "status": entry.status,
        "reason_code": entry.return_reason,
        "side": entry.side,
        "amount": entry.amount,
        "currency": entry.currency,
        "booking_date": entry.booked_on,
    }


def _identity(area_code: str, row: Row, line_no: int) -> UUID:
    """What makes a transaction the same one in another message of the area's bank.

    The bank's own reference tells apart what is alike in all else, such as two debits of one payment on a day. Its
    NtryRef is a running number of the message, and counts only where there is neither a payment id nor a reference; so
    does the place in the message, as alike movements without any are each one. A notice that was corrected from another
    currency is another one; yuan, the rule, is left unsaid.
    """
    names = [
        "message_format",
        "original_message_id",
        "end_to_end_id",
        "status",
        "reason_code",
        "side",
        "amount",
        "booking_date",
        "servicer_reference",
    ]
    parts = [area_code]
    if row.get("end_to_end_id") in (None, "NOTPROVIDED") and not row.get("servicer_reference"):
        names += ["message_id", "entry_reference"]
        parts += [str(line_no)]
    if row.get("currency") not in (None, CURRENCY):
        names += ["currency"]
    text = "\x1f".join([*parts, *(str(row.get(name) or "") for name in names)])
    return UUID(hashlib.sha256(text.encode()).hexdigest()[:32])
