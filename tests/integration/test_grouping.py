"""Grouping by the small schemes of examples/schemes: stories of single cases, worked out by hand."""

import csv
import shutil
from collections import defaultdict
from datetime import date
from pathlib import Path

import psycopg
import pytest
from tests.fixtures.prepared_warehouse import prepared  # noqa: F401

from settlement.errors import SettlementError
from settlement.grouper.by_hand import group_file
from settlement.grouper.case_files import CaseFile
from settlement.grouper.schemes import differences, import_scheme, list_schemes, remove_scheme, show_rules
from settlement.sample import write_batches
from settlement.sample.pricing import GROUP_WEIGHTS
from settlement.sample.pricing import SCHEME as SAMPLE_SCHEME

SCHEMES = Path(__file__).parents[2] / "examples" / "schemes"
DRG_COLUMNS = ("case_id", "gender", "age", "age_days", "weight_g", "dx_list", "op_list")

pytestmark = pytest.mark.slow

# case id, sex, age, age in days, weight, diagnoses, operations → group, status
DRG_CASES = {
    "a transplant comes first whatever the diagnosis": ("1", "50", "", "", "X99.900", "50.5100", "AB19", "分组成功"),
    "a gall bladder without comorbidity": ("1", "45", "", "", "K80.100", "51.2300", "HC25", "分组成功"),
    "a gall bladder with a CC": ("1", "45", "", "", "K80.100|I50.900", "51.2300", "HC23", "分组成功"),
    "a gall bladder with an MCC": ("1", "45", "", "", "K80.100|I50.900|A41.900", "51.2300", "HC21", "分组成功"),
    "an excluded CC does not count": ("1", "45", "", "", "K85.900|E11.900", "51.2300", "HC25", "分组成功"),
    "an excluded MCC does not count but a CC does": (
        "2",
        "70",
        "",
        "",
        "J18.900|J96.000|I50.900",
        "",
        "ES13",
        "分组成功",
    ),
    "a comorbidity in the exclusion table of another": ("2", "70", "", "", "J18.900|J98.401", "", "ES15", "分组成功"),
    "an operation unrelated to pneumonia": ("2", "70", "", "", "J18.900", "51.2300", "EQY", "歧义病案"),
    "an operation that does not count": ("2", "70", "", "", "J18.900", "99.9999", "ES15", "分组成功"),
    "the operation of slot 1 is enough": ("2", "40", "", "", "D25.900", "68.6101", "NA15", "分组成功"),
    "slots 2 and 3 together": ("2", "40", "", "", "D25.900", "68.4902|40.3x01", "NA15", "分组成功"),
    "slot 2 alone is not": ("2", "40", "", "", "D25.900", "68.4902", "NQY", "歧义病案"),
    "a woman's disease of a man": ("1", "40", "", "", "D25.900", "", "0000", "无法入组"),
    "injuries of two sites": ("1", "30", "", "", "S06.200|S27.301", "", "ZZ19", "分组成功"),
    "an injury of one site": ("1", "30", "", "", "S06.200", "", "0000", "无法入组"),
    "a newborn of 1,400 g": ("1", "0", "3", "1400", "P07.100", "", "PS19", "分组成功"),
    "a newborn of 1,500 g": ("1", "0", "28", "1500", "P07.100", "", "PS29", "分组成功"),
    "an infant of 29 days": ("1", "0", "29", "1400", "P07.100", "", "PV19", "分组成功"),
    "a diagnosis nobody knows": ("1", "45", "", "", "Q99.999", "", "0000", "无法入组"),
    "a code in lower case": ("1", "45", "", "", "k80.100", "", "HU19", "分组成功"),
    "no diagnosis": ("1", "45", "", "", "", "51.2300", "0000", "CHECK_FAILED"),
    "no sex": ("9", "45", "", "", "K80.100", "51.2300", "0000", "CHECK_FAILED"),
    "no age": ("1", "", "", "", "K80.100", "51.2300", "0000", "CHECK_FAILED"),
    "under one year without days": ("1", "0", "", "", "P07.100", "", "0000", "CHECK_FAILED"),
    "a newborn without weight": ("1", "0", "5", "", "P07.100", "", "0000", "CHECK_FAILED"),
}

# diagnoses, operations, age in days, weight → group
DIP_CASES = {
    "the operation of its row": ("K80.101", "51.2300", "", "", "K80.1:51.2300"),
    "with the related operation the dearer row": ("K80.101", "51.2300|51.8801", "", "", "K80.1:51.2300+51.8801"),
    "a related operation no row names": ("K80.101", "51.2300|99.0402", "", "", "K80.1:51.2300"),
    "without operation the conservative row": ("K80.101", "", "", "", "K80.1:none"),
    "a simple operation is none": ("K80.101", "99.0402", "", "", "K80.1:none"),
    "an excluded operation is none": ("K80.101", "89.5200", "", "", "K80.1:none"),
    "a merged category": ("I25.103", "36.0600", "", "", "I20:36.0700"),
    "chemotherapy of a solid tumour": ("Z51.101|C18.900", "99.2503", "", "", "Z51.1:C00-C75"),
    "chemotherapy without a tumour": ("Z51.101|I10.x00", "99.2503", "", "", "UNGROUPED"),
    "a heart whatever the diagnosis": ("I42.000", "37.5100x001", "", "", "AA2"),
    "a newborn of 1,200 g": ("P07.100", "", "4", "1200", "AI3"),
    "a newborn of 1,500 g": ("P07.100", "", "4", "1500", "UNGROUPED"),
    "surgery of pneumonia is mixed": ("J18.901", "32.4101", "", "", "J18:SURGERY"),
    "pneumonia is mixed": ("J18.901", "", "", "", "J18:MEDICAL"),
    "the outcome of a delivery is excluded": ("Z37.000", "", "", "", "EXCLUDED_DX"),
    "no diagnosis": ("", "51.2300", "", "", "UNGROUPED"),
}


def imported(kind: str, version: str, **options: str) -> None:
    folder = SCHEMES / f"small_{kind}"
    import_scheme(kind, folder, version=version, valid_from=date(2026, 1, 1), imported_by="test", **options)  # type: ignore[arg-type]


def grouped(version: str, header: tuple[str, ...], rows: list[list[str]], folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "cases.csv").open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(header)
        writer.writerows(rows)
    group_file(version, folder / "cases.csv", folder / "groups.csv")
    with (folder / "groups.csv").open(encoding="utf-8", newline="") as source:
        return {row["case_id"]: row for row in csv.DictReader(source)}


def test_cases_fall_into_their_drg_groups_and_say_why(prepared, tmp_path):  # noqa: F811
    imported("drg", "small-drg")
    rows = [[name, *case[:-2]] for name, case in DRG_CASES.items()]
    found = grouped("small-drg", DRG_COLUMNS, rows, tmp_path)
    assert {name: (row["group"], row["status"]) for name, row in found.items()} == {
        name: case[-2:] for name, case in DRG_CASES.items()
    }
    excluded = found["an excluded MCC does not count but a CC does"]["explanation"]
    assert "J96.000 MCC 被排除表 101 排除" in excluded
    assert "I50.900 CC counts" in excluded
    assert "with a MCC that counts it would be ES11" in excluded
    assert "nearly met rule NC1 (operation does not fit)" in found["slot 2 alone is not"]["explanation"]
    assert "under one year without age in days" in found["under one year without days"]["explanation"]
    assert prepared.rows("select count(*) from grouper.patient_case") == [(0,)]


# diagnoses, way of discharge → group, what is said of other severities, and what is not
SEVERITIES = {
    "neither": ("J18.900", "ES15",
                ["with a CC that counts it would be ES13", "with a MCC that counts it would be ES11"], ["without"]),
    "a CC": ("J18.900|I50.900", "ES13",
             ["with a MCC that counts it would be ES11", "without the CC that count it would be ES15"], ["with a CC"]),
    "an MCC": ("J18.900|A41.900", "ES11", ["without the MCC that count it would be ES15"], ["with a", "and CC"]),
    "both": ("J18.900|A41.900|I50.900", "ES11",
             ["without the MCC that count it would be ES13", "without the MCC and CC that count it would be ES15"],
             ["without the CC"]),
    "an excluded MCC": ("J18.900|J96.000|I50.900", "ES13", ["without the CC that count it would be ES15"],
                        ["without the MCC"]),
    "two grades": ("J44.100", "ET15", ["with a MCC or CC that counts it would be ET13"],
                   ["with a CC", "with a MCC that"]),
    "one grade": ("K80.200|A41.900", "HU19", [], ["would be"]),
}  # fmt: skip


def test_what_another_severity_would_lead_to_is_said_of_each_grade(prepared, tmp_path):  # noqa: F811
    imported("drg", "small-drg")
    rows = [[name, "1", "60", "", "", case[0], ""] for name, case in SEVERITIES.items()]
    found = grouped("small-drg", DRG_COLUMNS, rows, tmp_path)
    for name, (_, group, said, unsaid) in SEVERITIES.items():
        explanation = found[name]["explanation"]
        assert (name, found[name]["group"]) == (name, group)
        assert [text for text in said if text not in explanation] == []
        assert [text for text in unsaid if text in explanation] == []
    assert "若无所计 MCC 则入 ES13" in found["both"]["explanation"]
    assert "（DX1：主诊断在诊断表 1）" in found["both"]["explanation"]
    assert "(DX1: the principal diagnosis stands in diagnosis list 1)" in found["both"]["explanation"]


def test_a_rule_without_a_group_that_fits_is_a_group_of_the_dimension(prepared, tmp_path):  # noqa: F811
    folder = Path(shutil.copytree(SCHEMES / "small_drg", tmp_path / "scheme"))
    text = (folder / "drg.csv").read_text(encoding="utf-8")
    (folder / "drg.csv").write_text(text.replace("HU1,1,HU19,ALWAYS", "HU1,1,HU11,MCC"), encoding="utf-8")
    import_scheme("drg", folder, version="gaps", valid_from=date(2026, 1, 1), imported_by="test")
    rows = [["1", "1", "60", "", "", "K80.200", ""], ["2", "1", "60", "", "", "K80.200|A41.900", ""]]
    found = grouped("gaps", DRG_COLUMNS, rows, tmp_path)
    assert [row["group"] for row in found.values()] == ["HU1", "HU11"]
    dimension = prepared.rows(
        "select group_code, group_kind from marts.dim_drg_dip_group where scheme_version = 'gaps' and adrg = 'HU1'"
    )
    assert sorted(dimension) == [("HU1", "rule"), ("HU11", "group")]


def test_whatever_was_read_of_a_file_can_be_stored(prepared, tmp_path):  # noqa: F811
    imported("drg", "small-drg")
    odd = [
        ["𠮷 號'\\;--", "女", "0岁", "0", "1,480.5".replace(",", ""), "5.0", "９", "\\.|{A41.900}", '"quoted"'],
        ["=1+1", "?", "", "", "", "", "死亡", "NULL|J18.900", "-"],
        ["x" * 500, "M", "200", "60000", "500000", "60000", "5", "é|" + "A" * 300, "{}|,|null"],
    ]
    header = ("case_id", "gender", "age", "age_days", "weight_g", "los", "discharge_way", "dx_list", "op_list")
    found = grouped("small-drg", header, odd, tmp_path)
    assert [row["status"] for row in found.values()] == ["无法入组", "CHECK_FAILED", "无法入组"]


def test_what_a_file_brings_is_no_formula_in_the_groups(prepared, tmp_path):  # noqa: F811
    imported("drg", "small-drg")
    given = ["=1+1", "@SUM(A1)", "-2", "H1-0001"]
    found = grouped("small-drg", ("case_id", "dx_list"), [[name, "=J18.900"] for name in given], tmp_path)
    assert list(found) == ["'=1+1", "'@SUM(A1)", "-2", "H1-0001"]
    assert not any(value.startswith("=") for row in found.values() for value in row.values())


def test_the_mode_for_unrelated_operations_is_a_matter_of_the_version(prepared, tmp_path):  # noqa: F811
    imported("drg", "never-ambiguous", qy_mode="OFF")
    imported("drg", "any-operation", qy_mode="ANY_OP")
    rows = [["1", "2", "70", "", "", "J18.900", "99.9999|51.2300"]]
    assert grouped("never-ambiguous", DRG_COLUMNS, rows, tmp_path)["1"]["group"] == "ES15"
    assert grouped("any-operation", DRG_COLUMNS, rows, tmp_path)["1"]["group"] == "EQY"


def test_cases_fall_into_their_dip_groups(prepared, tmp_path):  # noqa: F811
    imported("dip", "small-dip")
    header = ("case_id", "dx_list", "op_list", "age_days", "weight_g")
    rows = [[name, *case[:-1]] for name, case in DIP_CASES.items()]
    found = grouped("small-dip", header, rows, tmp_path)
    assert {name: row["group"] for name, row in found.items()} == {name: case[-1] for name, case in DIP_CASES.items()}


def test_any_operation_may_be_the_main_one_where_the_version_says_so(prepared, tmp_path):  # noqa: F811
    imported("dip", "first-operation")
    imported("dip", "any-operation", op_match_scope="ANY")
    header, rows = ("case_id", "dx_list", "op_list"), [["1", "K80.101", "99.2503|51.2300"]]
    assert grouped("first-operation", header, rows, tmp_path)["1"]["group"] == "UNGROUPED"
    assert grouped("any-operation", header, rows, tmp_path)["1"]["group"] == "K80.1:51.2300"


def test_inpatients_of_a_sample_mostly_fall_into_groups_that_it_prices(prepared, tmp_path):  # noqa: F811
    imported("drg", SAMPLE_SCHEME)
    start = date(2026, 2, 27)
    summary = write_batches(
        tmp_path, area_code="330100", start=start, days=1, per_day=3000, bad_share=0, lists="csv", compress=False
    )
    folder = tmp_path / summary.batch_ids[1]

    def delivered(table: str) -> list[dict[str, str]]:
        with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as source:
            return list(csv.DictReader(source))

    dx_codes, op_codes = defaultdict(list), defaultdict(list)
    for row in delivered("settlement_list_diagnosis"):
        dx_codes[row["setl_id"]].append(row["diag_code"])
    for row in delivered("settlement_list_operation"):
        op_codes[row["setl_id"]].append(row["oprn_oprt_code"])
    header = ("case_id", "gender", "age", "dx_list", "op_list")
    rows = [
        [setl_id, row["gend"], row["age"].removesuffix(".0"), "|".join(dx_codes[setl_id]), "|".join(op_codes[setl_id])]
        for row in delivered("settlement_list")
        for setl_id in [row["setl_id"]]
    ]
    found = [row["group"] for row in grouped(SAMPLE_SCHEME, header, rows, tmp_path).values()]
    ungrouped = found.count("0000")
    assert 0 < ungrouped < len(found) / 10
    assert {group for group in found if group != "0000"} <= GROUP_WEIGHTS.keys()
    assert len(set(found)) > 10


def test_a_version_is_imported_once_and_never_changed(prepared):  # noqa: F811
    imported("drg", "small")
    imported("drg", "small")
    assert [scheme.version for scheme in list_schemes()] == ["small"]
    with pytest.raises(SettlementError) as refused:
        imported("drg", "small", qy_mode="OFF")
    assert refused.value.code == "scheme_conflict"
    imported("drg", "small-off", qy_mode="OFF")
    changed = {file: counts for file, counts in differences("small", "small-off").items() if counts != (0, 0)}
    assert changed == {"mdc": (3, 3)}


def test_a_scheme_that_is_not_there_is_named_with_those_that_are(prepared, tmp_path):  # noqa: F811
    imported("drg", "small")
    with pytest.raises(SettlementError, match="no scheme 'smal'") as refused:
        group_file("smal", tmp_path / "cases.csv", tmp_path / "groups.csv")
    assert "known: small" in refused.value.hint


def test_a_case_that_stands_twice_is_named_with_its_lines(prepared, tmp_path):  # noqa: F811
    imported("drg", "small")
    cases = tmp_path / "cases.csv"
    cases.write_text("case_id,dx_list\na) b,J18.900\nc,J18.900\n a) b\u3000,K80.200\n", encoding="utf-8")
    with pytest.raises(SettlementError, match=r"lines 2, 4: case_id is 'a\) b' each time") as refused:
        group_file("small", cases, tmp_path / "groups.csv")
    assert refused.value.code == "cases_unreadable"
    assert prepared.rows("select count(*) from grouper.patient_case") == [(0,)]
    assert [path.name for path in tmp_path.iterdir() if "groups" in path.name] == []


def test_groups_are_not_written_over_the_cases_or_nowhere(prepared, tmp_path):  # noqa: F811
    imported("drg", "small")
    cases = tmp_path / "cases.csv"
    cases.write_text("case_id,dx_list\n1,J18.900\n")
    for out in (cases, tmp_path / "nowhere" / "groups.csv"):
        with pytest.raises(SettlementError) as refused:
            group_file("small", cases, out)
        assert refused.value.code == "groups_unwritable"
    assert [case.case_id for case in CaseFile(cases).cases()] == ["1"]


@pytest.mark.parametrize(
    ("version", "days", "code"),
    [
        ("with space", (date(2026, 1, 1), None), "version_invalid"),
        ("", (date(2026, 1, 1), None), "version_invalid"),
        ("small", (date(2026, 1, 2), date(2026, 1, 1)), "date_invalid"),
    ],
)
def test_a_version_or_a_day_that_cannot_be_is_refused(prepared, version, days, code):  # noqa: F811
    with pytest.raises(SettlementError) as refused:
        import_scheme(
            "drg", SCHEMES / "small_drg", version=version, valid_from=days[0], valid_to=days[1], imported_by="test"
        )
    assert refused.value.code == code


def test_an_unused_scheme_is_removed_whole_and_its_removal_stays_written_down(prepared):  # noqa: F811
    for kind, folder in (("drg", "variants_drg"), ("dip", "small_dip")):
        import_scheme(kind, SCHEMES / folder, version=kind, valid_from=date(2026, 1, 1), imported_by="test")  # type: ignore[arg-type]
        removed = remove_scheme(kind, removed_by="li")
        assert removed["scheme"] == 1
        assert removed["drg_group" if kind == "drg" else "dip_group"] > 5
    tables = prepared.rows(
        "select tablename from pg_tables where schemaname = 'grouper' and tablename <> 'scheme_removal'"
    )
    assert {table: prepared.rows(f"select count(*) from grouper.{table}") for (table,) in tables} == {  # type: ignore[arg-type]
        table: [(0,)] for (table,) in tables
    }
    written = prepared.rows(
        "select version, kind, imported_by, removed_by, row_counts -> 'scheme' from grouper.scheme_removal"
    )
    assert written == [("drg", "drg", "test", "li", 1), ("dip", "dip", "test", "li", 1)]
    imported("drg", "drg")
    assert [scheme.version for scheme in list_schemes()] == ["drg"]


@pytest.mark.parametrize(
    ("use", "told"),
    [
        (
            "insert into intermediate.int_case_bookings (setl_id, fixmedins_code, area_code, settlement_month,"
            " scheme_version) select setl_id, 'H', '330100', '2026-03', 'small'"
            " from (values ('1'), ('2')) as ids (setl_id)",
            "2 case bookings of 330100, 2026-03 (病例记账)",
        ),
        (
            "insert into ledger.point_value_publication values"
            " ('330100', '2026-03', '310100', 'small', 1, 1, 1, 1, 1, 'test')",
            "1 published point values of 330100, 2026-03 (点值公布)",
        ),
        (
            "insert into reference.inpatient_method values ('330100', null, null, 'drg', 'small', '2026-01-01', null,"
            " 'REF', null, 1, 1, gen_random_uuid())",
            "a payment method of 330100 from 2026-01-01 on (支付方式)",
        ),
        (
            "insert into grouper.patient_case (case_set, case_id, scheme_id, dx_codes, op_codes)"
            " select 'set', '1', scheme_id, '{}', '{}' from grouper.scheme",
            "1 cases being grouped (正在分组的病例)",
        ),
    ],
)
def test_a_scheme_that_is_used_stays_and_its_uses_are_named(prepared, use, told):  # noqa: F811
    imported("drg", "small")
    for (column,) in prepared.rows(
        "select attname from pg_attribute as columns where attrelid = 'intermediate.int_case_bookings'::regclass"
        " and attnotnull and attnum > 0 and not exists (select from pg_index where indrelid = attrelid and indisprimary"
        " and columns.attnum = any(indkey))"
    ):
        prepared.execute(f"alter table intermediate.int_case_bookings alter {column} drop not null")
    prepared.execute(use)
    before = prepared.rows("select count(*) from grouper.drg_rule_diagnosis")
    with pytest.raises(SettlementError) as refused:
        remove_scheme("small", removed_by="li")
    assert refused.value.code == "scheme_in_use"
    assert told in refused.value.message
    assert prepared.rows("select count(*) from grouper.drg_rule_diagnosis") == before
    assert prepared.rows("select count(*) from grouper.scheme_removal") == [(0,)]


def test_nobody_removes_rows_of_a_scheme_but_by_removing_it_whole(prepared):  # noqa: F811
    imported("drg", "small")
    for statement in ("delete from grouper.drg_rule_operation", "update grouper.drg_rule set match_rule = 'TRUE'"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            prepared.execute(statement)
        with prepared.connect("loader") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)
    for statement in ("delete from grouper.scheme_removal", "insert into grouper.scheme_removal default values"):
        with prepared.connect("loader") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)
    with prepared.connect("transformer") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select grouper.remove_scheme('small', 'li')")
    with pytest.raises(SettlementError, match="no scheme 'smal'"):
        remove_scheme("smal", removed_by="li")


def test_rules_are_shown_in_words_and_in_order(prepared):  # noqa: F811
    import_scheme("drg", SCHEMES / "variants_drg", version="v", valid_from=date(2026, 1, 1), imported_by="test")
    rules = {rule.rule_id: rule for rule in show_rules("v")}
    assert list(rules)[:4] == ["AB1", "AC1", "AH1_1", "AH1_2"]
    assert rules["AH1_2"].limits == "age >= 18"
    assert rules["AH1_2"].groups == "AH1_2"
    assert rules["CS1"].groups == "CS10 ALWAYS age<17; CS19 ALWAYS"
    assert "其他" not in rules["WR1_2"].text_en
    assert rules["WR1_2"].text_zh == "主诊断以外的某一诊断在诊断表 2"
    assert [rule.rule_id for rule in show_rules("v", "WR1")] == ["WR1_1", "WR1_2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [("dx_list\nK80.1\n", "no column case_id"), ("case_id,dx_list,age\n1,K80.1,forty\n", "line 2: age is 'forty'")],
)
def test_a_file_of_cases_that_cannot_be_read_says_where(prepared, tmp_path, content, message):  # noqa: F811
    imported("drg", "small")
    (tmp_path / "cases.csv").write_text(content)
    with pytest.raises(SettlementError, match=message):
        group_file("small", tmp_path / "cases.csv", tmp_path / "groups.csv")
    assert prepared.rows("select count(*) from grouper.patient_case") == [(0,)]
