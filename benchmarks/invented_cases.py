"""Grouping schemes and cases of realistic size, invented from a seed: nothing of them is anybody's, all of it repeats.

Sizes are those of the published schemes: a DRG scheme of 26 categories, 376 rules and some 28,500 diagnoses, and a
national DIP catalogue of some 9,500 groups. Codes only look like those of ICD-10 and ICD-9-CM-3.
"""

import csv
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

SEED = 20260302
MALE, FEMALE = "1", "2"


@dataclass(frozen=True)
class Case:
    """An inpatient case as grouping reads it; the first code of each list is the main one."""

    case_id: str
    gender: str | None
    age_years: int | None
    age_days: int | None
    weight_g: int | None
    stay_days: int | None
    discharge_way: str | None
    dx_codes: list[str]
    op_codes: list[str]


def _write(folder: Path, name: str, header: str, rows: Iterable[Iterable[Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


# DRG

MDC_ORDER = "APYZMNBCDEFGHIJKLOQRSTUVWX"
MULTIPLE_SITES, NEWBORN, MEN, WOMEN = "Z", "P", "M", "N"
SITES = ("头颈部", "胸部", "腹部", "上肢", "下肢", "骨盆")
DIAGNOSES_OF_CATEGORY = 1_150
OPERATIONS = 11_000
SURGICAL_RULES, COMBINED_RULES, MEDICAL_RULES = 6, 1, 8
OPERATIONS_OF_RULE = 170
EXCLUSION_TABLES, DIAGNOSES_OF_TABLE = 223, 127


@dataclass(frozen=True)
class DrgScheme:
    """What the generator of cases needs to know of the scheme it wrote."""

    diagnoses: dict[str, list[str]]
    operations: dict[str, list[str]]
    comorbidities: list[str]
    all_operations: list[str]


def write_drg_scheme(folder: Path) -> DrgScheme:
    """Write the files of a DRG scheme; the same at every call."""
    draw = random.Random(SEED)
    operations = [f"{number // 120:02}.{number % 120:04}" for number in range(OPERATIONS)]
    letters = [letter for letter in MDC_ORDER if letter not in ("A", MULTIPLE_SITES)]
    diagnoses = {
        letter: [f"{letter}{number // 25:02}.{number % 25:03}" for number in range(DIAGNOSES_OF_CATEGORY)]
        for letter in letters
    }
    categories, category_diagnoses, rules, rule_diagnoses, rule_operations, groups = [], [], [], [], [], []
    operations_of: dict[str, list[str]] = {}

    def add_rule(letter: str, kind: str, number: int, match_rule: str, *limits: Any) -> str:
        rule = f"{letter}{kind}{number}"
        rules.append([f"MDC{letter}", None, len(rules) + 1, rule, match_rule, *(limits or (None, None, None))])
        severities = draw.choice(((("9", "ALWAYS"),), (("1", "MCC"), ("3", "MCC_OR_CC"), ("5", "ALWAYS")),
                                  (("3", "MCC_OR_CC"), ("5", "ALWAYS"))))  # fmt: skip
        groups.extend(
            [rule, order, rule + suffix, severity, f"病组 {rule}{suffix}"]
            for order, (suffix, severity) in enumerate(severities, 1)
        )
        return rule

    def list_operations(letter: str, rule: str, count: int = OPERATIONS_OF_RULE, slot: int = 1) -> None:
        listed = draw.sample(operations, count)
        operations_of.setdefault(letter, []).extend(listed)
        rule_operations.extend([rule, slot, code] for code in listed)

    for order, letter in enumerate(MDC_ORDER, 1):
        gate = {"A": "VALID_OP1", MULTIPLE_SITES: "DX1_MULTISITE"}.get(letter, "DX1")
        sex = {MEN: MALE, WOMEN: FEMALE}.get(letter)
        categories.append([order, f"MDC{letter}", gate, sex, "t" if letter == NEWBORN else "f", "PRINCIPAL_OP"])
        own = diagnoses.get(letter, [])
        category_diagnoses.extend([f"MDC{letter}", None, code] for code in own)
        if letter == "A":
            for number in range(1, 5):
                list_operations(letter, add_rule(letter, "A", number, "OP1"), 12)
            both = add_rule(letter, "C", 1, "OPANY2")
            list_operations(letter, both, 12, 1)
            list_operations(letter, both, 12, 2)
            continue
        if letter == MULTIPLE_SITES:
            injuries = [code for code in diagnoses["S"] + diagnoses["T"] if draw.random() < 0.5]
            category_diagnoses.extend([f"MDC{letter}", draw.choice(SITES), code] for code in injuries)
            list_operations(letter, add_rule(letter, "B", 1, "OP1"))
            add_rule(letter, "Z", 1, "NO_VALID_OP")
            continue
        if letter == NEWBORN:
            for number, (least, below) in enumerate(((0, 1500), (1500, 2000), (2000, 2500), (2500, None)), 1):
                rule = add_rule(letter, "S", number, "DXANY", 28, least or None, below)
                rule_diagnoses.extend([rule, 1, code] for code in own[number * 20 : number * 20 + 15])
            add_rule(letter, "V", 1, "TRUE")
            continue
        for number in range(1, SURGICAL_RULES + 1):
            list_operations(letter, add_rule(letter, "B", number, "OP1"))
        combined = add_rule(letter, "C", 1, "DX1_OP1")
        rule_diagnoses.extend([combined, 1, code] for code in draw.sample(own, 200))
        list_operations(letter, combined)
        if letter in (WOMEN, "J"):
            slots = add_rule(letter, "D", 1, "DX1_SLOT_1_OR_23")
            rule_diagnoses.extend([slots, 1, code] for code in draw.sample(own, 200))
            for slot in (1, 2, 3):
                list_operations(letter, slots, 20, slot)
        part = len(own) // MEDICAL_RULES + 1
        for number in range(MEDICAL_RULES):
            rule = add_rule(letter, "R", number + 1, "DX1")
            rule_diagnoses.extend([rule, 1, code] for code in own[number * part : (number + 1) * part])

    everything = [code for codes in diagnoses.values() for code in codes]
    comorbidities = draw.sample(everything, 21_246)
    tables = [[code, table] for table in range(1, EXCLUSION_TABLES + 1)
              for code in draw.sample(everything, DIAGNOSES_OF_TABLE)]  # fmt: skip
    _write(folder, "mdc", "eval_order,mdc,gate,sex,infant_only,qy_mode", categories)
    _write(folder, "mdc_dx", "mdc,site,dx_code", category_diagnoses)
    _write(folder, "adrg", "mdc,mdc_order,adrg_order,adrg,match_rule,age_days_max,weight_min,weight_max_excl", rules)
    _write(folder, "adrg_dx", "adrg,slot,dx_code", rule_diagnoses)
    _write(folder, "adrg_op", "adrg,slot,op_code", rule_operations)
    _write(folder, "drg", "adrg,drg_order,drg,severity_rule,name", groups)
    for name, codes in (("mcc", comorbidities[:4_678]), ("cc", comorbidities[4_678:])):
        _write(folder, name, "dx_code,exclusion_table_id", ([c, draw.randint(1, EXCLUSION_TABLES)] for c in codes))
    _write(folder, "cce", "dx_code,exclusion_table_id", tables)
    _write(folder, "op_valid", "op_code", ([code] for code in operations if draw.random() < 0.93))
    return DrgScheme(diagnoses, operations_of, comorbidities, operations)


def drg_cases(scheme: DrgScheme) -> Iterator[Case]:
    """Cases without end, the same at every call."""
    draw = random.Random(SEED + 1)
    letters = list(scheme.diagnoses)
    number = 0
    while True:
        number += 1
        letter = draw.choice(letters)
        age = 0 if letter == NEWBORN else draw.randint(1, 95)
        sex = {MEN: MALE, WOMEN: FEMALE}.get(letter) or draw.choice((MALE, FEMALE))
        secondary = draw.choices(scheme.comorbidities, k=draw.choice((0, 0, 1, 1, 2, 4)))
        if draw.random() < 0.3:
            secondary.append(draw.choice(scheme.diagnoses[letter]))
        op_codes = []
        if draw.random() < 0.55:
            likely = scheme.operations.get(letter) if draw.random() < 0.8 else None
            op_codes = draw.choices(likely or scheme.all_operations, k=draw.choice((1, 1, 1, 1, 2, 3)))
        yield Case(
            str(number), sex, age, draw.randint(0, 300) if age == 0 else None,
            draw.randint(600, 4500) if age == 0 else None, draw.randint(1, 30), "1",
            [draw.choice(scheme.diagnoses[letter]), *secondary], op_codes,
        )  # fmt: skip


# DIP

DIP_CATEGORIES = 1_150
PROPERTIES = ("SURGERY", "INTERVENTION", "THERAPEUTIC", "DIAGNOSTIC", "SIMPLE")
TUMOURS = ("C00-C75", "C81-C90", "C91-C95")


@dataclass(frozen=True)
class DipCatalogue:
    """What the generator of cases needs to know of the catalogue it wrote."""

    operations_of: dict[str, list[tuple[str, ...]]]
    tumour_operations: list[tuple[str, str]]
    all_operations: list[str]


def write_dip_catalogue(folder: Path) -> DipCatalogue:
    """Write the files of a DIP catalogue of national size; the same at every call."""
    draw = random.Random(SEED + 2)
    operations = [f"{number // 60:02}.{number % 60:02}00" for number in range(5_400)]
    properties = dict(zip(operations, draw.choices(PROPERTIES, (50, 10, 15, 15, 10), k=len(operations)), strict=True))
    main = [code for code in operations if properties[code] != "SIMPLE"]
    rows: list[list[Any]] = []
    operations_of: dict[str, list[tuple[str, ...]]] = {}
    tumour_operations = []

    def add(kind: str, stage: str, dx: str, op: str = "", related: str = "") -> None:
        rows.append([f"{stage[0]}{len(rows) + 1:05}", kind, stage, dx, op, related, round(draw.uniform(80, 9000), 4)])

    for _ in range(18):
        add("CORE", "PRE", "*", "|".join(draw.sample(main, 2)))
    for low, high in ((0, 749), (750, 999), (1000, 1499), (1500, 1999), (2000, 2499)):
        add("CORE", "PRE_BIRTH", "P07", "", f"{low}-{high}")
    for tumours in TUMOURS:
        for _ in range(26):
            subcategory, op = f"Z51.{draw.randint(0, 9)}", draw.choice(main)
            add("CORE", "AUXILIARY", f"{subcategory}+{tumours}", op)
            tumour_operations.append((subcategory, op))
    for number in range(DIP_CATEGORIES):
        category = f"{chr(ord('A') + number // 60)}{number % 60:02}"
        for kind in ("SURGERY", "THERAPEUTIC", "DIAGNOSTIC", "MEDICAL"):
            if draw.random() < 0.7:
                add("MIXED", "MIXED", category, kind)
        merged = draw.sample(main, 3) if draw.random() < 0.5 else []
        if merged:
            add("CORE", "MERGE", category, "|".join(merged))
        for digit in draw.sample(range(10), 3):
            subcategory = f"{category}.{digit}"
            add(draw.choice(("CORE", "CORE", "CORE", "BASIC")), "BASE", subcategory)
            known = operations_of.setdefault(subcategory, [(op,) for op in merged[:1]])
            for op in draw.sample(main, draw.choice((0, 0, 1, 1, 2))):
                add("CORE", "BASE", subcategory, op)
                known.append((op,))
                if draw.random() < 0.2:
                    related = draw.choice(operations)
                    add("CORE", "BASE", subcategory, op, related)
                    known.append((op, related))
    header = "group_id,group_type,stage,dx,main_op_or_property,related_op_or_weight,score"
    _write(folder, "dip_catalog", header, rows)
    _write(folder, "op_property", "op_code,property", properties.items())
    _write(folder, "exclusions", "kind,code", [["dx", "Z37"], ["dx", "Z38"], ["op", operations[0]]])
    return DipCatalogue(operations_of, tumour_operations, operations)


def dip_cases(catalogue: DipCatalogue) -> Iterator[Case]:
    """Cases without end, the same at every call: a few diagnoses are frequent, most are rare."""
    draw = random.Random(SEED + 3)
    subcategories = list(catalogue.operations_of)
    number = 0
    while True:
        number += 1
        subcategory = subcategories[int(len(subcategories) * draw.random() ** 2)]
        secondary = [f"{draw.choice(subcategories)}{draw.randint(0, 9)}00" for _ in range(draw.choice((0, 0, 1, 2, 4)))]
        op_codes: list[str] = []
        if draw.random() < 0.5:
            if draw.random() < 0.7:
                op_codes = list(draw.choice(catalogue.operations_of[subcategory] or [()]))
            op_codes += draw.choices(catalogue.all_operations, k=draw.choice((0, 1, 1, 2)))
        age_days = weight_g = None
        chance = draw.random()
        if chance < 0.02:
            subcategory, op = draw.choice(catalogue.tumour_operations)
            secondary.append(f"C{draw.randint(0, 99):02}.900")
            op_codes.insert(0, op)
        elif chance < 0.03:
            subcategory, age_days, weight_g = "P07.2", draw.randint(0, 60), draw.randint(500, 2600)
        elif chance < 0.08:
            subcategory = f"{subcategory[:3]}.{draw.randint(0, 9)}"
        yield Case(
            str(number), draw.choice((MALE, FEMALE)), 0 if age_days is not None else draw.randint(1, 95), age_days,
            weight_g, draw.randint(1, 30), "1", [f"{subcategory}{draw.randint(0, 9)}00", *secondary], op_codes,
        )  # fmt: skip


def first(cases: Iterator[Case], count: int) -> Iterator[Case]:
    """The first ``count`` of them."""
    return islice(cases, count)
