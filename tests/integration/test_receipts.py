"""What the bank answers becomes events and entries once, whatever arrives twice, late, wrong or out of order."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest
from tests.fixtures.bank_answers import booked, deliver, status
from tests.fixtures.bank_scene import bank_scene, settle  # noqa: F401
from tests.fixtures.prepared_warehouse import PHARMACY, prepared  # noqa: F401
from tests.fixtures.proposals import AREA, INSTITUTION

from settlement.banking.matching import record_batch, unrecorded_batches
from settlement.errors import SettlementError
from settlement.ledger.explanation import explain

OTHER_AREA = "330200"


def test_a_booked_debit_pays(bank):
    assert bank.answers(booked(bank.instruction())) == {"paid": 1}
    balances, events = bank.state()
    assert balances == {
        "expenditure_account": Decimal("-1000.00"),
        "payable_institution": Decimal("-8500.00"),
        "payment_in_transit": Decimal("-500.00"),
    }
    assert events == [(INSTITUTION, "paid")]
    assert bank.warehouse.rows("select accounting_date::text from ledger.entry where event = 'paid'") == [
        ("2026-03-03",)
    ]


def test_a_rejection_makes_the_money_payable_and_it_goes_out_again_under_a_new_id(bank):
    first = bank.instruction(PHARMACY)
    assert bank.answers(status(first)) == {"rejected": 1}
    balances, _ = bank.state()
    assert balances["payable_institution"] == Decimal("-9000.00")
    bank.warehouse.entitle("20.00", day="2026-03-03", institution=PHARMACY)
    settle(bank.warehouse, date(2026, 3, 4))
    second = bank.instruction(PHARMACY)
    assert second != first
    assert bank.warehouse.rows(
        "select amount, replaces_instruction_id from ledger.payment_instruction where instruction_id = %s", second
    ) == [(Decimal("520.00"), first)]


def test_a_return_after_booking_makes_the_money_payable_again(bank):
    instruction = bank.instruction()
    bank.answers(booked(instruction))
    assert bank.answers(booked(instruction, side="credit", day="2026-03-04", reason_code="AC04")) == {"returned": 1}
    balances, events = bank.state()
    assert balances["expenditure_account"] == 0
    assert balances["payable_institution"] == Decimal("-9500.00")
    assert events == [(INSTITUTION, "paid"), (INSTITUTION, "returned")]


def test_waiting_and_accepted_answers_move_nothing(bank):
    before = bank.state()
    answers = [status(bank.instruction(), "PDNG", None), status(bank.instruction(PHARMACY), "ACSC", None)]
    assert bank.answers(*answers) == {"accepted": 1, "pending": 1}
    assert bank.answers(booked(bank.instruction(), status="PDNG", booking_date=None)) == {"repeated": 1}
    assert bank.state() == before


def test_an_unknown_id_stands_in_suspense(bank):
    stranger = uuid4()
    assert bank.answers(booked(stranger, "77.00"), booked(None, "3.00", side="credit")) == {"unknown": 2}
    assert bank.state()[0]["suspense"] == Decimal("74.00")
    assert bank.warehouse.rows("select distinct fixmedins_code from ledger.entry where event = 'suspense'") == [
        (f"A{AREA}00000",)
    ]


def test_money_without_any_id_is_told_apart_by_the_banks_reference(bank):
    movements = [booked(None, "3.00", servicer_reference=reference) for reference in ("S1", "S2", "S2")]
    assert bank.answers(*movements) == {"unknown": 2, "repeated": 1}


def test_another_amount_is_held_unmatched(bank):
    assert bank.answers(booked(bank.instruction(), "999.99")) == {"amount_differs": 1}
    balances, events = bank.state()
    assert events == []
    assert balances["payment_in_transit"] == Decimal("-1500.00")
    assert "suspense" not in balances, "the account is none of that area either"


def test_the_same_receipt_again_is_ignored(bank):
    receipt = booked(bank.instruction())
    rejection = status(bank.instruction(PHARMACY))
    bank.answers(receipt, rejection)
    before = bank.state()
    assert bank.answers(receipt, rejection, receipt) == {"repeated": 3}
    assert bank.state() == before


def test_a_batch_is_recorded_once(bank):
    batch_id = deliver(bank.warehouse, booked(bank.instruction()))
    assert unrecorded_batches() == [batch_id]
    first = record_batch(batch_id, posted_by="bank")
    again = record_batch(batch_id, posted_by="bank")
    assert unrecorded_batches() == []
    assert again.counts == first.counts == {"paid": 1}
    assert "already recorded" in again.summary


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_messages_in_a_batch_does_not_matter(bank, turned):
    paid, rejected = bank.instruction(), bank.instruction(PHARMACY)
    answers = [
        status(paid),
        booked(paid, side="credit"),
        booked(paid),
        status(rejected),
        status(rejected, "PDNG", None),
    ]
    counts = bank.answers(*(answers[::-1] if turned else answers))
    assert counts == {"paid": 1, "not_expected": 1, "rejected": 1, "pending": 1, "returned": 1}
    assert bank.state()[0]["payable_institution"] == Decimal("-10000.00")


def test_a_rejection_after_payment_is_kept_but_moves_nothing(bank):
    bank.answers(booked(bank.instruction()))
    before = bank.state()
    assert bank.answers(status(bank.instruction())) == {"not_expected": 1}
    assert bank.state() == before


def test_money_that_left_after_a_rejection_stands_in_suspense(bank):
    bank.answers(status(bank.instruction()))
    assert bank.answers(booked(bank.instruction())) == {"not_expected": 1}
    balances, events = bank.state()
    assert balances["suspense"] == Decimal("1000.00")
    assert balances["expenditure_account"] == Decimal("-1000.00")
    assert events == [(INSTITUTION, "rejected")]


def test_money_that_left_after_a_rejection_is_not_paid_again_until_it_is_back(bank):
    first = bank.instruction()
    assert bank.answers(status(first)) == {"rejected": 1}
    assert bank.answers(booked(first)) == {"not_expected": 1}
    bank.warehouse.entitle("20.00", day="2026-03-03")
    settle(bank.warehouse, date(2026, 3, 4))
    assert bank.newest() == (Decimal("20.00"), None), "the 1000.00 are out, and only what is new is due"

    assert bank.answers(booked(first, side="credit", day="2026-03-04"), day="2026-03-04") == {"not_expected": 1}
    settle(bank.warehouse, date(2026, 3, 5))
    assert bank.newest() == (Decimal("20.00"), None), "a person is asked, as the bank has contradicted itself"
    assert bank.warehouse.rows(
        "select line.amount, line.replaces_instruction_id, line.flag from ledger.payment_request_line as line"
        " join ledger.payment_request using (request_id) where pay_date = '2026-03-05'"
    ) == [(Decimal("1000.00"), first, "replaces_disputed")]


def test_another_amount_that_left_after_a_rejection_is_not_paid_again(bank):
    bank.answers(status(bank.instruction()))
    assert bank.answers(booked(bank.instruction(), "999.99")) == {"amount_differs": 1}
    bank.warehouse.entitle("20.00", day="2026-03-03")
    settle(bank.warehouse, date(2026, 3, 4))
    assert bank.newest() == (Decimal("20.00"), None)


def test_a_second_debit_stands_in_suspense(bank):
    bank.answers(booked(bank.instruction()))
    assert bank.answers(booked(bank.instruction(), day="2026-03-04")) == {"not_expected": 1}
    assert bank.state()[0]["suspense"] == Decimal("1000.00")


def test_a_second_debit_of_a_day_stands_in_suspense_where_the_bank_gives_it_a_reference_of_its_own(bank):
    first, second = (booked(bank.instruction(), servicer_reference=reference) for reference in ("S1", "S2"))
    assert bank.answers(first) == {"paid": 1}
    assert bank.answers(first, second) == {"repeated": 1, "not_expected": 1}
    assert bank.answers(second, first) == {"repeated": 2}
    balances, events = bank.state()
    assert balances["suspense"] == Decimal("1000.00")
    assert balances["expenditure_account"] == Decimal("-2000.00")
    assert events == [(INSTITUTION, "paid")]


def test_a_debit_without_a_reference_is_the_one_that_is_known(bank):
    without = booked(bank.instruction())
    assert bank.answers(without) == {"paid": 1}
    assert bank.answers(booked(bank.instruction(), servicer_reference="S1")) == {"repeated": 1}
    assert bank.answers(without, booked(bank.instruction(), servicer_reference="S2")) == {
        "repeated": 1,
        "not_expected": 1,
    }


def test_references_tell_movements_apart_in_whatever_order_their_batches_are_recorded(bank):
    batches = [
        deliver(bank.warehouse, booked(bank.instruction(), servicer_reference=reference)) for reference in ("S1", "S2")
    ]
    counts = [record_batch(batch_id, posted_by="bank").counts for batch_id in reversed(batches)]
    assert counts == [{"paid": 1}, {"not_expected": 1}]


def test_the_credit_that_gives_a_second_debit_back_leaves_the_payment_made(bank):
    instruction = bank.instruction()
    bank.answers(booked(instruction), booked(instruction, day="2026-03-04"))
    assert bank.answers(booked(instruction, side="credit", day="2026-03-05")) == {"not_expected": 1}
    balances, events = bank.state()
    assert balances["suspense"] == 0
    assert balances["expenditure_account"] == Decimal("-1000.00")
    assert balances["payable_institution"] == Decimal("-8500.00")
    assert events == [(INSTITUTION, "paid")]
    assert bank.answers(booked(instruction, side="credit", day="2026-03-06")) == {"returned": 1}
    assert bank.state()[0]["payable_institution"] == Decimal("-9500.00")


def test_a_credit_that_was_recorded_before_its_debit_makes_the_money_payable_when_the_debit_comes(bank):
    instruction = bank.instruction()
    credit = booked(instruction, side="credit", day="2026-03-04", reason_code="AC04")
    assert bank.answers(credit) == {"not_expected": 1}
    assert bank.state()[0]["suspense"] == Decimal("-1000.00")
    assert bank.answers(booked(instruction, day="2026-03-03")) == {"paid": 1, "returned": 1}
    balances, events = bank.state()
    assert balances == {
        "expenditure_account": Decimal("0.00"),
        "payable_institution": Decimal("-9500.00"),
        "payment_in_transit": Decimal("-500.00"),
        "suspense": Decimal("0.00"),
    }
    assert events == [(INSTITUTION, "paid"), (INSTITUTION, "returned")]
    assert bank.warehouse.rows(
        "select event_date::text, reason_code from ledger.payment_event where event = 'returned'"
    ) == [("2026-03-04", "AC04")]
    assert bank.warehouse.rows(
        "select reversed.event from ledger.entry join ledger.entry as reversed"
        " on entry.reverses_event_id = reversed.business_event_id where entry.event = 'suspense_cleared'"
    ) == [("suspense",)]
    assert bank.answers(credit, booked(instruction, day="2026-03-03")) == {"repeated": 2}

    bank.warehouse.entitle("20.00", day="2026-03-03")
    settle(bank.warehouse, date(2026, 3, 4))
    assert bank.warehouse.rows(
        "select amount, replaces_instruction_id from ledger.payment_instruction where instruction_id = %s",
        bank.instruction(),
    ) == [(Decimal("1020.00"), instruction)]


def test_money_that_went_through_suspense_is_shown_with_its_instruction(bank):
    instruction = bank.instruction()
    bank.answers(booked(instruction, side="credit"))
    bank.answers(booked(instruction))
    [entries] = [section for section in explain(instruction.hex).sections if section.name == "entries"]
    assert [row["event"] for row in entries.rows[::2]] == [
        "instructed",
        "suspense",
        "paid",
        "returned",
        "returned",
        "suspense_cleared",
    ]


def test_a_credit_of_a_rejected_payment_stays_in_suspense_beside_its_debit(bank):
    instruction = bank.instruction()
    bank.answers(booked(instruction, side="credit"))
    assert bank.answers(status(instruction)) == {"rejected": 1}
    assert bank.answers(booked(instruction)) == {"not_expected": 1}
    balances, events = bank.state()
    assert balances["suspense"] == balances["expenditure_account"] == 0
    assert events == [(INSTITUTION, "rejected")]


def test_the_bank_of_another_area_decides_nothing(bank):
    instruction = bank.instruction()
    answers = [status(instruction), booked(instruction)]
    assert bank.answers(*answers, area=OTHER_AREA) == {"unknown": 1, "held": 1}
    balances, events = bank.state()
    assert balances["payment_in_transit"] == Decimal("-1500.00")
    assert "suspense" not in balances, "the account is none of that area either"
    assert events == []
    assert bank.answers(booked(instruction)) == {"paid": 1}, "what another area's bank said does not stand for it"


def test_the_bank_of_another_area_rejects_no_message(bank):
    [(message_id,)] = bank.warehouse.rows("select message_id from ledger.bank_file")
    rejection = status(None, original_message_id=message_id, reason="AM04")
    assert bank.answers(rejection, area=OTHER_AREA) == {"unknown": 1}
    assert bank.state()[1] == []


def test_a_status_that_comes_after_the_booking_changes_nothing(bank):
    bank.answers(booked(bank.instruction()))
    before = bank.state()
    assert bank.answers(
        status(bank.instruction(), "ACSC", None), status(bank.instruction(), "PDNG", None), day="2026-03-04"
    ) == {"accepted": 1, "pending": 1}
    assert bank.state() == before


@pytest.mark.parametrize(
    "unexplained",
    [
        lambda instruction: booked(uuid4(), "77.00"),
        lambda instruction: booked(instruction, "999.99"),
        lambda instruction: booked(instruction, side="credit"),
    ],
    ids=["unknown", "amount_differs", "not_expected"],
)
def test_what_cannot_be_explained_calls_for_a_person(bank, caplog, unexplained):
    bank.answers(booked(bank.instruction(PHARMACY), "500.00"))
    assert not caplog.records
    bank.answers(unexplained(bank.instruction()))
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.getMessage().startswith("BANK ANSWER NEEDS A PERSON 回单须人工核查: area 330100, batch BANK-")


def test_a_rejected_message_rejects_each_of_its_payments(bank):
    [(message_id,)] = bank.warehouse.rows("select message_id from ledger.bank_file")
    assert bank.answers(status(None, original_message_id=message_id, reason="AM04")) == {"rejected": 2}
    assert bank.state()[0]["payable_institution"] == Decimal("-10000.00")


@pytest.mark.parametrize("reason", ["AM05", "DU01", "DU02", "DU03", "DU04", "DU05", "DUPL"])
def test_a_message_refused_as_a_duplicate_rejects_no_payment(bank, caplog, reason):
    [(message_id,)] = bank.warehouse.rows("select message_id from ledger.bank_file")
    before = bank.state()
    refusal = status(None, original_message_id=message_id, reason=reason)
    assert bank.answers(refusal) == {"not_expected": 2}
    assert bank.state() == before
    assert "BANK ANSWER NEEDS A PERSON" in caplog.text
    assert bank.answers(refusal) == {"repeated": 2}


@pytest.mark.parametrize("turned", [False, True])
def test_the_refusal_of_a_copy_does_not_stand_for_the_rejection_of_the_payment(bank, turned):
    answers = [status(bank.instruction(), reason="DU03"), status(bank.instruction(), reason="AC04")]
    first, second = answers[::-1] if turned else answers
    counts = bank.answers(first) | bank.answers(second)
    assert counts == {"not_expected": 1, "rejected": 1}
    assert bank.state()[1] == [(INSTITUTION, "rejected")]


@pytest.mark.parametrize("turned", [False, True])
def test_a_rejected_payment_that_was_a_duplicate_to_the_bank_too_goes_out_again_by_a_person_only(bank, turned):
    first = bank.instruction(PHARMACY)
    for reason in ["AC04", "AM05"] if turned else ["AM05", "AC04"]:
        bank.answers(status(first, reason=reason))
    settle(bank.warehouse, date(2026, 3, 4))
    assert bank.instruction(PHARMACY) == first
    assert bank.warehouse.rows(
        "select line.replaces_instruction_id, line.flag from ledger.payment_request_line as line"
        " join ledger.payment_request using (request_id) where pay_date = '2026-03-04'"
    ) == [(first, "replaces_disputed")]


def test_a_payment_whose_copy_was_refused_is_paid_by_its_booking(bank):
    bank.answers(status(bank.instruction(), reason="AM05"))
    assert bank.answers(booked(bank.instruction())) == {"paid": 1}


def test_a_cancelled_payment_is_payable_again(bank):
    assert bank.answers(status(bank.instruction(), "CANC")) == {"rejected": 1}
    assert bank.state()[1] == [(INSTITUTION, "rejected")]


@pytest.mark.parametrize("code", ["BLCK", "XXXX", "acsc", None])
def test_a_status_that_nobody_agreed_on_is_no_acceptance_and_calls_for_a_person(bank, caplog, code):
    before = bank.state()
    assert bank.answers(status(bank.instruction(), code, None)) == {"not_expected": 1}
    assert bank.state() == before
    assert "BANK ANSWER NEEDS A PERSON" in caplog.text


@pytest.mark.parametrize("made", ["ACSC", "ACCC"])
def test_what_the_bank_said_it_made_after_its_rejection_is_not_paid_again_before_a_booking(bank, caplog, made):
    instruction = bank.instruction(PHARMACY)
    bank.answers(status(instruction))
    assert bank.answers(status(instruction, made, None), day="2026-03-04") == {"not_expected": 1}
    assert "BANK ANSWER NEEDS A PERSON" in caplog.text
    settle(bank.warehouse, date(2026, 3, 4))
    assert bank.instruction(PHARMACY) == instruction


@pytest.mark.parametrize("together", [False, True])
def test_a_rejection_of_what_the_bank_said_it_made_moves_nothing_and_calls_for_a_person(bank, caplog, together):
    instruction = bank.instruction(PHARMACY)
    before = bank.state()
    made, refused = status(instruction, "ACSC", None), status(instruction)
    counts = bank.answers(refused, made) if together else bank.answers(made) | bank.answers(refused)
    assert counts == {"accepted": 1, "not_expected": 1}
    assert bank.state() == before
    assert "BANK ANSWER NEEDS A PERSON" in caplog.text


@pytest.mark.parametrize("known", [False, True])
def test_another_currency_is_never_yuan_in_the_books_and_its_correction_counts(bank, caplog, known):
    instruction = bank.instruction() if known else uuid4()
    before = bank.state()
    assert bank.answers(booked(instruction, currency="USD")) == {"amount_differs": 1}
    assert bank.state() == before
    assert "BANK ANSWER NEEDS A PERSON" in caplog.text
    assert bank.answers(booked(instruction)) == {"paid" if known else "unknown": 1}


def test_a_rejection_that_names_no_payment_rejects_none(bank):
    [(message_id,)] = bank.warehouse.rows("select message_id from ledger.bank_file")
    before = bank.state()
    nameless = status(None, end_to_end_id="NOTPROVIDED", original_message_id=message_id)
    assert bank.answers(nameless) == {"unknown": 1}
    assert bank.state() == before


def test_a_receipt_after_the_close_is_booked_in_the_first_open_month(bank):
    bank.warehouse.execute(
        "insert into ledger.settlement_period (area_code, settlement_month, closed_by) values (%s, '2026-03', 'x')",
        [AREA],
    )
    assert bank.answers(booked(bank.instruction()), day="2026-04-01") == {"paid": 1}
    assert bank.warehouse.rows(
        "select accounting_date::text, settlement_month from ledger.entry where event = 'paid'"
    ) == [("2026-04-01", "2026-03")]
    assert bank.warehouse.rows("select event_date::text from ledger.payment_event") == [("2026-03-03",)]


@pytest.mark.parametrize(
    ("received", "booked_on"),
    [("2025-03-03", "2026-03-03"), ("2026-03-02", "2026-03-03"), ("2026-03-04", "2026-03-04")],
)
def test_a_rejection_is_of_the_day_it_came_and_never_before_its_payment(bank, received, booked_on):
    assert bank.answers(status(bank.instruction()), day=received) == {"rejected": 1}
    assert bank.warehouse.rows(
        "select event_date::text, accounting_date::text from ledger.payment_event"
        " join ledger.entry using (fixmedins_code, event) where event = 'rejected'"
    ) == [(booked_on, booked_on)]


def test_a_batch_that_was_not_accepted_is_refused(bank):
    with pytest.raises(SettlementError) as refusal:
        record_batch("NOT-THERE", posted_by="bank")
    assert refusal.value.code == "batch_not_accepted"


def test_an_event_that_no_posting_rule_books_fails_loudly_and_leaves_nothing(bank):
    bank.warehouse.execute("update seeds.posting_rules set valid_to = '2026-03-02' where event = 'paid'")
    before = bank.state()
    with pytest.raises(SettlementError) as refusal:
        bank.answers(booked(bank.instruction()))
    assert refusal.value.code == "event_without_entry"
    assert bank.state() == before
    assert unrecorded_batches() != []
