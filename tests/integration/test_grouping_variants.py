"""What variants of cities need: groups by age and stay, a second try, operations that open a gate, and further rules.

The tables are examples/schemes/variants_drg, written by hand after published variants of CHS-DRG. Every case is grouped
twice: by the command's own path, and by a small model of its own that reads the same tables. 4,000 cases here;
SETTLEMENT_VARIANT_CASES=40000 asks for more.
"""

import csv
import os
import random
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from tests.fixtures.prepared_warehouse import prepared  # noqa: F401
from tests.fixtures.variant_model import NEW_RULES, PatientCase, VariantModel

from settlement.grouper.by_hand import group_file
from settlement.grouper.schemes import import_scheme

FOLDER = Path(__file__).parents[2] / "examples" / "schemes" / "variants_drg"
SEED = 20261129
COUNT = int(os.environ.get("SETTLEMENT_VARIANT_CASES", "4000"))
FEATURES = {*NEW_RULES, "age and stay", "op_retry", "mdc_op", "own lists", "own id"}

pytestmark = pytest.mark.slow


def invented_cases(model: VariantModel, count: int) -> Iterator[PatientCase]:
    """Cases of the codes that the tables name. Each aims at a rule: it has most of what that and its groups list."""
    draw = random.Random(SEED)
    tables = model.tables
    secondary = sorted({row["dx_code"] for table in ("adrg_dx", "drg_dx", "mcc", "cc") for row in tables[table]})
    operations = sorted({r["op_code"] for t in ("adrg_op", "drg_op", "mdc_op", "op_valid") for r in tables[t]})

    def lists(name: str, rule: str) -> list[tuple[str, list[str]]]:
        rows = [row for table in (f"adrg_{name}", f"drg_{name}") for row in tables[table] if row["adrg"] == rule]
        slots = sorted({row["slot"] for row in rows})
        return [(slot, [row[f"{name}_code"] for row in rows if row["slot"] == slot]) for slot in slots]

    for number in range(count):
        rule = draw.choice(tables["adrg"])
        own = dict(lists("dx", rule["adrg"]))
        of_category = [row["dx_code"] for row in tables["mdc_dx"] if row["mdc"] == rule["mdc"]]
        first = draw.choice(own["1"] if "1" in own and draw.random() < 0.7 else of_category or secondary)
        further = [draw.choice(own["2"])] if "2" in own and draw.random() < 0.7 else []
        further += [draw.choice(secondary) for _ in range(draw.choice((0, 0, 1, 2)))]
        op = [draw.choice(codes) for _, codes in lists("op", rule["adrg"]) if draw.random() < 0.8]
        op += [draw.choice(operations) for _ in range(draw.choice((0, 0, 0, 1, 2)))]
        for codes in (further, op):
            if draw.random() < 0.4:
                draw.shuffle(codes)
        yield PatientCase(
            case_id=str(number + 1),
            gender=draw.choice("12"),
            age=draw.choice((1, 16, 17, 18, 59, 60, 69, 70, draw.randint(1, 95))),
            stay=draw.choice((None, 0, 1, 2, 3, 4, 5, 6, 9, 10, 12, 13, 14, draw.randint(0, 40))),
            discharge_way=draw.choice("11115"),
            dx=(first if draw.random() < 0.95 else "X99.900", *further),
            op=tuple(op),
        )


def write_cases(path: Path, cases: list[PatientCase]) -> None:
    with path.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(("case_id", "gender", "age", "los", "discharge_way", "dx_list", "op_list"))
        for case in cases:
            stay = "" if case.stay is None else case.stay
            way = case.discharge_way
            writer.writerow((case.case_id, case.gender, case.age, stay, way, "|".join(case.dx), "|".join(case.op)))


def grouped(cases: list[PatientCase], folder: Path) -> dict[str, dict[str, str]]:
    import_scheme("drg", FOLDER, version="variants", valid_from=date(2026, 1, 1), imported_by="test")
    write_cases(folder / "cases.csv", cases)
    group_file("variants", folder / "cases.csv", folder / "groups.csv")
    with (folder / "groups.csv").open(encoding="utf-8", newline="") as source:
        return {row["case_id"]: row for row in csv.DictReader(source)}


def test_variants_group_every_case_as_a_model_of_its_own_does(prepared, tmp_path):  # noqa: F811
    model = VariantModel(FOLDER)
    cases = list(invented_cases(model, COUNT))
    expected = {case.case_id: model.group(case) for case in cases}
    found = grouped(cases, tmp_path)
    wrong = [
        (case, expected[case.case_id], found[case.case_id])
        for case in cases
        if expected[case.case_id].group != found[case.case_id]["group"]
    ]
    assert wrong == []
    met = Counter(feature for result in expected.values() for feature in result.features)
    print(f"{COUNT:,} cases, {len({result.group for result in expected.values()})} groups: {dict(met)}")
    assert {feature for feature in FEATURES if met[feature] < 10} == set()


# What each is about: age, stay, discharge, diagnoses, operations → group.
BORDERS = {
    "a day under 17 years is a child": (16, 5, "1", "G40.900", "", "BV10"),
    "17 years is none": (17, 5, "1", "G40.900", "", "BV15"),
    "a stay of 12 days": (50, 12, "1", "Z51.101", "92.2400x003", "RC14"),
    "a stay of 13 days": (50, 13, "1", "Z51.101", "92.2400x003", "RC12"),
    "a stay that nobody knows is within no limit, and no group is left": (
        *(50, None, "1", "Z51.101", "92.2400x003", "RC1"),
    ),
    "one operation of two lists is both": (50, 9, "1", "I21.901", "36.0601", "FM15"),
    "the other list alone is not enough": (50, 9, "1", "I21.901", "00.6600x004", "FQY"),
    "the operation of the other list may come later": (50, 9, "1", "I21.901", "36.0700|00.6600x004", "FM15"),
    "a principal diagnosis is no secondary one": (30, 9, "1", "T29.300", "", "WR15"),
    "a secondary one counts in any place": (30, 9, "1", "T21.200|E11.900|T31.300", "", "WR15"),
    "a burn that no rule lists": (30, 9, "1", "T21.200|E11.900", "", "WZ13"),
    "dead on the fourth day": (30, 4, "5", "T21.200", "", "WZ17"),
    "dead on the fifth day": (30, 5, "5", "T21.200", "", "WZ15"),
    "two of three lists are not three": (50, 9, "1", "H25.900", "13.4100|13.7100", "CB39"),
    "three lists of one case": (50, 9, "1", "H25.900", "13.7100|12.6400|13.4100", "CB19"),
    "three lists and the principal diagnosis": (50, 9, "1", "C90.000", "99.0402|99.2503|41.3100", "RB15"),
    "the second operation leads where the first does not": (50, 9, "1", "I63.900", "36.1200|01.2400x005", "BB15"),
    "the earlier operation comes first, whatever the order of the rules": (
        *(50, 9, "1", "I61.900", "36.1200|02.3400|01.2400x005", "BB25"),
    ),
    "without one that leads anywhere the first is unrelated": (50, 9, "1", "I63.900", "36.1200|13.7100", "BQY"),
    "no second try where the category has none": (30, 9, "1", "T20.300", "39.7200x003|86.6901", "WQY"),
    "an operation opens the gate whatever the diagnosis": (50, 9, "1", "X99.900", "99.9999|50.5100", "AB19"),
    "the principal operation opens, a further one does not": (50, 9, "1", "X99.900", "99.9999|13.4100", "0000"),
    "either opens": (50, 9, "1", "X99.900", "13.4100", "CB39"),
    "an operation in any place opens a category of diagnoses": (30, 9, "1", "X99.900", "99.9999|74.1x01", "OB19"),
    "both open together only": (50, 9, "1", "E11.500", "", "0000"),
    "both together": (50, 9, "1", "E11.500", "44.9500", "KB19"),
    "a rule for adults by its age": (17, 9, "1", "E11.500", "44.9500", "KZ15"),
    "a rule without a group gives its own id": (50, 9, "1", "X99.900", "39.6500", "AH1_2"),
    "a group's own list of diagnoses": (50, 9, "1", "I63.900|E11.900", "", "BR22"),
    "a code that the group does not list": (50, 9, "1", "G45.900|E11.900", "", "BR25"),
    "a group's own secondary diagnosis": (50, 9, "1", "G45.900|F03.x00", "", "BR26"),
    "a group's own lists of both": (50, 9, "1", "I66.902", "99.9999|99.1000", "BR27"),
    "an operation tried again is the group's principal one": (50, 9, "1", "I35.000", "99.9999|37.8300x001", "FJ18"),
}  # fmt: skip


def test_the_borders_of_each_feature_are_where_the_runbook_says(prepared, tmp_path):  # noqa: F811
    cases = [
        PatientCase(name, "2", age, stay, way, tuple(dx.split("|")), tuple(filter(None, op.split("|"))))
        for name, (age, stay, way, dx, op, _) in BORDERS.items()
    ]
    found = grouped(cases, tmp_path)
    assert {name: row["group"] for name, row in found.items()} == {name: case[-1] for name, case in BORDERS.items()}
    model = VariantModel(FOLDER)
    assert {case.case_id: model.group(case).group for case in cases} == {n: case[-1] for n, case in BORDERS.items()}
    second = found["the second operation leads where the first does not"]["explanation"]
    assert "以其他手术 01.2400x005 再试" in second
    assert "tried with the further one 01.2400x005" in second
    assert (
        "any operation, the principal one too, stands in operation list 2"
        in found["one operation of two lists is both"]["explanation"]
    )
    assert "group BV10 (age < 17 years)" in found["a day under 17 years is a child"]["explanation"]
    assert "年龄 < 17 岁" in found["a day under 17 years is a child"]["explanation"]
