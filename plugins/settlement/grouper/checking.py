"""What is wrong with a scheme that can be read: faults keep it out, remarks only tell."""

import csv
from collections import Counter
from dataclasses import dataclass, field
from functools import cache

from settlement.grouper.dip_expressions import weight_range
from settlement.grouper.reading import ReadScheme, Row
from settlement.warehouse.dbt import project_folder

GATES = ("VALID_OP1", "DX1", "DX1_MULTISITE", "DXANY", "DXANY_MULTISITE", "TRUE")
QY_MODES = ("OFF", "PRINCIPAL_OP", "ANY_OP")
SEVERITY_RULES = ("ALWAYS", "MCC", "CC", "MCC_OR_CC", "NONE", "DEATH")
STAGES = ("PRE", "PRE_BIRTH", "MERGE", "AUXILIARY", "BASE", "MIXED")
GROUP_TYPES = ("CORE", "BASIC", "MIXED")
PROPERTIES = ("SURGERY", "INTERVENTION", "THERAPEUTIC", "DIAGNOSTIC", "SIMPLE")
SEVERITIES = ("severe", "moderate")
MIXED_PROPERTIES = ("SURGERY", "THERAPEUTIC", "DIAGNOSTIC", "MEDICAL")
EXAMPLES = 3


@dataclass
class Verdict:
    """Faults make a scheme unusable; remarks are what an expert should look at."""

    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def check(scheme: ReadScheme) -> Verdict:
    """Judge a scheme.

    Faults are dangling codes, empty lists, unknown rules and repeated keys; remarks are codes that never count,
    overlaps and gaps.
    """
    return _check_drg(scheme.rows) if scheme.kind == "drg" else _check_dip(scheme.rows)


@cache
def match_rules() -> dict[str, Row]:
    """What each match rule asks of a case, by its name: the seed that the models read as well."""
    with (project_folder() / "seeds" / "drg_match_rules.csv").open(encoding="utf-8", newline="") as source:
        return {row["match_rule"]: dict(row) for row in csv.DictReader(source)}


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
    faults += _unknown("mdc.gate", rows["mdc"], "gate", GATES)
    faults += _unknown("mdc.qy_mode", rows["mdc"], "qy_mode", QY_MODES)
    faults += _unknown("mdc.sex", rows["mdc"], "sex", ("1", "2", None))
    faults += _unknown("adrg.match_rule", rows["adrg"], "match_rule", tuple(match_rules()))
    faults += _unknown("drg.severity_rule", rows["drg"], "severity_rule", SEVERITY_RULES)
    for file in ("mdc_dx", "adrg"):
        faults += _dangling(file, rows[file], "mdc", categories, "mdc")
    for file in ("adrg_dx", "adrg_op", "drg"):
        faults += _dangling(file, rows[file], "rule_id", rules, "adrg")
    faults += _empty_lists(rows)

    grouped = _keys(rows["drg"], "rule_id")
    remarks += _examples("rules without a group give their own id", sorted(rules - grouped))
    valid = _keys(rows["op_valid"], "op_code")
    remarks += _examples(
        "operations of rules that op_valid does not count", sorted(_keys(rows["adrg_op"], "op_code") - valid)
    )
    both = _keys(rows["mcc"], "dx_code") & _keys(rows["cc"], "dx_code")
    remarks += _examples("diagnoses that are MCC and CC", sorted(both))
    tables = _keys(rows["cce"], "exclusion_table_id")
    used = _keys(rows["mcc"] + rows["cc"], "exclusion_table_id")
    remarks += _examples("exclusion tables that cce does not have", sorted(used - tables))
    return verdict


def _empty_lists(rows: dict[str, list[Row]]) -> list[str]:
    """Rules that ask for a diagnosis or an operation of a list they do not have, and categories without diagnoses."""
    diagnoses = {(row["rule_id"], row["slot"]) for row in rows["adrg_dx"]}
    operations = {(row["rule_id"], row["slot"]) for row in rows["adrg_op"]}
    without = []
    for row in rows["adrg"]:
        asks = match_rules().get(str(row["match_rule"]))
        if asks is None:
            continue
        needs = (
            [("diagnoses", diagnoses, "1")] if "true" in (asks["principal_diagnosis"], asks["any_diagnosis"]) else []
        )
        needs += [("secondary diagnoses", diagnoses, "2")] if asks["secondary_diagnosis"] == "true" else []
        needs += [("operations", operations, "1")] if asks["principal_operation"] == "true" else []
        needs += [("operations", operations, str(slot)) for slot in _slots(asks)]
        without += [
            f"{row['rule_id']} ({row['match_rule']}): no {what} in slot {slot}"
            for what, lists, slot in needs
            if (row["rule_id"], slot) not in lists
        ]
    with_diagnoses = {row["mdc"] for row in rows["mdc_dx"]}
    without += [
        f"{row['mdc']}: no diagnoses"
        for row in rows["mdc"]
        if str(row["gate"]).startswith("DX") and row["mdc"] not in with_diagnoses
    ]
    return _examples("empty lists", without)


def _slots(asks: Row) -> set[int]:
    """Slots that every way to meet the rule needs."""
    ways = [int(asks[name] or 0) for name in ("operation_slots", "or_operation_slots") if asks[name]]
    needed = ways[0] if ways else 0
    for way in ways[1:]:
        needed &= way
    return {slot for slot in range(1, 9) if needed & (1 << (slot - 1))}


def _check_dip(rows: dict[str, list[Row]]) -> Verdict:
    verdict = Verdict()
    faults, remarks = verdict.faults, verdict.remarks
    faults += _repeated("dip_catalog", rows["dip_catalog"], "group_id")
    faults += _repeated("op_property", rows["op_property"], "op_code")
    faults += _unknown("dip_catalog.group_type", rows["dip_catalog"], "group_type", GROUP_TYPES)
    faults += _unknown("dip_catalog.stage", rows["dip_catalog"], "stage", STAGES)
    faults += _unknown("op_property.property", rows["op_property"], "property", PROPERTIES)
    faults += _unknown("exclusions.kind", rows["exclusions"], "kind", ("dx", "op"))
    groups = _keys(rows["dip_catalog"], "group_id")
    faults += _dangling("auxiliary_types", rows["auxiliary_types"], "group_id", groups, "dip_catalog")
    faults += _unknown("severity_diagnoses.severity", rows["severity_diagnoses"], "severity", SEVERITIES)
    faults += _repeated("cci", rows["cci"], "dx_key")
    faults += _repeated("severity_diagnoses", rows["severity_diagnoses"], "dx_key")
    unmeasured = {(str(row["dimension"]), str(row["type_code"]).lower()) for row in rows["auxiliary_types"]}
    remarks += _examples("auxiliary types that no measure tells", sorted(map(" ".join, unmeasured - measured_types())))
    mixed = [row for row in rows["dip_catalog"] if row["stage"] == "MIXED"]
    faults += _unknown(
        "dip_catalog.main_op_or_property of mixed groups", mixed, "main_op_or_property", MIXED_PROPERTIES
    )
    newborn = [row for row in rows["dip_catalog"] if row["stage"] == "PRE_BIRTH"]
    without_weights = [str(row["group_id"]) for row in newborn if not weight_range(row["related_op_or_weight"])]
    faults += _examples("newborns' groups without weights like 750-999", without_weights)
    known = _keys(rows["op_property"], "op_code")
    named = {
        code for row in rows["dip_catalog"] if row["stage"] != "MIXED" for code in _codes(row["main_op_or_property"])
    }
    remarks += _examples("main operations without a property", sorted(named - known))
    remarks += _examples(
        "groups without a score", sorted(str(r["group_id"]) for r in rows["dip_catalog"] if not r["score"])
    )
    return verdict


def _codes(text: str | None) -> set[str]:
    """Operation codes in a catalogue's expression: `+` joins what must all be there, `/` and `|` alternatives."""
    return {code.strip() for code in (text or "").replace("/", "|").replace("+", "|").split("|") if code.strip()}


def _keys(rows: list[Row], column: str) -> set[str]:
    return {value for row in rows if (value := row[column])}


def _repeated(file: str, rows: list[Row], *columns: str) -> list[str]:
    counts = Counter(tuple(row[column] for column in columns) for row in rows)
    again = sorted(" ".join(map(str, key)) for key, count in counts.items() if count > 1)
    return _examples(f"{file}: repeated keys", again)


def _unknown(what: str, rows: list[Row], column: str, known: tuple[str | None, ...]) -> list[str]:
    found = sorted({str(row[column]) for row in rows if row[column] not in known})
    return _examples(f"{what}: unknown values", found)


def _dangling(file: str, rows: list[Row], column: str, known: set[str], other: str) -> list[str]:
    found = sorted({str(row[column]) for row in rows} - known)
    return _examples(f"{file}: names that {other} does not have", found)


def _examples(what: str, found: list[str]) -> list[str]:
    """One line with the first examples and the count; none where nothing was found."""
    if not found:
        return []
    more = f" … {len(found)} in all" if len(found) > EXAMPLES else ""
    return [f"{what}: {', '.join(found[:EXAMPLES])}{more}"]
