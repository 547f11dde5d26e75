"""The peer of grouping in the warehouse: one case after another in Python, over dicts and sets of the same scheme.

Written plainly, as a grouper usually is: the tables are read once, then every case is led through them by itself. It
gives the group of a case and explains none.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.invented_cases import Case
from settlement.grouper.dip_expressions import diagnosis_rows, operation_rows
from settlement.grouper.match_rules import match_rules
from settlement.grouper.reading import Row, read_scheme

Lists = defaultdict[int, set[str]]
DEATH = "5"
NEWBORN_DAYS = 29


@dataclass
class Rule:
    """A DRG rule with its lists by slot, and its groups in order."""

    row: Row
    asks: Row
    diagnoses: Lists = field(default_factory=lambda: defaultdict(set))
    operations: Lists = field(default_factory=lambda: defaultdict(set))
    groups: list[Row] = field(default_factory=list)

    def matches(self, case: Case, is_principal_valid: bool, is_any_valid: bool) -> bool:
        """Whether the case meets all that the rule asks for."""
        asks, (principal, *secondary) = self.asks, case.dx_codes
        if asks["principal_diagnosis"] == "true" and principal not in self.diagnoses[1]:
            return False
        if asks["any_diagnosis"] == "true" and self.diagnoses[1].isdisjoint(case.dx_codes):
            return False
        if asks["secondary_diagnosis"] == "true" and self.diagnoses[2].isdisjoint(secondary):
            return False
        if asks["principal_operation"] == "true" and not (case.op_codes and case.op_codes[0] in self.operations[1]):
            return False
        if asks["operation_slots"] and not self._slots_met(case):
            return False
        met = {"PRINCIPAL": is_principal_valid, "NO_PRINCIPAL": not is_principal_valid,
               "ANY": is_any_valid, "NONE": not is_any_valid}  # fmt: skip
        return met.get(asks["valid_operation"] or "", True) and self._age_and_weight_met(case)

    def _slots_met(self, case: Case) -> bool:
        found = 0
        for code in case.op_codes:
            for slot in sorted(self.operations):
                if code in self.operations[slot]:
                    found |= 1 << (slot - 1)
                    if self.asks["first_slot_only"] == "true":
                        break
        ways = [int(bits) for bits in (self.asks["operation_slots"], self.asks["or_operation_slots"]) if bits]
        return any(found & way == way for way in ways)

    def _age_and_weight_met(self, case: Case) -> bool:
        days, least, below = (self.row[name] for name in ("age_days_max", "weight_min", "weight_max_excl"))
        if days and (case.age_days is None or case.age_days > int(days)):
            return False
        if least and (case.weight_g is None or case.weight_g < int(least)):
            return False
        return not below or (case.weight_g is not None and 0 < case.weight_g < int(below))


class DrgGrouper:
    """Groups a case by a DRG scheme of a folder."""

    def __init__(self, folder: Path, qy_mode: str | None = None) -> None:
        rows = read_scheme("drg", folder).rows
        self._categories = sorted(rows["mdc"], key=lambda row: int(row["eval_order"] or 0))
        self._qy_mode = qy_mode
        self._sites: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for row in rows["mdc_dx"]:
            self._sites[str(row["mdc"])][str(row["dx_code"])].add(row["site"] or "")
        self._rules: dict[str, list[Rule]] = defaultdict(list)
        by_id = {}
        for row in sorted(rows["adrg"], key=lambda row: int(row["adrg_order"] or 0)):
            rule = by_id[row["rule_id"]] = Rule(row, match_rules()[str(row["match_rule"])])
            self._rules[str(row["mdc"])].append(rule)
        for row in rows["adrg_dx"]:
            by_id[row["rule_id"]].diagnoses[int(row["slot"] or 1)].add(str(row["dx_code"]))
        for row in rows["adrg_op"]:
            by_id[row["rule_id"]].operations[int(row["slot"] or 1)].add(str(row["op_code"]))
        for row in sorted(rows["drg"], key=lambda row: int(row["drg_order"] or 0)):
            by_id[row["rule_id"]].groups.append(row)
        self._comorbidities = [{str(r["dx_code"]): r["exclusion_table_id"] for r in rows[f]} for f in ("mcc", "cc")]
        self._exclusions = {(row["exclusion_table_id"], row["dx_code"]) for row in rows["cce"]}
        self._valid = {row["op_code"] for row in rows["op_valid"]}

    def group(self, case: Case) -> str:
        """The case's group; 0000 without one."""
        if self._fails_checks(case):
            return "0000"
        valid = [code in self._valid for code in case.op_codes]
        is_principal_valid, is_any_valid = bool(valid and valid[0]), any(valid)
        for category in self._categories:
            if not self._enters(category, case, is_principal_valid):
                continue
            is_ambiguous = {"PRINCIPAL_OP": is_principal_valid, "ANY_OP": is_any_valid}.get(
                self._qy_mode or str(category["qy_mode"]), False
            )
            for rule in self._rules[str(category["mdc"])]:
                if is_ambiguous and str(rule.row["rule_id"])[1] > "Q":
                    return f"{str(category['mdc'])[-1]}QY"
                if rule.matches(case, is_principal_valid, is_any_valid):
                    return self._group_of(rule, case)
        return "0000"

    @staticmethod
    def _fails_checks(case: Case) -> bool:
        if case.gender not in ("1", "2") or case.age_years is None or not (case.dx_codes and case.dx_codes[0]):
            return True
        if case.age_years > 0:
            return False
        return case.age_days is None or (case.age_days < NEWBORN_DAYS and case.weight_g is None)

    def _enters(self, category: Row, case: Case, is_principal_valid: bool) -> bool:
        if category["sex"] and category["sex"] != case.gender:
            return False
        if category["infant_only"] == "t" and case.age_years:
            return False
        gate, sites = str(category["gate"]), self._sites[str(category["mdc"])]
        if gate == "VALID_OP1":
            return is_principal_valid
        if gate == "TRUE":
            return True
        codes = case.dx_codes if gate.startswith("DXANY") else case.dx_codes[:1]
        if not any(code in sites for code in codes):
            return False
        return not gate.endswith("MULTISITE") or len({s for code in case.dx_codes for s in sites.get(code, ())}) > 1

    def _group_of(self, rule: Rule, case: Case) -> str:
        principal, *secondary = case.dx_codes
        has_mcc, has_cc = (
            any(code in listed and (listed[code], principal) not in self._exclusions for code in secondary)
            for listed in self._comorbidities
        )
        holds = {"ALWAYS": True, "MCC": has_mcc, "CC": has_cc, "MCC_OR_CC": has_mcc or has_cc,
                 "NONE": not (has_mcc or has_cc), "DEATH": case.discharge_way == DEATH}  # fmt: skip
        return str(next((g["drg_code"] for g in rule.groups if holds[str(g["severity_rule"])]), rule.row["rule_id"]))


@dataclass
class DipGroup:
    """A DIP group with its diagnoses and its alternatives: each the main operations, then one set a related term."""

    row: Row
    secondary: set[str] = field(default_factory=set)
    alternatives: dict[str, dict[int, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))


class DipGrouper:
    """Groups a case by a DIP catalogue of a folder, the principal operation being the main one."""

    def __init__(self, folder: Path) -> None:
        rows = read_scheme("dip", folder).rows
        self._of_diagnosis: dict[str, list[DipGroup]] = defaultdict(list)
        for row in rows["dip_catalog"]:
            group = DipGroup(row)
            for part in diagnosis_rows(row):
                if part["role"] == "secondary":
                    group.secondary.add(str(part["dx_key"]))
                else:
                    self._of_diagnosis[str(part["dx_key"])].append(group)
            if row["dx"] == "*":
                self._of_diagnosis["*"].append(group)
            for part in operation_rows(row):
                group.alternatives[str(part["alternative"])][int(part["term"] or 0)].add(str(part["op_code"]))
        excluded = {str(row["code"]) for row in rows["exclusions"] if row["kind"] == "dx"}
        self._excluded = excluded or {"Z37"}
        self._properties = {str(row["op_code"]): str(row["property"]) for row in rows["op_property"]}
        self._properties |= {str(row["code"]): "SIMPLE" for row in rows["exclusions"] if row["kind"] == "op"}

    def group(self, case: Case) -> str:
        """The case's group, EXCLUDED_DX or UNGROUPED."""
        if not case.dx_codes or not case.dx_codes[0]:
            return "UNGROUPED"
        keys = _keys(case.dx_codes[0])
        if not self._excluded.isdisjoint(keys):
            return "EXCLUDED_DX"
        main = case.op_codes[0] if case.op_codes else None
        kind = self._properties.get(main) if main else None
        kind = "SURGERY" if kind == "INTERVENTION" else kind
        main = None if kind == "SIMPLE" else main
        secondary = {key for code in case.dx_codes[1:] for key in _keys(code)}
        groups = [group for key in ("*", *keys) for group in self._of_diagnosis.get(key, ())]
        found = [
            rank
            for group in groups
            if "+" not in str(group.row["dx"]) or not group.secondary.isdisjoint(secondary)
            for rank in self._ranks(group, case, main, kind)
        ]
        return min(found)[-1] if found else "UNGROUPED"

    def _ranks(
        self, group: DipGroup, case: Case, main: str | None, kind: str | None
    ) -> Iterator[tuple[float | str, ...]]:
        """Where the group stands in the order of selection, for every way in which the case meets it."""
        row, stage = group.row, str(group.row["stage"])
        stage_rank = {"PRE": 1, "PRE_BIRTH": 1, "MERGE": 2, "AUXILIARY": 3}.get(stage, 4)
        kind_rank = {"SURGERY": 1, "THERAPEUTIC": 2, "DIAGNOSTIC": 3}.get(kind or "", 4)
        type_rank = {"CORE": 1, "BASIC": 2}.get(str(row["group_type"]), 3)
        last = (-float(row["score"] or "-inf"), str(row["group_id"]))
        if main is not None:
            for terms in group.alternatives.values():
                others = case.op_codes[1:]
                if main in terms[0] and all(not terms[n].isdisjoint(others) for n in terms if n):
                    yield (stage_rank, 2, kind_rank, type_rank, 1 - len(terms), *last)
            if stage == "MIXED" and row["main_op_or_property"] == (kind or "MEDICAL"):
                yield (stage_rank, 3, kind_rank, type_rank, 0, *last)
        if stage == "PRE_BIRTH":
            low, _, high = str(row["related_op_or_weight"]).partition("-")
            weight = case.weight_g
            is_met = weight is not None and int(low) <= weight <= int(high or weight)
            is_met = is_met and case.age_days is not None and case.age_days < NEWBORN_DAYS
        elif stage == "MIXED":
            is_met = row["main_op_or_property"] == "MEDICAL" and main is None
        else:
            is_met = not row["main_op_or_property"] and (stage in ("MERGE", "AUXILIARY") or main is None)
        if is_met:
            yield (stage_rank, 4, 4, type_rank, 0, *last)


def _keys(code: str) -> tuple[str, ...]:
    """A diagnosis stands for itself, its subcategory and its category."""
    return tuple(dict.fromkeys((code, code[:5], code[:3])))
