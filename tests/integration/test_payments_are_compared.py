"""What a request, a decision, an instruction or a bank file claims, the database compares with reference and dues.

An honest payment of 1,000.10 yuan is written row by row as the poster and the decider would. Then one claim is changed.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors, sql
from tests.fixtures.bank_answers import booked, deliver, status
from tests.fixtures.prepared_warehouse import PHARMACY, PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.proposals import AREA, INSTITUTION, Accrual, offer

from settlement.banking.matching import record_batch
from settlement.ledger.posting import post

REQUEST_ID = UUID("00000000-0000-0000-0000-00000000000a")
INSTRUCTION_ID = UUID("00000000-0000-0000-0000-00000000000b")
DAY = "2026-03-03"
ACCOUNT = {"account_name": "医院1", "account_no": "622200000001", "bank_code": "102330000002"}
OTHER_ACCOUNT = {"account_name": "医院2", "account_no": "622200000002", "bank_code": "102330000002"}
BUSINESS_KEY = {"area_code": AREA, "fund_pay_type": "310100", "pay_date": DAY}

REQUEST = {
    "request_id": REQUEST_ID,
    **BUSINESS_KEY,
    "purpose": "daily",
    "line_count": 1,
    "total_amount": "1000.10",
    "plan_amount": "12000",
    "plan_used_before_amount": "0",
    "reserve_amount": "1000",
    "reserve_used_before_amount": "0",
    "reserve_used_amount": "0",
    "is_over_plan": False,
    "approval_threshold_amount": "10000",
    "requested_by": "admin",
}
LINE = {
    "request_id": REQUEST_ID,
    "fixmedins_code": INSTITUTION,
    "settlement_month": "2026-03",
    "amount": "1000.10",
    **ACCOUNT,
}
DECISION = {"request_id": REQUEST_ID, "decision": "approved", "decided_by": "rule", "is_by_rule": True}
INSTRUCTION = {
    "fixmedins_code": INSTITUTION,
    "instruction_id": INSTRUCTION_ID,
    "request_id": REQUEST_ID,
    **BUSINESS_KEY,
    "settlement_month": "2026-03",
    "purpose": "daily",
    "sequence": 1,
    "amount": "1000.10",
    "has_account": True,
    **ACCOUNT,
}
TRANSFER = (
    '<CdtTrfTxInf><PmtId><EndToEndId>{id}</EndToEndId></PmtId><Amt><InstdAmt Ccy="CNY">{amount}</InstdAmt></Amt>'
    "<CdtrAgt><MmbId>{bank}</MmbId></CdtrAgt><CdtrAcct><Id><Othr><Id>{account}</Id></Othr></Id></CdtrAcct></CdtTrfTxInf>"
)
DEBTOR = "<DbtrAcct><Id><Othr><Id>{debtor}</Id></Othr></Id></DbtrAcct>"


def content(debtor: str = "933010001", **changes: str) -> str:
    """Give a message with one transfer, with all that is compared of it."""
    facts = {"id": INSTRUCTION_ID.hex, "amount": "1000.10", "bank": "102330000002", "account": "622200000001"}
    return "<Document>" + DEBTOR.format(debtor=debtor) + TRANSFER.format(**{**facts, **changes}) + "</Document>"


def bank_file(text: str | None = None, **changes: Any) -> dict[str, Any]:
    """Give an honest bank file, with another text or other claims."""
    text = content() if text is None else text
    row = {
        "message_id": "M1",
        "request_id": REQUEST_ID,
        **BUSINESS_KEY,
        "transaction_count": 1,
        "control_sum_amount": "1000.10",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "content": text,
        "csv_content": "",
    }
    return {**row, **changes}


@dataclass
class Writers:
    """The poster and the decider, each in one transaction for all that a test does."""

    warehouse: PreparedWarehouse
    poster: psycopg.Connection[Any]
    decider: psycopg.Connection[Any] = field(init=False)

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        """Insert rows in one statement, as whoever may."""
        connection = self.decider if table == "payment_decision" else self.poster
        names = list(rows[0])
        values = sql.SQL(", ").join(
            sql.SQL("({})").format(sql.SQL(", ").join(sql.Placeholder() * len(names))) for _ in rows
        )
        query = sql.SQL("insert into ledger.{} ({}) values {}").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names)), values
        )
        connection.execute(query, [value for row in rows for value in row.values()])
        connection.commit()

    def request(self, *lines: dict[str, Any], **changes: Any) -> None:
        """Write a request with its lines."""
        self.insert("payment_request", {**REQUEST, **changes})
        self.insert("payment_request_line", *(lines or (LINE,)))

    def approve(self) -> None:
        """Write an honest request and its approval."""
        self.request()
        self.insert("payment_decision", DECISION)

    def instruct(self) -> None:
        """Write an honest request, its approval and its instruction."""
        self.approve()
        self.insert("payment_instruction", INSTRUCTION)


@pytest.fixture
def writers(prepared: PreparedWarehouse) -> Iterator[Writers]:  # noqa: F811
    """The hospital is entitled to 1,000.10 yuan in March, and nothing is requested."""
    prepared.entitle("1000.10")
    with prepared.connect("poster") as poster, prepared.connect("decider") as decider:
        for pay_date in (DAY, "2026-03-04"):
            poster.execute("insert into ledger.payment_run values (%s, %s, 'admin')", [AREA, pay_date])
        poster.commit()
        made = Writers(prepared, poster)
        made.decider = decider
        yield made


def accrue(warehouse: PreparedWarehouse, amount: str, **changes: str) -> None:
    """Accrue an amount, to the hospital in March unless said otherwise."""
    with warehouse.connect("transformer") as connection:
        offer(connection, [Accrual(amount, batch_id=str(uuid4()), **changes)], "entries.entry_scene")
    with warehouse.connect("poster") as connection:
        post(connection, "entries.entry_scene", area_code=AREA, purpose="accrued", posted_by="scene")


def test_an_honest_payment_is_accepted(writers):
    writers.instruct()
    writers.insert("bank_file", bank_file())


def test_runs_are_numbered_by_the_database_alone(writers):
    with pytest.raises(errors.GeneratedAlways):
        writers.poster.execute(
            "insert into ledger.posting_run (posting_run_id, area_code, purpose, entry_count, debit_total_amount,"
            " previous_seal, seal, posted_by) values (9223372036854775807, '330100', 'x', 1, 1, 'a', 'b', 'x')"
        )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"approval_threshold_amount": "99999999999"}, "threshold"),
        ({"approval_threshold_amount": "10000.01"}, "threshold"),
        ({"area_code": "350200", "approval_threshold_amount": "10000"}, "threshold"),
        ({"plan_amount": "12000.01"}, "plan and reserve"),
        ({"reserve_amount": "1000.01"}, "plan and reserve"),
        ({"fund_pay_type": "390100"}, "plan and reserve"),
        ({"is_over_plan": True}, "over plan"),
        ({"total_amount": "13000.01"}, "over plan"),
    ],
)
def test_what_a_request_says_of_threshold_and_plan_is_what_is_in_force(writers, changes, said):
    writers.poster.execute("insert into ledger.payment_run values ('350200', %s, 'admin')", [DAY])
    with pytest.raises(errors.CheckViolation, match=said):
        writers.insert("payment_request", {**REQUEST, **changes})


def test_a_threshold_that_ended_the_day_before_is_none(writers):
    writers.warehouse.execute("update reference.area set valid_to = '2026-03-02'")
    with pytest.raises(errors.CheckViolation, match="0 is in force"):
        writers.insert("payment_request", REQUEST)


LATER = {"request_id": uuid4(), "pay_date": "2026-03-04"}


@pytest.mark.parametrize("state", ["undecided", "approved", "instructed"])
def test_what_earlier_requests_of_the_month_took_of_the_plan_is_used(writers, state):
    {"undecided": writers.request, "approved": writers.approve, "instructed": writers.instruct}[state]()
    with pytest.raises(errors.CheckViolation, match=r"requests before took 1000\.10"):
        writers.insert("payment_request", {**REQUEST, **LATER, "plan_used_before_amount": "1000.09"})
    writers.poster.rollback()
    writers.insert("payment_request", {**REQUEST, **LATER, "plan_used_before_amount": "1000.10"})


def test_what_was_rejected_or_not_sent_takes_nothing_of_the_plan(writers):
    writers.approve()
    unsent = {**INSTRUCTION, "has_account": False, **dict.fromkeys(ACCOUNT)}
    writers.insert("payment_instruction", unsent)
    writers.insert("payment_request", {**REQUEST, **LATER})


def test_what_the_reserve_paid_is_used_of_the_reserve(writers):
    writers.warehouse.entitle("11500.00", day="2026-03-01")
    writers.request(
        {**LINE, "amount": "12500.10"}, total_amount="12500.10", reserve_used_amount="500.10", is_over_plan=False
    )
    with pytest.raises(errors.CheckViolation, match="of the reserve are used"):
        writers.insert("payment_request", {**REQUEST, **LATER, "plan_used_before_amount": "12000"})


@pytest.mark.parametrize(
    "account",
    [OTHER_ACCOUNT, {**ACCOUNT, "account_no": "6200000000000666"}, {**ACCOUNT, "account_name": "RED TEAM LTD"},
     {**ACCOUNT, "bank_code": "102330000009"}, dict.fromkeys(ACCOUNT)],
)  # fmt: skip
def test_a_line_is_for_the_account_in_force(writers, account):
    with pytest.raises(errors.CheckViolation, match="to another account"):
        writers.request({**LINE, **account})


def test_an_account_of_tomorrow_is_not_in_force(writers):
    writers.warehouse.execute("update reference.bank_account set valid_from = '2026-03-04'")
    with pytest.raises(errors.CheckViolation, match="to another account"):
        writers.request()


@pytest.mark.parametrize(
    "line",
    [
        {"amount": "1000.11"},
        {"settlement_month": "2026-04"},
        {"settlement_month": "2026-02"},
        {"fixmedins_code": PHARMACY, **OTHER_ACCOUNT},
    ],
)
def test_no_line_asks_for_more_than_its_month_is_entitled_to(writers, line):
    accrue(writers.warehouse, "5000.00")
    with pytest.raises(errors.CheckViolation, match="is payable"):
        writers.request({**LINE, **line})


def test_a_refund_of_what_is_paid_monthly_lowers_no_daily_payment(writers):
    accrue(writers.warehouse, "-9000.00", day="2026-03-03")
    writers.warehouse.execute(
        "insert into intermediate.int_daily_payables select (jsonb_populate_record(payables, jsonb_build_object("
        "'care_class', 'inpatient', 'base_amount', -9000, 'mode', 'monthly', 'rate', 0, 'entitled_amount', 0))).*"
        " from intermediate.int_daily_payables as payables"
    )
    writers.instruct()


@pytest.mark.parametrize("change", ["payable_from = '2026-03-04'", "entitled_amount = 1000.09"])
def test_what_is_payable_is_what_is_entitled_by_the_pay_date(writers, change):
    writers.warehouse.execute(f"update intermediate.int_daily_payables set {change}")
    with pytest.raises(errors.CheckViolation, match="is payable"):
        writers.request()


def test_what_is_payable_on_the_pay_date_itself_is_due(writers):
    writers.warehouse.execute("update intermediate.int_daily_payables set payable_from = '2026-03-03'")
    writers.request()


def test_a_closed_month_is_paid_by_no_day(writers):
    writers.warehouse.execute("insert into ledger.settlement_period values (%s, '2026-03', 'x')", [AREA])
    with pytest.raises(errors.CheckViolation, match="is payable"):
        writers.request()


@pytest.mark.parametrize("answer", ["rejected", "booked after the rejection"])
def test_what_was_instructed_is_asked_for_again_when_it_came_back(writers, answer):
    writers.instruct()
    with writers.warehouse.connect("poster") as connection:
        connection.execute("select set_config('settlement.pay_date', %s, false)", [DAY])
        post(connection, "entries.entry_instructed", area_code=AREA, purpose="instructed", posted_by="scene")
    writers.insert("payment_request", {**REQUEST, **LATER, "plan_used_before_amount": "1000.10"})
    again = {**LINE, "request_id": LATER["request_id"]}
    with pytest.raises(errors.CheckViolation, match=r"and 0\.00 is payable"):
        writers.insert("payment_request_line", {**again, "amount": "0.01"})
    writers.poster.rollback()
    record_batch(deliver(writers.warehouse, status(INSTRUCTION_ID)), posted_by="bank")
    if answer == "rejected":
        writers.insert("payment_request_line", again)
        return
    record_batch(deliver(writers.warehouse, booked(INSTRUCTION_ID, "1000.10")), posted_by="bank")
    with pytest.raises(errors.CheckViolation, match=r"and 0\.00 is payable"):
        writers.insert("payment_request_line", again)


def test_without_the_models_nothing_is_requested(writers):
    writers.warehouse.execute("alter table intermediate.int_daily_payables rename to elsewhere")
    with pytest.raises(errors.UndefinedTable, match="what is entitled is not computed yet"):
        writers.request()


@pytest.mark.parametrize("month", ["March", "2026-13", ""])
def test_a_line_names_a_month(writers, month):
    with pytest.raises(errors.CheckViolation, match="names no month"):
        writers.request({**LINE, "settlement_month": month})


def test_another_fund_or_area_is_entitled_to_nothing_of_this_one(writers):
    writers.warehouse.entitle("500.00", fund="390100")
    writers.warehouse.entitle("500.00", area="330200", day="2026-03-01")
    with pytest.raises(errors.CheckViolation, match=r"and 1000\.10 is payable"):
        writers.request({**LINE, "amount": "1000.11"})


@pytest.mark.parametrize("state", ["undecided", "approved"])
def test_what_an_open_request_holds_is_not_asked_for_again(writers, state):
    {"undecided": writers.request, "approved": writers.approve}[state]()
    writers.insert("payment_request", {**REQUEST, **LATER, "plan_used_before_amount": "1000.10"})
    with pytest.raises(errors.CheckViolation, match=r"and 0\.00 is payable"):
        writers.insert("payment_request_line", {**LINE, "request_id": LATER["request_id"], "amount": "0.01"})


def test_two_requests_of_one_statement_do_not_ask_for_the_same_money(writers):
    writers.warehouse.entitle("0.10", institution=PHARMACY)
    writers.insert("payment_request", {**REQUEST, "line_count": 2, "total_amount": "1000.20"})
    writers.insert("payment_request_line", LINE)
    writers.insert("payment_request", {**REQUEST, **LATER, "plan_used_before_amount": "1000.20"})
    with pytest.raises(errors.CheckViolation, match=r"and 0\.00 is payable"):
        writers.insert(
            "payment_request_line",
            {**LINE, "request_id": LATER["request_id"]},
            {**LINE, "fixmedins_code": PHARMACY, "amount": "0.10", **OTHER_ACCOUNT},
        )


def test_two_transactions_do_not_ask_for_the_same_money(writers):
    writers.insert("payment_request", REQUEST)
    writers.insert("payment_request", {**REQUEST, **LATER, "plan_used_before_amount": "1000.10"})
    query = "insert into ledger.payment_request_line (request_id, fixmedins_code, settlement_month, amount,"
    query += " account_name, account_no, bank_code) values (%s, %s, %s, %s, %s, %s, %s)"
    writers.poster.execute(query, list(LINE.values()))
    with writers.warehouse.connect("poster") as other, ThreadPoolExecutor(1) as threads:
        asked = threads.submit(other.execute, query, [LATER["request_id"], *list(LINE.values())[1:]])
        with pytest.raises(TimeoutError):
            asked.result(timeout=1)
        writers.poster.commit()
        with pytest.raises(errors.CheckViolation, match=r"and 0\.00 is payable"):
            asked.result(timeout=30)


@pytest.mark.parametrize("level", [psycopg.IsolationLevel.REPEATABLE_READ, psycopg.IsolationLevel.SERIALIZABLE])
def test_who_asks_sees_what_others_have_asked_for(writers, level):
    writers.poster.isolation_level = level
    with pytest.raises(errors.InvalidTransactionState, match="nothing newer"):
        writers.insert("payment_request", REQUEST)


def test_what_is_asked_for_a_fund_and_a_day_is_not_split_by_purpose(writers):
    parts = [{**REQUEST, "request_id": uuid4(), "purpose": f"part {number}"} for number in range(5)]
    with pytest.raises(errors.CheckViolation, match="payment_request_purpose"):
        writers.insert("payment_request", *parts)


def test_requests_of_one_statement_use_the_plan_one_after_the_other(writers):
    with pytest.raises(errors.CheckViolation, match=r"requests before took 1000\.10"):
        writers.insert("payment_request", REQUEST, {**REQUEST, **LATER})
    writers.poster.rollback()
    writers.insert("payment_request", REQUEST, {**REQUEST, **LATER, "plan_used_before_amount": "1000.10"})


def test_what_a_rejected_request_held_is_asked_for_again(writers):
    writers.request()
    writers.insert(
        "payment_decision",
        {**DECISION, "decision": "rejected", "decided_by": "head", "is_by_rule": False, "reason": "no"},
    )
    writers.insert("payment_request", {**REQUEST, **LATER})
    writers.insert("payment_request_line", {**LINE, "request_id": LATER["request_id"]})


def test_deductions_are_the_months_and_lower_no_daily_payment(writers):
    event = f"{INSTITUTION}:deducted:1"
    head = (event, "deducted", AREA, INSTITUTION, "310100", "2026-03-02", "2026-03")
    lines = [
        (*head, "debit", "payable_institution", "900.00", "f", None),
        (*head, "credit", "benefit_expense", "900.00", "f", None),
    ]
    with writers.warehouse.connect("transformer") as connection:
        offer(connection, lines, "entries.entry_scene")
    with writers.warehouse.connect("poster") as connection:
        post(connection, "entries.entry_scene", area_code=AREA, purpose="deducted", posted_by="scene")
    writers.request()


@pytest.mark.parametrize(
    "person", ["admin", "Admin", "ADMIN", "admin ", " admin", "ad min", "ａｄｍｉｎ", "ad\u200bmin", "admin\ufeff"]
)
def test_four_eyes_are_not_opened_by_spelling(writers, person):
    writers.request()
    with pytest.raises(errors.InsufficientPrivilege, match="cannot decide on it"):
        writers.insert("payment_decision", {**DECISION, "decided_by": person, "is_by_rule": False})


@pytest.mark.parametrize(
    "changes",
    [
        {"decided_by": "rule", "is_by_rule": False},
        {"decided_by": "head", "is_by_rule": True},
        {"decided_by": "", "is_by_rule": False},
        {"decided_by": " \u200b", "is_by_rule": False},
    ],
)
def test_a_decision_says_whether_a_rule_or_who_decided(writers, changes):
    writers.request()
    with pytest.raises(errors.CheckViolation, match="rule or a person"):
        writers.insert("payment_decision", {**DECISION, **changes})


def test_a_type_of_the_callers_own_changes_no_sum(writers):
    writers.warehouse.entitle("8000.00", day="2026-03-01")
    writers.request({**LINE, "amount": "9000.00"})
    writers.decider.execute("reset all")
    with writers.warehouse.connect("poster") as helper, psycopg.connect(writers.warehouse.admin_dsn) as owner:
        owner.execute("grant insert on ledger.payment_decision to poster")
        owner.commit()
        helper.execute("create type pg_temp.record as (total_amount numeric, line_count numeric)")
        helper.execute("create type pg_temp.payment_request as (total_amount numeric)")
        with pytest.raises(
            errors.CheckViolation, match=r"asks for 1000\.10 in 1 lines, and its lines are 1 of together 9000"
        ):
            helper.execute(
                "insert into ledger.payment_decision (request_id, decision, decided_by, is_by_rule)"
                " values (%s, 'approved', 'rule', true)",
                [REQUEST_ID],
            )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"area_code": "350200"}, "area, fund, pay date and purpose"),
        ({"fund_pay_type": "390100"}, "area, fund, pay date and purpose"),
        ({"pay_date": "2026-03-04"}, "area, fund, pay date and purpose"),
        ({"purpose": "monthly"}, "area, fund, pay date and purpose"),
        (OTHER_ACCOUNT, "another account"),
        ({"account_no": "6200000000000666"}, "another account"),
        ({"account_name": "RED TEAM LTD"}, "another account"),
        ({"account_name": None}, "another account"),
        ({"bank_code": "102330000009"}, "another account"),
        ({"replaces_instruction_id": uuid4()}, "in the place of another payment"),
    ],
)
def test_an_instruction_is_what_was_approved(writers, changes, said):
    writers.approve()
    with pytest.raises(errors.CheckViolation, match=said):
        writers.insert("payment_instruction", {**INSTRUCTION, **changes})


def test_a_line_without_account_is_paid_to_none(writers):
    writers.warehouse.execute("delete from reference.bank_account")
    writers.request({**LINE, **dict.fromkeys(ACCOUNT)})
    writers.insert("payment_decision", DECISION)
    with pytest.raises(errors.CheckViolation, match="another account"):
        writers.insert("payment_instruction", INSTRUCTION)


@pytest.mark.parametrize("changes", [{}, {"sequence": 2}, {"sequence": 2, "purpose": "other"}])
def test_a_line_is_instructed_once(writers, changes):
    writers.instruct()
    with pytest.raises((errors.UniqueViolation, errors.CheckViolation)):
        writers.insert("payment_instruction", {**INSTRUCTION, "instruction_id": uuid4(), **changes})
    writers.poster.rollback()
    assert writers.warehouse.rows("select count(*) from ledger.payment_instruction") == [(1,)]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (bank_file(control_sum_amount="1.00"), "says 1 payments of 1.00"),
        (bank_file(transaction_count=2), "says 2 payments"),
        (bank_file(area_code="350200"), "area, fund and pay date"),
        (bank_file(fund_pay_type="390100"), "area, fund and pay date"),
        (bank_file(pay_date="2026-03-04"), "area, fund and pay date"),
        (bank_file(sha256="0" * 64), "hash"),
        (bank_file("any content"), "account of its fund"),
        (bank_file(content(debtor="933010002")), "account of its fund"),
        (bank_file(content(account="6200000000000666")), "as it was instructed"),
        (bank_file(content(bank="102330000009")), "as it was instructed"),
        (bank_file(content(amount="1000.11")), "as it was instructed"),
        (bank_file(content(id=uuid4().hex)), "as it was instructed"),
        (bank_file(content() + content()), "as it was instructed"),
        (bank_file(content() + TRANSFER.replace("<", "<x:").replace("<x:/", "</x:")), "as it was instructed"),
        (bank_file("<!-- " + content() + " -->" + content(account="1")), "as it was instructed"),
        (bank_file(content() + "<CdtTrfTxInf/>"), "as it was instructed"),
    ],
)
def test_a_bank_file_carries_what_was_instructed(writers, file, said):
    writers.instruct()
    with pytest.raises(errors.CheckViolation, match=said):
        writers.insert("bank_file", file)


def test_what_was_not_sent_is_in_no_bank_file(writers):
    writers.approve()
    writers.insert("payment_instruction", {**INSTRUCTION, "has_account": False, **dict.fromkeys(ACCOUNT)})
    with pytest.raises(errors.CheckViolation, match="0 of 0 were instructed"):
        writers.insert("bank_file", bank_file())
