"""What is wrong with a scheme that can be read: faults keep it out, remarks only tell."""

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

from settlement.grouper.dip_expressions import weight_range
from settlement.grouper.match_rules import diagnosis_slots, match_rules
from settlement.grouper.reach import gaps, unreachable_groups, unreachable_rules
from settlement.grouper.reading import LINE, ReadScheme, Row
from settlement.grouper.text_files import quoted
from settlement.warehouse.dbt import project_folder

GATES = (
    *("VALID_OP1", "DX1", "DX1_MULTISITE", "DXANY", "DXANY_MULTISITE", "TRUE"),
    *("OP1", "OPANY", "DX1_OP1", "DX1_OPANY", "DX1_OR_OP1", "DX1_OR_OPANY"),
)
QY_MODES = ("OFF", "PRINCIPAL_OP", "ANY_OP")
SEVERITY_RULES = ("ALWAYS", "MCC", "CC", "MCC_OR_CC", "NONE", "DEATH")
STAGES = ("PRE", "PRE_BIRTH", "MERGE", "AUXILIARY", "BASE", "MIXED")
GROUP_TYPES = ("CORE", "BASIC", "MIXED")
PROPERTIES = ("SURGERY", "INTERVENTION", "THERAPEUTIC", "DIAGNOSTIC", "SIMPLE")
SEVERITIES = ("severe", "moderate")
DIMENSIONS = ("cci", "severity", "age", "icu", "tumour")
MIXED_PROPERTIES = ("SURGERY", "THERAPEUTIC", "DIAGNOSTIC", "MEDICAL")
OPERATION_SLOTS = range(1, 9)
EXAMPLES = 3
Key = tuple[str, ...]


@dataclass
class Verdict:
    """Faults make a scheme unusable; remarks are what an expert should look at."""

    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def check(scheme: ReadScheme) -> Verdict:
    """Judge a scheme.

    Faults are dangling codes, empty lists, unknown rules, repeated keys and orders; remarks are codes that never count,
    lists that nothing reads, what can never be reached, overlaps and gaps.
    """
    verdict = _check_drg(scheme.rows) if scheme.kind == "drg" else _check_dip(scheme.rows)
    return Verdict(verdict.faults, [*scheme.remarks, *verdict.remarks])


@cache
def measured_types() -> set[tuple[str, str]]:
    """Dimension and code of the auxiliary types that the models can tell: the seed that they read as well."""
    with (project_folder() / "seeds" / "dip_auxiliary_types.csv").open(encoding="utf-8", newline="") as source:
        return {(row["dimension"], row["type_code"]) for row in csv.DictReader(source)}


def _check_drg(rows: dict[str, list[Row]]) -> Verdict:
    verdict = Verdict()
    faults, remarks = verdict.faults, verdict.remarks
    categories, rules = _keys(rows["mdc"], "mdc"), _keys(rows["adrg"], "rule_id")
    faults += _repeated("mdc", rows["mdc"], "mdc")
    faults += _repeated("adrg", rows["adrg"], "rule_id")
    faults += _repeated("drg", rows["drg"], "rule_id", "drg_code")
    for file in ("mcc", "cc"):
        faults += _repeated(file, rows[file], "dx_code")
    faults += _repeated("cce", rows["cce"], "dx_code", "exclusion_table_id")
    faults += _repeated("op_valid", rows["op_valid"], "op_code")
    faults += _repeated("mdc_op", rows["mdc_op"], "mdc", "op_code")
    faults += _repeated("drg_dx", rows["drg_dx"], "rule_id", "drg_code", "slot", "dx_code")
    faults += _repeated("drg_op", rows["drg_op"], "rule_id", "drg_code", "slot", "op_code")
    faults += _repeated_order("mdc", rows["mdc"], "eval_order")
    faults += _repeated_order("adrg", rows["adrg"], "adrg_order", "mdc")
    faults += _repeated_order("drg", rows["drg"], "drg_order", "rule_id")
    faults += _unknown("mdc.gate", rows["mdc"], "gate", GATES)
    faults += _unknown("mdc.qy_mode", rows["mdc"], "qy_mode", QY_MODES)
    faults += _unknown("mdc.sex", rows["mdc"], "sex", ("1", "2", None))
    faults += _unknown("adrg.match_rule", rows["adrg"], "match_rule", tuple(match_rules()))
    faults += _unknown("drg.match_rule", rows["drg"], "match_rule", (*match_rules(), None))
    faults += _unknown("drg.severity_rule", rows["drg"], "severity_rule", SEVERITY_RULES)
    for file in ("mdc_dx", "mdc_op", "adrg"):
        faults += _dangling(file, rows[file], ("mdc",), {(mdc,) for mdc in categories}, "mdc")
    for file in ("adrg_dx", "adrg_op", "drg"):
        faults += _dangling(file, rows[file], ("rule_id",), {(rule,) for rule in rules}, "adrg")
    groups: set[Key] = {(str(row["rule_id"]), str(row["drg_code"])) for row in rows["drg"]}
    for file in ("drg_dx", "drg_op"):
        faults += _dangling(file, rows[file], ("rule_id", "drg_code"), groups, "drg")
    for file in ("adrg", "drg"):
        faults += _empty_limits(file, rows[file])
    faults += _examples(
        "empty lists (空表)", [*_empty_rule_lists(rows), *_empty_group_lists(rows), *_empty_gates(rows)]
    )
    faults += _lists_without_rule(rows)

    for file, columns in (
        ("mdc_dx", ("mdc", "site", "dx_code")),
        ("adrg_dx", ("rule_id", "slot", "dx_code")),
        ("adrg_op", ("rule_id", "slot", "op_code")),
    ):
        remarks += _repeated(file, rows[file], *columns, what="rows stated twice (重复行)")
    grouped = _keys(rows["drg"], "rule_id")
    remarks += _examples("rules without a group give their own id", sorted(rules - grouped), "规则无组，以规则标识为组")
    valid = _keys(rows["op_valid"], "op_code")
    operations = [row for file in ("adrg_op", "mdc_op", "drg_op") for row in rows[file]]
    remarks += _examples(
        "operations of rules that op_valid does not count",
        sorted(_keys(operations, "op_code") - valid),
        "规则所列手术不在有效手术表",
    )
    both = _keys(rows["mcc"], "dx_code") & _keys(rows["cc"], "dx_code")
    remarks += _examples("diagnoses that are MCC and CC", sorted(both), "诊断同为 MCC 与 CC")
    tables = _keys(rows["cce"], "exclusion_table_id")
    used = _keys(rows["mcc"] + rows["cc"], "exclusion_table_id")
    remarks += _examples("exclusion tables that cce does not have", sorted(used - tables), "cce 没有的排除表")
    remarks += _examples("exclusion tables that no mcc or cc names", sorted(tables - used), "无 MCC、CC 使用的排除表")
    remarks += _unread_lists(rows)
    if not faults:
        remarks += _examples(
            "rules that no case can reach", unreachable_rules(rows, match_rules()), "任何病例都无法进入的规则"
        )
        remarks += _examples("groups that no case can reach", unreachable_groups(rows), "任何病例都无法进入的组")
        remarks += _examples(
            "rules whose groups do not take every case, which then gets the rule's own id", gaps(rows), "组有缺口的规则"
        )
    return verdict


def _slots(asks: Row, *names: str) -> set[int]:
    """Lists of operations that any of the ways names."""
    bits = [int(asks[name] or 0) for name in names if asks[name]]
    return {slot for slot in OPERATION_SLOTS if any(way & (1 << (slot - 1)) for way in bits)}


def _needed_slots(asks: Row) -> set[int]:
    """Lists of operations that every way to meet the rule needs."""
    first, other = _slots(asks, "operation_slots"), _slots(asks, "or_operation_slots")
    return first & other if other else first


def lists_read(asks: Row) -> tuple[set[str], set[str]]:
    """Slots of diagnoses, and of operations, that a match rule reads."""
    operations = {str(slot) for slot in _slots(asks, "operation_slots", "or_operation_slots")}
    operations |= {"1"} if asks["principal_operation"] == "true" else set()
    return diagnosis_slots(asks), operations


def _missing_lists(asks: Row, diagnoses: set[str], operations: set[str]) -> list[str]:
    """What a match rule needs of lists that are not there."""
    needed_dx, _ = lists_read(asks)
    needed_op = {str(slot) for slot in _needed_slots(asks)}
    needed_op |= {"1"} if asks["principal_operation"] == "true" else set()
    words = {"1": "diagnoses in slot 1", "2": "secondary diagnoses in slot 2"}
    return [f"no {words[slot]}" for slot in sorted(needed_dx - diagnoses)] + [
        f"no operations in slot {slot}" for slot in sorted(needed_op - operations)
    ]


def _slots_of(rows: list[Row], *key: str) -> dict[Key, set[str]]:
    found: dict[Key, set[str]] = defaultdict(set)
    for row in rows:
        found[tuple(str(row[name]) for name in key)].add(str(row["slot"]))
    return found


def _empty_rule_lists(rows: dict[str, list[Row]]) -> list[str]:
    """Rules that ask for a diagnosis or an operation of a list they do not have."""
    diagnoses, operations = _slots_of(rows["adrg_dx"], "rule_id"), _slots_of(rows["adrg_op"], "rule_id")
    return [
        f"{row['rule_id']} ({row['match_rule']}): {missing} (adrg.csv line {row[LINE]})"
        for row in rows["adrg"]
        if (asks := match_rules().get(str(row["match_rule"])))
        for key in [(str(row["rule_id"]),)]
        for missing in _missing_lists(asks, diagnoses.get(key, set()), operations.get(key, set()))
    ]


def _empty_group_lists(rows: dict[str, list[Row]]) -> list[str]:
    """Groups whose match rule asks for a code of a list they do not have."""
    key_columns = ("rule_id", "drg_code")
    diagnoses, operations = _slots_of(rows["drg_dx"], *key_columns), _slots_of(rows["drg_op"], *key_columns)
    return [
        f"{row['drg_code']} ({row['match_rule']}): {missing} (drg.csv line {row[LINE]})"
        for row in rows["drg"]
        if (asks := match_rules().get(str(row["match_rule"])))
        for key in [tuple(str(row[name]) for name in key_columns)]
        for missing in _missing_lists(asks, diagnoses.get(key, set()), operations.get(key, set()))
    ]


def _empty_gates(rows: dict[str, list[Row]]) -> list[str]:
    """Categories whose gate asks for a diagnosis or an operation that none is listed of."""
    with_diagnoses, with_operations = _keys(rows["mdc_dx"], "mdc"), _keys(rows["mdc_op"], "mdc")
    empty = []
    for row in rows["mdc"]:
        needs_diagnoses, needs_operations = _gate_reads(str(row["gate"]))
        if needs_diagnoses and row["mdc"] not in with_diagnoses:
            empty.append(f"{row['mdc']}: no diagnoses (mdc.csv line {row[LINE]})")
        if needs_operations and row["mdc"] not in with_operations:
            empty.append(f"{row['mdc']}: no operations in mdc_op (mdc.csv line {row[LINE]})")
    return empty


def _gate_reads(gate: str) -> tuple[bool, bool]:
    """Whether a gate reads mdc_dx, and whether it reads mdc_op."""
    return gate.startswith("DX"), gate != "VALID_OP1" and "OP" in gate


def _lists_without_rule(rows: dict[str, list[Row]]) -> list[str]:
    """Groups with lists of their own that do not say by which match rule these are read."""
    without = {(str(row["rule_id"]), str(row["drg_code"])) for row in rows["drg"] if not row["match_rule"]}
    found = {
        (str(row["rule_id"]), str(row["drg_code"])): f"{file}.csv line {row[LINE]}"
        for file in ("drg_dx", "drg_op")
        for row in reversed(rows[file])
    }
    named = [f"{group} of {rule} ({found[rule, group]})" for rule, group in sorted(without & found.keys())]
    return _examples(
        "groups with lists of their own need a match_rule in drg", named, "有自有表的组须在 drg 中写明 match_rule"
    )


def _unread_lists(rows: dict[str, list[Row]]) -> list[str]:
    """Lists that no gate or match rule reads."""
    unread = []
    for file, columns in (("adrg", ("rule_id",)), ("drg", ("rule_id", "drg_code"))):
        asked = {tuple(str(r[name]) for name in columns): match_rules().get(str(r["match_rule"])) for r in rows[file]}
        for kind, suffix in enumerate(("dx", "op")):
            for key, slots in sorted(_slots_of(rows[f"{file}_{suffix}"], *columns).items()):
                if asks := asked.get(key):
                    extra = sorted(slots - lists_read(asks)[kind])
                    unread += [f"{' '.join(key)} slot {slot} ({file}_{suffix})" for slot in extra]
    reads = {str(row["mdc"]): _gate_reads(str(row["gate"])) for row in rows["mdc"]}
    for file, kind in (("mdc_dx", 0), ("mdc_op", 1)):
        unread += [
            f"{mdc} ({file})" for mdc in sorted(_keys(rows[file], "mdc")) if mdc in reads and not reads[mdc][kind]
        ]
    return _examples("lists that no rule reads", unread, "没有规则读取的表")


def _empty_limits(file: str, rows: list[Row]) -> list[str]:
    """Limits that nothing is within."""
    pairs = (("age_min", "age_max_excl"), ("los_min", "los_max_excl"), ("weight_min", "weight_max_excl"))
    found = [
        f"{row['rule_id']}: {low} {row[low]}, {high} {row[high]} (line {row[LINE]})"
        for row in rows
        for low, high in pairs
        if row.get(high) and int(row[high] or 0) <= int(row.get(low) or 0)
    ]
    return _examples(f"{file}: limits that nothing is within", found, "上下限之间无值")


def _check_dip(rows: dict[str, list[Row]]) -> Verdict:
    verdict = Verdict()
    faults, remarks = verdict.faults, verdict.remarks
    faults += _repeated("dip_catalog", rows["dip_catalog"], "group_id")
    faults += _repeated("op_property", rows["op_property"], "op_code")
    faults += _repeated("exclusions", rows["exclusions"], "kind", "code")
    faults += _repeated("auxiliary_types", rows["auxiliary_types"], "group_id", "dimension", "type_code")
    faults += _unknown("dip_catalog.group_type", rows["dip_catalog"], "group_type", GROUP_TYPES)
    faults += _unknown("dip_catalog.stage", rows["dip_catalog"], "stage", STAGES)
    faults += _unknown("op_property.property", rows["op_property"], "property", PROPERTIES)
    faults += _unknown("exclusions.kind", rows["exclusions"], "kind", ("dx", "op"))
    groups: set[Key] = {(group,) for group in _keys(rows["dip_catalog"], "group_id")}
    faults += _dangling("auxiliary_types", rows["auxiliary_types"], ("group_id",), groups, "dip_catalog")
    faults += _unknown("auxiliary_types.dimension", rows["auxiliary_types"], "dimension", DIMENSIONS)
    faults += _examples(
        "auxiliary_types: coefficients between 0 and 1,000,000 are allowed",
        [
            f"{row['coefficient']} (line {row[LINE]})"
            for row in rows["auxiliary_types"]
            if not 0 < round(Decimal(str(row["coefficient"])), 4) < 1_000_000
        ],
        "系数应大于 0 且小于 1000000",
    )
    faults += _unknown("severity_diagnoses.severity", rows["severity_diagnoses"], "severity", SEVERITIES)
    faults += _repeated("cci", rows["cci"], "dx_key")
    faults += _repeated("severity_diagnoses", rows["severity_diagnoses"], "dx_key")
    unmeasured = {(str(row["dimension"]), str(row["type_code"]).lower()) for row in rows["auxiliary_types"]}
    remarks += _examples(
        "auxiliary types that no measure tells",
        sorted(map(" ".join, unmeasured - measured_types())),
        "无法判定的辅助分型",
    )
    mixed = [row for row in rows["dip_catalog"] if row["stage"] == "MIXED"]
    faults += _unknown(
        "dip_catalog.main_op_or_property of mixed groups", mixed, "main_op_or_property", MIXED_PROPERTIES
    )
    newborn = [row for row in rows["dip_catalog"] if row["stage"] == "PRE_BIRTH"]
    without_weights = [
        f"{row['group_id']} (line {row[LINE]})" for row in newborn if not weight_range(row["related_op_or_weight"])
    ]
    faults += _examples(
        "newborns' groups without weights like 750-999", without_weights, "新生儿组缺体重范围，如 750-999"
    )
    known = _keys(rows["op_property"], "op_code")
    named = {
        code for row in rows["dip_catalog"] if row["stage"] != "MIXED" for code in _codes(row["main_op_or_property"])
    }
    remarks += _examples("main operations without a property", sorted(named - known), "主手术缺属性")
    remarks += _repeated(
        "dip_catalog", rows["dip_catalog"], "stage", "dx", "main_op_or_property", "related_op_or_weight",
        what="groups of the same diagnosis and operations (诊断与手术相同的病种)",
    )  # fmt: skip
    remarks += _examples(
        "groups without a score",
        sorted(str(r["group_id"]) for r in rows["dip_catalog"] if not r["score"]),
        "病种无分值",
    )
    return verdict


def _codes(text: str | None) -> set[str]:
    """Operation codes in a catalogue's expression: `+` joins what must all be there, `/` and `|` alternatives."""
    return {code.strip() for code in (text or "").replace("/", "|").replace("+", "|").split("|") if code.strip()}


def _keys(rows: Iterable[Row], column: str) -> set[str]:
    return {value for row in rows if (value := row[column])}


def _repeated(file: str, rows: list[Row], *columns: str, what: str = "repeated keys (键重复)") -> list[str]:
    lines: dict[Key, list[str]] = defaultdict(list)
    for row in rows:
        lines[tuple(str(row[column] or "") for column in columns)].append(str(row[LINE]))
    again = [f"{' '.join(filter(None, key))} ({_lines(found)})" for key, found in lines.items() if len(found) > 1]
    return _examples(f"{file}: {what.split(' (')[0]}", sorted(again), what.partition(" (")[2].rstrip(")"))


def _repeated_order(file: str, rows: list[Row], column: str, within: str = "") -> list[str]:
    """Orders that stand twice: which of two comes first would be chance."""
    lines: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        lines[(str(row[within]) if within else "", str(row[column]))].append(str(row[LINE]))
    again = [
        f"{order}{f' of {place}' if place else ''} ({_lines(found)})"
        for (place, order), found in lines.items()
        if len(found) > 1
    ]
    return _examples(f"{file}.{column}: repeated orders", sorted(again), "次序重复")


def _unknown(what: str, rows: list[Row], column: str, known: tuple[str | None, ...]) -> list[str]:
    lines: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row[column] not in known:
            lines[str(row[column])].append(str(row[LINE]))
    found = [f"{value} ({_lines(places)})" for value, places in sorted(lines.items())]
    allowed = ", ".join("(empty)" if value is None else value for value in known)
    return [
        f"{line}; allowed 允许的取值: {allowed}" for line in _examples(f"{what}: unknown values", found, "未知取值")
    ]


def _dangling(file: str, rows: list[Row], columns: Key, known: set[Key], other: str) -> list[str]:
    lines: dict[Key, list[str]] = defaultdict(list)
    for row in rows:
        if (key := tuple(str(row[column]) for column in columns)) not in known:
            lines[key].append(str(row[LINE]))
    found = [f"{' '.join(key)} ({_lines(places)})" for key, places in sorted(lines.items())]
    return _examples(f"{file}: names that {other} does not have", found, f"{other} 中没有的名称")


def _lines(lines: list[str]) -> str:
    more = f" … {len(lines)} in all" if len(lines) > EXAMPLES else ""
    return f"line{'s' if len(lines) > 1 else ''} {', '.join(lines[:EXAMPLES])}{more}"


def _examples(what: str, found: list[str], what_zh: str = "") -> list[str]:
    """One line with the first examples and the count; none where nothing was found."""
    if not found:
        return []
    more = f" … {len(found)} in all" if len(found) > EXAMPLES else ""
    return [
        f"{what}: {', '.join(_short(each) for each in found[:EXAMPLES])}{more}" + (f" ({what_zh})" if what_zh else "")
    ]


def _short(text: str) -> str:
    return text if len(text) <= 200 else quoted(text)
