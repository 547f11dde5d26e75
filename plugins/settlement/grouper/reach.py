"""What of a DRG scheme no case can ever reach, and where its groups leave cases out.

Groups are tried out on every severity, and on one age and one stay between any two limits, so what is said of groups
without lists of their own is exact. Of rules only what is certain is told: an earlier rule of the category asks for
less, and its lists hold the later one's.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from settlement.grouper.reading import LINE, Row

FLAGS = ("principal_diagnosis", "any_diagnosis", "secondary_diagnosis", "principal_operation")
LIMITS = ("age_min", "age_max_excl", "los_min", "los_max_excl", "age_days_max", "weight_min", "weight_max_excl")


@dataclass(frozen=True)
class Point:
    """A case as groups without lists see it; a stay of None is not known."""

    has_mcc: bool
    has_cc: bool
    is_death: bool
    age: int
    stay: int | None


def unreachable_groups(rows: dict[str, list[Row]]) -> list[str]:
    """Groups that come after others which take all their cases."""
    found = []
    for rule, groups in _groups_of_rules(rows).items():
        reached = {str(group["drg_code"]) for point in _points(groups) for group in _candidates(groups, point)}
        found += [
            f"{group['drg_code']} of {rule} (drg.csv line {group[LINE]})"
            for group in groups
            if str(group["drg_code"]) not in reached
        ]
    return found


def gaps(rows: dict[str, list[Row]]) -> list[str]:
    """Rules that have groups, and cases that none of these takes."""
    found = []
    for rule, groups in _groups_of_rules(rows).items():
        for point in _points(groups):
            if not any(not group["match_rule"] for group in _candidates(groups, point)):
                found.append(f"{rule} ({_words(point)})")
                break
    return found


def unreachable_rules(rows: dict[str, list[Row]], match_rules: dict[str, Row]) -> list[str]:
    """Rules whose cases an earlier rule of their category takes, or whose diagnoses do not lead into it."""
    lists = _Lists(rows)
    asks = {str(row["rule_id"]): match_rules[str(row["match_rule"])] for row in rows["adrg"]}
    doors = {str(row["mdc"]): _door(row, lists) for row in rows["mdc"]}
    by_category: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows["adrg"], key=lambda row: (int(row["adrg_order"] or 0), str(row["rule_id"]))):
        by_category[str(row["mdc"])].append(row)
    found = []
    for mdc, rules in by_category.items():
        earlier: list[str] = []
        for row in rules:
            rule = str(row["rule_id"])
            door = doors.get(mdc)
            if door is not None and asks[rule]["principal_diagnosis"] == "true" and not door & lists.dx[rule, "1"]:
                found.append(f"{rule} (adrg.csv line {row[LINE]}): none of its diagnoses leads into {mdc}")
            elif by := next((name for name in earlier if _takes_all(name, rule, asks, lists)), None):
                found.append(f"{rule} (adrg.csv line {row[LINE]}): {by} comes before and takes its cases")
            if not any(row[limit] for limit in LIMITS):
                earlier.append(rule)
    return found


class _Lists:
    """The lists of rules, by rule and slot, and the diagnoses of categories."""

    def __init__(self, rows: dict[str, list[Row]]) -> None:
        self.dx: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.op: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.mdc: dict[str, set[str]] = defaultdict(set)
        for row in rows["adrg_dx"]:
            self.dx[str(row["rule_id"]), str(row["slot"])].add(str(row["dx_code"]))
        for row in rows["adrg_op"]:
            self.op[str(row["rule_id"]), str(row["slot"])].add(str(row["op_code"]))
        for row in rows["mdc_dx"]:
            self.mdc[str(row["mdc"])].add(str(row["dx_code"]))


def _door(category: Row, lists: _Lists) -> set[str] | None:
    """The principal diagnoses that a case of the category has; None where its gate lets any in."""
    gate = str(category["gate"])
    return lists.mdc[str(category["mdc"])] if gate in ("DX1", "DX1_MULTISITE", "DX1_OP1", "DX1_OPANY") else None


def _takes_all(earlier: str, later: str, asks: dict[str, Row], lists: _Lists) -> bool:
    """Whether every case that meets the later rule meets the earlier one."""
    first, second = asks[earlier], asks[later]
    if first["or_operation_slots"] or first["valid_operation"] not in ("", None, second["valid_operation"]):
        return False
    if any(first[flag] == "true" and second[flag] != "true" for flag in FLAGS):
        return False
    slots, wanted = int(first["operation_slots"] or 0), int(second["operation_slots"] or 0)
    if slots & ~wanted or (slots and second["or_operation_slots"]):
        return False
    pairs = [(lists.dx, "1")] if "true" in (first["principal_diagnosis"], first["any_diagnosis"]) else []
    pairs += [(lists.dx, "2")] if first["secondary_diagnosis"] == "true" else []
    pairs += [(lists.op, "1")] if first["principal_operation"] == "true" else []
    pairs += [(lists.op, str(slot)) for slot in range(1, 9) if slots & (1 << (slot - 1))]
    return all(found[later, slot] <= found[earlier, slot] for found, slot in pairs)


def _groups_of_rules(rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows["drg"], key=lambda row: (int(row["drg_order"] or 0), str(row["drg_code"]))):
        found[str(row["rule_id"])].append(row)
    return found


def _points(groups: list[Row]) -> Iterator[Point]:
    """One case for every way in which limits and severities can fall together."""
    ages = {0, *(int(group[name] or 0) for group in groups for name in ("age_min", "age_max_excl") if group[name])}
    limits = {int(group[name] or 0) for group in groups for name in ("los_min", "los_max_excl") if group[name]}
    stays: list[int | None] = [None, *sorted({0} | limits)] if limits else [0]
    for has_mcc, has_cc, is_death in product((False, True), repeat=3):
        for age, stay in product(sorted(ages), stays):
            yield Point(has_mcc, has_cc, is_death, age, stay)


def _candidates(groups: list[Row], point: Point) -> Iterator[Row]:
    """The groups that can take such a case: the first without lists of its own, and those with lists before it."""
    for group in groups:
        if _takes(group, point):
            yield group
            if not group["match_rule"]:
                return


def _takes(group: Row, point: Point) -> bool:
    has_any = point.has_mcc or point.has_cc
    severity = {
        "ALWAYS": True, "MCC": point.has_mcc, "CC": point.has_cc, "MCC_OR_CC": has_any, "NONE": not has_any,
        "DEATH": point.is_death,
    }  # fmt: skip
    return (
        severity[str(group["severity_rule"])]
        and _within(point.age, group["age_min"], group["age_max_excl"])
        and _within(point.stay, group["los_min"], group["los_max_excl"])
    )


def _within(value: int | None, least: str | None, below: str | None) -> bool:
    if not least and not below:
        return True
    return value is not None and (not least or value >= int(least)) and (not below or value < int(below))


def _words(point: Point) -> str:
    severity = "MCC" if point.has_mcc else "CC" if point.has_cc else "neither MCC nor CC"
    return f"{severity}, age {point.age}, stay {'not known' if point.stay is None else point.stay}"
