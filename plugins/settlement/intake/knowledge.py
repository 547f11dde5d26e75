"""What the warehouse already knows about the rows of a batch, brought beside them into the engine.

Keys of the batch travel to a temporary table of PostgreSQL, matches travel back: the cost follows the batch, not the
history. Everything is read inside the loading transaction, behind its lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg import sql

from settlement.contract.manifest import SHANGHAI, Manifest
from settlement.contract.tables import TABLES, Column, Table
from settlement.gate import duckdb_type
from settlement.intake.transfer import copy_from_postgres, copy_to_postgres

SEPARATOR = "chr(31)"
DEFAULT_REJECT_LIMIT = Decimal("0.05")


def shanghai_today() -> date:
    """The day on our own clock: who owns what is judged by it when something is taken in, and changes no result."""
    return datetime.now(SHANGHAI).date()


@dataclass(frozen=True)
class Load:
    """One load in progress: the engine with the batch, the open transaction, and the folder for spilling.

    `bound_to` are the areas that who brought the batch is bound to, None for who is bound to none; `received_on` is the
    day of the load.
    """

    manifest: Manifest
    engine: duckdb.DuckDBPyConnection
    connection: psycopg.Connection[Any]
    work: Path
    bound_to: frozenset[str] | None = None
    received_on: date = field(default_factory=shanghai_today)

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
        "select fund_sum_includes_account, reject_limit, diag_type_dictionary, fee_sum_tolerance from reference.area "
        "where area_code = %s and valid_from <= %s and (valid_to is null or valid_to >= %s)",
        [load.manifest.area_code, load.as_of, load.as_of],
    ).fetchone()
    load.engine.execute(
        "create or replace table area (fund_sum_includes_account SMALLINT, diag_type_dictionary VARCHAR, "
        "fee_sum_tolerance DECIMAL(18,2))"
    )
    load.engine.execute("insert into area values (?, ?, ?)", [row[0], row[2], row[3]] if row else [0, None, None])
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


def find_areas_of_settlements(load: Load, table: Table) -> None:
    """Create ``area_of_settlement``: setl_id and area of the accepted settlements that rows of `table` name."""
    _push_settlements(load, f"select distinct setl_id from key_{table.name} where setl_id is not null")
    query = sql.SQL("select accepted_key.setl_id, known.area_code from delivered_setl {keys} {settlements}").format(
        keys=accepted_keys("delivered_setl"), settlements=settlements_of_keys()
    )
    probe(load, query, "area_of_settlement", {"setl_id": "VARCHAR", "area_code": "VARCHAR"})


def row_hash(table: Table, *, relation: str = "", is_stored: bool = False) -> str:
    """Hash over what a row says, as SQL; of a dated reference row without its end, so that it can be told who it is.

    A delivered value that is not understood counts as it was sent; a stored row has none.
    """
    values = (
        f'coalesce({relation}"{column.kept_name}"::VARCHAR, '
        + ("'')" if is_stored else f"{relation}\"{column.name}__text\", '')")
        for column in table.kept
        if not (table.kind == "reference" and column.name == "valid_to")
    )
    return f"md5(concat_ws({SEPARATOR}, {', '.join(values)}))::UUID"


def fetch_settlements(load: Load, relations: Sequence[str]) -> None:
    """Create ``known_settlement``: every settlement named in `relations` that is accepted, or waits as a refund.

    Columns: setl_id, fixmedins_code, business_date, is_pending.
    """
    named = " union ".join(f"select setl_id from {relation} where setl_id is not null" for relation in relations)
    _push_settlements(load, f"select distinct setl_id from ({named})")
    probe(
        load,
        sql.SQL(
            "select accepted_key.setl_id, accepted_key.fixmedins_code, accepted_key.business_date, false "
            "from delivered_setl {keys} "
            "union all "
            "select known.setl_id, known.fixmedins_code, known.business_date, true from delivered_setl {waiting}"
        ).format(keys=accepted_keys("delivered_setl"), waiting=waiting_refunds()),
        "known_settlement",
        {"setl_id": "VARCHAR", "fixmedins_code": "VARCHAR", "business_date": "DATE", "is_pending": "BOOLEAN"},
    )


def fetch_delivered_again(load: Load) -> None:
    """Create ``settlement_again``: setl_id and row_hash of the delivered settlements that are known already.

    What was accepted is what is stored. There are few of them as a rule, so their hash is computed here and kept
    nowhere.
    """
    table = TABLES["settlement"]
    known = "select setl_id from known_settlement where setl_id in (select setl_id from key_settlement)"
    _push_settlements(load, known)
    columns = {column.kept_name or "": "VARCHAR" if column.is_person else duckdb_type(column) for column in table.kept}
    probe(
        load,
        sql.SQL(
            "select {stored} from delivered_setl {keys} {settlements} "
            "union all "
            "select {stored} from delivered_setl {waiting}"
        ).format(
            stored=sql.SQL(", ").join(map(_stored, table.kept)),
            keys=accepted_keys("delivered_setl"),
            settlements=settlements_of_keys(),
            waiting=waiting_refunds(),
        ),
        "settlement_again",
        columns,
        f"setl_id, {row_hash(table, is_stored=True)} as row_hash",
    )


def _push_settlements(load: Load, query: str) -> None:
    """Fill PostgreSQL's temporary ``delivered_setl`` with settlement ids."""
    load.connection.execute("drop table if exists pg_temp.delivered_setl")
    load.connection.execute("create temp table delivered_setl (setl_id text) on commit drop")
    copy_to_postgres(load.engine, query, load.connection, "delivered_setl", ["setl_id"])


def looked_up(relation: str, condition: str, alias: str) -> sql.Composable:
    """Join `relation`, named ``stored`` in `condition`, row by row of what stands before it.

    A subquery for each row, which `offset 0` keeps one, can be planned in no other order. The planner would choose by
    the number of rows, and has none to go by: those of this load are not counted, or were while they were invisible,
    and a table taken for empty would be read whole for each of a million rows.
    """
    return sql.SQL(f"cross join lateral (select * from {relation} as stored where {condition} offset 0) as {alias}")


def accepted_keys(named: str) -> sql.Composable:
    """Join ``accepted_key`` to the rows of `named` by setl_id."""
    return looked_up("raw.settlement_key", f"stored.setl_id = {named}.setl_id", "accepted_key")


def settlements_of_keys() -> sql.Composable:
    """Join the settlement, ``known``, to its ``accepted_key``."""
    same = ("setl_id", "fixmedins_code", "business_date")
    return looked_up("raw.settlement", " and ".join(f"stored.{name} = accepted_key.{name}" for name in same), "known")


def waiting_refunds() -> sql.Composable:
    """Join the refund of the same id that waits, ``known``, to ``delivered_setl``."""
    condition = "stored.setl_id = delivered_setl.setl_id and stored.outcome is null"
    return looked_up("intake.pending_refund", condition, "known")


def probe(load: Load, query: sql.Composable, table: str, columns: dict[str, str], items: str = "*") -> None:
    """Create an engine's table from a query that looks up every row of a temporary table of PostgreSQL.

    Probing an index per delivered key costs the same after a year of history; hashing all history would not.
    """
    # A block range index over the day that is being loaded holds every row: a bitmap of it is a scan in disguise.
    ways = ("enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "enable_seqscan")
    for way in ways:
        load.connection.execute(sql.SQL("set local {} = off").format(sql.Identifier(way)))
    copy_from_postgres(load.connection, query, load.engine, table, columns, load.work, items=items)
    for way in ways:
        load.connection.execute(sql.SQL("reset {}").format(sql.Identifier(way)))


def fetch_known_rows(load: Load, table: Table) -> None:
    """Create ``known_<table>``: the accepted rows of `table` with a key of the batch: key columns, row_hash.

    Children are found through the settlement they belong to; of a declaration the latest load counts; reference rows
    also tell their end (known_valid_to).
    """
    keys = [table.column(name) for name in table.key]
    columns = {column.name: duckdb_type(column) for column in keys} | {"row_hash": "UUID"}
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


def fetch_settlements_of_lists(load: Load) -> None:
    """Create ``stored_settlement_of_list``: the settlements that the batch's lists name and that are stored by now."""
    _push_settlements(load, "select distinct setl_id from key_settlement_list where setl_id is not null")
    probe(
        load,
        sql.SQL(
            "select known.setl_id, known.fixmedins_code, known.person_key, known.business_date, known.medfee_sumamt "
            "from delivered_setl {keys} {settlements}"
        ).format(keys=accepted_keys("delivered_setl"), settlements=settlements_of_keys()),
        "stored_settlement_of_list",
        {
            "setl_id": "VARCHAR",
            "fixmedins_code": "VARCHAR",
            "person_key": "VARCHAR",
            "business_date": "DATE",
            "medfee_sumamt": "DECIMAL(18,2)",
        },
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
    query = f"select distinct {quoted} from key_{table.name}"
    copy_to_postgres(load.engine, query, load.connection, "delivered_key", names)


def _selected(keys: Sequence[Column]) -> sql.Composed:
    """Key columns of ``known``."""
    return sql.SQL(", ").join(map(_stored, keys))


def _stored(column: Column) -> sql.Composed:
    """A column of ``known``; instants on the wall clock of Asia/Shanghai, as they are delivered."""
    return sql.SQL("known.{} at time zone 'Asia/Shanghai'" if column.kind == "timestamp" else "known.{}").format(
        sql.Identifier(column.kept_name or "")
    )


def _same(column: Column) -> sql.Composed:
    operator = "named.{0} = known.{0}" if column.required else "named.{0} is not distinct from known.{0}"
    return sql.SQL(operator).format(sql.Identifier(column.name))
