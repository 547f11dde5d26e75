"""Whose a delivered row is: every area that has a claim on it, of which the one furthest from the batch is judged.

Dates that a sender writes decide nothing here. An institution belongs to the area that the register gives it now, on
the day the batch is received, and to the one it gives it on the day the row begins to hold; both must be the batch's.
So nobody gains an institution by a date, and one that changes area belongs to the new one from that day on; what
reaches over the change is the province's to bring. A code that nobody has registered belongs to the area it carries
(医保编码: H or P, six digits of the division, five more), and to the batch that registers it.
"""

from collections.abc import Collection

from settlement.contract.manifest import Manifest
from settlement.contract.tables import Table
from settlement.gate import owner
from settlement.intake import knowledge
from settlement.intake.knowledge import Load
from settlement.sql_text import literal


def find_owners(load: Load, table: Table, delivered: Collection[str]) -> None:
    """Create ``claim_on_row``: by file and line the area that the row is judged by, and whether its owner is known.

    Args:
        load: The load, with the register fetched.
        table: A table whose rows belong to an area.
        delivered: The tables that the batch holds; its own register rows count for codes that nobody has.
    """
    _create_register(load, delivered)
    claims = _claims_on_settlement(load, table) if owner(table) == "setl_id" else _claims_on_institution(load, table)
    load.engine.execute(f"""
        create or replace table claim_on_row as
        select file_no, line_no, min_by(area_code, {_nearness(load)}) as area_code, any_value(is_known) as is_known
        from (select file_no, line_no, is_known, unnest(areas) as area_code from ({claims}))
        group by file_no, line_no
    """)


def own_settlements(load: Load) -> str:
    """Condition on `known_settlement`: its institution was the batch's area's on the day of the settlement."""
    return f"""exists (
        select 1 from institution
        where institution.fixmedins_code = known_settlement.fixmedins_code
            and known_settlement.business_date between institution.valid_from and institution.valid_to
            and institution.area_code = {literal(load.manifest.area_code)}
    )"""


def sender_areas(load: Load) -> str:
    """The areas that who brought the batch is bound to, between bars, as SQL; NULL for who is bound to none."""
    return "null::VARCHAR" if load.bound_to is None else literal(f"|{'|'.join(sorted(load.bound_to))}|")


def _create_register(load: Load, delivered: Collection[str]) -> None:
    """Create ``register``: code, area and first day of what stands there, and of codes that the batch makes known."""
    columns = "fixmedins_code, area_code, valid_from"
    register = f"select {columns} from institution"
    if "institution" in delivered and _is_judged(load, "outcome_institution"):
        register += (
            f" union all select {columns} from outcome_institution where disposition = 'accepted' "
            "and fixmedins_code not in (select fixmedins_code from institution)"
        )
    load.engine.execute(f"create or replace table register as {register}")


def _is_judged(load: Load, relation: str) -> bool:
    return bool(load.count("select count(*) from duckdb_tables() where table_name = ?", [relation]))


def _claims_on_settlement(load: Load, table: Table) -> str:
    """What names an accepted settlement belongs to the area it was accepted in."""
    knowledge.find_areas_of_settlements(load, table)
    return f"""
        select
            file_no,
            line_no,
            case when typed.setl_id is not null then area_of_settlement.area_code is not null end as is_known,
            [area_of_settlement.area_code] as areas
        from typed_{table.name} as typed
        left join area_of_settlement on typed.setl_id = area_of_settlement.setl_id
    """


def _claims_on_institution(load: Load, table: Table) -> str:
    """What names an institution belongs where that does; a row of an area's own also to that area."""
    names = {column.name for column in table.columns}
    code = "split_part(finding_id, ':', 1)" if owner(table) == "finding_id" else "fixmedins_code"
    code = code if owner(table) == "finding_id" or "fixmedins_code" in names else "null::VARCHAR"
    today = f"date '{load.received_on}'"
    own = "named.area_code" if "area_code" in names else "null::VARCHAR"
    return f"""
        select
            named.file_no,
            named.line_no,
            case when named.named_code is not null then first.area_code is not null end as is_known,
            [
                {own},
                coalesce(at_present.area_code, first.area_code),
                coalesce(at_start.area_code, first.area_code),
                case when first.area_code is null then {_carried_area(load.manifest)} end
            ] as areas
        from (
            select *, {code} as named_code, {today} as today, {"valid_from" if "valid_from" in names else today} as day
            from typed_{table.name}
        ) as named
        left join (
            select fixmedins_code, min_by(area_code, valid_from) as area_code from register group by fixmedins_code
        ) as first on named.named_code = first.fixmedins_code
        asof left join register as at_present
            on named.named_code = at_present.fixmedins_code and named.today >= at_present.valid_from
        asof left join register as at_start
            on named.named_code = at_start.fixmedins_code and named.day >= at_start.valid_from
    """


def _carried_area(manifest: Manifest) -> str:
    """The area in an institution's code: the batch's, where the code is of its division, else the code's own city.

    A city or county shares the first four digits with its institutions; a province (``…0000``) and its own level
    (省本级, ``..99..``) the first two. Six digits that are no division tell nothing.
    """
    area_code = manifest.area_code
    shared = 2 if area_code.endswith("0000") or area_code[2:4] == "99" else 4
    return (
        "case when not regexp_full_match(named.named_code, '[HP][0-9]{11}') then null "
        f"when substr(named.named_code, 2, {shared}) = '{area_code[:shared]}' then '{area_code}' "
        "else substr(named.named_code, 2, 4) || '00' end"
    )


def _nearness(load: Load) -> str:
    """How near an area is to the batch: the furthest of all that have a claim is the one to judge by."""
    batch = literal(load.manifest.area_code)
    return (
        f"case when substr(area_code, 1, 2) <> substr({batch}, 1, 2) then 0 "
        f"when strpos({sender_areas(load)}, area_code) = 0 then 1 when area_code <> {batch} then 2 else 3 end"
    )
