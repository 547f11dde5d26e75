"""Rule suites: `expectations/<table>.json` read together with `expectations/common.json` into rules.

A suite file is what Great Expectations loads (``name``, ``expectations`` of ``type``, ``kwargs``, ``severity`` and
``meta``), with one shorthand: ``kwargs.columns`` instead of ``kwargs.column`` stands for one expectation per column.
It is a list of names, or a group of the table contract, so that a fact about a column is written in the contract alone:

=============  ==============================================================
``required``   columns that may not be empty
``typed``      numbers, dates, times and flags
``decimals``   money, ratios and other decimals
``numbers``    decimals and whole numbers
``sized``      texts and codes, which have a length
``ids``        texts that name one thing
``flags``      0 or 1
``ends``       the last day of a dated row (`valid_to`)
``owner``      what tells the area of reference rows and decisions (`owner`)
=============  ==============================================================

``severity`` is ``critical`` (the gate rejects the row) or ``warning`` (the row is accepted and counted). ``meta`` holds

- ``code``: the reason code; ``text_zh``, ``text_en``: what is wrong, ``{column}`` standing for the column;
- ``hurts``: whom a failure hurts, from `PARTIES`;
- ``id`` (optional): a word that tells rules of one code apart;
- ``field`` (optional): the column a sender should look at first; without it the first one of the rule;
- ``sides`` (optional): the terms of a sum, as expressions, the total first: a reason shows the values of both sides;
- ``needs`` (optional): columns behind the rule's context, e.g. the institution code behind ``institution_known``:
  the rule is not judged while one of them is unknown;
- ``stage``: ``arrival`` where only the row gate can judge, because what the rule needs is gone once the row is
  accepted (the delivered text, or which keys were known before); a column type or a key keeps it true afterwards.

A SQL condition is the part after ``where`` of an ``unexpected_rows_expectation``: true for a row that breaks the
rule, in the common subset of DuckDB and PostgreSQL, without regex operators.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from settlement.contract.tables import TABLES, Column, Table
from settlement.errors import SettlementError

COMMON = "common"

SEVERITIES = {"critical": "reject", "warning": "warn"}
PARTIES = {
    "person": "参保人 insured person",
    "institution": "定点医药机构 institution",
    "fund": "基金 fund",
    "agency": "经办机构 agency",
    "grouping": "分组付费 case grouping",
    "review": "智能审核 review",
}

NOT_NULL = "expect_column_values_to_not_be_null"
OF_TYPE = "expect_column_values_to_be_of_type"
IN_SET = "expect_column_values_to_be_in_set"
MATCH_REGEX = "expect_column_values_to_match_regex"
UNEXPECTED_ROWS = "unexpected_rows_expectation"
QUERY_HEAD = "select * from {batch} where "
TYPES = (NOT_NULL, OF_TYPE, IN_SET, MATCH_REGEX, UNEXPECTED_ROWS)

DECIMAL_KINDS = ("money", "decimal", "ratio")
GROUPS = {
    "required": lambda column: column.required,
    "typed": lambda column: column.kind not in ("text", "code", "icd"),
    "decimals": lambda column: column.kind in DECIMAL_KINDS,
    "numbers": lambda column: column.kind in (*DECIMAL_KINDS, "int"),
    "sized": lambda column: column.kind in ("text", "code", "icd"),
    "ids": lambda column: column.is_id,
    "flags": lambda column: column.kind == "flag",
    "ends": lambda column: column.name == "valid_to",
}
OWNERS = ("area_code", "fixmedins_code", "finding_id", "setl_id")
OWNING = {"owner": OWNERS, "owning institution": ("fixmedins_code",), "owning settlement": ("setl_id",)}
OWNED_KINDS = ("reference", "review", "case_review")


@dataclass(frozen=True)
class Rule:
    """One rule of one table. `type` and `kwargs` are the Great Expectations form, for a single column where it has one.

    `columns` are the contract columns it uses, `field` the one to look at, `condition` the SQL that is true for a row
    that breaks it (None for the standard types).
    """

    rule_id: str
    table: str
    code: str
    severity: str
    text_zh: str
    text_en: str
    hurts: tuple[str, ...]
    columns: tuple[str, ...]
    field: str
    type: str
    kwargs: Mapping[str, Any]
    condition: str | None = None
    needs: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()
    is_arrival_only: bool = False
    is_common: bool = False

    @property
    def is_reject(self) -> bool:
        """True when a row that breaks the rule is not accepted."""
        return self.severity == "reject"

    def as_expectation(self) -> dict[str, Any]:
        """The rule in the dictionary form that `great_expectations.ExpectationSuite` takes."""
        severity = next(name for name, ours in SEVERITIES.items() if ours == self.severity)
        meta = {"rule_id": self.rule_id, "code": self.code, "text_zh": self.text_zh, "text_en": self.text_en}
        return {
            "type": self.type,
            "kwargs": dict(self.kwargs),
            "severity": severity,
            "meta": {**meta, "hurts": list(self.hurts)},
        }


@dataclass(frozen=True)
class Suite:
    """All rules of one table, common rules first."""

    table: Table
    title_zh: str
    title_en: str
    rules: tuple[Rule, ...]

    @property
    def name(self) -> str:
        """Name of the table, the file and the suite."""
        return self.table.name

    def rule(self, rule_id: str) -> Rule:
        """Return one rule; KeyError when the suite has none of that id."""
        for rule in self.rules:
            if rule.rule_id == rule_id:
                return rule
        raise KeyError(f"suite {self.name} has no rule {rule_id}")

    def of_column(self, column: str, type_: str) -> Rule | None:
        """The rejecting rule of a standard type about one column, None where there is none."""
        found = (rule for rule in self.rules if rule.type == type_ and rule.field == column and rule.is_reject)
        return next(found, None)


def owner(table: Table) -> str | None:
    """The column of a reference row or decision that tells whose area it belongs to: its own, or by what it names.

    None for what belongs to no area, such as the catalogue, and for tables whose suites judge the area themselves.
    """
    names = {column.name for column in table.columns} if table.kind in OWNED_KINDS else set()
    return next((name for name in OWNERS if name in names), None)


def folder() -> Path:
    """Return ``expectations/`` of the checkout: ``SETTLEMENT_HOME``, else the folder above ``plugins/``."""
    home = os.environ.get("SETTLEMENT_HOME")
    return (Path(home) if home else Path(__file__).resolve().parents[3]) / "expectations"


@cache
def load_suite(table: str) -> Suite:
    """Read the rules of a table; a table without its own file has the common rules alone.

    Raises:
        SettlementError: ``suite_invalid`` when an entry is not understood, naming file and entry.
    """
    contract = TABLES[table]
    common = read_file(folder() / f"{COMMON}.json")
    path = folder() / f"{table}.json"
    own = read_file(path) if path.exists() else {"meta": {}, "expectations": []}
    rules = [
        rule
        for entries, source, is_common in ((common, COMMON, True), (own, table, False))
        for number, entry in enumerate(entries["expectations"], start=1)
        for rule in _expand(contract, entry, f"{source}.json entry {number}", is_common)
    ]
    _refuse_repeated_ids(rules)
    return Suite(contract, own["meta"].get("title_zh", table), own["meta"].get("title_en", table), tuple(rules))


def suite_names() -> tuple[str, ...]:
    """Every table that has rules: those of the contract, in its order."""
    return tuple(TABLES)


def read_file(path: Path) -> dict[str, Any]:
    """Read one suite file as it stands."""
    try:
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise _invalid(f"{path.name} is not JSON: {error}") from error
    if loaded.get("name") != path.stem:
        raise _invalid(f"{path.name} is named {loaded.get('name')!r}, not {path.stem!r}")
    return loaded


def _expand(table: Table, entry: dict[str, Any], where: str, is_common: bool) -> Iterator[Rule]:
    """Yield one rule per column of the entry, or the one rule of a condition over several columns."""
    if entry.get("type") not in TYPES or entry.get("severity") not in SEVERITIES:
        raise _invalid(f"{where}: type {entry.get('type')!r}, severity {entry.get('severity')!r}")
    missing = {"code", "text_zh", "text_en", "hurts"} - entry["meta"].keys()
    if missing or not set(entry["meta"]["hurts"]) <= PARTIES.keys():
        raise _invalid(f"{where}: meta lacks {sorted(missing)} or hurts a party outside {list(PARTIES)}")
    kwargs = dict(entry["kwargs"])
    if "columns" not in kwargs:
        yield _rule(table, entry, kwargs, kwargs.get("column"), where, is_common)
        return
    wanted = kwargs.pop("columns")
    for column in _columns_of(table, wanted, where):
        yield _rule(table, entry, {**kwargs, "column": column.name}, column.name, where, is_common)


def _columns_of(table: Table, wanted: str | list[str], where: str) -> list[Column]:
    """The kept columns of a contract group, or those listed by name."""
    if isinstance(wanted, str) and wanted in OWNING:
        named = owner(table)
        return [table.column(named)] if named in OWNING[wanted] else []
    if isinstance(wanted, str):
        if wanted not in GROUPS:
            raise _invalid(f"{where}: no column group {wanted!r}, only {[*GROUPS, *OWNING]}")
        return [column for column in table.columns if not column.is_dropped and GROUPS[wanted](column)]
    return [_column(table, name, where) for name in wanted]


def _rule(
    table: Table, entry: dict[str, Any], kwargs: dict[str, Any], column: str | None, where: str, is_common: bool
) -> Rule:
    """Build one rule from an entry whose shorthand is already resolved to `column` (None: a condition over several)."""
    meta = entry["meta"]
    condition = None
    if entry["type"] == UNEXPECTED_ROWS:
        query = kwargs.pop("unexpected_rows_query")
        kwargs.pop("column", None)
        if column:
            query = _fill(query, _column(table, column, where))
        kwargs["unexpected_rows_query"] = query
        condition = _condition(query, where)
    elif entry["type"] == OF_TYPE:
        kwargs["type_"] = _column(table, kwargs["column"], where).postgres_type.upper().replace(",", ", ")
    needs = tuple(meta.get("needs", ()))
    columns = _used_columns(table, condition, needs) if condition else (kwargs["column"],)
    field = column or meta.get("field") or columns[0]
    for name in (field, *needs):
        _column(table, name, where)
    return Rule(
        rule_id=_rule_id(meta, column, field),
        table=table.name,
        code=meta["code"],
        severity=SEVERITIES[entry["severity"]],
        text_zh=meta["text_zh"].replace("{column}", field),
        text_en=meta["text_en"].replace("{column}", field),
        hurts=tuple(meta["hurts"]),
        columns=columns,
        field=field,
        type=entry["type"],
        kwargs=kwargs,
        condition=condition,
        needs=needs,
        sides=tuple(meta.get("sides", ())),
        is_arrival_only=meta.get("stage") == "arrival",
        is_common=is_common,
    )


def _rule_id(meta: Mapping[str, Any], column: str | None, field: str) -> str:
    """``code:column``, the entry's own word after it; for a condition over several columns in the column's place."""
    words = [meta["code"], column, meta.get("id")] if column else [meta["code"], meta.get("id", field)]
    return ":".join(word for word in words if word)


def _fill(query: str, column: Column) -> str:
    """Put a column's name and size into a query written for a group of columns."""
    size = str(column.size[-1]) if column.size else "2"
    return query.replace("{column}", column.name).replace("{size}", size)


def _condition(query: str, where: str) -> str:
    """The condition of ``select * from {batch} where <condition>``."""
    if not query.startswith(QUERY_HEAD):
        raise _invalid(f"{where}: {query!r} does not begin with {QUERY_HEAD!r}")
    return query.removeprefix(QUERY_HEAD)


def _used_columns(table: Table, condition: str, needs: tuple[str, ...]) -> tuple[str, ...]:
    """Contract columns that a condition names, in its order, then those behind its context."""
    without_literals = re.sub(r"'[^']*'", "''", condition)
    words = dict.fromkeys(re.findall(r"[a-z_][a-z0-9_]*", without_literals))
    names = {column.name for column in table.columns}
    return (*(word for word in words if word in names), *(name for name in needs if name not in words))


def _column(table: Table, name: str, where: str) -> Column:
    try:
        return table.column(name)
    except KeyError as error:
        raise _invalid(f"{where}: {error.args[0]}") from error


def _refuse_repeated_ids(rules: list[Rule]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.rule_id in seen:
            raise _invalid(f"{rule.table}: two rules are called {rule.rule_id}; give one a meta.id")
        seen.add(rule.rule_id)


def _invalid(message: str) -> SettlementError:
    return SettlementError("suite_invalid", message, "settlement.gate.suites says how a suite is written")
