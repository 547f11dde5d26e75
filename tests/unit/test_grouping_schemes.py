"""Reading and judging the files of grouping schemes, without a warehouse."""

import random
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


def test_the_only_list_of_a_rule_of_secondary_diagnoses_is_that_list(drg):
    append(drg, "adrg", "MDCE,5,99,EX1,DX2,,,")
    append(drg, "adrg_dx", "EX1,A41.900")
    scheme = read_scheme("drg", drg)
    assert [row["slot"] for row in scheme.rows["adrg_dx"] if row["rule_id"] == "EX1"] == ["2"]
    verdict = check(scheme)
    assert verdict.faults == []
    assert "EX1: 1 list(s) of secondary diagnoses stand in slot 1" in " ".join(verdict.remarks)


def test_operations_of_a_category_open_it_beside_its_diagnoses(drg):
    (drg / "mdc_op.csv").write_text("mdc,op_code\nMDCE,33.2700\n", encoding="utf-8")
    scheme = read_scheme("drg", drg)
    gates = {row["mdc"]: row["gate"] for row in scheme.rows["mdc"]}
    assert gates.pop("MDCE") == "DX1_OR_OPANY"
    assert "DX1_OR_OPANY" not in gates.values()
    assert "gate DX1 is read as DX1_OR_OPANY" in " ".join(check(scheme).remarks)


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
        ("adrg", "MDCE,5,10,EX1,TRUE,,,", "adrg.adrg_order: repeated orders: 10 of MDCE (lines 11, 19) (次序重复)"),
        ("mdc", "3,MDCQ,TRUE,,f,OFF", "mdc.eval_order: repeated orders: 3 (lines 4, 12)"),
        ("drg", "ES1,3,ES17,ALWAYS,x", "drg.drg_order: repeated orders: 3 of ES1 (lines 14, 28)"),
        ("adrg", "MDCE,5,99,EX1,DX9,,,", "DX9 (line 19) (未知取值); allowed 允许的取值: DX1, DXANY"),
        ("adrg", "MDCE,5,99,EX1,DX2_OP1,,,", "EX1 (DX2_OP1): no secondary diagnoses in slot 2 (adrg.csv line 19)"),
        ("adrg", "MDCE,5,99,EX1,OP1_OPANY,,,", "EX1 (OP1_OPANY): no operations in slot 2"),
        ("adrg", "MDCE,5,99,EX1,OPANY3,,,", "EX1 (OPANY3): no operations in slot 3"),
        ("mdc", "9,MDCQ,OP1,,f,OFF", "MDCQ: no operations in mdc_op (mdc.csv line 12)"),
        ("mdc", "9,MDCQ,DX1_OR_OPANY,,f,OFF", "MDCQ: no diagnoses (mdc.csv line 12)"),
        ("adrg", "MDCE,5,99,EX1,TRUE,,2000,1500", "limits that nothing is within: EX1: weight_min 2000"),
    ],
)
def test_what_makes_a_scheme_unusable_is_named(drg, file, line, fault):
    assert fault in " ".join(check(read_scheme("drg", append(drg, file, line))).faults)


def write(folder: Path, file: str, *lines: str) -> None:
    (folder / f"{file}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("age_min", "-1", "drg.csv line 2: age_min is '-1', not a whole number from 0 (应为整数)"),
        ("age_min", "99999999999", "drg.csv line 2: age_min is '99999999999', not a whole number"),
        ("los_max_excl", "5.5", "drg.csv line 2: los_max_excl is '5.5'"),
        ("age_max_excl", "0", "drg: limits that nothing is within: ES1: age_min None, age_max_excl 0 (line 2)"),
        ("match_rule", "DX9", "drg.match_rule: unknown values: DX9 (line 2)"),
        ("match_rule", "DX1", "ES19 (DX1): no diagnoses in slot 1 (drg.csv line 2)"),
    ],
)
def test_limits_and_lists_of_groups_are_judged(drg, column, value, fault):
    header = "adrg,drg_order,drg,severity_rule,age_min,age_max_excl,los_min,los_max_excl,match_rule"
    given = {"adrg": "ES1", "drg_order": "1", "drg": "ES19", "severity_rule": "ALWAYS", column: value}
    write(drg, "drg", header, ",".join(given.get(name, "") for name in header.split(",")))
    try:
        faults = " ".join(check(read_scheme("drg", drg)).faults)
    except SettlementError as error:
        faults = error.message
    assert fault in faults


@pytest.mark.parametrize(
    ("file", "lines", "fault"),
    [
        ("drg_dx", ("adrg,drg,dx_code", "ES1,ES19,J18.900"), "drg_dx: names that drg does not have: ES1 ES19 (line 2)"),
        ("drg_op", ("adrg,drg,op_code", "ES1,ES11,32.4101"), "groups with lists of their own need a match_rule in drg"),
        ("mdc_op", ("mdc,op_code", "MDCX,32.4101"), "mdc_op: names that mdc does not have: MDCX (line 2)"),
        ("mdc_op", ("mdc,op_code", "MDCE,1", "MDCE,1"), "mdc_op: repeated keys: MDCE 1 (lines 2, 3)"),
        ("adrg_op", ("adrg,slot,op_code", "HC2,9,51.2300"), "line 2: slot is '9', not a whole number from 1 to 8"),
        ("adrg_op", ("adrg,slot,op_code", "HC2,1,51\x00.2300"), "is '51⟨NUL⟩.2300', with an invisible character"),
        ("adrg_op", ("adrg,op_code,op_code", "HC2,1,1"), "adrg_op.csv line 1: column op_code stands twice"),
        ("adrg_op", ('adrg,op_code', 'HC2,"51.2300', "x"), "adrg_op.csv line 2: cannot be read as CSV"),
        ("adrg_op", ("adrg,op_code", "HC2,51.2300,more"), "adrg_op.csv line 2: has 3 values for 2 columns"),
        ("adrg_op", (), "adrg_op.csv has no column adrg, op_code"),
    ],
)  # fmt: skip
def test_tables_of_variants_are_judged_too(drg, file, lines, fault):
    write(drg, file, *lines)
    try:
        faults = " ".join(check(read_scheme("drg", drg)).faults)
    except SettlementError as error:
        faults = error.message
    assert fault in faults


def test_files_in_other_encodings_are_the_same_scheme(drg):
    before = read_scheme("drg", drg).rows
    for path in drg.glob("*.csv"):
        path.write_bytes(path.read_text(encoding="utf-8").replace("\n", "\r\n").encode("gb18030"))
    assert read_scheme("drg", drg).rows == before


def test_a_scheme_without_the_columns_of_variants_is_read_as_before(drg):
    rows = read_scheme("drg", drg).rows
    assert {row["op_retry"] for row in rows["mdc"]} == {"f"}
    assert {row["match_rule"] for row in rows["drg"]} == {None}
    assert rows["mdc_op"] == rows["drg_dx"] == rows["drg_op"] == []


REMARKED = [
    ("adrg_dx", "ES1,J18.900", "adrg_dx: rows stated twice: ES1 1 J18.900 (lines 12, 19) (重复行)"),
    ("mdc_dx", "MDCE,,J18.900", "mdc_dx: rows stated twice: MDCE J18.900 (lines 9, 19)"),
    ("adrg_op", "ES1,1,32.4101", "lists that no rule reads: ES1 slot 1 (adrg_op) (没有规则读取的表)"),
    ("adrg_op", "HC2,2,51.2300", "lists that no rule reads: HC2 slot 2 (adrg_op)"),
    ("mdc_dx", "MDCA,,J18.900", "lists that no rule reads: MDCA (mdc_dx)"),
    ("drg", "ES1,4,ES19,ALWAYS,x", "groups that no case can reach: ES19 of ES1 (drg.csv line 28)"),
    ("drg", "ES1,4,ES19,MCC,x", "groups that no case can reach: ES19 of ES1 (drg.csv line 28)"),
    ("adrg", "MDCP,2,99,PX1,OP1,,,", "PX1 (adrg.csv line 19): PV1 comes before and takes its cases"),
]


@pytest.mark.parametrize(("file", "line", "remark"), REMARKED)
def test_what_can_never_count_is_remarked(drg, file, line, remark):
    append(drg, "adrg_op", "PX1,1,32.4101") if "PX1" in line else None
    verdict = check(read_scheme("drg", append(drg, file, line)))
    assert verdict.faults == []
    assert remark in " | ".join(verdict.remarks)


def test_gaps_and_covered_groups_are_found_by_age_stay_and_severity(drg):
    header = "adrg,drg_order,drg,severity_rule,age_min,age_max_excl,los_min,los_max_excl"
    others = [line.split(",")[:4] for line in (drg / "drg.csv").read_text(encoding="utf-8").splitlines()[1:]]
    kept = [",".join(fields) + ",,,," for fields in others if fields[0] not in ("ES1", "HU1")]
    whole = ["ES1,1,ES10,ALWAYS,,18,,", "ES1,2,ES19,ALWAYS,18,,,", "ES1,3,ES18,MCC,,,,"]
    partly = ["HU1,1,HU11,MCC,,,,", "HU1,2,HU15,NONE,18,,,7"]
    write(drg, "drg", header, *kept, *whole, *partly)
    remarks = " | ".join(check(read_scheme("drg", drg)).remarks)
    assert "groups that no case can reach: ES18 of ES1" in remarks
    assert "HU1 (neither MCC nor CC, age 0, stay not known)" in remarks
    assert "gets the rule's own id" in remarks
    assert " ES1 (" not in remarks.partition("gets the rule")[2]


def test_a_rule_is_reached_where_an_earlier_one_asks_for_more_or_is_limited(drg):
    append(drg, "adrg", "MDCE,5,9.5".replace("9.5", "90") + ",EX1,DX1,,,")
    append(drg, "adrg", "MDCE,5,91,EY1,DX1,28,,")
    append(drg, "adrg", "MDCE,5,92,EZ1,DX1,,,")
    for rule in ("EX1", "EY1", "EZ1"):
        append(drg, "adrg_dx", f"{rule},J18.900" if rule == "EX1" else f"{rule},J98.401")
    append(drg, "mdc_dx", "MDCE,,J98.401")
    remarks = " | ".join(check(read_scheme("drg", drg)).remarks)
    assert "rules that no case can reach: EX1 (adrg.csv line 19): ES1 comes before" in remarks
    assert "EZ1 (adrg.csv" not in remarks


@pytest.mark.parametrize(
    ("file", "line", "fault"),
    [
        ("exclusions", "dx,Z37", "exclusions: repeated keys: dx Z37"),
        ("auxiliary_types", "K80.1:51.2300,shoe,small,1.1", "auxiliary_types.dimension: unknown values: shoe"),
        ("auxiliary_types", "K80.1:51.2300,age,a,0", "coefficients between 0 and 1,000,000 are allowed: 0"),
        ("cci", "I10,0", "weight is '0', not a whole number from 1"),
        ("dip_catalog", "X,CORE,BASE,A00.0,,,1e40", "score is '1e40', not a number"),
    ],
)
def test_what_makes_a_catalogue_unusable_is_named(tmp_path, file, line, fault):
    folder = Path(shutil.copytree(SCHEMES / "small_dip", tmp_path / "dip"))
    try:
        faults = " ".join(check(read_scheme("dip", append(folder, file, line))).faults)
    except SettlementError as error:
        faults = error.message
    assert fault in faults


PIECES = (
    ",",
    "\n",
    '"',
    "\x00",
    "\ufeff",
    "９",
    "-1",
    "9" * 30,
    "t",
    "MDCE",
    "ES1",
    "DX1",
    "OP1",
    "NONE",
    "1.5",
    "+",
    "|",
)


@pytest.mark.parametrize(("kind", "source"), [("drg", "variants_drg"), ("dip", "small_dip")])
def test_whatever_a_scheme_holds_it_is_judged_or_refused(tmp_path, kind, source):
    draw = random.Random(20261129)
    whole = {path.name: path.read_text(encoding="utf-8") for path in sorted((SCHEMES / source).glob("*.csv"))}
    outcomes = set()
    for _ in range(300):
        for name, text in whole.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        for name in draw.sample(sorted(whole), draw.choice((1, 1, 2))):
            text = whole[name]
            for _ in range(draw.randint(1, 5)):
                place = draw.randrange(len(text) + 1)
                text = text[:place] + draw.choice(PIECES) + text[place + draw.choice((0, 1, 4)) :]
            (tmp_path / name).write_bytes(text.encode(draw.choice(("utf-8", "gb18030", "utf-16"))))
        try:
            outcomes.add(bool(check(read_scheme(kind, tmp_path)).faults))
        except SettlementError as error:
            outcomes.add(error.code)
    assert outcomes == {True, False, "scheme_invalid"}


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
