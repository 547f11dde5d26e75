"""A suite as DuckDB expressions: how delivered text becomes values, which rows are broken, and why.

Two relations:

- ``delivered``: one VARCHAR per contract column, as it was sent (NULL where the file has no such column);
- ``judged``: what `projection` makes of it — ``<column>__text`` (as sent, empty is NULL) and ``<column>`` (typed) —
  joined with the context columns below, which the caller knows.

**Unknown values.** ``<column>`` is NULL when the value fails R_MISSING, R_TYPE, R_SCALE, R_CODE or R_DICT.
Conditions are written so that NULL makes them NULL, which is "not broken": nothing else is judged on an unknown value.
Where a condition asks ``is null`` or ``coalesce`` itself, a guard is added that tells *empty* from *not understood*.

**Context columns**, all optional facts (NULL: not judged), by table:

settlement, fee_item, settlement_list and its children, declaration
    ``batch_business_date`` DATE, ``batch_created_at`` TIMESTAMP (wall clock of Asia/Shanghai),
    ``batch_area_code`` VARCHAR, ``key_occurrence`` BIGINT (1 for the first row of a key within the batch, 2 …),
    ``accepted_key_state`` VARCHAR (`new`, `repeated`, `conflict`)
settlement, settlement_list, declaration
    ``institution_known`` BOOLEAN (a dated row covers the business day), ``agreement_in_force`` BOOLEAN (that row's
    status is guidance, active or suspended, and its agreement began; a suspended agreement stops payments, not
    settlements), ``institution_area_code`` VARCHAR
settlement
    ``area_fund_sum_includes_account`` SMALLINT 0/1 (0 where the area has no row)
reference tables, review, case_review
    ``batch_area_code`` VARCHAR, ``row_area_code`` VARCHAR (the area of the row: its own, or that of the institution,
    finding or settlement it names, and where these differ the one furthest from the batch; not known for what belongs
    to no area), ``sender_area_codes`` VARCHAR (the areas that who brought the batch is bound to, between bars:
    ``|330100|330200|``), ``owner_known`` BOOLEAN (the institution is registered, the settlement accepted)
fee_item, settlement_list and its children
    ``parent_accepted`` BOOLEAN (fee lines and lists: the settlement; children of a list: the list)
settlement_list_diagnosis
    ``is_western`` BOOLEAN (`settlement.gate.diagnoses`), ``area_diag_type_dictionary`` VARCHAR (`tcm_2_3`, `western_2`)
settlement_list
    ``settlement_medfee_sumamt`` DECIMAL (of the accepted settlement), ``item_amount_sum`` DECIMAL,
    ``diagnosis_count``, ``operation_count`` BIGINT (rows delivered), ``main_diagnosis_count`` BIGINT (rows flagged
    ``maindiag_flag = 1``, or where none is flagged rows with ``seq = 1``; rows of Chinese medicine do not count),
    ``main_diagnosis_code`` VARCHAR, ``main_diagnosis_condition`` VARCHAR (its ``adm_cond_type``),
    ``diagnosis_codes`` VARCHAR (all of them, each between bars: ``|I10.x00|E11.900|``), ``first_operation_date`` and
    ``last_operation_date`` DATE, ``first_icu_time`` and ``last_icu_time`` TIMESTAMP
"""

from collections.abc import Collection, Sequence

from settlement.contract.tables import Column
from settlement.gate.suites import (
    DECIMAL_KINDS,
    IN_SET,
    MATCH_REGEX,
    NOT_NULL,
    OF_TYPE,
    UNEXPECTED_ROWS,
    Rule,
    Suite,
    owner,
)
from settlement.invisible import IN_ENGINE
from settlement.sql_text import literal, quoted

SETTLEMENT_BATCH = {
    "batch_business_date": "DATE",
    "batch_created_at": "TIMESTAMP",
    "batch_area_code": "VARCHAR",
    "key_occurrence": "BIGINT",
    "accepted_key_state": "VARCHAR",
}
INSTITUTION = {
    "institution_known": "BOOLEAN",
    "agreement_in_force": "BOOLEAN",
    "institution_area_code": "VARCHAR",
}
PARENT = {"parent_accepted": "BOOLEAN"}
OWNED = {
    "batch_area_code": "VARCHAR",
    "row_area_code": "VARCHAR",
    "sender_area_codes": "VARCHAR",
    "owner_known": "BOOLEAN",
}
DIAGNOSIS = {"is_western": "BOOLEAN", "area_diag_type_dictionary": "VARCHAR"}
LIST_CHILDREN = {
    "settlement_medfee_sumamt": "DECIMAL(18,2)",
    "item_amount_sum": "DECIMAL(38,2)",
    "diagnosis_count": "BIGINT",
    "operation_count": "BIGINT",
    "main_diagnosis_count": "BIGINT",
    "main_diagnosis_code": "VARCHAR",
    "main_diagnosis_condition": "VARCHAR",
    "diagnosis_codes": "VARCHAR",
    "first_operation_date": "DATE",
    "last_operation_date": "DATE",
    "first_icu_time": "TIMESTAMP",
    "last_icu_time": "TIMESTAMP",
}
CONTEXT: dict[str, dict[str, str]] = {
    "settlement": {
        **SETTLEMENT_BATCH,
        **INSTITUTION,
        "area_fund_sum_includes_account": "SMALLINT",
    },
    "fee_item": {**SETTLEMENT_BATCH, **PARENT},
    "settlement_list": {**SETTLEMENT_BATCH, **INSTITUTION, **PARENT, **LIST_CHILDREN},
    "settlement_list_diagnosis": {**SETTLEMENT_BATCH, **PARENT, **DIAGNOSIS},
    "settlement_list_operation": {**SETTLEMENT_BATCH, **PARENT},
    "settlement_list_item": {**SETTLEMENT_BATCH, **PARENT},
    "settlement_list_icu": {**SETTLEMENT_BATCH, **PARENT},
    "declaration": {**SETTLEMENT_BATCH, **INSTITUTION},
}

DUCKDB_TYPES = {
    "money": "DECIMAL(16,2)",  # 16 digits as delivered; room to add ten of them without an overflow
    "int": "INTEGER",
    "flag": "SMALLINT",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}

# Strict forms: a cast alone would let 1e5, 1_000, ' 1' and 2026/2/3 pass, and make 24:00:00 the next day.
NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"
WHOLE = r"[+-]?[0-9]+(\.0*)?"
DAY = r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}"
# An id as nearly every system writes one, and the forms that spreadsheets give to ids. Tried one after the other, so
# that the usual id costs one pattern.
USUAL_ID = "[0-9A-Za-z_:-]{1,%d}"
VISIBLE_ASCII = "[!-~]+"  # a blank that one system keeps and another takes off makes two of one
VISIBLE = f"( |[^{IN_ENGINE}\\x{{ff01}}-\\x{{ff5e}}])+"  # without full-width letters and digits, either
SPREADSHEET_FORM = r"""['"][0-9A-Za-z].*|=.*|[0-9](\.[0-9]+)?[eE]\+[0-9]+|[0-9]+\.[0-9]+[eE][0-9]+"""
PATTERNS = {"int": WHOLE, "date": DAY, "timestamp": DAY + r" ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"}


def context_columns(suite: Suite) -> dict[str, str]:
    """Name and DuckDB type of the context columns of a table; none for rows that are judged by themselves."""
    return CONTEXT.get(suite.name, OWNED if owner(suite.table) else {})


def projection(suite: Suite, names: Collection[str] | None = None) -> list[str]:
    """Select items over ``delivered``: per kept column (of `names`, if given) its text and its typed value.

    Without `names` also what names a person, as sent: it is known here alone, so that it is recognised elsewhere.
    """
    items = [quoted(column.name) for column in suite.table.columns if column.is_dropped] if names is None else []
    for column in _kept(suite):
        if names is not None and column.name not in names:
            continue
        items.append(f"nullif({quoted(column.name)}, '') as {quoted(column.name + '__text')}")
        items.append(f"{_typed(suite, column)} as {quoted(column.name)}")
    return items


def is_broken(suite: Suite) -> str:
    """Boolean over ``judged``, never NULL: true when the row breaks at least one rejecting rule."""
    unknown = [_is_unacceptable(column) for column in _kept(suite)]
    conditions = [f"({_breaks(suite, rule)})" for rule in _rejecting_conditions(suite)]
    return f"coalesce({' or '.join([*unknown, *conditions])}, false)"


REASON = {name: "VARCHAR" for name in ("code", "field", "value", "rule", "child", "note")}
"""What is said of a broken rule, with DuckDB's types. `rule` is the rule's id, of which its texts are those; `child`
names the row inside a document that breaks it; `note` says in both languages what only this row can tell."""


def reason(
    code: str,
    field: str | None = None,
    value: str = "null::VARCHAR",
    rule: str | None = None,
    note: str = "null::VARCHAR",
) -> str:
    """A reason as SQL; `value` and `note` are expressions, the other parts are texts."""
    texts = {name: f"'{text}'" if text else "null::VARCHAR" for name, text in (("field", field), ("rule", rule))}
    return (
        f"{{'code': '{code}', 'field': {texts['field']}, 'value': {value}, 'rule': {texts['rule']}, "
        f"'child': null::VARCHAR, 'note': {note}}}"
    )


def reasons(suite: Suite) -> str:
    """List of `REASON` over ``judged``: every reject rule that the row breaks.

    The value is the text as sent, or both sides of a sum; that of a column which names a person is left out.
    """
    found = [_value_reason(suite, column) for column in _kept(suite)]
    for rule in _rejecting_conditions(suite):
        found.append(f"case when {_breaks(suite, rule)} then {_reason_of(suite, rule)} end")
    return f"list_filter([{', '.join(found)}], lambda found_reason: found_reason is not null)"


def warnings(suite: Suite) -> list[tuple[Rule, str]]:
    """Every warning rule with its boolean over ``judged`` (NULL or false: nothing to say)."""
    return [(rule, _breaks(suite, rule)) for rule in suite.rules if not rule.is_reject and not _is_form_rule(rule)]


def _kept(suite: Suite) -> list[Column]:
    return [column for column in suite.table.columns if not column.is_dropped]


def _is_form_rule(rule: Rule) -> bool:
    """True for the common rules about type, scale and length, which the projection judges by the contract."""
    return rule.type == OF_TYPE or (rule.is_common and rule.is_arrival_only)


def _rejecting_conditions(suite: Suite) -> list[Rule]:
    """Rejecting SQL conditions; the other rejecting rules are part of the typed values."""
    return [rule for rule in suite.rules if rule.is_reject and rule.condition and not _is_form_rule(rule)]


def _is_unacceptable(column: Column) -> str:
    """True when the typed value is NULL and that is not because an optional value was left out."""
    name = quoted(column.name)
    if column.required or column.default is not None:
        return f"{name} is null"
    return f"({name} is null and {_text(column)} is not null)"


def _typed(suite: Suite, column: Column) -> str:
    """The value of a column, NULL when it is missing or unknown.

    The usual form comes first, because that is what nearly every value has and a pattern costs more than a cast:
    an amount of zero, a code that is already in capitals.
    """
    text = quoted(column.name)
    if column.kind in DECIMAL_KINDS:
        cast = f"try_cast({text} as {duckdb_type(column)})"
        branches = [(f"{text} = '0.00'", "0"), (_matches(text, _scaled_number(column)), cast)]
    elif column.kind in PATTERNS:
        branches = [(_matches(text, PATTERNS[column.kind]), f"try_cast({text} as {duckdb_type(column)})")]
    elif column.kind == "flag":
        branches = [(f"{text} = '0'", "0::SMALLINT"), (f"{text} = '1'", "1::SMALLINT")]
    else:
        values = dict.fromkeys([text, _normalised(column, text)])
        branches = [(_is_member(suite, column, value), value) for value in values]
    if column.default is not None:
        branches.append((f"{text} is null or {text} = ''", column.default))
    return f"case {' '.join(f'when {test} then {value}' for test, value in branches)} end"


def _is_member(suite: Suite, column: Column, value: str) -> str:
    """Test of a text or code: the suite's pattern and value set, or where it has none the contract's size."""
    rules = _dictionary_rules(suite, column)
    return " and ".join(_holds(rule, value) for rule in rules) if rules else _has_size(column, value, is_folded=True)


def _dictionary_rules(suite: Suite, column: Column) -> list[Rule]:
    """The rejecting pattern and value set of a column, in the order in which their reasons are given."""
    rules = (suite.of_column(column.name, MATCH_REGEX), suite.of_column(column.name, IN_SET))
    return [rule for rule in rules if rule]


def _value_reason(suite: Suite, column: Column) -> str:
    """The first of R_MISSING, R_TYPE, R_SCALE, R_RANGE, R_CODE, R_DICT that the delivered text deserves, or NULL."""
    text = _text(column)
    branches = []
    if column.required:
        branches.append((f"{text} is null", "R_MISSING", ""))
    if column.kind in DECIMAL_KINDS:
        branches.append((f"not {_matches(text, NUMBER)}", "R_TYPE", ""))
        branches.append((f"not {_matches(text, _scaled_number(column))}", "R_SCALE", ""))
        branches.append(("true", "R_RANGE", "digits"))
    elif column.kind == "int":
        branches.append((f"not {_matches(text, WHOLE)}", "R_TYPE", ""))
        branches.append(("true", "R_RANGE", "digits"))
    elif column.kind in ("date", "timestamp"):
        branches.append(("true", "R_TYPE", ""))
    elif column.kind == "flag":
        branches.append(("true", "R_DICT", "flag"))
    else:
        value = _normalised(column, text)
        branches.append((f"not ({_has_size(column, text)})", "R_CODE", "id" if column.is_id else "length"))
        branches += [(f"not ({_holds(rule, value)})", rule.code, "") for rule in _dictionary_rules(suite, column)]
    cases = " ".join(f"when {test} then {_reason(code, column, word)}" for test, code, word in branches)
    return f"case when {_is_unacceptable(column)} then case {cases} end end"


def _breaks(suite: Suite, rule: Rule) -> str:
    """Condition over ``judged`` that is true for a row which breaks the rule."""
    if rule.type == UNEXPECTED_ROWS:
        guards = [f"{quoted(name)} is not null" for name in rule.needs]
        guards += [_is_understood(suite.table.column(name)) for name in rule.columns if _asks_for_null(rule, name)]
        return " and ".join([*guards, f"({rule.condition})"])
    name = quoted(rule.field)
    if rule.type == NOT_NULL:
        return f"{name} is null"
    return f"not ({_holds(rule, name)})"


def _asks_for_null(rule: Rule, column: str) -> bool:
    """True when the condition itself treats NULL of the column as a case."""
    condition = rule.condition or ""
    return f"{column} is null" in condition or f"{column} is not null" in condition or f"coalesce({column}" in condition


def _is_understood(column: Column) -> str:
    """False when something was sent that is not a value of the column."""
    return f"not ({quoted(column.name)} is null and {_text(column)} is not null)"


def _holds(rule: Rule, value: str) -> str:
    """Test of a standard expectation type on one value."""
    if rule.type == IN_SET:
        return f"{value} in ({', '.join(literal(entry) for entry in rule.kwargs['value_set'])})"
    return f"regexp_full_match({value}, {literal(_unanchored(rule.kwargs['regex']))})"


def _unanchored(pattern: str) -> str:
    """A pattern without its anchors: suites write them for PostgreSQL, whose match is a search."""
    return pattern.removeprefix("^").removesuffix("$")


def _normalised(column: Column, text: str) -> str:
    """Codes upper-cased; in ICD codes the extension letter x stays as it is (the first letter may be an X)."""
    if column.kind == "code":
        return f"upper({text})"
    if column.kind == "icd":
        return f"upper({text}[1]) || replace(upper({text}[2:]), 'X', 'x')"
    return text


def _has_size(column: Column, text: str, *, is_folded: bool = False) -> str:
    """Length as the contract says; codes are ASCII letters and digits, ids visible ASCII in no form of a spreadsheet,
    texts hold no NUL (PostgreSQL stores none)."""
    if column.kind == "code":
        least, most = column.size[0], column.size[-1]
        return _matches(text, f"[{'' if is_folded else 'a-z'}A-Z0-9]{{{least},{most}}}")
    if column.is_id:
        visible = VISIBLE if column.is_own_id else VISIBLE_ASCII
        return (
            f"({_matches(text, USUAL_ID % column.size[-1])} or (length({text}) <= {column.size[-1]} "
            f"and {_matches(text, visible)} and not {_matches(text, SPREADSHEET_FORM)}))"
        )
    return f"length({text}) between 1 and {column.size[-1]} and not contains({text}, chr(0))"


def _scaled_number(column: Column) -> str:
    scale = 2 if column.kind == "money" else column.size[1]
    return rf"[+-]?([0-9]+(\.[0-9]{{0,{scale}}})?|\.[0-9]{{1,{scale}}})"


def duckdb_type(column: Column) -> str:
    """DuckDB's type of a column's values."""
    if column.kind in ("text", "code", "icd"):
        return "VARCHAR"
    if column.kind in ("decimal", "ratio"):
        return f"DECIMAL({column.size[0]},{column.size[1]})"
    return DUCKDB_TYPES[column.kind]


def _reason(code: str, column: Column, word: str = "") -> str:
    """The reason of a value; `word` tells the rules of one code and column apart."""
    value = "null::VARCHAR" if column.is_identity else _text(column)
    return reason(code, column.name, value, ":".join(filter(None, (code, column.name, word))))


def _reason_of(suite: Suite, rule: Rule) -> str:
    """The reason of a condition: with the value of its column, or both sides of its sum."""
    column = suite.table.column(rule.field)
    value = "null::VARCHAR" if column.is_identity else _text(column)
    if rule.sides:
        value = f"concat({_shown(rule.sides[0])}, ' ≠ ', {_added_up(rule.sides[1:])})"
    return reason(rule.code, rule.field, value, rule.rule_id)


def _added_up(terms: Sequence[str]) -> str:
    """Terms of a sum with plus signs between them, those of zero left out."""
    shown = ", ".join(f"case when {term} <> 0 then {_shown(term)} end" for term in terms)
    return f"coalesce(nullif(concat_ws(' + ', {shown}), ''), '0.00')"


def _shown(term: str) -> str:
    """An amount or a count as people write it."""
    return f"({term})::VARCHAR"


def _text(column: Column) -> str:
    return quoted(column.name + "__text")


def _matches(value: str, pattern: str) -> str:
    return f"regexp_full_match({value}, {literal(pattern)})"
