"""The seals over records: requests, decisions, instructions with their accounts, bank files, bank answers, audit trail.

Every such record leaves the SHA-256 of its content in a queue when it is written (a trigger of the table). Whoever pays
or records answers seals what waits: one chain for all areas, each seal the SM3 digest (GB/T 32905) of the seal before
it, a line feed and the list of its records' digests. So nobody changes, removes or slips in a record later, not even
the owner of the database, without the proof saying which.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from settlement.ledger.seals import digest_of_copy, genesis
from settlement.statements import statement
from settlement.warehouse import connect, transaction_lock

PACKAGE = "settlement.ledger"
CHAIN = "records"


@dataclass(frozen=True)
class RecordFault:
    """One place where the records are not what was sealed.

    `fault` is ``changed``, ``removed`` or ``not_sealed`` of a record; ``trigger_removed`` of a table;
    ``chain_broken`` or ``seal_differs`` of a seal; of what stands outside ``content_differs``, ``not_as_published`` or
    ``unreadable``.
    """

    record_type: str
    record_key: str
    fault: str


@dataclass(frozen=True)
class RecordVerification:
    """What comparing every record with its seal found."""

    seal_count: int
    last_seal: str
    faults: tuple[RecordFault, ...]


@dataclass(frozen=True)
class NewestSeal:
    """The newest seal over records; number 0 stands for the genesis seal, before anything was sealed."""

    number: int
    seal: str


def newest_seal(connection: psycopg.Connection[Any]) -> NewestSeal:
    """Return the newest seal over records."""
    row = connection.execute("select seal_id, seal from ledger.record_seal order by seal_id desc limit 1").fetchone()
    return NewestSeal(*row) if row else NewestSeal(0, genesis(CHAIN))


def seal_records() -> int:
    """Seal every record that waits for it, in one transaction. Returns their count; nothing new makes no seal."""
    with connect("poster", application_name="settlement seal records") as connection, connection.transaction():
        transaction_lock(connection, "seal records")
        connection.execute(
            "create temporary table record_to_seal (record_type text, record_key text, sha256 bytea) on commit drop"
        )
        taken = connection.execute(statement(PACKAGE, "take_unsealed_records"))
        if not taken.rowcount:
            return 0
        previous = newest_seal(connection).seal
        seal = digest_of_copy(connection, statement(PACKAGE, "records_to_seal"), {}, previous)
        connection.execute(
            "with made as (insert into ledger.record_seal (record_count, previous_seal, seal) values (%s, %s, %s)"
            " returning seal_id)"
            " insert into ledger.sealed_record (record_type, record_key, sha256, seal_id)"
            " select record_type, record_key, sha256, seal_id from pg_temp.record_to_seal cross join made",
            [taken.rowcount, previous, seal],
        )
        return taken.rowcount


def verify_records(connection: psycopg.Connection[Any]) -> RecordVerification:
    """Recompute the chain over records, and compare every record with what was sealed of it, over all history."""
    faults = []
    expected, seal_count = genesis(CHAIN), 0
    for seal_id, previous, kept in connection.execute(
        "select seal_id, previous_seal, seal from ledger.record_seal order by seal_id"
    ).fetchall():
        fault = None
        if previous != expected:
            fault = "chain_broken"
        elif digest_of_copy(connection, statement(PACKAGE, "sealed_records"), {"seal_id": seal_id}, previous) != kept:
            fault = "seal_differs"
        if fault:
            faults.append(RecordFault("ledger.record_seal", str(seal_id), fault))
            break
        expected, seal_count = kept, seal_count + 1
    for record_type, key_columns in connection.execute(statement(PACKAGE, "sealed_relations")).fetchall():
        if key_columns:
            faults += _differing(connection, record_type, key_columns)
        else:
            faults.append(RecordFault(record_type, "", "trigger_removed"))
    return RecordVerification(seal_count, expected, tuple(faults))


def _differing(connection: psycopg.Connection[Any], record_type: str, key_columns: list[str]) -> list[RecordFault]:
    query = statement(PACKAGE, "differing_records").format(
        relation=sql.Identifier(*record_type.split(".")),
        key=sql.SQL(", ").join(sql.SQL("content ->> {}").format(sql.Literal(column)) for column in key_columns),
    )
    rows = connection.execute(query, {"record_type": record_type}).fetchall()
    return [RecordFault(record_type, key, fault) for key, fault in rows]
