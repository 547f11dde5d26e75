"""The story of tests/fixtures/README.md, played through the REST API on a real installation.

The tests of this module are its chapters: each goes on from the one before.
"""

from decimal import Decimal
from uuid import UUID

import pytest
from tests.end_to_end.questions import answer_and_follow, wait_for_question
from tests.fixtures import batches
from tests.fixtures.bank import write_bank_batch

HOSPITAL = "H33010600123"
PHARMACY = "P33010600456"


class Story:
    """The installation with the story's own verbs."""

    def __init__(self, installation):
        self.platform = installation
        self.inbox = installation.inbox

    def deliver(self, batch_id, day, rows, created=None):
        created_at = f"{created}T23:10:00+08:00" if created else None
        batches.write_batch(
            self.inbox,
            batch_id,
            "settlement",
            {"settlement": rows},
            day=day,
            created_at=created_at,
            control=("medfee_sumamt", "fund_pay_sumamt"),
        )
        return self.platform.receive(batch_id)

    def bank_answers(self, batch_id, day, **answers):
        write_bank_batch(self.inbox, batch_id, day, **answers)
        assert self.platform.receive(batch_id)["status"] == "accepted"
        assert self.platform.run("record_receipts", batch_id, {"batch_id": batch_id}) == "success"

    def instructions(self, pay_date):
        return self.platform.rows(
            "select i.instruction_id, i.amount, i.status, i.replaces_instruction_id"
            " from marts.fct_payment_instructions as i join marts.fct_payment_requests as r using (request_id)"
            f" where r.pay_date = '{pay_date}' and i.fixmedins_code = '{HOSPITAL}'"
        )

    def instruction(self, pay_date) -> tuple[UUID, Decimal, str]:
        [(instruction_id, amount, status, _)] = self.instructions(pay_date)
        return instruction_id, amount, status

    def balances(self):
        return dict(
            self.platform.rows(
                "select account, sum(case side when 'debit' then amount else -amount end)"
                " from marts.fct_entry_lines"
                f" where fixmedins_code = '{HOSPITAL}' and fund_pay_type = '310100' group by account"
            )
        )


@pytest.fixture(scope="module")
def story(installation):
    batches.write_batch(
        installation.inbox,
        "story-reference",
        "reference",
        {
            "area": [batches.area(reject_limit="0.500000")],
            "institution": [batches.institution(HOSPITAL), batches.institution(PHARMACY)],
            "bank_account": [batches.bank_account(HOSPITAL), batches.bank_account(PHARMACY)],
            "fund_account": [batches.fund_account()],
            "payment_policy": [batches.daily_policy()],
            "cash_plan": [batches.cash_plan("330100", "2026-03", "90000000.00", "10000000.00")],
        },
    )
    assert installation.receive("story-reference")["status"] == "accepted"
    return Story(installation)


def test_monday_is_received_and_the_row_that_does_not_add_up_is_refused(story):
    broken = batches.settlement("S3", PHARMACY, "2026-03-02", "50.00", med_type="41", clr_type="41")
    receipt = story.deliver(
        "story-0302",
        "2026-03-02",
        [
            batches.settlement("S1", HOSPITAL, "2026-03-02", "100000.00"),
            batches.settlement("S2", HOSPITAL, "2026-03-02", "23456.78", med_type="11", clr_type="11"),
            broken | {"fund_pay_sumamt": "60.00"},
        ],
    )
    assert receipt["status"] == "accepted"
    assert receipt["reasons"] == {"R_SUM_FUND": 1, "R_SUM_TOTAL": 1}
    assert "2 accepted" in story.platform.note("receive_batch", "story-0302")


def test_tuesday_pays_seventy_per_cent_of_monday_approved_by_rule(story):
    assert story.platform.settle("2026-03-03") == "success"
    instruction_id, amount, status = story.instruction("2026-03-03")
    assert (amount, status) == (Decimal("86419.75"), "instructed")
    story.bank_answers("story-bank-0303", "2026-03-03", booked=[(instruction_id.hex, "86419.75")])
    assert story.instruction("2026-03-03")[2] == "paid"


def test_wednesdays_payment_is_rejected_by_the_bank_and_payable_again(story):
    story.deliver("story-0303", "2026-03-03", [batches.settlement("S4", HOSPITAL, "2026-03-03", "98765.43")])
    assert story.platform.settle("2026-03-04") == "success"
    instruction_id, amount, _ = story.instruction("2026-03-04")
    assert amount == Decimal("69135.80")
    story.bank_answers("story-bank-0304", "2026-03-04", rejected=[(instruction_id.hex, "AC04")])
    assert story.instruction("2026-03-04")[2] == "rejected"


def test_thursdays_request_waits_for_another_person_than_who_triggered_it(story):
    story.deliver("story-0304", "2026-03-04", [batches.settlement("S5", HOSPITAL, "2026-03-04", "110000.01")])
    platform, approver = story.platform.api("platform"), story.platform.api("approver")
    platform.trigger("settle_day", "pay-2026-03-05", {"pay_date": "2026-03-05"})

    question = wait_for_question(platform, "pay-2026-03-05")
    assert "146,135.81" in question["subject"]
    platform.answer(question, "approve", {"reason": "my own"})
    question = wait_for_question(platform, "pay-2026-03-05")
    assert story.instructions("2026-03-05") == []

    assert answer_and_follow(approver, question, "approve", "checked") == "success"
    [(instruction_id, amount, status, replaces)] = story.instructions("2026-03-05")
    assert (amount, status) == (Decimal("146135.81"), "instructed")
    assert replaces == story.instruction("2026-03-04")[0]
    [(approved_by,)] = story.platform.rows(
        "select approved_by from marts.fct_payment_requests where pay_date = '2026-03-05'"
    )
    assert approved_by == "approver"
    story.bank_answers("story-bank-0305", "2026-03-05", booked=[(instruction_id.hex, "146135.81")])


def test_friday_pays_nothing_because_a_late_refund_left_less_than_nothing_due(story):
    refund = batches.settlement("R2", HOSPITAL, "2026-03-02", "-456.78", refund_of="S2", med_type="11", clr_type="11")
    assert story.deliver("story-0302-late", "2026-03-02", [refund], created="2026-03-05")["status"] == "accepted"
    assert story.platform.settle("2026-03-06") == "success"
    assert story.instructions("2026-03-06") == []


def test_monday_pays_fridays_settlement_less_the_refund_and_the_bank_returns_it(story):
    row = batches.settlement("S6", HOSPITAL, "2026-03-06", "10000.00")
    assert story.deliver("story-0306", "2026-03-06", [row, row])["reasons"] == {"R_DUPLICATE": 1}
    assert story.platform.settle("2026-03-09") == "success"
    instruction_id, amount, _ = story.instruction("2026-03-09")
    assert amount == Decimal("6680.25")
    story.bank_answers("story-bank-0309", "2026-03-09", booked=[(instruction_id.hex, "6680.25")])
    story.bank_answers("story-bank-0310", "2026-03-10", returned=[(instruction_id.hex, "6680.25")])
    assert story.instruction("2026-03-09")[2] == "returned"


def test_the_books_end_as_worked_out_by_hand(story):
    balances = {account: amount for account, amount in story.balances().items() if amount}
    assert balances == {
        "benefit_expense": Decimal("341765.44"),
        "expenditure_account": Decimal("-232555.56"),
        "payable_institution": Decimal("-109209.88"),
    }


def test_running_every_pay_date_again_pays_nothing(story):
    before = story.platform.rows("select * from marts.fct_payment_instructions order by 1")
    assert story.platform.settle("2026-03-04", "-again") == "success"
    assert story.platform.settle("2026-03-09", "-again") == "success"
    assert story.platform.rows("select * from marts.fct_payment_instructions order by 1") == before


def test_the_same_batch_again_is_a_duplicate_and_its_first_receipt_stays(story):
    first = story.platform.receipt("story-0303")
    assert story.platform.run("receive_batch", "story-0303-again", {"batch_id": "story-0303"}) == "success"
    assert "duplicate" in story.platform.note("receive_batch", "story-0303-again")
    assert story.platform.receipt("story-0303") == first


def test_a_pay_date_on_a_sunday_is_refused_with_advice(story):
    assert story.platform.settle("2026-03-08") == "failed"


def test_an_unknown_parameter_is_refused(story):
    assert story.platform.run("settle_day", "unknown-key", {"pay_day": "2026-03-09"}) == "failed"


def test_an_account_bound_to_one_area_cannot_settle_all_of_them(story):
    assert story.platform.run("settle_day", "every-area", {"pay_date": "2026-03-09"}, user="operator") == "failed"


def test_a_batch_with_too_many_bad_rows_waits_until_a_person_releases_it(story):
    good = batches.settlement("H1", HOSPITAL, "2026-03-09", "20.00")
    bad = [batches.settlement(f"H{n}", HOSPITAL, "2026-03-09", "20.00") | {"hifp_pay": "1.234"} for n in (2, 3)]
    batches.write_batch(story.inbox, "story-held", "settlement", {"settlement": [good, *bad]}, day="2026-03-09")
    platform, operator = story.platform.api("platform"), story.platform.api("operator")
    platform.trigger("receive_batch", "story-held", {"batch_id": "story-held"})
    question = wait_for_question(platform, "story-held", dag_id="receive_batch")
    assert story.platform.receipt("story-held")["status"] == "held"
    assert story.platform.rows("select count(*) from marts.fct_settlements where setl_id = 'H1'") == [(0,)]

    assert answer_and_follow(operator, question, "release", "known error of the sender") == "success"
    assert story.platform.receipt("story-held")["status"] == "accepted"
    assert story.platform.rows("select count(*) from marts.fct_settlements where setl_id = 'H1'") == [(1,)]
