"""Reference data that decides how much is paid and to which account takes effect when a second person has looked at it.

The accounts in SETTLEMENT_MASTER_DATA_RELEASERS are those persons; where it names nobody, nobody looks (the local
installation says so). A batch that brings such data is held whole, whatever else it brings.
"""

import os
from collections.abc import Sequence
from typing import Any

from psycopg import sql

from settlement.contract.tables import MASTER_DATA, Column, Table
from settlement.intake.formats import Delivered
from settlement.intake.knowledge import Load

SETTING = "SETTLEMENT_MASTER_DATA_RELEASERS"
MOST_KEPT = 10_000
MOST_SHOWN = 100


def has_releasers() -> bool:
    """Whether anybody is named who looks at such data a second time."""
    return any(account.strip() for account in os.environ.get(SETTING, "").split(","))


def changes(load: Load, parts: Sequence[Delivered]) -> list[dict[str, Any]]:
    """Give what the judged batch would change in such tables, ten thousand rows of each at most.

    What changes something that exists comes first: new keys are many at the start of a year, and hide it. A new
    institution moves no money until it has an account; one that exists does with its agreement, area or class.

    Returns:
        One entry a row: ``table``, ``key`` (without the day), ``valid_from``, ``before`` and ``after`` (the columns
        that differ from the row before it, as texts; all of them where there is none).
    """
    tables = dict.fromkeys(part.table for part in parts if part.table.name in MASTER_DATA)
    found = [change for table in tables for change in _changes_of(load, table)]
    counting = [change for change in found if change["before"] or change["table"] != "institution"]
    return sorted(counting, key=lambda change: change["before"] is None)


def _changes_of(load: Load, table: Table) -> list[dict[str, Any]]:
    columns = [column.name for column in table.kept]
    rows = load.engine.execute(
        f"select {', '.join(columns)}, accepted_key_state = 'ends' from outcome_{table.name} "
        "where disposition = 'accepted' order by file_no, line_no limit ?",
        [MOST_KEPT],
    ).fetchall()
    return [_change(load, table, dict(zip(columns, row, strict=False)), is_end=row[-1]) for row in rows]


def _change(load: Load, table: Table, after: dict[str, Any], *, is_end: bool) -> dict[str, Any]:
    before = _row_before(load, table, after, is_end=is_end)
    keys = [name for name in table.key if name != "valid_from"]
    differing = [
        column.name
        for column in table.kept
        if column.name not in table.key and (before is None or before[column.name] != after[column.name])
    ]
    return {
        "table": table.name,
        "key": " ".join(str(after[name]) for name in keys if after[name] is not None),
        "valid_from": str(after["valid_from"]),
        "before": {name: _text(before[name]) for name in differing} if before else None,
        "after": {name: _text(after[name]) for name in differing},
    }


def _row_before(load: Load, table: Table, row: dict[str, Any], *, is_end: bool) -> dict[str, Any] | None:
    """The row of the same key that is in force when `row` begins, or the one that it ends."""
    keys = [table.column(name) for name in table.key if name != "valid_from"]
    query = sql.SQL(
        "select {columns} from {relation} where {same} and valid_from {before} %s order by valid_from desc limit 1"
    )
    found = load.connection.execute(
        query.format(
            columns=sql.SQL(", ").join(sql.Identifier(column.name) for column in table.kept),
            relation=sql.Identifier(*table.relation.split(".")),
            same=sql.SQL(" and ").join(_same(column) for column in keys),
            before=sql.SQL("<=" if is_end else "<"),
        ),
        [*(row[column.name] for column in keys), row["valid_from"]],
    ).fetchone()
    return dict(zip((column.name for column in table.kept), found, strict=True)) if found else None


def _same(column: Column) -> sql.Composed:
    operator = sql.SQL("{} = %s" if column.required else "{} is not distinct from %s")
    return operator.format(sql.Identifier(column.name))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
