"""Reading and judging the files of grouping schemes, without a warehouse."""

import shutil
from pathlib import Path

import pytest

from settlement.errors import SettlementError
from settlement.grouper.checking import check
from settlement.grouper.dip_expressions import diagnosis_rows, operation_rows, weight_range
from settlement.grouper.reading import read_scheme

SCHEMES = Path(__file__).parents[2] / "examples" / "schemes"


@pytest.fixture
def drg(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SCHEMES / "small_drg", tmp_path / "drg"))


def append(folder: Path, file: str, line: str) -> Path:
    with (folder / f"{file}.csv").open("a", encoding="utf-8") as sink:
        sink.write(line + "\n")
    return folder


@pytest.mark.parametrize("kind", ["drg", "dip"])
def test_the_schemes_shipped_with_the_project_are_usable(kind):
    verdict = check(read_scheme(kind, SCHEMES / f"small_{kind}"))
    assert verdict.faults == []


@pytest.mark.parametrize(
    ("file", "line", "fault"),
    [
        ("adrg", "MDCE,5,99,EX1,DX9,,,", "adrg.match_rule: unknown values: DX9"),
        ("adrg", "MDCX,5,99,EX1,TRUE,,,", "adrg: names that mdc does not have: MDCX"),
        ("adrg", "MDCE,5,99,ES1,TRUE,,,", "adrg: repeated keys: ES1"),
        ("adrg", "MDCE,5,99,EX1,DX1_OP1,,,", "EX1 (DX1_OP1): no diagnoses in slot 1"),
        ("adrg_dx", "ZZ9,A00.000", "adrg_dx: names that adrg does not have: ZZ9"),
        ("drg", "ES1,4,ES17,SOMETIMES,x", "drg.severity_rule: unknown values: SOMETIMES"),
        ("mdc", "9,MDCQ,DX1,,f,OFF", "MDCQ: no diagnoses"),
        ("mdc", "9,MDCQ,TRUE,,f,MAYBE", "mdc.qy_mode: unknown values: MAYBE"),
        ("cce", "J18.900,101", "cce: repeated keys: J18.900 101"),
    ],
)
def test_what_makes_a_scheme_unusable_is_named(drg, file, line, fault):
    assert fault in " ".join(check(read_scheme("drg", append(drg, file, line))).faults)


def test_what_an_expert_should_look_at_is_remarked(drg):
    append(drg, "adrg", "MDCE,5,99,EX1,TRUE,,,")
    append(drg, "adrg_op", "HC2,1,51.2400")
    append(drg, "cc", "I50.100,999")
    remarks = check(read_scheme("drg", drg)).remarks
    assert [remark.split(":")[0] for remark in remarks] == [
        "rules without a group give their own id",
        "operations of rules that op_valid does not count",
        "exclusion tables that cce does not have",
    ]


def test_a_missing_file_a_missing_column_and_a_bad_value_are_named_with_their_place(drg):
    (drg / "cc.csv").unlink()
    (drg / "mcc.csv").write_text("code\nA00\n")
    append(drg, "drg", "ES1,first,ES17,ALWAYS,x")
    with pytest.raises(SettlementError) as refused:
        read_scheme("drg", drg)
    assert refused.value.code == "scheme_invalid"
    for part in ("cc.csv is missing", "mcc.csv has no column dx_code", "drg.csv line 28: drg_order is 'first'"):
        assert part in refused.value.message


def test_operations_of_a_catalogue_are_taken_apart_into_alternatives_and_terms():
    group = {"group_id": "g", "stage": "BASE", "main_op_or_property": "a|b+c", "related_op_or_weight": "d+e/f"}
    rows = [(row["alternative"], row["term"], row["op_code"]) for row in operation_rows(group)]
    assert rows == [
        *[("1", "0", "a"), ("1", "1", "d"), ("1", "2", "e"), ("1", "2", "f")],
        *[("2", "0", "b"), ("2", "1", "c"), ("2", "2", "d"), ("2", "3", "e"), ("2", "3", "f")],
    ]


def test_diagnoses_of_a_catalogue_are_taken_apart_into_keys_and_ranges():
    rows = [(row["role"], row["dx_key"]) for row in diagnosis_rows({"group_id": "g", "dx": "Z51.1|Z51.2+C81-C83"})]
    assert rows == [
        *[("main", "Z51.1"), ("main", "Z51.2")],
        *[("secondary", "C81"), ("secondary", "C82"), ("secondary", "C83")],
    ]
    assert list(diagnosis_rows({"group_id": "g", "dx": "*"})) == []


@pytest.mark.parametrize(
    ("text", "range_"), [("750-999", "750-999"), ("<750", "0-749"), (">=2500", "2500-"), ("heavy", None), (None, None)]
)
def test_weights_of_newborns_are_read_as_a_range(text, range_):
    assert weight_range(text) == range_
