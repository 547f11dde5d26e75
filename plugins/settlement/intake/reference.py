"""Dated reference rows: new ones are added, open ones may be ended, and two rows of one key never overlap."""

from psycopg import sql

from settlement.contract.tables import Table
from settlement.errors import SettlementError
from settlement.intake.knowledge import Load
from settlement.intake.transfer import copy_to_postgres


def refuse_changed_rows(load: Load, table: Table) -> None:
    """Refuse the batch when it says something else about a row that exists.

    Raises:
        SettlementError: ``reference_overlap``.
    """
    row = load.engine.execute(
        f"select record_key, valid_from from outcome_{table.name} "
        "where accepted_key_state = 'conflict' order by file_no, line_no limit 1"
    ).fetchone()
    if row:
        raise _overlap(table, row[0], f"there is another row valid from {row[1]}")


def end_open_rows(load: Load, table: Table) -> int:
    """Close the open rows that the batch delivers again with their end; returns how many."""
    keys = sql.SQL(", ").join(map(sql.Identifier, table.key))
    relation = sql.Identifier(*table.relation.split("."))
    ending = sql.Identifier("pg_temp", f"ending_{table.name}")
    load.connection.execute(
        sql.SQL("create temp table {} on commit drop as select {}, valid_to from {} with no data").format(
            sql.Identifier(f"ending_{table.name}"), keys, relation
        )
    )
    names = ", ".join(f'"{name}"' for name in (*table.key, "valid_to"))
    copy_to_postgres(
        load.engine,
        f"select {names} from outcome_{table.name} where disposition = 'accepted' and accepted_key_state = 'ends'",
        load.connection,
        f"ending_{table.name}",
        [*table.key, "valid_to"],
    )
    return load.connection.execute(
        sql.SQL(
            "update {relation} as known set valid_to = ending.valid_to, ended_by_batch_id = %s "
            "from {ending} as ending where {same}"
        ).format(relation=relation, ending=ending, same=_same(table, "ending", "known")),
        [load.manifest.batch_id],
    ).rowcount


def refuse_overlaps(load: Load, table: Table) -> None:
    """Refuse the batch when, of a key it touches, one row begins before the one before it ends.

    Raises:
        SettlementError: ``reference_overlap``.
    """
    keys = [name for name in table.key if name != "valid_from"]
    row = load.connection.execute(
        sql.SQL(
            "select concat_ws('|', {keys}), valid_from, valid_to, next_from from ("
            "select *, lead(valid_from) over (partition by {keys} order by valid_from) as next_from "
            "from {relation} as known where exists (select from {relation} as touched "
            "where (touched.batch_id = %(batch)s or touched.ended_by_batch_id = %(batch)s) and {same})"
            ") as dated where next_from <= coalesce(valid_to, 'infinity') limit 1"
        ).format(
            keys=sql.SQL(", ").join(map(sql.Identifier, keys)),
            relation=sql.Identifier(*table.relation.split(".")),
            same=_same(table, "touched", "known", keys),
        ),
        {"batch": load.manifest.batch_id},
    ).fetchone()
    if row:
        key, valid_from, valid_to, next_from = row
        raise _overlap(table, key, f"the row from {valid_from} to {valid_to or 'open'} meets the row from {next_from}")


def _same(table: Table, left: str, right: str, names: list[str] | None = None) -> sql.Composed:
    conditions = (
        sql.SQL("{0} = {1}" if table.column(name).required else "{0} is not distinct from {1}").format(
            sql.Identifier(left, name), sql.Identifier(right, name)
        )
        for name in (names or table.key)
    )
    return sql.SQL(" and ").join(conditions)


def _overlap(table: Table, key: str, what: str) -> SettlementError:
    return SettlementError(
        "reference_overlap",
        f"{table.name} {key}: {what} (有效期重叠)",
        "end the old row first: deliver it again as it is, with its valid_to, and the new one beside it"
        " (请先为旧行补报 valid_to, 再报新行)",
    )
