"""Reference data that decides how much is paid and to which account takes effect when a second person has looked at it.

The accounts in SETTLEMENT_MASTER_DATA_RELEASERS are those persons; where it names nobody, nobody looks (the local
installation says so). A batch that brings such data is held whole, whatever else it brings.
"""

import os
from collections.abc import Sequence
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from settlement.contract.tables import MASTER_DATA, Column, Table
from settlement.intake.formats import Delivered
from settlement.intake.knowledge import Load
from settlement.intake.transfer import copy_to_postgres

SETTING = "SETTLEMENT_MASTER_DATA_RELEASERS"
MOST_SHOWN = 100

# Each delivered row beside the row of its key that is in force when it begins, or that it ends.
COMPARED = sql.SQL("""
create temporary table {compared} on commit drop as
select
    delivered.*,
    known.content as content_before
from {delivered} as delivered
left join lateral (
    select to_jsonb(known) as content
    from {relation} as known
    where {same} and (known.valid_from < delivered.valid_from
        or delivered.is_end = 1 and known.valid_from = delivered.valid_from)
    order by known.valid_from desc
    limit 1
) as known on true
where {counts}
""")

# What changes something that exists comes first: new keys are many at the start of a year, and hide it.
SHOWN = sql.SQL("""
select
    %(table)s as table,
    concat_ws(' ', {keys}) as key,
    valid_from::text,
    case
        when content_before is not null then (
            select jsonb_object_agg(name, content_before ->> name)
            from unnest(%(columns)s::text []) as name
            where content_before ->> name is distinct from content ->> name
        )
    end as before,
    (
        select coalesce(jsonb_object_agg(name, content ->> name), '{{}}')
        from unnest(%(columns)s::text []) as name
        where content_before is null or content_before ->> name is distinct from content ->> name
    ) as after
from {compared}
cross join lateral (select to_jsonb({compared}) as content) as delivered
order by content_before is null, key, valid_from
limit %(most)s
""")

# All of them in one number, so that a release is of exactly these.
COUNTED = sql.SQL("""
select
    %(table)s as table,
    count(*)::int as count,
    encode(sha256(convert_to(coalesce(string_agg(content, E'\\n' order by content), ''), 'UTF8')), 'hex') as sha256
from {compared}
cross join lateral (select to_jsonb({compared})::text as content) as delivered
""")


def has_releasers() -> bool:
    """Whether anybody is named who looks at such data a second time."""
    return any(account.strip() for account in os.environ.get(SETTING, "").split(","))


def changes(load: Load, parts: Sequence[Delivered]) -> list[dict[str, Any]]:
    """Give what the judged batch would change in such tables; nothing where it changes none.

    A new institution moves no money until it has an account; one that exists does with its agreement, area or class.

    Returns:
        Of each table one entry with ``table``, ``count`` and ``sha256`` (of all its changes), and one for each of the
        first hundred rows: ``table``, ``key`` (without the day), ``valid_from``, ``before`` and ``after`` (the columns
        that differ from the row before it, as texts; all of them, and ``before`` None, where there is none).
    """
    tables = dict.fromkeys(part.table for part in parts if part.table.name in MASTER_DATA)
    return [change for table in tables for change in _changes_of(load, table)]


def _changes_of(load: Load, table: Table) -> list[dict[str, Any]]:
    delivered, compared = (sql.Identifier(f"{kind}_{table.name}") for kind in ("delivered_master", "compared_master"))
    columns = [column.name for column in table.kept]
    keys = [column for column in table.kept if column.name in table.key and column.name != "valid_from"]
    _push(load, table, delivered, columns)
    load.connection.execute(
        COMPARED.format(
            compared=compared,
            delivered=delivered,
            relation=sql.Identifier(*table.relation.split(".")),
            same=sql.SQL(" and ").join(map(_same, keys)),
            counts=sql.SQL("known.content is not null" if table.name == "institution" else "true"),
        )
    )
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in keys)
    values = {
        "table": table.name,
        "columns": [name for name in columns if name not in table.key],
        "most": MOST_SHOWN,
    }
    with load.connection.cursor(row_factory=dict_row) as cursor:
        counted = cursor.execute(COUNTED.format(compared=compared), values).fetchall()
        shown = cursor.execute(SHOWN.format(compared=compared, keys=names), values).fetchall()
    return [*counted, *shown] if shown else []


def _push(load: Load, table: Table, relation: sql.Identifier, columns: list[str]) -> None:
    """Bring the accepted rows to a temporary table of PostgreSQL."""
    load.connection.execute(
        sql.SQL(
            "create temporary table {} on commit drop as select {}, 0::smallint as is_end from {} with no data"
        ).format(
            relation,
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.Identifier(*table.relation.split(".")),
        )
    )
    names = ", ".join(f'"{name}"' for name in columns)
    copy_to_postgres(
        load.engine,
        f"select {names}, (accepted_key_state = 'ends')::SMALLINT from outcome_{table.name} "
        "where disposition = 'accepted'",
        load.connection,
        f"delivered_master_{table.name}",
        [*columns, "is_end"],
    )


def _same(column: Column) -> sql.Composed:
    operator = sql.SQL("{} = {}" if column.required else "{} is not distinct from {}")
    return operator.format(sql.Identifier("known", column.name), sql.Identifier("delivered", column.name))
