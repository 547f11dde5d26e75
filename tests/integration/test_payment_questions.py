"""What needs a person although it is small, and what that person is shown: payee, account, and what is new about it."""

import json
from datetime import date
from uuid import UUID

import pytest
from tests.fixtures.bank_answers import booked, deliver, status
from tests.fixtures.prepared_warehouse import PHARMACY, PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.proposals import AREA, INSTITUTION, Accrual, offer

from settlement.banking.matching import record_batch
from settlement.ledger.posting import post
from settlement.payments import questions
from settlement.payments.approval import decide_request
from settlement.payments.instructions import disburse_approved
from settlement.payments.requests import Request, request_payments

FIRST, SECOND, THIRD = date(2026, 3, 3), date(2026, 3, 4), date(2026, 3, 5)


@pytest.fixture
def books(prepared: PreparedWarehouse):  # noqa: F811
    """Two institutions, accrued 20,000 each; 10,000 may be approved by rule."""
    accruals = [Accrual("20000.00"), Accrual("20000.00", institution=PHARMACY)]
    with prepared.connect("transformer") as connection:
        offer(connection, accruals, "entries.entry_scene")
    with prepared.connect("poster") as connection:
        post(connection, "entries.entry_scene", area_code=AREA, purpose="accrued", posted_by="scene")
    return prepared


def request(books, pay_date):
    books.propose(pay_date.isoformat())
    return request_payments(pay_date=pay_date, area_code=AREA, triggered_by="operator")


def pay(books, pay_date):
    """Request and pay; give the ids of what was instructed on that date, by institution."""
    request(books, pay_date)
    disburse_approved(pay_date=pay_date, area_code=AREA, posted_by="operator")
    return dict(
        books.rows(
            "select fixmedins_code, instruction_id from ledger.payment_instruction where pay_date = %s", pay_date
        )
    )


def flags(books, pay_date):
    return dict(
        books.rows(
            "select fixmedins_code, flag from ledger.payment_request_line join ledger.payment_request"
            " using (request_id) where pay_date = %s",
            pay_date,
        )
    )


def asked(books, pay_date=SECOND):
    """The question about the one request of the date, as an approver reads it; none where a rule approved it."""
    [(request_id,)] = books.rows("select request_id from ledger.payment_request where pay_date = %s", pay_date)
    found = questions.undecided_request(request_id, pay_date=pay_date, area_code=AREA)
    return questions.describe(*found) if found else None


def answer_of_bank(books, *transactions, day="2026-03-03"):
    record_batch(deliver(books, *transactions, day=day), posted_by="bank")


def move_account(books, institution, number, since="2026-03-04"):
    """End the account of an institution the day before and start another."""
    books.execute(
        "update reference.bank_account set valid_to = %s::date - 1 where fixmedins_code = %s", [since, institution]
    )
    changes = {"account_no": number, "valid_from": since, "valid_to": None, "line_no": 99}
    books.execute(
        "insert into reference.bank_account select (jsonb_populate_record(source, %s::jsonb"
        " || jsonb_build_object('row_hash', gen_random_uuid()))).*"
        " from reference.bank_account as source where fixmedins_code = %s limit 1",
        [json.dumps(changes), institution],
    )


def test_what_goes_to_the_account_of_the_last_payment_needs_nobody(books):
    books.entitle("100.00")
    pay(books, FIRST)
    books.entitle("1.00", day="2026-03-03")
    pay(books, SECOND)
    assert flags(books, SECOND) == {INSTITUTION: None}
    assert asked(books) is None


def test_another_account_than_that_of_the_last_payment_needs_a_person_whatever_the_amount(books):
    books.entitle("100.00")
    first = pay(books, FIRST)
    answer_of_bank(books, booked(first[INSTITUTION], "100.00"))
    move_account(books, INSTITUTION, "6200000000000666")
    books.entitle("0.01", day="2026-03-03")
    books.entitle("5.00", institution=PHARMACY, day="2026-03-03")
    assert pay(books, SECOND) == {}
    assert flags(books, SECOND) == {INSTITUTION: "account_changed", PHARMACY: None}
    text = asked(books)
    assert f"{INSTITUTION} 医院1 | 医院1 | 6200000000000666 | 102330000002 | 2026-03 | 0.01 | account_changed |" in text
    assert "account changed 账户变更: on 2026-03-03 it was 原账户 医院1 622200000001 102330000002" in text
    assert f"{PHARMACY} 医院2 | 医院2 | 622200000002 | 102330000002 | 2026-03 | 5.00 |  | first payment" in text
    assert "account changed since the last payment 收款账户已变更: 1 lines 笔, 0.01 yuan" in text
    assert "A rule approves up to 规则审批限额 10,000.00" in text


def test_an_account_that_was_paid_before_shows_its_ends_only(books):
    books.entitle("100.00")
    pay(books, FIRST)
    books.entitle("10001.00", day="2026-03-03")
    pay(books, SECOND)
    text = asked(books)
    assert f"{INSTITUTION} 医院1 | 医院1 | …0001 | 102330000002 | 2026-03 | 10,001.00 |  |  |" in text
    assert "622200000001" not in text


def test_an_account_that_is_delivered_between_proposal_and_request_is_not_requested_unseen(books):
    books.entitle("100.00")
    pay(books, FIRST)
    books.entitle("1.00", day="2026-03-03")
    books.propose("2026-03-04")
    move_account(books, INSTITUTION, "6200000000000666")
    with pytest.raises(Exception, match="proposal_outdated"):
        request_payments(pay_date=SECOND, area_code=AREA, triggered_by="operator")


def test_a_first_payment_to_the_account_of_another_institution_needs_a_person(books):
    books.entitle("100.00")
    pay(books, FIRST)
    move_account(books, PHARMACY, "622200000001", since="2026-01-01")
    books.entitle("5.00", institution=PHARMACY, day="2026-03-03")
    request(books, SECOND)
    assert flags(books, SECOND) == {PHARMACY: "account_shared"}
    assert "first payment, to an account of another institution" in asked(books)


def test_what_was_rejected_for_a_closed_account_goes_out_again_without_a_person(books):
    books.entitle("100.00")
    first = pay(books, FIRST)
    answer_of_bank(books, status(first[INSTITUTION], reason="AC04"))
    assert set(pay(books, SECOND)) == {INSTITUTION}
    assert flags(books, SECOND) == {INSTITUTION: None}


def test_another_account_than_the_one_that_was_tried_needs_a_person_although_nothing_was_ever_paid(books):
    books.entitle("100.00")
    first = pay(books, FIRST)
    answer_of_bank(books, status(first[INSTITUTION], reason="AC04"))
    move_account(books, INSTITUTION, "6200000000000666")
    assert pay(books, SECOND) == {}
    assert flags(books, SECOND) == {INSTITUTION: "account_changed"}
    assert "on 2026-03-03 it was 原账户 医院1 622200000001" in asked(books)


@pytest.mark.parametrize("reason", ["MS03", "NARR", None, "ED05"])
def test_a_rejection_that_does_not_say_that_the_money_never_left_needs_a_person(books, reason):
    books.entitle("100.00")
    first = pay(books, FIRST)
    answer_of_bank(books, status(first[INSTITUTION], reason=reason))
    assert pay(books, SECOND) == {}
    assert flags(books, SECOND) == {INSTITUTION: "replaces_disputed"}
    text = asked(books)
    assert "the first payment may have left" in text
    assert (
        f"paid again, rejected by the bank before 原指令被银行拒付{f', reason 原因 {reason}' if reason else ''}" in text
    )


def test_what_came_back_after_it_was_booked_goes_out_again_unasked(books):
    books.entitle("100.00")
    first = pay(books, FIRST)
    answer_of_bank(books, booked(first[INSTITUTION], "100.00"))
    answer_of_bank(books, booked(first[INSTITUTION], "100.00", "credit"))
    second = pay(books, SECOND)
    assert second[INSTITUTION] != first[INSTITUTION]
    assert flags(books, SECOND) == {INSTITUTION: None}


def test_a_later_message_that_contradicts_a_rejection_calls_for_a_person(books):
    books.entitle("100.00")
    first = pay(books, FIRST)
    answer_of_bank(books, status(first[INSTITUTION], reason="AC04"))
    answer_of_bank(books, status(first[INSTITUTION], code="ACSP", reason=None))
    assert pay(books, SECOND) == {}
    assert flags(books, SECOND) == {INSTITUTION: "replaces_disputed"}


def test_what_the_bank_says_that_it_made_after_all_is_not_asked_for_again(books):
    books.entitle("100.00")
    first = pay(books, FIRST)
    answer_of_bank(books, status(first[INSTITUTION], reason="AC04"))
    answer_of_bank(books, status(first[INSTITUTION], code="ACSC", reason=None))
    assert pay(books, SECOND) == {}
    assert flags(books, SECOND) == {}


def test_an_older_failure_that_is_disputed_is_not_hidden_by_a_newer_one(books):
    books.entitle("100.00")
    first = pay(books, FIRST)
    books.entitle("10.00", day="2026-03-03")
    second = pay(books, SECOND)
    answer_of_bank(books, status(first[INSTITUTION], reason="MS03"), day="2026-03-04")
    answer_of_bank(books, status(second[INSTITUTION], reason="AC04"), day="2026-03-04")
    assert pay(books, THIRD) == {}
    assert flags(books, THIRD) == {INSTITUTION: "replaces_disputed"}


def test_what_a_person_approves_goes_to_the_account_that_was_shown(books):
    books.entitle("100.00")
    pay(books, FIRST)
    move_account(books, INSTITUTION, "6200000000000666")
    books.entitle("1.00", day="2026-03-03")
    [made] = request(books, SECOND)
    assert "6200000000000666" in asked(books)
    decide_request(made.request_id, decision="approved", decided_by="director", reason="")
    disburse_approved(pay_date=SECOND, area_code=AREA, posted_by="operator")
    assert books.rows("select account_no from ledger.payment_instruction where pay_date = '2026-03-04'") == [
        ("6200000000000666",)
    ]


def test_the_digest_is_of_every_payee_amount_and_account(books):
    books.entitle("11000.00")
    books.entitle("5.00", institution=PHARMACY)
    [made] = request(books, FIRST)

    def digest():
        found = questions.undecided_request(made.request_id, pay_date=FIRST, area_code=AREA)
        return questions.digest(*found)

    before = digest()
    assert digest() == before
    books.execute("alter table ledger.payment_request_line disable trigger all")
    seen = {before}
    for change in (
        "account_no = '622200000009'",
        "account_name = 'somebody else'",
        "bank_code = '102330000009'",
        "amount = amount + 0.01",
        "settlement_month = '2026-02'",
    ):
        books.execute(f"update ledger.payment_request_line set {change} where fixmedins_code = %s", [PHARMACY])
        seen.add(digest())
    assert len(seen) == 6


def test_an_answer_does_not_count_once_the_bank_said_more_about_the_payment_that_is_replaced(books):
    """Rejected for good when it was requested again; while the approver reads, the bank says that it was paid."""
    books.execute("update reference.area set approval_threshold = 1")
    books.entitle("100.00")
    [made] = request(books, FIRST)
    decide_request(made.request_id, decision="approved", decided_by="director", reason="")
    disburse_approved(pay_date=FIRST, area_code=AREA, posted_by="operator")
    [(first,)] = books.rows("select instruction_id from ledger.payment_instruction")
    answer_of_bank(books, status(first, reason="AC04"))
    [again] = request(books, SECOND)

    def question():
        return questions.undecided_request(again.request_id, pay_date=SECOND, area_code=AREA)

    before = questions.digest(*question())
    assert "since the request" not in questions.describe(*question())
    answer_of_bank(books, status(first, code="ACSC", reason=None))
    assert questions.digest(*question()) != before
    assert "since the request the bank said of it 请款后银行又回报 ACSC" in questions.describe(*question())


def line(number, flag=None, **changes):
    """A line of a long request."""
    values = {
        "fixmedins_code": f"H{number:04d}",
        "institution_name": "测试医院",
        "settlement_month": "2026-03",
        "amount": 1,
        "flag": flag,
        "account_name": "测试医院",
        "account_no": "62",
        "bank_code": "102330000002",
        "replaces_instruction_id": None,
        "last_account_name": "测试医院",
        "last_account_no": "62",
        "last_bank_code": "102330000002",
        "last_pay_date": FIRST,
        "failed_by": None,
        "failure_reason_code": None,
        "said_since": None,
    }
    return questions.QuestionLine(**{**values, **changes})


def question(lines):
    amounts = dict.fromkeys(
        (
            "plan_amount",
            "plan_used_before_amount",
            "reserve_amount",
            "reserve_used_amount",
            "approval_threshold_amount",
        ),
        0,
    )
    return Request(
        request_id=UUID(int=5),
        area_code=AREA,
        fund_pay_type="310100",
        pay_date=FIRST,
        purpose="daily",
        line_count=len(lines),
        total_amount=len(lines),
        is_over_plan=False,
        requested_by="operator",
        status="undecided",
        **amounts,
    )


def test_a_long_request_shows_every_flagged_line_the_totals_and_where_the_whole_list_stands():
    lines = [line(number, "account_changed") for number in range(100)] + [line(number) for number in range(100, 900)]
    text = questions.describe(question(lines), lines)
    assert all(f"| H{number:04d} " in text for number in range(100 + questions.LINES_SHOWN))
    assert "| H0899 " not in text
    assert "100 lines 笔, 100.00 yuan" in text
    assert "160 of 900 lines are shown. All of them 全部明细: `marts.fct_payment_request_lines`" in text
    assert str(UUID(int=5)) in text


def test_names_of_a_register_render_nothing_in_a_question():
    from markdown_it import MarkdownIt

    hostile = "![x](http://127.0.0.1:9999/md.png) | <b>paid</b>\n| forged | row |"
    lines = [line(1, institution_name=hostile, account_name=hostile, last_account_name=hostile)]
    html = MarkdownIt("gfm-like").render(questions.describe(question(lines), lines))
    assert "<img" not in html
    assert "<a " not in html
    assert "<b>" not in html
    assert html.count("<tr>") == 2
    assert html.count("<td") == 8
