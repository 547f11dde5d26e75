"""The row gate: how text becomes values, which rows are broken, and why."""

import csv
import random
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.fixtures.gate import BROKEN, GOOD, REFUND, Values, cases

from settlement.banking.payment_file import NAME_LENGTH
from settlement.contract.tables import TABLES
from settlement.gate import Suite, context_columns, is_broken, load_suite, projection, reasons, suite_names, warnings
from settlement.gate.suites import COMMON, OF_TYPE, folder, read_file

SUITES = [name for name in suite_names() if name in GOOD]
DBT_PROJECT = Path(__file__).parents[2] / "dbt_project"


class Gate:
    """Judges rows of text in DuckDB, as the loading does."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self.connection = duckdb.connect()

    def judge(self, *rows: Values) -> list[dict[str, Any]]:
        """Per row its typed values, `broken`, `reasons` and `warned` (codes of warning rules)."""
        text = [column.name for column in self.suite.table.columns]
        context = context_columns(self.suite)
        self.connection.execute("drop table if exists delivered")
        declared = [*(f'"{name}" VARCHAR' for name in text), *(f"{name} {kind}" for name, kind in context.items())]
        self.connection.execute(f"create table delivered (row_no INTEGER, {', '.join(declared)})")
        names = [*text, *context]
        self.connection.executemany(
            f"insert into delivered values ({', '.join('?' * (len(names) + 1))})",
            [[number, *(row.get(name) for name in names)] for number, row in enumerate(rows)],
        )
        warned = ", ".join(f"case when {test} then '{rule.code}' end" for rule, test in warnings(self.suite))
        items = ", ".join(["row_no", *projection(self.suite), *context])
        cursor = self.connection.execute(
            f"with judged as (select {items} from delivered) "
            f"select *, {is_broken(self.suite)} as broken, {reasons(self.suite)} as reasons, "
            f"list_filter([{warned}]::VARCHAR[], lambda code: code is not null) as warned from judged order by row_no"
        )
        columns = [entry[0] for entry in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    def codes(self, **change: Any) -> set[str]:
        """Reason codes of the good row with a change."""
        (judged,) = self.judge({**GOOD[self.suite.name], **change})
        found = {reason["code"] for reason in judged["reasons"]}
        assert judged["broken"] == bool(found)
        return found


@pytest.fixture(scope="module")
def settlements() -> Gate:
    return Gate(load_suite("settlement"))


@pytest.fixture(scope="module")
def lists() -> Gate:
    return Gate(load_suite("settlement_list"))


@pytest.mark.parametrize("name", SUITES)
def test_every_rule_is_broken_by_its_own_row_and_by_no_good_one(name: str) -> None:
    suite = load_suite(name)
    broken_by = cases(suite)
    good, *judged = Gate(suite).judge(GOOD[name], *broken_by.values())
    assert (good["broken"], good["reasons"], good["warned"]) == (False, [], [])
    for rule_id, row in zip(broken_by, judged, strict=True):
        rule = suite.rule(rule_id)
        assert row["broken"] == bool(row["reasons"]), rule_id
        if rule.is_reject:
            assert (rule.code, rule.field) in {(reason["code"], reason["field"]) for reason in row["reasons"]}, rule_id
        else:
            assert rule.code in row["warned"], rule_id


@pytest.mark.parametrize("name", SUITES)
def test_every_rule_has_a_row_that_breaks_it(name: str) -> None:
    suite = load_suite(name)
    by_form = {rule.rule_id for rule in suite.rules if rule.is_common and rule.is_arrival_only}
    assert cases(suite).keys() | by_form == {rule.rule_id for rule in suite.rules}
    assert BROKEN.get(name, {}).keys() <= cases(suite).keys()


@pytest.mark.parametrize("name", suite_names())
def test_rules_say_in_both_languages_what_is_wrong(name: str) -> None:
    for rule in load_suite(name).rules:
        assert re.search(r"[\u4e00-\u9fff]", rule.text_zh), rule.rule_id
        assert rule.text_en.isascii(), rule.rule_id
        assert "{" not in rule.text_zh + rule.text_en, rule.rule_id
        assert re.fullmatch(r"[RL]_[A-Z_]+", rule.code), rule.rule_id


def test_every_suite_file_belongs_to_a_table() -> None:
    assert {path.stem for path in folder().glob("*.json")} <= {*TABLES, COMMON}


def test_conditions_hold_nothing_that_only_one_engine_knows() -> None:
    for name in (COMMON, *(name for name in suite_names() if (folder() / f"{name}.json").exists())):
        for entry in read_file(folder() / f"{name}.json")["expectations"]:
            query = entry["kwargs"].get("unexpected_rows_query", "")
            assert not re.search(r"::|~|regexp|similar to|ilike|\$", query), query


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *((text, "R_TYPE") for text in ("NaN", "Infinity", "-inf", "1,234.00", "１２.00", "1e5", "1_000", " 1.00")),
        *((text, "R_TYPE") for text in ("12,3x", "0x10", "--1", "1.2.3", "+", ".", "壹")),
        *((text, "R_SCALE") for text in ("0.001", "100.000", "-1.123", ".999")),
        ("100000000000000.00", "R_RANGE"),
        ("", "R_MISSING"),
        (None, "R_MISSING"),
    ],
)
def test_amounts_that_are_none(settlements: Gate, text: str | None, code: str) -> None:
    assert settlements.codes(medfee_sumamt=text) == {code}


@pytest.mark.parametrize("text", ["100", "100.", "100.0", "+100.00", "0100.00"])
def test_amounts_in_other_words(settlements: Gate, text: str) -> None:
    (judged,) = settlements.judge({**GOOD["settlement"], "medfee_sumamt": text})
    assert (judged["medfee_sumamt"], judged["reasons"]) == (Decimal("100.00"), [])


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026/02/20", "20260220", "2026-2-3", "infinity", "epoch", "2026-02-20 "]
)
def test_days_that_are_none(settlements: Gate, text: str) -> None:
    assert settlements.codes(begndate=text) == {"R_TYPE"}


@pytest.mark.parametrize("text", ["2026-02-30 10:00:00", "2026-02-27T10:00:00", "2026-02-27", "2026-02-27 24:01:00"])
def test_times_that_are_none(settlements: Gate, text: str) -> None:
    assert settlements.codes(setl_time=text) == {"R_TYPE"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"refd_setl_flag": "2"}, "R_DICT"),
        ({"fixmedins_code": "X123"}, "R_CODE"),
        ({"fixmedins_code": "H3301000000１"}, "R_CODE"),
        ({"setl_id": "S" * 31}, "R_CODE"),
        ({"invono": "a\0b"}, "R_CODE"),
        ({"insutype": "999"}, "R_DICT"),
        ({"clr_type": "9937"}, "R_DICT"),
        ({"psn_type": "11"}, "R_CODE"),
    ],
)
def test_codes_that_are_none(settlements: Gate, change: Values, code: str) -> None:
    assert settlements.codes(**change) == {code}


@pytest.mark.parametrize("table", ["bank_account", "fund_account"])
def test_an_account_name_is_as_long_as_a_bank_message_takes_and_no_longer(table: str) -> None:
    gate = Gate(load_suite(table))
    assert gate.codes(account_name="名" * NAME_LENGTH) == set()
    (judged,) = gate.judge({**GOOD[table], "account_name": "名" * (NAME_LENGTH + 1)})
    assert [(reason["code"], reason["field"]) for reason in judged["reasons"]] == [("R_CODE", "account_name")]


def test_typed_amounts_agree_with_decimal_on_random_text() -> None:
    draw = random.Random(20260227)
    characters, weights = "0123456789.+-eE_, ", [9] * 10 + [12] + [1] * 7
    texts = ["".join(draw.choices(characters, weights, k=draw.randint(1, 8))) for _ in range(20_000)]
    (typed,) = (item for item in projection(load_suite("settlement")) if item.endswith(' as "oth_pay"'))
    amounts = duckdb.execute(f"select {typed} from (select unnest($texts) as oth_pay)", {"texts": texts}).fetchall()
    usual = re.compile(r"[+-]?(\d+(\.\d{0,2})?|\.\d{1,2})")
    for text, (amount,) in zip(texts, amounts, strict=True):
        assert amount == (Decimal(text) if usual.fullmatch(text) else None), text


def test_nothing_else_is_judged_on_an_unknown_value(settlements: Gate) -> None:
    assert settlements.codes(medfee_sumamt="12,3x", overlmt_selfpay="7.00", hosp_part_amt="9.00") == {"R_TYPE"}
    assert settlements.codes(fixmedins_code="X123", institution_known="false") == {"R_CODE"}
    assert settlements.codes(hifdm_pay="0.001") == {"R_SCALE"}
    assert settlements.codes(**{**REFUND, "init_setl_id": "S" * 31}) == {"R_CODE"}


def test_a_row_collects_all_its_reasons(settlements: Gate) -> None:
    found = settlements.codes(psn_no="", insutype="999", oth_pay="-1.00", brdy="2026-02-21", key_occurrence="2")
    assert found == {"R_MISSING", "R_DICT", "R_SIGN", "R_SUM_FUND", "R_DATE_ORDER", "R_DUPLICATE"}


def test_no_reason_shows_who_a_person_is(settlements: Gate) -> None:
    (judged,) = settlements.judge({**GOOD["settlement"], "psn_no": "P" * 31})
    [reason] = judged["reasons"]
    assert (reason["code"], reason["field"], reason["value"]) == ("R_CODE", "psn_no", None)


def test_a_refund_is_a_settlement_with_the_signs_turned(settlements: Gate) -> None:
    assert settlements.codes(**REFUND) == set()


def test_where_the_fund_total_counts_the_account(settlements: Gate) -> None:
    assert settlements.codes(area_fund_sum_includes_account="1") == {"R_SUM_FUND", "R_SUM_TOTAL"}
    assert settlements.codes(area_fund_sum_includes_account="1", fund_pay_sumamt="69.00") == set()
    assert settlements.codes(fund_pay_sumamt="69.00") == {"R_SUM_FUND", "R_SUM_TOTAL"}


def test_codes_are_capitals_except_the_extension_of_a_diagnosis(settlements: Gate) -> None:
    change = {"fixmedins_code": "h33010000001", "dise_codg": "x60.X00X001"}
    (judged,) = settlements.judge({**GOOD["settlement"], **change})
    assert (judged["fixmedins_code"], judged["dise_codg"], judged["reasons"]) == ("H33010000001", "X60.x00x001", [])


def test_what_is_left_out_and_optional_is_zero_or_empty(settlements: Gate) -> None:
    (judged,) = settlements.judge({**GOOD["settlement"], "hifdm_pay": "", "acct_mulaid_pay": None, "gend": ""})
    assert (judged["hifdm_pay"], judged["acct_mulaid_pay"], judged["gend"], judged["broken"]) == (0, 0, None, False)


def test_a_birth_needs_its_weight_on_the_mothers_list_only(lists: Gate) -> None:
    mother = {"gend": "2", "brdy": "1995-01-01"}
    assert lists.codes(**mother, diagnosis_codes="|O82.000|Z37.900|") == {"L_BIRTH_WEIGHT"}
    assert lists.codes(**mother, diagnosis_codes="|O82.000|Z37.900|", nwb_bir_wt="3200") == set()
    assert lists.codes(**mother, diagnosis_codes="|O83.400|") == set()
    assert lists.codes(**mother, diagnosis_codes="|Z37.100|") == set()
    assert lists.codes(**mother, diagnosis_codes="|Z37.000|", nwb_bir_wt="three") == {"R_TYPE"}


def test_a_stay_within_one_day_counts_as_one(lists: Gate) -> None:
    one_day = {"dscg_time": "2026-02-20 20:00:00", "first_operation_date": None, "last_operation_date": None}
    assert lists.codes(**one_day, act_ipt_days="1") == set()
    assert lists.codes(**one_day, act_ipt_days="0") == {"L_STAY"}


def test_the_first_days_of_life(lists: Gate) -> None:
    newborn = {"brdy": "2026-01-23", "age": None, "nwb_age": None}
    assert lists.codes(**newborn) == {"L_NEWBORN"}
    assert lists.codes(**newborn, nwb_adm_type="1", nwb_adm_wt="3000") == set()
    assert lists.codes(**{**newborn, "brdy": "2026-01-22"}) == set()


def test_form_rules_are_known_by_their_type() -> None:
    assert all(rule.is_arrival_only for rule in load_suite("settlement").rules if rule.type == OF_TYPE)


def test_what_the_gate_accepts_has_a_fund_and_what_has_a_fund_is_accepted(settlements: Gate) -> None:
    """The suite and the seed `fund_columns` agree on every insurance type, amount column and day.

    A fund that is missing downstream would stop the payments of every area, for as long as the row exists.
    """
    with (DBT_PROJECT / "seeds" / "fund_columns.csv").open(encoding="utf-8") as seed:
        funds = list(csv.DictReader(seed))
    columns = re.findall(r"\('(\w+)', \{\{ relation", (DBT_PROJECT / "macros" / "fund_amounts.sql").read_text())
    (insurance,) = (rule for rule in settlements.suite.rules if rule.rule_id == "R_DICT:insutype")
    first_days = {date.fromisoformat(fund["valid_from"]) for fund in funds}
    days = sorted(first_days | {day - timedelta(days=1) for day in first_days} | {date(2026, 2, 27)})
    keys = [(type_, name, str(day)) for type_ in insurance.kwargs["value_set"] for name in columns for day in days]
    nothing = dict.fromkeys(columns, "0.00")
    rows = [
        {**GOOD["settlement"], **nothing, "insutype": type_, name: "1.00", "setl_time": f"{day} 10:00:00"}
        | {"batch_business_date": day}
        for type_, name, day in keys
    ]
    refusals = {("R_DICT", "insutype"), ("R_DATE", "setl_time")}
    accepted = {
        key
        for key, judged in zip(keys, settlements.judge(*rows), strict=True)
        if not refusals & {(reason["code"], reason["field"]) for reason in judged["reasons"]}
    }
    with_fund = {
        (type_, name, day)
        for type_, name, day in keys
        for fund in funds
        if fund["amount_column"] == name
        and fund["insutype"] in ("", type_)
        and fund["valid_from"] <= day <= (fund["valid_to"] or "9999-12-31")
    }
    assert len(columns) == 9
    assert len(with_fund) == 2 * (9 + 14 * 8)  # nine types have a pooled fund, every other column has one for all types
    assert accepted == with_fund
