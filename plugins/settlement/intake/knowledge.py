"""What the warehouse already knows about the rows of a batch, brought beside them into the engine.

Keys of the batch travel to a temporary table of PostgreSQL, matches travel back: the cost follows the batch, not the
history. Everything is read inside the loading transaction, behind its lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg import sql

from settlement.contract.manifest import SHANGHAI, Manifest
from settlement.contract.tables import Column, Table
from settlement.intake.transfer import copy_from_postgres, copy_to_postgres

KEY_TYPES = {
    "text": "VARCHAR",
    "code": "VARCHAR",
    "icd": "VARCHAR",
    "int": "INTEGER",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
DEFAULT_REJECT_LIMIT = Decimal("0.05")


@dataclass(frozen=True)
class Load:
    """One load in progress: the engine with the batch, the open transaction, and the folder for spilling."""

    manifest: Manifest
    engine: duckdb.DuckDBPyConnection
    connection: psycopg.Connection[Any]
    work: Path

    @property
    def as_of(self) -> date:
        """The day whose reference rows count for the batch as a whole."""
        return self.manifest.business_date or self.manifest.created_at.astimezone(SHANGHAI).date()

    def count(self, query: str, parameters: Sequence[Any] = ()) -> int:
        """Run a DuckDB query that yields one number."""
        row = self.engine.execute(query, list(parameters)).fetchone()
        return int(row[0]) if row and row[0] is not None else 0


def fetch_area(load: Load) -> Decimal:
    """Create ``area`` (at most one row) in the engine; return the area's reject limit."""
    row = load.connection.execute(
        "select fund_sum_includes_account, reject_limit from reference.area "
        "where area_code = %s and valid_from <= %s and (valid_to is null or valid_to >= %s)",
        [load.manifest.area_code, load.as_of, load.as_of],
    ).fetchone()
    load.engine.execute("create or replace table area (fund_sum_includes_account SMALLINT)")
    load.engine.execute("insert into area values (?)", [row[0] if row else 0])
    return row[1] if row and row[1] is not None else DEFAULT_REJECT_LIMIT


def fetch_institutions(load: Load) -> None:
    """Create ``institution``: every dated row of the register that may matter to the batch's day or later."""
    copy_from_postgres(
        load.connection,
        sql.SQL(
            "select fixmedins_code, area_code, agreement_status, agreement_from, valid_from, "
            "coalesce(valid_to, date '9999-12-31') from reference.institution"
        ),
        load.engine,
        "institution",
        {
            "fixmedins_code": "VARCHAR",
            "area_code": "VARCHAR",
            "agreement_status": "VARCHAR",
            "agreement_from": "DATE",
            "valid_from": "DATE",
            "valid_to": "DATE",
        },
        load.work,
    )


def fetch_settlements(load: Load, relations: Sequence[str]) -> None:
    """Create ``known_settlement``: every settlement named in `relations` that is accepted, or waits as a refund.

    Columns: setl_id, fixmedins_code, business_date, row_hash, is_pending.
    """
    named = " union ".join(f"select setl_id from {relation} where setl_id is not null" for relation in relations)
    load.connection.execute("create temp table delivered_setl (setl_id text) on commit drop")
    copy_to_postgres(
        load.engine, f"select distinct setl_id from ({named})", load.connection, "delivered_setl", ["setl_id"]
    )
    # Probing an index per delivered key costs the same after a year of history; hashing all history would not.
    load.connection.execute("set local enable_hashjoin = off")
    load.connection.execute("set local enable_mergejoin = off")
    copy_from_postgres(
        load.connection,
        sql.SQL(
            "select setl_id, fixmedins_code, business_date, row_hash, false from delivered_setl "
            "join raw.settlement_key using (setl_id) "
            "union all "
            "select setl_id, fixmedins_code, business_date, row_hash, true from delivered_setl "
            "join intake.pending_refund using (setl_id) where outcome is null"
        ),
        load.engine,
        "known_settlement",
        {
            "setl_id": "VARCHAR",
            "fixmedins_code": "VARCHAR",
            "business_date": "DATE",
            "row_hash": "UUID",
            "is_pending": "BOOLEAN",
        },
        load.work,
    )
    load.connection.execute("reset enable_hashjoin")
    load.connection.execute("reset enable_mergejoin")


def fetch_known_rows(load: Load, table: Table) -> None:
    """Create ``known_<table>``: the accepted rows of `table` with a key of the batch: key columns, row_hash.

    Children are found through the settlement they belong to; of a declaration the latest load counts; reference rows
    also tell their end (known_valid_to).
    """
    keys = [table.column(name) for name in table.key]
    columns = {column.name: KEY_TYPES[column.kind] for column in keys} | {"row_hash": "UUID"}
    relation = sql.Identifier(*table.relation.split("."))
    if table.parent:
        _push_parents(load)
        join = sql.SQL("delivered_parent join {} as known using (fixmedins_code, setl_id, business_date)").format(
            relation
        )
    else:
        _push_keys(load, table, keys)
        same = sql.SQL(" and ").join(_same(column) for column in keys)
        join = sql.SQL("delivered_key as named join {} as known on {}").format(relation, same)
    query = sql.SQL("select {}, known.row_hash from {}").format(_selected(keys), join)
    if table.kind == "reference":
        columns["known_valid_to"] = "DATE"
        query = sql.SQL("select {}, known.row_hash, known.valid_to from {}").format(_selected(keys), join)
    elif table.name == "declaration":
        query = sql.SQL("select distinct on ({0}) {0}, known.row_hash from {1} order by {0}, load_id desc").format(
            _selected(keys), join
        )
    copy_from_postgres(load.connection, query, load.engine, f"known_{table.name}", columns, load.work)


def fetch_medical_fees(load: Load) -> None:
    """Create ``known_fee``: total of the accepted settlements the batch's lists belong to."""
    _push_parents(load)
    copy_from_postgres(
        load.connection,
        sql.SQL(
            "select setl_id, medfee_sumamt from delivered_parent "
            "join raw.settlement using (fixmedins_code, setl_id, business_date)"
        ),
        load.engine,
        "known_fee",
        {"setl_id": "VARCHAR", "medfee_sumamt": "DECIMAL(18,2)"},
        load.work,
    )


def _push_parents(load: Load) -> None:
    """Fill PostgreSQL's temporary ``delivered_parent`` with the accepted settlements that the batch names."""
    load.connection.execute("drop table if exists pg_temp.delivered_parent")
    load.connection.execute(
        "create temp table delivered_parent (setl_id text, fixmedins_code text, business_date date) on commit drop"
    )
    columns = ["setl_id", "fixmedins_code", "business_date"]
    query = f"select {', '.join(columns)} from known_settlement where not is_pending"
    copy_to_postgres(load.engine, query, load.connection, "delivered_parent", columns)


def _push_keys(load: Load, table: Table, keys: Sequence[Column]) -> None:
    """Fill PostgreSQL's temporary ``delivered_key`` with the keys of the batch's rows, typed as in the table."""
    names = [column.name for column in keys]
    load.connection.execute("drop table if exists pg_temp.delivered_key")
    load.connection.execute(
        sql.SQL("create temp table delivered_key on commit drop as select {} from {} with no data").format(
            sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(*table.relation.split("."))
        )
    )
    quoted = ", ".join(f'"{name}"' for name in names)
    query = f"select distinct {quoted} from typed_{table.name}"
    copy_to_postgres(load.engine, query, load.connection, "delivered_key", names)


def _selected(keys: Sequence[Column]) -> sql.Composed:
    """Key columns of ``known``; instants on the wall clock of Asia/Shanghai, as they are delivered."""
    return sql.SQL(", ").join(
        sql.SQL("known.{} at time zone 'Asia/Shanghai'" if column.kind == "timestamp" else "known.{}").format(
            sql.Identifier(column.name)
        )
        for column in keys
    )


def _same(column: Column) -> sql.Composed:
    operator = "named.{0} = known.{0}" if column.required else "named.{0} is not distinct from known.{0}"
    return sql.SQL(operator).format(sql.Identifier(column.name))
