"""Receipts: what a sender is told about a batch, kept with the batch and written to the outbox."""

import codecs
import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Self

import psycopg

from settlement.contract.manifest import Manifest
from settlement.errors import SettlementError
from settlement.gate import text_of
from settlement.intake.folders import outbox
from settlement.spreadsheet import safe_text
from settlement.whole_files import write_whole

RECEIPT = "receipt.json"
REJECTED = "rejected.csv"
LATER_ANSWER = "later_delivery.json"
DECIDED_REFUNDS = "decided_refunds.json"
REJECTED_HEADER = ("file", "line_no", "record_key", "reason_codes", "field", "value", "child", "reason")
ROWS_AT_ONCE = 1_000
MOST_WARNINGS = 100
"""Of a receipt; the other columns that the contract has not are counted."""


@dataclass(frozen=True)
class Receipt:
    """The answer to a delivery.

    `status` is accepted, held, refused or duplicate; a duplicate repeats the figures of the first time, whose status
    is `first_status`. A held batch is held for `rejections` (more refused rows than the area's limit), for
    `master_data` (reference data that a second person looks at), or for both.
    """

    batch_id: str
    kind: str | None
    area_code: str | None
    business_date: str | None
    status: str
    files: Sequence[dict[str, Any]] = ()
    reasons: dict[str, int] = field(default_factory=dict)
    reason_texts: dict[str, list[str]] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    error: dict[str, str] | None = None
    first_status: str | None = None
    held_for: Sequence[str] = ()

    @classmethod
    def of(cls, manifest: Manifest, status: str, **fields: Any) -> Self:
        """A receipt for the batch of a manifest."""
        day = manifest.business_date.isoformat() if manifest.business_date else None
        return cls(manifest.batch_id, manifest.kind, manifest.area_code, day, status, **fields)

    @classmethod
    def refused(cls, batch_id: str, manifest: Manifest | None, error: SettlementError) -> Self:
        """A receipt for a batch of which nothing was loaded. Without a manifest little is known about it."""
        detail = {"code": error.code, "message": storable(error.message, 2_000), "hint": error.hint}
        if manifest:
            return cls.of(manifest, "refused", error=detail)
        return cls(batch_id, None, None, None, "refused", error=detail)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Read a receipt as it is kept with its batch."""
        return cls(**content)

    def as_duplicate(self) -> Self:
        """The answer to the same batch delivered again."""
        return replace(self, status="duplicate", first_status=self.status)

    def as_json(self) -> dict[str, Any]:
        """The receipt as it is written; what does not apply is left out."""
        content: dict[str, Any] = {
            "batch_id": self.batch_id,
            "kind": self.kind,
            "area_code": self.area_code,
            "business_date": self.business_date,
            "status": self.status,
            "files": list(self.files),
            "reasons": self.reasons,
        }
        optional = {
            "held_for": list(self.held_for),
            "reason_texts": self.reason_texts,
            "error": self.error,
            "warnings": list(self.warnings),
            "first_status": self.first_status,
        }
        return content | {name: value for name, value in optional.items() if value}


def with_columns_ignored(warnings: Sequence[str], ignored: Sequence[str]) -> list[str]:
    """Put what is said of columns before the other warnings, as much of it as a receipt holds."""
    room = max(MOST_WARNINGS - len(warnings), 0)
    if len(ignored) > room:
        kept = max(room - 1, 0)
        more = len(ignored) - kept
        ignored = [*ignored[:kept], f"{more} more columns are not in the contract; ignored (另有 {more} 列, 已忽略)"]
    return [*ignored, *warnings]


def publish(connection: psycopg.Connection[Any], receipt: Receipt) -> None:
    """Write receipt.json and rejected.csv to the outbox; the receipt last, so that it stands for all.

    The quarantined rows are read from the warehouse, so a receipt can be written again at any time. Batches whose
    waiting refunds this one decided are told too.
    """
    for (batch_id,) in connection.execute(
        "select distinct batch_id from intake.pending_refund where outcome_batch_id = %s order by batch_id",
        [receipt.batch_id],
    ).fetchall():
        _publish_rejected(connection, batch_id)
        _publish_decided_refunds(connection, batch_id)
    _publish_rejected(connection, receipt.batch_id)
    write_whole(outbox() / receipt.batch_id / RECEIPT, _as_bytes(receipt))


def _publish_rejected(connection: psycopg.Connection[Any], batch_id: str) -> None:
    with connection.cursor() as cursor:
        rows = cursor.stream(
            "select file_name, line_no, record_key, table_name, details from intake.quarantine "
            "where batch_id = %s order by file_no, line_no",
            [batch_id],
        )
        write_whole(outbox() / batch_id / REJECTED, rejected_csv(rows))


def _publish_decided_refunds(connection: psycopg.Connection[Any], batch_id: str) -> None:
    """Say what became of the refunds that the batch's receipt, which stays, counts as pending."""
    rows = connection.execute(
        "select file_name, line_no, setl_id, init_setl_id, outcome, outcome_batch_id from intake.pending_refund "
        "where batch_id = %s and outcome is not null order by file_no, line_no",
        [batch_id],
    )
    names = ("file", "line_no", "setl_id", "init_setl_id", "outcome", "decided_with")
    refunds = [dict(zip(names, row, strict=True)) for row in rows]
    write_whole(outbox() / batch_id / DECIDED_REFUNDS, _json_bytes({"batch_id": batch_id, "refunds": refunds}))


def publish_later_answer(receipt: Receipt) -> None:
    """Answer a second delivery beside the receipt of the first, which stays."""
    write_whole(outbox() / receipt.batch_id / LATER_ANSWER, _as_bytes(receipt))


def is_published(batch_id: str) -> bool:
    """True when the outbox holds the batch's receipt."""
    return (outbox() / batch_id / RECEIPT).is_file()


def rejected_csv(rows: Iterable[tuple[str, int, str, str, list[dict[str, Any]]]]) -> Iterator[bytes]:
    """One line a quarantined row, in pieces: of each of its reasons the code, field, value, child row and text.

    Between bars, in one order: the third value belongs to the third code. UTF-8 with a byte order mark, without which
    Excel garbles Chinese.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(REJECTED_HEADER)
    text.seek(0)
    yield codecs.BOM_UTF8 + text.read().encode()
    waiting = iter(rows)
    while chunk := list(islice(waiting, ROWS_AT_ONCE)):
        text.seek(0)
        text.truncate()
        for file_name, line_no, record_key, table, details in chunk:
            said = (
                "|".join(detail["code"] for detail in details),
                *(_between_bars(detail.get(name) for detail in details) for name in ("field", "value", "child")),
                _between_bars(text_of(table, detail) for detail in details),
            )
            writer.writerow([safe_text(file_name), line_no, safe_text(record_key or ""), *map(safe_text, said)])
        yield text.getvalue().encode()


def _between_bars(values: Iterable[str | None]) -> str:
    """Values with bars between them; a bar inside one is shown as a broken one."""
    return "|".join((value or "").replace("|", "¦") for value in values)


def _as_bytes(receipt: Receipt) -> bytes:
    return _json_bytes(receipt.as_json())


def _json_bytes(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def storable(text: str, most: int) -> str:
    """Shorten a delivered text and show NUL bytes, which PostgreSQL cannot store."""
    return text[:most].replace("\0", "\u2400")
