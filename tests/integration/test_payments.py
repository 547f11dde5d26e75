"""Requests, approval and disbursement: each yuan of entitlement leaves once, with the right people's consent."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

import pytest
from lxml import etree
from psycopg import errors
from tests.fixtures.bank_answers import booked, deliver, status
from tests.fixtures.prepared_warehouse import PHARMACY, PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.proposals import AREA, INSTITUTION, Accrual, offer

from settlement.banking.matching import record_batch
from settlement.errors import SettlementError
from settlement.ledger.verification import verify_ledger
from settlement.payments import instructions, questions
from settlement.payments.approval import decide_request
from settlement.payments.bank_files import write_bank_files
from settlement.payments.instructions import disburse_approved
from settlement.payments.pay_dates import refuse_far_pay_date, refuse_pay_date_ahead
from settlement.payments.requests import request_payments
from settlement.payments.summary import summarise

PAY_DATE = date(2026, 3, 3)
NAMESPACE = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


@pytest.fixture
def books(prepared: PreparedWarehouse):  # noqa: F811
    """Two institutions, accrued 20,000 each on the day before the pay date."""
    from settlement.ledger.posting import post

    accruals = [Accrual("20000.00"), Accrual("20000.00", institution=PHARMACY)]
    with prepared.connect("transformer") as connection:
        offer(connection, accruals, "entries.entry_scene")
    with prepared.connect("poster") as connection:
        post(connection, "entries.entry_scene", area_code=AREA, purpose="accrued", posted_by="scene")
    return prepared


def request(pay_date=PAY_DATE, triggered_by="operator"):
    return request_payments(pay_date=pay_date, area_code=AREA, triggered_by=triggered_by)


def disburse(pay_date=PAY_DATE):
    return disburse_approved(pay_date=pay_date, area_code=AREA, posted_by="operator")


def described(made):
    """The words of the question about a request."""
    return questions.describe(
        *questions.undecided_request(made.request_id, pay_date=made.pay_date, area_code=made.area_code)
    )


def pay(books, pay_date=PAY_DATE):
    books.propose(pay_date.isoformat())
    request(pay_date)
    return disburse(pay_date)


def test_what_is_due_is_requested_approved_by_rule_and_instructed(books):
    books.entitle("1000.10")
    books.entitle("500.05", institution=PHARMACY)
    books.propose("2026-03-03")
    [made] = request()
    assert (made.total_amount, made.line_count, made.status) == (Decimal("1500.15"), 2, "approved")
    assert not made.needs_a_person
    assert books.rows("select decision, decided_by, is_by_rule from ledger.payment_decision") == [
        ("approved", "rule", True)
    ]

    [disbursement] = disburse()
    assert (disbursement.instruction_count, disbursement.total_amount) == (2, "1500.15")
    expected = uuid5(NAMESPACE_URL, f"instruction|{AREA}|{INSTITUTION}|310100|2026-03|2026-03-03|daily|1")
    assert (expected,) in books.rows("select instruction_id from ledger.payment_instruction")
    assert books.rows(
        "select account, side, sum(amount) from ledger.entry_line join ledger.entry using (fixmedins_code,"
        " business_event_id) where event = 'instructed' group by account, side order by account"
    ) == [("payable_institution", "debit", Decimal("1500.15")), ("payment_in_transit", "credit", Decimal("1500.15"))]
    assert verify_ledger().is_intact
    assert summarise(pay_date=PAY_DATE, area_code=None).startswith("1 requests 请款 1,500.15, 2 payments instructed")


def test_the_bank_file_carries_what_was_instructed_as_xml_and_csv(books):
    books.entitle("1000.10")
    pay(books)
    folder = books.outbox / "payments" / AREA / "2026-03-03"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["330100-310100-20260303-daily.csv", "330100-310100-20260303-daily.xml"]
    message = etree.fromstring((folder / names[1]).read_bytes())
    assert message.findtext(".//p:CtrlSum", namespaces=NAMESPACE) == "1000.10"
    [end_to_end_id] = [node.text for node in message.iterfind(".//p:EndToEndId", NAMESPACE)]
    assert books.rows("select replace(instruction_id::text, '-', '') from ledger.payment_instruction") == [
        (end_to_end_id,)
    ]
    [row] = csv.DictReader(io.StringIO((folder / names[0]).read_text("utf-8-sig")))
    assert (row["end_to_end_id"], row["amount"]) == (end_to_end_id, "1000.10")


def test_running_a_pay_date_again_pays_nothing_twice(books):
    books.entitle("1000.10")
    pay(books)
    before = books.rows("select * from ledger.entry_line order by 1, 2, 3")
    assert pay(books) == []
    assert [made.status for made in request()] == ["instructed"]
    assert books.rows("select * from ledger.entry_line order by 1, 2, 3") == before


def test_only_what_is_new_is_due_on_the_next_pay_date(books):
    books.entitle("1000.10")
    pay(books)
    books.entitle("0.05", day="2026-03-03")
    pay(books, date(2026, 3, 4))
    assert books.rows("select pay_date::text, amount from ledger.payment_instruction order by 1") == [
        ("2026-03-03", Decimal("1000.10")),
        ("2026-03-04", Decimal("0.05")),
    ]


def test_pay_dates_go_forward(books):
    books.entitle("10.00")
    pay(books, date(2026, 3, 4))
    books.entitle("5.00", day="2026-02-27")
    assert pay(books, PAY_DATE) == []
    assert books.rows("select count(*) from ledger.payment_request") == [(1,)]


def test_an_outdated_proposal_requests_nothing(books):
    books.entitle("1000.10")
    books.propose("2026-03-03")
    books.entitle("1.00", day="2026-03-01")
    with pytest.raises(SettlementError) as refusal:
        request()
    assert refusal.value.code == "proposal_outdated"
    assert books.rows("select count(*) from ledger.payment_run") == [(0,)]


def test_above_the_threshold_a_person_decides_and_never_who_triggered_it(books):
    books.entitle("10000.01")
    books.propose("2026-03-03")
    [made] = request()
    assert made.needs_a_person
    assert "above the threshold" in described(made)
    assert disburse() == []

    with pytest.raises(SettlementError) as refusal:
        decide_request(made.request_id, decision="approved", decided_by="operator", reason="")
    assert refusal.value.code == "four_eyes"
    decide_request(made.request_id, decision="approved", decided_by="director", reason="")
    decide_request(made.request_id, decision="approved", decided_by="director", reason="")
    with pytest.raises(SettlementError) as refusal:
        decide_request(made.request_id, decision="rejected", decided_by="deputy", reason="no")
    assert refusal.value.code == "already_decided"
    assert [disbursement.total_amount for disbursement in disburse()] == ["10000.01"]


def test_a_rejected_request_stays_payable_and_comes_again(books):
    books.entitle("10000.01")
    books.propose("2026-03-03")
    [made] = request()
    with pytest.raises(SettlementError) as refusal:
        decide_request(made.request_id, decision="rejected", decided_by="director", reason=" ")
    assert refusal.value.code == "reason_missing"
    decide_request(made.request_id, decision="rejected", decided_by="director", reason="请核对")
    assert disburse() == []
    books.propose("2026-03-04")
    [again] = request(date(2026, 3, 4))
    assert (again.total_amount, again.needs_a_person) == (Decimal("10000.01"), True)


def test_an_undecided_request_reserves_its_money(books):
    books.entitle("10000.01")
    books.propose("2026-03-03")
    request()
    books.entitle("3.00", day="2026-03-03")
    books.propose("2026-03-04")
    [undecided, later] = request(date(2026, 3, 4))
    assert (undecided.pay_date, undecided.needs_a_person) == (PAY_DATE, True)
    assert later.total_amount == Decimal("3.00")


def test_a_request_draws_on_the_reserve_and_beyond_it_needs_a_person(books):
    books.execute("update reference.area set approval_threshold = 1000000")
    books.entitle("12500.00")
    books.propose("2026-03-03")
    [first] = request()
    assert (first.reserve_used_amount, first.is_over_plan, first.status) == (Decimal("500.00"), False, "approved")
    disburse()
    books.entitle("500.01", day="2026-03-03")
    books.propose("2026-03-04")
    [second] = request(date(2026, 3, 4))
    assert (second.reserve_used_amount, second.is_over_plan) == (Decimal("500.00"), True)
    assert second.needs_a_person
    assert "beyond plan and reserve" in described(second)


def test_an_institution_without_account_gets_nothing_sent_and_stays_payable(books):
    books.execute("update reference.bank_account set valid_to = '2026-03-02' where fixmedins_code = %s", [PHARMACY])
    books.entitle("1000.00")
    books.entitle("500.00", institution=PHARMACY)
    [disbursement] = pay(books)
    assert (disbursement.instruction_count, disbursement.no_account_count) == (1, 1)
    assert books.rows("select has_account from ledger.payment_instruction where fixmedins_code = %s", PHARMACY) == [
        (False,)
    ]
    assert books.rows("select fixmedins_code from ledger.entry where event = 'instructed'") == [(INSTITUTION,)]
    assert verify_ledger().is_intact


@pytest.mark.parametrize(
    "change", ["account_name = repeat('名', 141)", "bank_code = '10233000000X'"], ids=["name too long", "bank code"]
)
def test_an_account_that_no_bank_message_can_carry_stops_that_institution_alone(books, change):
    books.execute(f"update reference.bank_account set {change} where fixmedins_code = %s", [PHARMACY])
    books.entitle("1000.00")
    books.entitle("500.00", institution=PHARMACY)
    [disbursement] = pay(books)
    assert (disbursement.instruction_count, disbursement.no_account_count) == (1, 1)
    assert books.rows(
        "select has_account, account_no from ledger.payment_instruction where fixmedins_code = %s", PHARMACY
    ) == [(False, None)]


NEW_ACCOUNT = (
    "insert into reference.bank_account select fixmedins_code, '新户', '6229999', '102330000003', bank_name, %(day)s,"
    " null, 'REF2', null, 1, 9, gen_random_uuid() from reference.bank_account where fixmedins_code = %(code)s"
)


def test_a_request_keeps_the_account_that_is_valid_on_its_pay_date(books):
    books.execute("update reference.bank_account set valid_to = '2026-03-02' where fixmedins_code = %s", [PHARMACY])
    books.entitle("1000.00")
    books.entitle("500.00", institution=PHARMACY)
    books.propose("2026-03-03")
    request()
    assert books.rows(
        "select fixmedins_code, account_name, account_no, bank_code from ledger.payment_request_line order by 1"
    ) == [(INSTITUTION, "医院1", "622200000001", "102330000002"), (PHARMACY, None, None, None)]


@pytest.mark.parametrize("ended_on", ["2026-03-03", "2026-03-02"], ids=["from the next day on", "from the pay date on"])
@pytest.mark.parametrize("is_replaced", [True, False])
def test_an_account_that_changed_after_the_request_is_paid_neither_old_nor_new(books, ended_on, is_replaced):
    books.entitle("10000.00")
    books.entitle("500.00", institution=PHARMACY)
    books.propose("2026-03-03")
    [made] = request()
    decide_request(made.request_id, decision="approved", decided_by="director", reason="")
    books.execute("update reference.bank_account set valid_to = %s where fixmedins_code = %s", [ended_on, PHARMACY])
    if is_replaced:
        books.execute(NEW_ACCOUNT, {"day": date.fromisoformat(ended_on) + timedelta(days=1), "code": PHARMACY})
    [disbursement] = disburse(date(2026, 3, 4))
    assert (disbursement.total_amount, disbursement.account_changed_count) == ("10000.00", 1)
    assert (disbursement.no_account_count, disbursement.suspended_count) == (0, 0)
    assert books.rows(
        "select has_account, is_account_changed, account_no from ledger.payment_instruction where fixmedins_code = %s",
        PHARMACY,
    ) == [(False, True, None)]
    [(content,)] = books.rows("select content from ledger.bank_file")
    assert "6229999" not in content
    assert "622200000002" not in content
    assert "1 institutions whose account changed" in summarise(pay_date=PAY_DATE, area_code=None)
    [(status,)] = books.rows("select status from marts.fct_payment_instructions where fixmedins_code = %s", PHARMACY)
    assert status == "account_changed"

    pay(books, date(2026, 3, 5))
    paid_to = books.rows("select account_no from ledger.payment_instruction where pay_date = '2026-03-05'")
    assert paid_to == [("6229999" if is_replaced else None,)]
    assert verify_ledger().is_intact


def test_an_account_delivered_after_the_request_is_not_what_was_approved(books):
    books.execute("delete from reference.bank_account where fixmedins_code = %s", [INSTITUTION])
    books.entitle("1000.00")
    books.propose("2026-03-03")
    request()
    books.execute(NEW_ACCOUNT, {"day": "2026-01-01", "code": PHARMACY})
    books.execute("update reference.bank_account set fixmedins_code = %s where account_no = '6229999'", [INSTITUTION])
    [disbursement] = disburse()
    assert (disbursement.instruction_count, disbursement.no_account_count) == (0, 1)


def test_without_an_expenditure_account_nothing_is_instructed(books):
    books.execute("update reference.fund_account set valid_to = '2026-03-01'")
    books.entitle("1000.00")
    books.propose("2026-03-03")
    request()
    with pytest.raises(SettlementError) as refusal:
        disburse()
    assert refusal.value.code == "fund_account_missing"
    assert books.rows("select count(*) from ledger.payment_instruction") == [(0,)]


def test_a_request_that_fails_stops_no_other(books):
    books.entitle("1000.00", fund="390100")
    books.entitle("700.00")
    books.execute("update reference.area set approval_threshold = 1e9")
    books.execute(
        "insert into reference.cash_plan select (jsonb_populate_record(plan, jsonb_build_object('fund_pay_type',"
        " '390100', 'row_hash', gen_random_uuid()))).* from reference.cash_plan as plan"
    )
    books.execute("update reference.fund_account set fund_pay_type = '390100'")
    books.propose("2026-03-03")
    request()
    with pytest.raises(SettlementError, match="fund 310100"):
        disburse()
    assert books.rows("select fund_pay_type from ledger.payment_instruction") == [("390100",)]
    assert len(list(books.outbox.rglob("*.xml"))) == 1


def test_a_suspended_institution_gets_no_daily_payment(books):
    books.execute(
        "insert into ledger.suspension_event values"
        f" ('S1', 'opened', '{AREA}', '{PHARMACY}', null, 'K2', '2026-03-01', null, '{{}}')"
    )
    books.entitle("1000.00")
    books.entitle("500.00", institution=PHARMACY)
    pay(books)
    assert books.rows("select fixmedins_code from ledger.payment_instruction") == [(INSTITUTION,)]


def test_two_runs_at_once_request_and_instruct_once(books):
    books.entitle("1000.00")
    books.propose("2026-03-03")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: request(), range(3)))
        found = [disbursement for result in pool.map(lambda _: disburse(), range(3)) for disbursement in result]
    assert len(found) == 1
    assert books.rows("select count(*), sum(amount) from ledger.payment_instruction") == [(1, Decimal("1000.00"))]


def test_a_lost_bank_file_is_written_again_with_the_same_bytes(books):
    books.entitle("1000.00")
    pay(books)
    folder = books.outbox / "payments" / AREA / "2026-03-03"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        path.unlink()
    assert pay(books) == []
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    with books.connect("poster") as connection:
        assert write_bank_files(connection, pay_date=PAY_DATE) == []


def fail(books, institution=INSTITUTION):
    """The bank sends the newest instruction of an institution back; give its id."""
    query = "select instruction_id from ledger.payment_instruction where fixmedins_code = %s order by pay_date desc"
    instruction = books.rows(query, institution)[0][0]
    record_batch(deliver(books, status(instruction)), posted_by="bank")
    return instruction


def chain(books):
    """Amounts of the instructions in their order, each with the amount of the one it names."""
    return books.rows(
        "select instruction.amount, replaced.amount from ledger.payment_instruction as instruction"
        " left join ledger.payment_instruction as replaced"
        " on instruction.replaces_instruction_id = replaced.instruction_id order by instruction.pay_date"
    )


def test_what_one_request_sends_again_no_other_names_while_it_waits(books):
    books.entitle("100.00")
    pay(books)
    returned = fail(books)
    books.execute("update reference.fund_account set valid_to = '2026-03-03'")
    books.propose("2026-03-04")
    request(date(2026, 3, 4))
    with pytest.raises(SettlementError, match="no expenditure account"):
        disburse(date(2026, 3, 4))
    books.entitle("7.00", day="2026-03-04")
    books.propose("2026-03-05")
    request(date(2026, 3, 5))
    books.execute("update reference.fund_account set valid_to = null")
    assert len(disburse(date(2026, 3, 5))) == 2
    assert books.rows(
        "select amount, replaces_instruction_id from ledger.payment_instruction"
        " where pay_date > '2026-03-03' order by amount"
    ) == [(Decimal("7.00"), None), (Decimal("100.00"), returned)]


def test_what_a_refused_request_should_have_sent_again_is_named_by_the_next(books):
    books.entitle("10000.01")
    books.propose("2026-03-03")
    [first] = request()
    decide_request(first.request_id, decision="approved", decided_by="director", reason="")
    disburse()
    fail(books)
    books.propose("2026-03-04")
    [second] = request(date(2026, 3, 4))
    decide_request(second.request_id, decision="rejected", decided_by="director", reason="请核对")
    books.execute("update reference.area set approval_threshold = 1e9")
    pay(books, date(2026, 3, 5))
    assert chain(books) == [(Decimal("10000.01"), None), (Decimal("10000.01"), Decimal("10000.01"))]


def test_of_two_failures_that_one_payment_carries_none_is_named_again(books):
    books.entitle("86.42")
    pay(books)
    books.entitle("69.14", day="2026-03-03")
    pay(books, date(2026, 3, 4))
    for (instruction,) in books.rows("select instruction_id from ledger.payment_instruction"):
        record_batch(deliver(books, status(instruction)), posted_by="bank")
    pay(books, date(2026, 3, 5))
    books.entitle("77.00", day="2026-03-05")
    pay(books, date(2026, 3, 6))
    assert chain(books)[2:] == [(Decimal("155.56"), Decimal("69.14")), (Decimal("77.00"), None)]


def test_a_payment_that_comes_back_after_a_newer_one_was_replaced_is_still_named(books):
    books.entitle("86.42")
    pay(books)
    first = books.rows("select instruction_id from ledger.payment_instruction")[0][0]
    books.entitle("69.14", day="2026-03-03")
    pay(books, date(2026, 3, 4))
    fail(books)
    pay(books, date(2026, 3, 5))
    record_batch(deliver(books, status(first)), posted_by="bank")
    pay(books, date(2026, 3, 6))
    assert chain(books)[2:] == [(Decimal("69.14"), Decimal("69.14")), (Decimal("86.42"), Decimal("86.42"))]


def test_the_chain_goes_on_through_a_re_issue_that_found_no_account(books):
    books.entitle("86.42")
    pay(books)
    returned = fail(books)
    books.execute("update reference.bank_account set valid_to = '2026-03-03' where fixmedins_code = %s", [INSTITUTION])
    pay(books, date(2026, 3, 4))
    books.execute("update reference.bank_account set valid_to = null")
    pay(books, date(2026, 3, 5))
    [waiting, sent] = books.rows(
        "select instruction_id, replaces_instruction_id, has_account from ledger.payment_instruction"
        " where pay_date > '2026-03-03' order by pay_date"
    )
    assert waiting[1:] == (returned, False)
    assert sent[1:] == (waiting[0], True)


def answered(books, *transactions):
    return record_batch(deliver(books, *transactions, day="2026-03-04"), posted_by="bank").counts


def requested_again(books):
    """Of two payments the pharmacy's comes back; it is requested and approved again, and not instructed yet."""
    books.entitle("1000.00")
    books.entitle("500.00", institution=PHARMACY)
    pay(books)
    [(first,)] = books.rows("select instruction_id from ledger.payment_instruction where fixmedins_code = %s", PHARMACY)
    answered(books, status(first))
    books.entitle("30.00", day="2026-03-03")
    books.propose("2026-03-04")
    assert [made.status for made in request(date(2026, 3, 4))] == ["approved"]
    return first


@pytest.mark.parametrize(
    "said",
    [
        {"amount": "500.00", "day": "2026-03-04"},
        {"amount": "500.00", "day": "2026-03-04", "account_no": None},
        {"code": "ACSC", "reason": None},
        {"code": "PDNG", "reason": None},
    ],
    ids=["booked", "booked on no account", "settled", "pending"],
)
def test_a_payment_of_which_the_bank_said_something_new_is_not_sent_again(books, said):
    first = requested_again(books)
    answered(books, status(first, **said) if "code" in said else booked(first, **said))
    [disbursement] = disburse(date(2026, 3, 4))
    assert (disbursement.total_amount, disbursement.disputed_count) == ("30.00", 1)
    assert (disbursement.no_account_count, disbursement.account_changed_count) == (0, 0)
    query = "select {} from {} where fixmedins_code = %s and amount = 500.00 and instruction_id <> %s"
    unsent = query.format("has_account, is_disputed, account_no", "ledger.payment_instruction")
    assert books.rows(unsent, PHARMACY, first) == [(False, True, None)]
    assert books.rows(query.format("status", "marts.fct_payment_instructions"), PHARMACY, first) == [("disputed",)]
    assert "1 payments disputed since the request" in summarise(pay_date=date(2026, 3, 4), area_code=None)
    assert verify_ledger().is_intact


def test_what_was_not_sent_because_it_may_have_left_is_proposed_again_when_it_is_back(books):
    first = requested_again(books)
    answered(books, booked(first, "500.00", day="2026-03-04"))
    disburse(date(2026, 3, 4))
    pay(books, date(2026, 3, 5))
    again = "select pay_date::text, amount from ledger.payment_request_line join ledger.payment_request"
    again += " using (request_id) where fixmedins_code = %s and pay_date > '2026-03-04'"
    assert books.rows(again, PHARMACY) == []
    answered(books, booked(first, "500.00", "credit", day="2026-03-05"))
    pay(books, date(2026, 3, 6))
    assert books.rows(again, PHARMACY) == [("2026-03-06", Decimal("500.00"))]


def test_who_was_suspended_since_the_request_is_not_paid_when_it_is_approved(books):
    books.execute("update reference.area set approval_threshold = 10")
    for code in (INSTITUTION, PHARMACY):
        books.entitle("30.00", institution=code)
        books.entitle("7.00", institution=code, fund="390100")
    books.propose("2026-03-03")
    made = request()
    books.execute(
        "insert into ledger.suspension_event values"
        " ('S1', 'opened', %s, %s, '310100', 'K1', '2026-03-04', null, '{}'),"
        " ('S2', 'opened', %s, %s, null, 'K2', '2026-02-03', null, '{}'),"
        " ('S2', 'lifted', %s, %s, null, 'K2', '2026-02-10', '2026-03-01', '{}')",
        [AREA, PHARMACY] + 2 * [AREA, INSTITUTION],
    )
    for each in made:
        if each.status == "undecided":
            decide_request(str(each.request_id), decision="approved", decided_by="head", reason="checked")
    disbursed = {each.fund_pay_type: each for each in disburse(date(2026, 3, 4))}
    assert (disbursed["310100"].total_amount, disbursed["310100"].suspended_count) == ("30.00", 1)
    assert (disbursed["390100"].total_amount, disbursed["390100"].suspended_count) == ("14.00", 0)
    waiting = "select fixmedins_code, amount, suspended_by from ledger.payment_instruction where not has_account"
    assert books.rows(waiting) == [(PHARMACY, Decimal("30.00"), "K1")]
    assert "1 institutions suspended since the request" in summarise(pay_date=PAY_DATE, area_code=None)

    books.propose("2026-03-05")
    due = "select fixmedins_code, due_amount, is_suspended from intermediate.int_payment_proposals"
    assert books.rows(due) == [(PHARMACY, Decimal("30.00"), True)]
    assert verify_ledger().is_intact


def test_a_suspension_of_the_area_since_the_request_stops_all_its_lines(books):
    books.entitle("1000.10")
    books.propose("2026-03-03")
    request()
    books.execute(
        "insert into ledger.suspension_event values ('S1', 'opened', %s, %s, '310100', 'K1', '2026-03-04', null, '{}')",
        [AREA, f"A{AREA}00000"],
    )
    [disbursement] = disburse(date(2026, 3, 4))
    assert (disbursement.instruction_count, disbursement.suspended_count) == (0, 1)
    assert books.rows("select message_id from ledger.bank_file") == []


def test_what_the_database_refuses_of_one_request_stops_no_other(books):
    books.entitle("100.00")
    books.entitle("5.00", institution=PHARMACY, fund="390100")
    books.execute(
        "insert into reference.cash_plan select (jsonb_populate_record(plan, jsonb_build_object('fund_pay_type',"
        " '390100', 'row_hash', gen_random_uuid()))).* from reference.cash_plan as plan"
    )
    books.propose("2026-03-03")
    request()
    books.execute("alter table ledger.payment_instruction add constraint unforeseen check (amount <> 100) not valid")
    with pytest.raises(SettlementError, match="unforeseen") as refusal:
        disburse()
    assert refusal.value.code == "database_refused"
    assert books.rows("select fund_pay_type from ledger.payment_instruction") == [("390100",)]


def test_a_request_approved_after_its_month_was_closed_is_disbursed_in_the_next(books):
    books.execute("update reference.area set approval_threshold = 10")
    books.entitle("9.00", fund="390100")
    books.entitle("20.00")
    books.execute(
        "insert into reference.cash_plan select (jsonb_populate_record(plan, jsonb_build_object('fund_pay_type',"
        " '390100', 'row_hash', gen_random_uuid()))).* from reference.cash_plan as plan"
    )
    books.propose("2026-03-03")
    [large] = [made for made in request() if made.needs_a_person]
    disburse()
    books.execute(f"insert into ledger.settlement_period values ('{AREA}', '2026-03', 'director')")
    decide_request(large.request_id, decision="approved", decided_by="director", reason="")
    assert [made.total_amount for made in disburse()] == ["20.00"]
    assert books.rows(
        "select accounting_date::text from ledger.entry where event = 'instructed' order by accounting_date"
    ) == [("2026-03-03",), ("2026-04-01",)]


LINE = (
    f"insert into ledger.payment_request_line select request_id, '{PHARMACY}', '2026-03', 1.00, null, null,"
    f" account_name, account_no, bank_code from ledger.payment_request, reference.bank_account"
    f" where fixmedins_code = '{PHARMACY}'"
)


def test_a_request_that_is_not_the_sum_of_its_lines_can_only_be_rejected(books):
    books.entitle("10000.01")
    books.propose("2026-03-03")
    [made] = request()
    books.entitle("1.00", institution=PHARMACY)
    books.execute(LINE)
    with pytest.raises(SettlementError, match=r"asks for 10000\.01 in 1 lines, and its lines are 2") as refusal:
        decide_request(made.request_id, decision="approved", decided_by="director", reason="")
    assert refusal.value.code == "request_differs"
    decide_request(made.request_id, decision="rejected", decided_by="director", reason="明细不符")


def test_no_line_is_added_to_a_request_that_is_decided(books):
    books.entitle("100.00")
    books.propose("2026-03-03")
    request()
    with pytest.raises(errors.RestrictViolation, match="no line can be added"):
        books.execute(LINE)


def test_a_request_is_instructed_whole(books, monkeypatch):
    books.entitle("100.00")
    books.entitle("5.00", institution=PHARMACY)
    books.propose("2026-03-03")
    request()
    every_line = instructions._lines
    monkeypatch.setattr(instructions, "_lines", lambda *arguments: every_line(*arguments)[:1])
    with pytest.raises(SettlementError, match="is not instructed as it was approved"):
        disburse()
    assert books.rows("select count(*) from ledger.payment_instruction") == [(0,)]


def accept(books, day, area=AREA):
    books.execute("insert into raw.accepted_day values (%s, %s, %s, 1)", [f"{area}-{day}", area, day])


def test_a_pay_date_long_after_all_that_was_accepted_is_refused(books):
    accept(books, "2026-03-30")
    accept(books, "2026-10-30", area="350200")
    refuse_far_pay_date(date(2026, 5, 31), AREA)
    with pytest.raises(SettlementError, match="2026-12-31 is more than 62 days after 2026-03-30") as refusal:
        refuse_far_pay_date(date(2026, 12, 31), AREA)
    assert refusal.value.code == "pay_date_too_far"
    refuse_far_pay_date(date(2026, 12, 31), None)


@pytest.mark.parametrize(
    ("day_of_run", "last_allowed", "first_refused"),
    [
        (date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 10)),
        (date(2026, 3, 7), date(2026, 3, 13), date(2026, 3, 16)),  # a Saturday: Monday is the first day
        (date(2026, 2, 13), date(2026, 2, 27), date(2026, 2, 28)),  # Spring Festival lies between
    ],
)
def test_a_pay_date_may_lie_five_working_days_after_the_runs_own_day_and_no_more(
    books, day_of_run, last_allowed, first_refused
):
    refuse_pay_date_ahead(date(2026, 1, 5), day_of_run)  # old days are settled whenever somebody asks for them
    refuse_pay_date_ahead(last_allowed, day_of_run)
    with pytest.raises(SettlementError, match="is 6 working days after") as refusal:
        refuse_pay_date_ahead(first_refused, day_of_run)
    assert refusal.value.code == "pay_date_too_far"


def test_where_nothing_was_accepted_no_pay_date_is_too_far(books):
    accept(books, "2026-03-30", area="350200")
    refuse_far_pay_date(date(2026, 12, 31), AREA)
