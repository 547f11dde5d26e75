"""The context columns of the gate: what a rule must know beside the row itself, as joins in the engine."""

from collections.abc import Collection
from dataclasses import dataclass, field

from settlement.contract.manifest import SHANGHAI
from settlement.contract.tables import TABLES, Table
from settlement.gate import context_columns, is_broken, load_suite, owner
from settlement.gate.diagnoses import is_western
from settlement.intake.knowledge import Load, row_hash
from settlement.intake.ownership import sender_areas

IN_FORCE = ("active", "guidance", "suspended")
"""Agreements under which settlements count; a suspended one stops payments, not settlements (risk rule K2)."""

DAYS_OF_AGREEMENT = {
    "settlement": "cast(typed.setl_time as date)",
    "settlement_list": "coalesce(parent.business_date, {batch_day})",
    "declaration": "{batch_day}",
}
"""The day on which an agreement must be in force; a list stands for the day of its settlement, where that is known."""

KEY_STATE = """
    case when known.row_hash is null then 'new' when known.row_hash = typed.row_hash then 'repeated' else 'conflict' end
"""
# A later declaration replaces the earlier one and both are kept: only the very same totals again are a repetition.
KEY_STATES = {"declaration": "case when known.row_hash = typed.row_hash then 'repeated' else 'new' end"}
# A dated row may be delivered again with its end, which closes it; it may not say anything else.
KEY_STATE_OF_REFERENCE = """
    case
        when known.row_hash is null then 'new'
        when known.row_hash <> typed.row_hash then 'conflict'
        when known.known_valid_to is not distinct from typed.valid_to then 'repeated'
        when known.known_valid_to is null then 'ends'
        else 'conflict'
    end
"""


@dataclass
class Context:
    """Joins onto ``typed`` and what they make known: context column → SQL expression."""

    joins: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)

    def join(self, relation: str, condition: str, **columns: str) -> None:
        """Left join a relation that has at most one row for each delivered one."""
        self.joins.append(f"left join {relation} on {condition}")
        self.columns.update(columns)


def context_of(load: Load, table: Table, delivered: Collection[str]) -> Context:
    """Build the context of `table`; `delivered` names the tables that the batch holds."""
    context = Context()
    known = " and ".join(f'typed."{name}" is not distinct from known."{name}"' for name in table.key)
    if table.name == "settlement":
        known = "typed.setl_id = known.setl_id"
    relation = "settlement_again" if table.name == "settlement" else f"known_{table.name}"
    context.join(f"{relation} as known", known, accepted_key_state=_key_state(table))
    _add_key_occurrence(context, table)
    _add_batch(context, load)
    if table.parent:
        _add_parent(context, table)
    if table.name in DAYS_OF_AGREEMENT:
        _add_institution(context, DAYS_OF_AGREEMENT[table.name].format(batch_day=f"date '{load.as_of}'"))
    if table.name == "settlement_list":
        _add_list_children(context, delivered)
    if table.name == "settlement_list_diagnosis":
        _add_diagnosis(context)
    if owner(table):
        _add_claim(context, load)
    _leave_unknown(context, table)
    return context


def _leave_unknown(context: Context, table: Table) -> None:
    """Make NULL of every context column that nothing is known about."""
    wanted = context_columns(load_suite(table.name))
    context.columns |= {name: f"null::{type_}" for name, type_ in wanted.items() if name not in context.columns}


def _add_key_occurrence(context: Context, table: Table) -> None:
    context.join(
        f"repeated_key_{table.name} as repeated_key",
        "typed.file_no = repeated_key.file_no and typed.row_no = repeated_key.row_no",
        key_occurrence="coalesce(repeated_key.key_occurrence, 1)",
    )


def _key_state(table: Table) -> str:
    if table.name == "settlement":
        # The branches of a case are computed for the rows that come to them: a new settlement is never hashed.
        return KEY_STATE.replace("typed.row_hash", row_hash(table, relation="typed."))
    return KEY_STATE_OF_REFERENCE if table.kind == "reference" else KEY_STATES.get(table.name, KEY_STATE)


def _add_batch(context: Context, load: Load) -> None:
    manifest = load.manifest
    business_date = f"date '{manifest.business_date}'" if manifest.business_date else "null::DATE"
    created_at = manifest.created_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    context.columns |= {
        "batch_business_date": business_date,
        "batch_created_at": f"timestamp '{created_at}'",
        "batch_area_code": f"'{manifest.area_code}'",  # six digits, checked by the manifest
        "area_fund_sum_includes_account": "(select fund_sum_includes_account from area)",
    }


def _add_institution(context: Context, day: str) -> None:
    """The dated register row of the institution on `day`; overlapping rows are refused when they are loaded."""
    context.join(
        "institution",
        f"typed.fixmedins_code = institution.fixmedins_code and "
        f"{day} between institution.valid_from and institution.valid_to",
        institution_known=f"case when {day} is not null then institution.fixmedins_code is not null end",
        agreement_in_force=f"case when {day} is not null then institution.fixmedins_code is not null "
        f"and institution.agreement_status in {IN_FORCE!r} "
        f"and coalesce(institution.agreement_from <= {day}, true) end",
        institution_area_code="institution.area_code",
    )


def _add_claim(context: Context, load: Load) -> None:
    """Whose a reference row or decision is, see `ownership`."""
    context.join(
        "claim_on_row",
        "typed.file_no = claim_on_row.file_no and typed.line_no = claim_on_row.line_no",
        row_area_code="claim_on_row.area_code",
        owner_known="claim_on_row.is_known",
    )
    context.columns["sender_area_codes"] = sender_areas(load)


def _add_parent(context: Context, table: Table) -> None:
    relation, is_accepted = f"accepted_{table.parent}", "parent.setl_id is not null"
    if table.name == "settlement_list":
        # Another institution's or person's settlement is none of the list's; what is not understood is not compared.
        relation = "settlement_of_list"
        is_accepted += "".join(
            f" and coalesce(typed.{name} = parent.{name}, true)" for name in ("fixmedins_code", "person_key")
        )
    context.join(f"{relation} as parent", "typed.setl_id = parent.setl_id", parent_accepted=is_accepted)
    context.columns |= {"parent_institution": "parent.fixmedins_code", "parent_date": "parent.business_date"}


def _add_list_children(context: Context, delivered: Collection[str]) -> None:
    """Facts about the children of a list that came in the same batch; none delivered means none, but for charges."""
    context.columns |= {"settlement_medfee_sumamt": "parent.medfee_sumamt"}
    facts = {"diagnosis_count": "0", "operation_count": "0", "main_diagnosis_count": "0"}
    children = [child for child in FACTS if child in delivered]
    for child in children:
        for name in FACTS[child][1]:
            known = f"coalesce(facts.{name}, 0)" if name in ADDED_UP else f"facts.{name}"
            facts[name] = f"case when not coalesce(facts.{_unsound(child)}, false) then {known} end"
    if children:
        context.join("facts_of_lists as facts", "typed.setl_id = facts.setl_id")
    # Children belong to the first list of their key; of a later one nothing is known here.
    context.columns |= {
        name: f"case when repeated_key.key_occurrence is null or repeated_key.key_occurrence = 1 then {value} end"
        for name, value in facts.items()
    }


def _add_diagnosis(context: Context) -> None:
    context.columns |= {
        "is_western": is_western("typed.diag_type", "typed.diag_code"),
        "area_diag_type_dictionary": "(select diag_type_dictionary from area)",
    }


def create_list_facts(load: Load, delivered: Collection[str]) -> None:
    """Create ``facts_of_lists``: one row for each list whose children came in the batch, with what the rules ask.

    Each child is added up by a statement of its own, and lists are judged with one table of facts: the memory that a
    join, a sort or a group takes is free again for the next.
    """
    children = [child for child in FACTS if child in delivered]
    for child in children:
        facts = FACTS[child][0].format(children=_sound(load, child), unsound=_unsound(child))
        load.engine.execute(f"create or replace table facts_of_{child} as {facts}")
    if children:
        known = ", ".join(f"any_value({name}) as {name}" for name in _names_of_facts(delivered))
        parts = " union all by name ".join(f"select * from facts_of_{child}" for child in children)
        load.engine.execute(
            f"create or replace table facts_of_lists as select setl_id, {known} from ({parts}) group by setl_id"
        )


def _names_of_facts(delivered: Collection[str]) -> list[str]:
    return [name for child, (_, names) in FACTS.items() if child in delivered for name in (*names, _unsound(child))]


def _unsound(child: str) -> str:
    """Name of the fact that a document has a broken child: then its children say nothing about the list."""
    return f"has_unsound_{child}"


def _sound(load: Load, name: str) -> str:
    """The delivered rows of a table of children that are accepted if their list is.

    A document stands or falls whole, so its broken rows are here too, and `is_unsound`. The same child again in one
    document counts once. A row that is malformed has no values, so it is broken.
    """
    table, context = TABLES[name], Context()
    _add_key_occurrence(context, table)
    _add_batch(context, load)
    context.columns |= {"parent_accepted": "true", "accepted_key_state": "'new'"}
    if name == "settlement_list_diagnosis":
        _add_diagnosis(context)
    _leave_unknown(context, table)
    added = ", ".join(f"{expression} as {column}" for column, expression in context.columns.items())
    documents = ", ".join(str(file.file_no) for file in load.manifest.files if file.format == "json4101")
    again = "coalesce(repeated_key.is_same and typed.line_no = repeated_key.first_line_no, false) as is_again"
    return f"""(
        select * from (
            select *, key_occurrence > 1 or {is_broken(load_suite(name))} as is_unsound
            from (select typed.*, {added}, {again} from typed_{name} as typed {" ".join(context.joins)})
        )
        where case when file_no in ({documents or "0"}) then not is_again else not is_unsound end
    )"""


# One definition with intake.judged_settlement_list. The main diagnosis is the row flagged so; where no row is flagged,
# the row with seq 1. Rows of Chinese medicine are never the main one, nor does their flag count.
DIAGNOSES = """
    select
        setl_id,
        bool_or(is_unsound) as {unsound},
        count(*) as diagnosis_count,
        count(*) filter (is_main) as main_diagnosis_count,
        min(diag_code) filter (is_main) as main_diagnosis_code,
        min(adm_cond_type) filter (is_main) as main_diagnosis_condition,
        '|' || string_agg(diag_code, '|' order by seq) || '|' as diagnosis_codes
    from (
        select
            *,
            is_western and case
                when max(maindiag_flag) filter (is_western) over (partition by setl_id) = 1
                    then coalesce(maindiag_flag = 1, false)
                else coalesce(seq = 1, false)
            end as is_main
        from {children}
    )
    group by setl_id
"""

# An operation's date, or where none is given its times.
OPERATIONS = """
    select
        setl_id,
        bool_or(is_unsound) as {unsound},
        count(*) as operation_count,
        min(coalesce(oprn_oprt_date, cast(oprn_oprt_begntime as date), cast(oprn_oprt_endtime as date)))
            as first_operation_date,
        max(coalesce(oprn_oprt_date, cast(oprn_oprt_endtime as date), cast(oprn_oprt_begntime as date)))
            as last_operation_date
    from {children}
    group by setl_id
"""

ITEMS = """
    select setl_id, bool_or(is_unsound) as {unsound}, sum(amt) as item_amount_sum from {children} group by setl_id
"""

STAYS = """
    select
        setl_id,
        bool_or(is_unsound) as {unsound},
        min(scs_cutd_inpool_time) as first_icu_time,
        max(coalesce(scs_cutd_exit_time, scs_cutd_inpool_time)) as last_icu_time
    from {children}
    group by setl_id
"""

FACTS = {
    "settlement_list_diagnosis": (
        DIAGNOSES,
        (
            "diagnosis_count",
            "main_diagnosis_count",
            "main_diagnosis_code",
            "main_diagnosis_condition",
            "diagnosis_codes",
        ),
    ),
    "settlement_list_operation": (
        OPERATIONS,
        ("operation_count", "first_operation_date", "last_operation_date"),
    ),
    "settlement_list_item": (ITEMS, ("item_amount_sum",)),
    "settlement_list_icu": (STAYS, ("first_icu_time", "last_icu_time")),
}
"""By table of children: how it is added up by list, and the context columns that this gives."""

ADDED_UP = {"diagnosis_count", "main_diagnosis_count", "operation_count", "item_amount_sum"}
"""Facts that are nothing, not unknown, for a list without such children."""
