"""The dbt project on a real warehouse: everything builds, and a small story comes out to the fen.

Four dbt starts serve all tests: the first build with all its tests, the run that pays on Thursday 2026-03-05, the run
of 2026-03-18 after a late refund, and that of 2026-03-19 after an area was relieved of declarations. Hospital
H33010000123 has the amounts of the worked example of daily payment.
"""

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo
from tests.fixtures import batches
from tests.fixtures.servers import Server

from settlement.intake.receive import receive
from settlement.warehouse import connect, dbt
from settlement.warehouse.connect import ROLES

HOSPITAL, PHARMACY, DECLARING = "H33010000123", "P33010000456", "H35020000001"
ALL_TYPES = "H33010000789"
POOLED_FUNDS = {
    **{"310": "310100", "320": "320100", "330": "330100", "340": "340100", "350": "350100", "370": "370100"},
    **{"390": "390100", "392": "390200", "510": "510100"},
}
TYPES_WITHOUT_FUND = ("360", "380", "391", "399", "410")
DAYS = {"2026-03-02": "123456.78", "2026-03-03": "98765.43", "2026-03-04": "110000.01"}
DEDUCTION = f"{HOSPITAL}:deducted:V01:S2026-03-03:2:310100:1"
ENTITLED = {"2026-03-02": Decimal("86419.75"), "2026-03-03": Decimal("69135.80"), "2026-03-04": Decimal("77000.01")}


@pytest.fixture(scope="module")
def inbox(
    postgres: Server,
    migrated_template: str,
    role_passwords: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Path]:
    """A migrated warehouse and an inbox for all tests here, both named in the environment."""
    folder = tmp_path_factory.mktemp("dbt_project")
    name = f"{migrated_template}_dbt_project"
    with psycopg.connect(postgres.admin_dsn(), autocommit=True) as connection:
        connection.execute(f"create database {name} template {migrated_template}")
    with pytest.MonkeyPatch.context() as patch:
        for role in ROLES:
            dsn = conninfo.make_conninfo(postgres.admin_dsn(name), user=role, password=role_passwords[role])
            patch.setenv(f"SETTLEMENT_{role.upper()}_DSN", dsn)
        for variable in ("INBOX", "OUTBOX", "LOCAL"):
            (folder / variable).mkdir()
            patch.setenv(f"SETTLEMENT_{variable}", str(folder / variable))
        patch.setenv("SETTLEMENT_PERSON_KEY", "5a" * 32)
        yield folder / "INBOX"
    with psycopg.connect(postgres.admin_dsn(), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="module")
def built(inbox: Path) -> Path:
    """The whole project built on the empty warehouse, unit tests and data tests included."""
    dbt_command(["build"])
    return inbox


@pytest.fixture(scope="module")
def thursday(built: Path) -> Path:
    """Three days of settlements, proposed for payment on Thursday 2026-03-05."""
    deliver_references(built)
    for day, amount in DAYS.items():
        deliver_day(built, day, amount)
    declared = batches.settlement("S350", DECLARING, "2026-03-02", "200.00", clr_type="11", med_type="11")
    undeclared = batches.settlement("S351", DECLARING, "2026-03-02", "80.01")
    accept(built, "350200-20260302-0001", "settlement", {"settlement": [declared, undeclared]}, area="350200")
    accept(built, "330100-20260302-TYPES", "settlement", {"settlement": settlements_of_all_types()})
    accept(built, "350200-20260302-D1", "declaration", {"declaration": [declaration("200.00")]}, area="350200")
    dbt.build("tag:proposal", {"pay_date": "2026-03-05"})
    return built


@pytest.fixture(scope="module")
def late_refund(thursday: Path) -> dict[str, Any]:
    """A refund of 456.78 for Monday and fee lines of Wednesday come late; the run of 2026-03-18 follows.

    Gives row versions before and after.
    """
    before = row_versions()
    refund = batches.settlement("R0302", HOSPITAL, "2026-03-02", "-456.78", refund_of="S2026-03-02")
    accept(thursday, "330100-20260302-0002", "settlement", {"settlement": [refund]}, day="2026-03-02")
    lines = [fee_line("S2026-03-04", number, "2026-03-04") for number in ("1", "2")]
    accept(thursday, "330100-20260305-0001", "settlement", {"fee_item": lines}, day="2026-03-05")
    dbt.build("tag:proposal", {"pay_date": "2026-03-18"})
    return {"before": before, "after": row_versions()}


@pytest.fixture(scope="module")
def exempt(late_refund: dict[str, Any], thursday: Path) -> Path:
    """350200 asks for no declarations any more, from 2026-03-02 on (免申免对); the run of 2026-03-19 follows."""
    asks_no_more = batches.area("350200", declaration_required=0, valid_from="2026-03-02")
    asked_before = batches.area("350200", declaration_required=1, valid_to="2026-03-01")
    accept(thursday, "350200-exempt", "reference", {"area": [asked_before, asks_no_more]}, day=None, area="350200")
    dbt.build("tag:proposal", {"pay_date": "2026-03-19"})
    return thursday


def dbt_command(command: list[str]) -> None:
    """Run dbt as the stages do, with its unit tests."""
    arguments = ["--project-dir", str(dbt.project_folder()), "--no-use-colors", "--no-version-check", "--quiet"]
    finished = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *command, *arguments],
        cwd=dbt.project_folder(),
        env=dbt.environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-6000:]


def deliver_references(inbox: Path) -> None:
    """Two areas: one that asks for no declarations (免申免对), one that holds what was not declared."""
    tables = {
        "area": [batches.area()],
        "institution": [
            batches.institution(HOSPITAL),
            batches.institution(PHARMACY, agreement_status="suspended"),
            batches.institution(ALL_TYPES),
        ],
        "bank_account": [batches.bank_account(HOSPITAL), batches.bank_account(PHARMACY)],
        "fund_account": [batches.fund_account()],
        "payment_policy": [batches.daily_policy()],
        "cash_plan": [batches.cash_plan("330100", "2026-03", "1000000.00", "1000.00")],
    }
    accept(inbox, "330100-reference", "reference", tables, day=None)
    tables = {
        "area": [batches.area("350200", declaration_required=1)],
        "institution": [batches.institution(DECLARING)],
        "payment_policy": [batches.daily_policy("350200", ratio="0.500000")],
    }
    accept(inbox, "350200-reference", "reference", tables, day=None, area="350200")


def deliver_day(inbox: Path, day: str, amount: str) -> None:
    """One settlement of the hospital, with a fee line charged twice on the second day, and one of the pharmacy."""
    rows = [
        batches.settlement(f"S{day}", HOSPITAL, day, amount),
        batches.settlement(f"P{day}", PHARMACY, day, "10.00", clr_type="41", med_type="41", account="2.50"),
    ]
    tables = {"settlement": rows}
    if day == "2026-03-03":
        tables["fee_item"] = [fee_line(f"S{day}", number, day) for number in ("1", "2")]
    accept(inbox, f"330100-{day.replace('-', '')}-0001", "settlement", tables, day=day)


def settlements_of_all_types() -> list[dict[str, object]]:
    """One yuan of each insurance type: from its pooled fund, or where it has none from other funds."""
    pooled = [batches.settlement(f"T{code}", ALL_TYPES, "2026-03-02", "1.00", insutype=code) for code in POOLED_FUNDS]
    others = [
        batches.settlement(f"T{code}", ALL_TYPES, "2026-03-02", "1.00", insutype=code)
        | {"hifp_pay": "0.00", "oth_pay": "1.00"}
        for code in TYPES_WITHOUT_FUND
    ]
    return [*pooled, *others]


def fee_line(setl_id: str, number: str, day: str) -> dict[str, object]:
    """A bed fee of 1,000.00 yuan."""
    zero = dict.fromkeys(("fulamt_ownpay_amt", "overlmt_amt", "preselfpay_amt"), "0.00")
    return {
        "setl_id": setl_id,
        "feedetl_sn": number,
        "med_list_codg": "001109000010000",
        "med_chrgitm_type": "01",
        "cnt": "1.0000",
        "pric": "1000.000000",
        "det_item_fee_sumamt": "1000.00",
        "inscp_scp_amt": "1000.00",
        "fee_ocur_time": f"{day} 08:00:00",
        **zero,
    }


def declaration(amount: str) -> dict[str, object]:
    """What the declaring hospital says of its outpatients on 2026-03-02."""
    return {
        "fixmedins_code": DECLARING,
        "insutype": "310",
        "clr_type": "11",
        "stmt_begndate": "2026-03-02",
        "stmt_enddate": "2026-03-02",
        "medfee_sumamt": amount,
        "fund_pay_sumamt": amount,
        "acct_pay": "0.00",
        "fixmedins_setl_cnt": 1,
    }


def accept(
    inbox: Path,
    batch_id: str,
    kind: str,
    tables: dict[str, Any],
    *,
    day: str | None = "2026-03-02",
    area: str = "330100",
) -> None:
    """Deliver a batch that must be accepted whole."""
    batches.write_batch(inbox, batch_id, kind, tables, day=day, area_code=area)
    receipt = receive(batch_id)
    assert receipt.status == "accepted", receipt
    assert not receipt.reasons, receipt


def rows(query: str, role: str = "auditor", **settings: str) -> list[tuple[Any, ...]]:
    """Rows as a role sees them."""
    with connect(role, **settings) as connection:
        return connection.execute(query).fetchall()  # type: ignore[call-overload]


def row_versions() -> dict[str, str]:
    """The transaction that wrote each day's payables of the hospital."""
    query = (
        "select business_date::text, xmin::text from intermediate.int_daily_payables"
        f" where fixmedins_code = '{HOSPITAL}' and fund_pay_type = '310100'"
    )
    return {str(day): str(version) for day, version in rows(query)}


def test_payables_come_out_to_the_fen(thursday):
    found = rows(
        "select business_date::text, base_amount, rate, entitled_amount from marts.fct_daily_payables"
        f" where fixmedins_code = '{HOSPITAL}' and hold_reason is null and base_amount <> 0 order by 1",
        role="bi_reader",
    )
    assert found == [(day, Decimal(DAYS[day]), Decimal("0.700000"), ENTITLED[day]) for day in DAYS]


def test_what_was_not_declared_is_held_and_accrued_all_the_same(thursday):
    assert rows(
        "select clr_type, stmt_rslt, is_held from marts.fct_reconciliations order by clr_type", role="bi_reader"
    ) == [("11", 0, False), ("21", 1, True)]
    assert rows(
        "select care_class, base_amount, entitled_amount, hold_reason from marts.fct_daily_payables"
        f" where fixmedins_code = '{DECLARING}' order by care_class"
    ) == [
        ("inpatient", Decimal("80.01"), Decimal("0.00"), "reconciliation"),
        ("outpatient", Decimal("200.00"), Decimal("100.00"), None),
    ]
    accrued = f"select sum(amount) from entries.entry_accrued where fixmedins_code = '{DECLARING}' and side = 'debit'"
    assert rows(accrued) == [(Decimal("280.01"),)]


def test_due_of_the_worked_example_is_proposed(thursday):
    assert rows(
        "select due_amount, is_suspended, has_account, plan_amount, approval_threshold_amount"
        f" from intermediate.int_payment_proposals where fixmedins_code = '{HOSPITAL}'",
        role="poster",
    ) == [(sum(ENTITLED.values()), False, True, Decimal("1000000.00"), Decimal("100000.00"))]


def test_suspended_institution_is_marked_and_its_suspension_proposed(thursday):
    assert rows(
        "select due_amount, is_suspended, suspended_by from intermediate.int_payment_proposals"
        f" where fixmedins_code = '{PHARMACY}'"
    ) == [(Decimal("21.00"), True, "K2")]
    assert rows(
        "select suspension_id, event, evidence ->> 'agreement_status' from intermediate.int_suspensions_proposed"
    ) == [(f"{PHARMACY}:K2:all:2026-03-05", "opened", "suspended")]


def test_accruals_name_batch_fund_and_day(thursday):
    found = rows(
        "select business_event_id, side, account, amount from entries.entry_accrued"
        f" where fixmedins_code = '{PHARMACY}' and accounting_date = '2026-03-02' order by 1, line_no",
        role="poster",
    )
    event = f"{PHARMACY}:accrued:330100-20260302-0001"
    assert found == [
        (f"{event}:310100:2026-03-02", "debit", "benefit_expense", Decimal("10.00")),
        (f"{event}:310100:2026-03-02", "credit", "payable_institution", Decimal("10.00")),
        (f"{event}:310200:2026-03-02", "debit", "benefit_expense", Decimal("2.50")),
        (f"{event}:310200:2026-03-02", "credit", "payable_institution", Decimal("2.50")),
    ]


def test_every_insurance_type_is_accrued_to_its_fund(thursday):
    accrued = (
        "select fund_pay_type, amount from entries.entry_accrued"
        f" where fixmedins_code = '{ALL_TYPES}' and side = 'credit' order by fund_pay_type"
    )
    assert rows(accrued) == [*((fund, Decimal("1.00")) for fund in POOLED_FUNDS.values()), ("999997", Decimal("5.00"))]


def test_second_charge_of_a_line_is_found_and_waits_for_the_appeal(thursday):
    assert rows(
        "select finding_id, fund_pay_type, amount_at_stake, deducted_amount, status, appeal_ends_on::text"
        " from marts.fct_review_findings",
        role="bi_reader",
    ) == [
        (f"{HOSPITAL}:V01:S2026-03-03:2", "310100", Decimal("1000.00"), Decimal("0.00"), "open", "2026-03-17"),
    ]


def test_late_refund_lowers_the_due_by_what_its_day_lost(late_refund):
    assert rows(f"select due_amount from intermediate.int_payment_proposals where fixmedins_code = '{HOSPITAL}'") == [
        (sum(ENTITLED.values()) - Decimal("319.75"),)
    ]


def test_only_the_touched_day_is_written_again(late_refund):
    before, after = late_refund["before"], late_refund["after"]
    assert {day for day in DAYS if before[day] != after[day]} == {"2026-03-02"}


def test_finding_without_decision_is_deducted_after_the_appeal_window(late_refund):
    assert rows(
        "select business_event_id, accounting_date::text, side, account, amount from entries.entry_deducted"
        " order by line_no"
    ) == [
        (DEDUCTION, "2026-03-18", "debit", "payable_institution", Decimal("1000.00")),
        (DEDUCTION, "2026-03-18", "credit", "benefit_expense", Decimal("1000.00")),
    ]


def test_fee_lines_that_come_after_their_settlements_are_reviewed(late_refund):
    assert rows(
        "select finding_id, found_on::text, appeal_ends_on::text from marts.fct_review_findings order by 1"
    ) == [
        (f"{HOSPITAL}:V01:S2026-03-03:2", "2026-03-03", "2026-03-17"),
        (f"{HOSPITAL}:V01:S2026-03-04:2", "2026-03-05", "2026-03-19"),
    ]


def test_what_was_held_is_released_once_nobody_asks_for_declarations(exempt):
    assert rows("select * from marts.fct_reconciliations", role="bi_reader") == []
    assert rows(
        "select care_class, entitled_amount, hold_reason from marts.fct_daily_payables"
        f" where fixmedins_code = '{DECLARING}' order by care_class"
    ) == [("inpatient", Decimal("40.01"), None), ("outpatient", Decimal("100.00"), None)]


def test_bi_reader_sees_marts_and_nothing_else(thursday):
    relations = rows(
        "select schemaname || '.' || viewname from pg_views where schemaname = 'marts'"
        " union all select schemaname || '.' || tablename from pg_tables where schemaname = 'marts'"
    )
    assert len(relations) > 15
    with connect("bi_reader") as connection:
        for (relation,) in relations:
            connection.execute(f"select * from {relation} limit 0")  # type: ignore[call-overload]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from intermediate.int_daily_payables")


def test_every_mart_and_column_is_commented(built):
    uncommented = rows(
        "select attribute.attrelid::regclass::text, attribute.attname from pg_attribute as attribute"
        " join pg_class as relation on relation.oid = attribute.attrelid and relation.relkind in ('r', 'v')"
        " join pg_namespace as namespace on namespace.oid = relation.relnamespace and namespace.nspname = 'marts'"
        " where attribute.attnum > 0 and not attribute.attisdropped"
        " and (col_description(attribute.attrelid, attribute.attnum) is null or obj_description(relation.oid) is null)"
    )
    assert uncommented == []
