"""Judge the delivered rows of one table: typed values, all reasons of the broken ones, and what becomes of each row.

The result is the engine's table ``outcome_<table>``: one row a delivered row with its typed kept columns, where it goes
(``disposition``: accepted, quarantined, repeated, pending), ``reasons`` (NULL unless quarantined) and its origin.
"""

from collections.abc import Collection, Sequence

from settlement.contract.tables import Table
from settlement.gate import REASON, is_broken, load_suite, projection, reason, reasons, warnings
from settlement.intake import repeats
from settlement.intake.context import context_of
from settlement.intake.formats import Delivered
from settlement.intake.knowledge import Load, row_hash

WARNING = "warning_"
REASONS = f"STRUCT({', '.join(f'{name} {kind}' for name, kind in REASON.items())})[]"


def create_key_view(load: Load, table: Table, parts: Sequence[Delivered]) -> None:
    """Create ``key_<table>``: the typed keys of all files of the table, with file, line and row."""
    items = ", ".join(projection(load_suite(table.name), table.key))
    selects = (
        f"select {part.file.file_no} as file_no, line_no, {part.row_no} as row_no, {items} "
        f"from {repeats.judged_rows(load, part)}"
        for part in parts
    )
    load.engine.execute(f"create or replace view key_{table.name} as {' union all '.join(selects)}")


def create_typed_view(load: Load, table: Table, parts: Sequence[Delivered]) -> None:
    """Create ``typed_<table>``: typed values beside the delivered text, for all files of a table that is not large."""
    selects = (typed(table, part, repeats.judged_rows(load, part)) for part in parts)
    load.engine.execute(f"create or replace view typed_{table.name} as {' union all '.join(selects)}")


def typed(table: Table, part: Delivered, source: str) -> str:
    """Select typed values beside the delivered text from `source`, which holds rows of `part`."""
    items = ", ".join(projection(load_suite(table.name)))
    return f"select {part.file.file_no} as file_no, line_no, {part.row_no} as row_no, form_error, {items} from {source}"


def judge(load: Load, table: Table, delivered: Collection[str]) -> None:
    """Create ``outcome_<table>`` from ``typed_<table>`` and what the warehouse knows."""
    query = judged(load, table, delivered, f"typed_{table.name}")
    load.engine.execute(f"create or replace table outcome_{table.name} as {query}")


def judged(load: Load, table: Table, delivered: Collection[str], source: str) -> str:
    """Select the outcome of the typed rows of `source`."""
    suite = load_suite(table.name)
    context = context_of(load, table, delivered)
    added = ", ".join(f"{expression} as {name}" for name, expression in context.columns.items())
    warned = "".join(
        f"coalesce({condition}, false) as {warning_column(number)}, "
        for number, (_, condition) in enumerate(warnings(suite))
    )
    return f"""
        with typed as (
            select *, {"null::UUID" if table.name == "settlement" else row_hash(table)} as row_hash
            from (select *, {repeats.person(table)} as person_key from {source})
        ),
        judged as (select typed.*, {added} from typed {" ".join(context.joins)}),
        decided as (
            select
                *,
                cast(case
                    when form_error is not null then [{reason("R_FORM", value="form_error")}]
                    when accepted_key_state = 'repeated' then null
                    when {is_broken(suite)} or {_own_rules(table)} then {_all_reasons(table, reasons(suite))}
                end as {REASONS}) as reasons
            from judged
        )
        select
            file_no,
            line_no,
            {"row_no," if table.name in repeats.MAY_REPEAT else ""}
            {_record_key(table)} as record_key,
            {_kept(table)},
            {_origin(load, table)},
            row_hash,
            accepted_key_state,
            {warned}
            reasons,
            {_persons(table)} as persons,
            case
                when accepted_key_state = 'repeated' then 'repeated' when reasons is not null then 'quarantined'
                else 'accepted'
            end as disposition
        from decided
    """


def warning_column(number: int) -> str:
    """Name of the outcome's column that tells whether a row breaks a warning rule."""
    return f"{WARNING}{number}"


def warnings_of(load: Load, table: Table, stored: Collection[int] = ()) -> list[str]:
    """What the warning rules say about the accepted rows, with the number of rows.

    `stored` counts, rule by rule, the accepted rows that are written already and not part of the outcome any more.
    """
    rules = warnings(load_suite(table.name))
    if not rules:
        return []
    counts = ", ".join(f"count(*) filter (where {warning_column(number)})" for number in range(len(rules)))
    found = load.engine.execute(f"select {counts} from outcome_{table.name} where disposition = 'accepted'").fetchone()
    totals = [sum(both) for both in zip(found or (), stored or [0] * len(rules), strict=True)]
    return [
        f"{rule.code}: {rule.text_zh} / {rule.text_en} ({table.name}: {count})"
        for (rule, _), count in zip(rules, totals, strict=True)
        if count
    ]


def _record_key(table: Table) -> str:
    """The key as people read it: its parts as typed, or as delivered where they are not understood."""
    names = [name for name in table.key if name != "valid_from" or len(table.key) == 1]
    parts = (f'coalesce("{name}"::VARCHAR, "{name}__text", \'\')' for name in names)
    return f"left(concat_ws('|', {', '.join(parts)}), 200)"


def _kept(table: Table) -> str:
    return ", ".join(f'"{column.kept_name}"' for column in table.kept)


def _origin(load: Load, table: Table) -> str:
    """area_code, business_date and institution of the row; undated tables have neither of the latter."""
    area = f"'{load.manifest.area_code}' as batch_area_code"
    if table.parent:
        institution = "" if table.name == "settlement_list" else ", parent_institution as fixmedins_code"
        return f"{area}, parent_date as business_date{institution}"
    if table.name == "settlement":
        return f"{area}, cast(setl_time as date) as business_date"
    return f"{area}, batch_business_date as business_date"


def _own_rules(table: Table) -> str:
    """R_DUPLICATE and R_CONFLICT for tables whose suite does not judge keys itself."""
    return "false" if _suite_judges_keys(table) else "key_occurrence > 1 or accepted_key_state = 'conflict'"


def _all_reasons(table: Table, suite_reasons: str) -> str:
    if _suite_judges_keys(table):
        return suite_reasons
    field = table.key[0]
    return (
        f"list_concat({suite_reasons}, "
        f"case when key_occurrence > 1 then [{reason('R_DUPLICATE', field)}] end, "
        f"case when accepted_key_state = 'conflict' then [{reason('R_CONFLICT', field)}] end)"
    )


def _suite_judges_keys(table: Table) -> bool:
    return any(rule.code == "R_DUPLICATE" for rule in load_suite(table.name).rules)


def _persons(table: Table) -> str:
    """Who a broken row is about, as delivered, for nothing but to be recognised in its reasons and left out there."""
    names = [
        f'"{column.name}__text"' if column.kept_name else f'"{column.name}"'
        for column in table.columns
        if column.is_identity
    ]
    return f"case when reasons is not null then [{', '.join(names)}] end" if names else "null::VARCHAR[]"
