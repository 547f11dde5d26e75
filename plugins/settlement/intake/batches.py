"""The batch's own rows in the warehouse: its state, its files, its receipt, and what people decided about it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import psycopg
from psycopg.types.json import Jsonb

from settlement.contract.manifest import Manifest
from settlement.intake.load import FileOutcome
from settlement.intake.receipts import Receipt
from settlement.user_areas import areas_of


@dataclass(frozen=True)
class Bringer:
    """Who brought a batch: the account that delivered it over the API, else the one that had it received; its areas."""

    account: str | None
    areas: frozenset[str] | None

    @classmethod
    def of(cls, account: str | None) -> Self:
        """Look up what the account is bound to.

        Raises:
            SettlementError: ``setting_invalid``.
        """
        areas = areas_of(account) if account else None
        return cls(account, None if areas is None else frozenset(areas))


@dataclass(frozen=True)
class Held:
    """Why a batch is or was held (see `receipts.Receipt`), and what it would change in reference data."""

    reasons: tuple[str, ...] = ()
    changes: tuple[dict[str, Any], ...] = ()

    @property
    def digest(self) -> str:
        """Of what is decided on: who answered about something else has not answered about this."""
        content = json.dumps([self.reasons, self.changes], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def covers(self, other: Self) -> bool:
        """Whether who decided on this has decided on all that `other` asks about."""
        return set(other.reasons) <= set(self.reasons) and other.changes in ((), self.changes)


NOT_HELD = Held()


@dataclass(frozen=True)
class Known:
    """What the warehouse already says about a batch id."""

    status: str
    error_code: str | None
    content_sha256: str | None
    receipt: Receipt
    received_by: str | None
    held: Held

    @property
    def is_final(self) -> bool:
        """False only after a refusal by the gate itself: such a batch loaded nothing and may come again, mended."""
        return self.status != "refused" or self.error_code == "held_rejected"


def find_batch(connection: psycopg.Connection[Any], batch_id: str) -> Known | None:
    """Return what the warehouse says about a batch id; None when it has never been received."""
    row = connection.execute(
        "select status, error_code, content_sha256, receipt, received_by, coalesce(held_for, '{}'),"
        " coalesce(held_changes, '[]') from intake.batch where batch_id = %s",
        [batch_id],
    ).fetchone()
    if row is None:
        return None
    status, error_code, content_sha256, receipt, received_by, held_for, held_changes = row
    return Known(
        *(status, error_code, content_sha256, Receipt.from_json(receipt)),
        *(received_by, Held(tuple(held_for), tuple(held_changes))),
    )


@dataclass(frozen=True)
class Received:
    """That a batch has been received; `refused_at` where it may come again, mended, and what was wrong with it."""

    refused_at: datetime | None
    error_code: str | None


def received(connection: psycopg.Connection[Any]) -> dict[str, Received]:
    """Every batch that has been received."""
    rows = connection.execute(
        "select batch_id, case when status = 'refused' and error_code is distinct from 'held_rejected' "
        "then received_at end, error_code from intake.batch"
    )
    return {batch_id: Received(refused_at, error_code) for batch_id, refused_at, error_code in rows}


def record_delivery(connection: psycopg.Connection[Any], batch_id: str, delivered_by: str) -> None:
    """Keep which account begins to deliver a batch over the API."""
    connection.execute("insert into intake.delivery (batch_id, delivered_by) values (%s, %s)", [batch_id, delivered_by])


def delivered_by(connection: psycopg.Connection[Any], batch_id: str) -> str | None:
    """Give the account that delivered a batch last; None where nobody delivered it over the API."""
    row = connection.execute(
        "select delivered_by from intake.delivery where batch_id = %s order by delivered_at desc limit 1", [batch_id]
    ).fetchone()
    return row[0] if row else None


def held_batches(connection: psycopg.Connection[Any]) -> list[str]:
    """Every batch that waits for a decision, oldest first."""
    rows = connection.execute("select batch_id from intake.batch where status = 'held' order by received_at").fetchall()
    return [batch_id for (batch_id,) in rows]


def write_batch(
    connection: psycopg.Connection[Any],
    manifest: Manifest,
    receipt: Receipt,
    files: Sequence[FileOutcome],
    bringer: Bringer,
    decided_by: str | None = None,
    held: Held = NOT_HELD,
) -> None:
    """Write the batch and its files, in place of what an earlier refusal or verdict said about it."""
    _forget(connection, manifest.batch_id)
    _upsert(connection, receipt, manifest, bringer, decided_by, held)
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into intake.batch_file (batch_id, file_no, file_name, table_name, sha256, read_count, "
            "accepted_count, quarantined_count, repeated_count, pending_count, control_sums) "
            "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                [
                    *(manifest.batch_id, file.file.file_no, file.file.name, file.file.table.name, file.file.sha256),
                    file.read,
                    *(file.counts[name] for name in ("accepted", "quarantined", "repeated", "pending")),
                    Jsonb({column: f"{amount:f}" for column, amount in file.control.items()}),
                ]
                for file in files
            ],
        )


def _upsert(
    connection: psycopg.Connection[Any],
    receipt: Receipt,
    manifest: Manifest | None,
    bringer: Bringer,
    decided_by: str | None = None,
    held: Held = NOT_HELD,
) -> None:
    error = receipt.error or {}
    values = {
        "batch_id": receipt.batch_id,
        "kind": receipt.kind,
        "area_code": receipt.area_code,
        "business_date": receipt.business_date,
        "created_at": manifest.created_at if manifest else None,
        "sender": manifest.sender if manifest else None,
        "manifest": Jsonb(manifest.as_json()) if manifest else None,
        "content_sha256": manifest.content_sha256 if manifest else None,
        "status": receipt.status,
        "error_code": error.get("code"),
        "error_message": error.get("message"),
        "receipt": Jsonb(receipt.as_json()),
        "decided_by": decided_by,
        "received_by": bringer.account,
        "sender_areas": None if bringer.areas is None else sorted(bringer.areas),
        "held_for": list(held.reasons) or None,
        "held_changes": Jsonb(list(held.changes)) if held.changes else None,
    }
    columns = ", ".join(values)
    changes = ", ".join(f"{name} = excluded.{name}" for name in values if name != "batch_id")
    statement = (
        f"insert into intake.batch ({columns}) values ({', '.join(f'%({name})s' for name in values)}) "
        f"on conflict (batch_id) do update set {changes}, load_id = default, received_at = clock_timestamp()"
    )
    connection.execute(statement, values)


def _forget(connection: psycopg.Connection[Any], batch_id: str) -> None:
    """Remove what a held or refused delivery left; an accepted one is guarded by the database."""
    connection.execute("delete from intake.quarantine where batch_id = %s", [batch_id])
    connection.execute("delete from intake.batch_file where batch_id = %s", [batch_id])


def record_decision(
    connection: psycopg.Connection[Any], batch_id: str, decision: str, decided_by: str, reason: str
) -> None:
    """Keep who released or rejected a held batch, and why."""
    connection.execute(
        "insert into intake.batch_decision (batch_id, decision, decided_by, reason) values (%s, %s, %s, %s)",
        [batch_id, decision, decided_by, reason or None],
    )


def write_refusal(
    connection: psycopg.Connection[Any], receipt: Receipt, manifest: Manifest | None, bringer: Bringer
) -> None:
    """Write a batch of which nothing was loaded."""
    _forget(connection, receipt.batch_id)
    _upsert(connection, receipt, manifest, bringer)


def write_rejection(connection: psycopg.Connection[Any], receipt: Receipt, reject_by: str) -> None:
    """Turn a held batch into a refused one; its files and quarantined rows stay readable."""
    error = receipt.error or {}
    connection.execute(
        "update intake.batch set status = 'refused', error_code = %s, error_message = %s, receipt = %s, "
        "decided_by = %s where batch_id = %s",
        [error["code"], error["message"], Jsonb(receipt.as_json()), reject_by, receipt.batch_id],
    )
