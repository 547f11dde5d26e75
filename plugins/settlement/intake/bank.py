"""Bank receipts: transactions of pain.002 and camt.054 into raw.bank_transaction, each once."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from settlement.banking.camt054 import BookedEntry, parse_camt054
from settlement.banking.messages import bad_value
from settlement.banking.pain002 import TransactionStatus, parse_pain002
from settlement.contract.limits import Limits, require_rows
from settlement.contract.manifest import DeliveredFile, Manifest
from settlement.contract.tables import TABLES
from settlement.intake import control
from settlement.intake.load import FileOutcome

Row = dict[str, Any]
IS_TRANSACTION = "is_transaction"
"""Name that no column has: whether the manifest counts the row."""
ROWS_AT_A_TIME = 1_000
OF_THE_MESSAGE = (
    "message_created_at",
    "occurrence",
    "is_reversal",
    "is_detail",
    "is_charge",
    "booking_reference",
    "booking_amount",
    "content",
)
"""Columns that are no part of the contract: what was read besides, for the matching."""
OF_NO_MOVEMENT: Row = {"occurrence": 1, "is_reversal": False, "is_detail": False, "is_charge": False}
SHORTENED = "reason_text"
NUMBERED = "servicer_reference"
LONGEST_NUMBER = 8
"""Characters that tell transactions of one reference apart: `/2`, `/charge`."""


def load_file(
    connection: psycopg.Connection[Any], manifest: Manifest, file: DeliveredFile, path: Path, limits: Limits
) -> FileOutcome:
    """Insert the transactions of one file as they are read; returns what became of its rows and the control sums found.

    The same transaction in another message (a bank that repeats itself) is `repeated`. A report that rejects a message
    as a whole, and the charges within an entry, give rows that are no transactions, and the manifest does not count
    them. The caller's transaction ends with any error, so that nothing of a file that is refused stays.

    Raises:
        SettlementError: ``control_mismatch`` when the number of transactions or a control sum differs from the
            manifest, ``too_many_rows``, and the parsers' own codes for a file that is no such message.
    """
    names = [column.name for column in TABLES["bank_receipt"].columns]
    columns = ["area_code", "batch_id", "accepted_batch_id", "file_no", "line_no", "row_hash", *names, *OF_THE_MESSAGE]
    statement = (
        f"insert into raw.bank_transaction ({', '.join(columns)}) "  # names of the contract
        f"values ({', '.join(['%s'] * len(columns))}) on conflict (row_hash) do nothing"
    )
    origin = [manifest.area_code, manifest.batch_id, manifest.batch_id, file.file_no]
    sums = dict.fromkeys(file.control, Decimal(0))
    read = transactions = accepted = 0
    identities = _Identities(manifest.area_code)
    with connection.cursor() as cursor:
        rows = _rows(file, path, limits)
        while portion := list(islice(rows, ROWS_AT_A_TIME)):
            values = []
            for row in portion:
                read += 1
                transactions += row[IS_TRANSACTION]
                for column in sums:
                    sums[column] += row.get(column) or Decimal(0)
                identity = identities.of(row)
                values.append([*origin, read, identity, *(row.get(name) for name in (*names, *OF_THE_MESSAGE))])
            require_rows(file.name, read, read, limits)
            cursor.executemany(statement, values)
            accepted += cursor.rowcount
    control.check_rows(file, transactions)
    found = {column: control.check_sum(file, column, total) for column, total in sums.items()}
    counts = {"accepted": accepted, "quarantined": 0, "repeated": read - accepted, "pending": 0}
    return FileOutcome(file, counts, found)


def _rows(file: DeliveredFile, path: Path, limits: Limits) -> Iterator[Row]:
    lengths = {column.name: column.size[0] for column in TABLES["bank_receipt"].columns if column.kind == "text"}
    lengths[NUMBERED] += LONGEST_NUMBER
    with path.open("rb") as stream:
        if file.format == "pain002":
            for status in parse_pain002(stream, max_bytes=limits.file_bytes):
                yield _bounded(_status_row(status), lengths)
        else:
            for entry in parse_camt054(stream, max_bytes=limits.file_bytes):
                yield _bounded(_entry_row(entry), lengths)


def _bounded(row: Row, lengths: dict[str, int]) -> Row:
    """Refuse a value longer than ISO 20022 has it; what a bank tells in words is shortened."""
    if row.get(SHORTENED):
        row[SHORTENED] = row[SHORTENED][: lengths[SHORTENED]]
    for name, length in lengths.items():
        value = row.get(name)
        if value is not None and len(value) > length:
            raise bad_value(f"message {row['message_id'] or '?'}"[:60], name, value, f"at most {length} characters")
    return row


def _status_row(status: TransactionStatus) -> Row:
    return {
        **OF_NO_MOVEMENT,
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
        IS_TRANSACTION: not entry.is_charge,
        "occurrence": 1,
        "message_format": "camt054",
        "message_id": entry.message_id,
        "message_created_at": entry.created_at,
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
        "is_reversal": entry.is_reversal,
        "is_detail": entry.is_detail,
        "is_charge": entry.is_charge,
        "booking_reference": entry.booking_reference,
        "booking_amount": entry.booking_amount,
        "content": entry.content,
    }


class _Identities:
    """What makes a transaction the same one in another message of the area's bank.

    The bank's own reference tells apart what is alike in all else, such as two debits of one payment on a day; those
    without a reference are counted through within their message, so that the same message again brings the same ones.
    The bank's NtryRef is a running number of the message, and counts only where there is neither a payment id nor a
    reference: then the message and all that stands in the entry count.
    """

    NAMES = (
        "message_format",
        "account_no",
        "original_message_id",
        "end_to_end_id",
        "status",
        "reason_code",
        "side",
        "amount",
        "currency",
        "booking_date",
        "servicer_reference",
        "is_reversal",
        "is_charge",
    )

    def __init__(self, area_code: str) -> None:
        self._area_code = area_code
        self._alike: Counter[UUID] = Counter()

    def of(self, row: Row) -> UUID:
        """Give the identity of a row, and number the row among those of its message that are alike."""
        values = [str(row.get(name) or "") for name in self.NAMES]
        # An entry that is booked after its message was made says something else than one that was booked before.
        created_at, booked_on = row.get("message_created_at"), row.get("booking_date")
        values.append(str(bool(created_at and booked_on and booked_on > created_at.date())))
        is_movement = row["message_format"] == "camt054" and not row.get("servicer_reference")
        if is_movement and not row.get("end_to_end_id"):
            values += [str(row.get(name) or "") for name in ("message_id", "entry_reference", "content")]
        identity = self._hashed(values)
        if is_movement:
            self._alike[identity] += 1
            row["occurrence"] = self._alike[identity]
            if row["occurrence"] > 1:
                identity = self._hashed([*values, str(row["occurrence"])])
        return identity

    def _hashed(self, values: list[str]) -> UUID:
        text = "\x1f".join([self._area_code, *values])
        return UUID(hashlib.sha256(text.encode()).hexdigest()[:32])
