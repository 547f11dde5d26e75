"""Notices as banks write them, from the file to the books: what cannot be true moves nothing."""

from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from tests.fixtures.bank_answers import booked, status
from tests.fixtures.bank_scene import bank_scene, settle  # noqa: F401
from tests.fixtures.prepared_warehouse import PHARMACY, prepared  # noqa: F401
from tests.fixtures.proposals import INSTITUTION

from settlement.banking.matching import Matching

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
OWN_ACCOUNT = "933010001"
FOREIGN = ("6222000099998888", "93301000", "9330100011", "***1")
CALLED = "BANK ANSWER NEEDS A PERSON"


def notice(
    *entries: str, account: str | None = OWN_ACCOUNT, message: str = "N1", made: str = "2026-03-03T17:00:00+08:00"
) -> bytes:
    """A camt.054 of one account."""
    named = f"<Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>" if account else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{NAMESPACE}"><BkToCstmrDbtCdtNtfctn>'
        f"<GrpHdr><MsgId>{message}</MsgId><CreDtTm>{made}</CreDtTm></GrpHdr>"
        f"<Ntfctn><Id>{message}</Id>{named}{''.join(entries)}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def entry(
    amount: str,
    *details: str,
    side: str = "DBIT",
    day: str = "2026-03-03",
    reference: str | None = "S1",
    reversal: bool = False,
    more: str = "",
) -> str:
    """An entry of the account; `details` are its transactions, `more` what stands before them."""
    listed = "".join(details)
    return (
        f'<Ntry><NtryRef>1</NtryRef><Amt Ccy="CNY">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        f"{'<RvslInd>true</RvslInd>' if reversal else ''}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"{f'<AcctSvcrRef>{reference}</AcctSvcrRef>' if reference else ''}{more}"
        f"{f'<NtryDtls>{listed}</NtryDtls>' if details else ''}</Ntry>"
    )


def detail(payment: UUID | str | None, amount: str | None = None, more: str = "") -> str:
    """A transaction of an entry."""
    name = payment.hex if isinstance(payment, UUID) else payment
    refs = f"<Refs><EndToEndId>{name}</EndToEndId></Refs>" if name else ""
    of_its_own = f'<Amt Ccy="CNY">{amount}</Amt>' if amount else ""
    return f"<TxDtls>{refs}{of_its_own}{more}</TxDtls>"


def charge(amount: str, side: str = "DBIT", included: str = "true") -> str:
    """What the bank took for itself."""
    return (
        f'<Chrgs><Rcrd><Amt Ccy="CNY">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        f"<ChrgInclInd>{included}</ChrgInclInd></Rcrd></Chrgs>"
    )


def is_nothing_new(matched: Matching) -> bool:
    """Whether the batch says only what is known: its rows are known at loading, or their transactions are."""
    return set(matched.counts) <= {"repeated"}


def account_of(bank) -> Decimal:
    """What the books say of the expenditure account."""
    return bank.state()[0].get("expenditure_account", Decimal(0))


def suspense_of(bank) -> Decimal:
    """What stands in suspense."""
    return bank.state()[0].get("suspense", Decimal(0))


@pytest.mark.parametrize("side", ["DBIT", "CRDT"])
@pytest.mark.parametrize("account", [*FOREIGN, "****", None])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_notice_of_another_account_moves_nothing_and_the_right_one_counts(bank, caplog, account, side, is_known):
    payment = bank.instruction() if is_known else uuid4()
    before = bank.state()
    matched = bank.plays(notice(entry("1000.00", detail(payment, "1000.00"), side=side), account=account), 1)
    assert matched.counts == {"held": 1}
    assert set(matched.findings) == {"foreign_account" if account in FOREIGN else "account_missing"}
    assert bank.state() == before
    assert CALLED in caplog.text
    if is_known:
        assert bank.plays(notice(entry("1000.00", detail(payment, "1000.00"))), 1).counts == {"paid": 1}


@pytest.mark.parametrize("account", ["9330 1000 1", "933-010-001", "9330***01"])
def test_the_account_is_known_however_the_bank_writes_it(bank, account):
    payment = detail(bank.instruction(), "1000.00")
    assert bank.plays(notice(entry("1000.00", payment), account=account), 1).counts == {"paid": 1}


@pytest.mark.parametrize("is_sent_again", [True, False])
def test_a_notice_that_was_held_for_an_account_we_did_not_know_counts_once_it_is_known(bank, is_sent_again):
    bank.warehouse.execute("update reference.fund_account set account_no = '111'")
    held = notice(entry("1000.00", detail(bank.instruction(), "1000.00")))
    assert bank.plays(held, 1).counts == {"held": 1}
    bank.warehouse.execute("update reference.fund_account set account_no = %s", [OWN_ACCOUNT])
    other = notice(entry("500.00", detail(bank.instruction(PHARMACY), "500.00"), reference="S2"), message="N2")
    assert bank.plays(held if is_sent_again else other, 1).counts == {"paid": 1 if is_sent_again else 2}
    after = bank.state()
    assert is_nothing_new(bank.plays(held + b" ", 1)), "it is judged once, however often it comes"
    assert bank.state() == after
    assert (INSTITUTION, "paid") in after[1]


def test_money_of_no_known_payment_that_was_held_stands_in_suspense_once_its_account_is_known(bank):
    bank.warehouse.execute("update reference.fund_account set account_no = '111'")
    held = notice(entry("7.00", reference=None), entry("7.00", reference=None), entry("9.00", detail(None)))
    assert bank.plays(held, 3).counts == {"held": 3}
    bank.warehouse.execute("update reference.fund_account set account_no = %s", [OWN_ACCOUNT])
    assert bank.plays(held, 3).counts == {"unknown": 3}
    assert suspense_of(bank) == Decimal("23.00")
    assert is_nothing_new(bank.plays(held + b" ", 3))
    assert suspense_of(bank) == Decimal("23.00")


def test_a_return_that_was_held_counts_once_its_account_is_known(bank):
    payment = detail(bank.instruction(), "1000.00")
    bank.plays(notice(entry("1000.00", payment)), 1)
    bank.warehouse.execute("update reference.fund_account set account_no = '111'")
    held = notice(entry("1000.00", payment, side="CRDT", reference="S2"), message="N2")
    assert bank.plays(held, 1).counts == {"held": 1}
    bank.warehouse.execute("update reference.fund_account set account_no = %s", [OWN_ACCOUNT])
    assert bank.plays(held, 1).counts == {"returned": 1}
    assert account_of(bank) == 0


def test_a_notice_whose_batch_said_a_wrong_day_counts_when_it_comes_again(bank):
    held = notice(entry("1000.00", detail(bank.instruction(), "1000.00")))
    assert bank.plays(held, 1, day="2026-01-03").counts == {"held": 1}
    assert bank.plays(held, 1).counts == {"paid": 1}
    assert is_nothing_new(bank.plays(held + b" ", 1))
    assert account_of(bank) == Decimal("-1000.00")


def test_what_stays_held_is_told_once_and_what_was_corrected_is_booked_once(bank, caplog):
    payment = detail(bank.instruction(), "1000.00")
    bank.plays(notice(entry("1000.00", payment), account="93301000"), 1)
    bank.plays(notice(entry("1000.00", payment)), 1)
    caplog.clear()
    other = notice(entry("500.00", detail(bank.instruction(PHARMACY), "500.00"), reference="S2"), message="N2")
    assert bank.plays(other, 1).counts == {"paid": 1}
    assert CALLED not in caplog.text
    bank.warehouse.execute(
        "insert into reference.fund_account select (jsonb_populate_record(fund_account, jsonb_build_object("
        "'account_no', '93301000', 'fund_pay_type', '310100', 'line_no', 99, 'row_hash', gen_random_uuid()))).*"
        " from reference.fund_account"
    )
    assert is_nothing_new(bank.plays(other + b" ", 1)), "the notice of the right account was the same movement"
    assert account_of(bank) == Decimal("-1500.00")


def test_a_held_notice_of_another_area_is_not_judged_with_ours(bank):
    assert bank.answers(booked(bank.instruction()), area="330200") == {"held": 1}
    bank.warehouse.execute("update reference.fund_account set area_code = '330200'")
    assert bank.answers(status(bank.instruction(), "PDNG", None)) == {"pending": 1}


def test_an_account_of_another_fund_does_not_pay(bank):
    bank.warehouse.execute("update reference.fund_account set fund_pay_type = '390100'")
    matched = bank.plays(notice(entry("1000.00", detail(bank.instruction(), "1000.00"))), 1)
    assert (matched.counts, set(matched.findings)) == ({"held": 1}, {"foreign_account"})


def test_money_on_an_account_that_serves_two_funds_stands_in_suspense_once(bank):
    bank.warehouse.execute(
        "insert into reference.fund_account select (jsonb_populate_record(fund_account, jsonb_build_object("
        "'fund_pay_type', '390100', 'line_no', 99, 'row_hash', gen_random_uuid()))).* from reference.fund_account"
    )
    bank.warehouse.execute("update reference.fund_account set fund_pay_type = '310100' where fund_pay_type is null")
    assert bank.plays(notice(entry("7.00")), 1).counts == {"unknown": 1}
    assert suspense_of(bank) == Decimal("7.00")


@pytest.mark.parametrize("day", ["2026-03-02", "2025-03-03", "2016-03-03", "0001-01-01"])
def test_a_booking_before_the_pay_date_is_held_and_the_corrected_one_counts(bank, caplog, day):
    payment = detail(bank.instruction(), "1000.00")
    before = bank.state()
    assert bank.plays(notice(entry("1000.00", payment, day=day)), 1).counts == {"held": 1}
    assert bank.state() == before
    assert CALLED in caplog.text
    assert bank.plays(notice(entry("1000.00", payment), message="N2"), 1).counts == {"paid": 1}


@pytest.mark.parametrize(("day", "outcome"), [("2026-03-13", "paid"), ("2026-03-14", "held"), ("2062-03-03", "held")])
@pytest.mark.parametrize("made", ["2026-03-03T17:00:00+08:00", "2062-03-03T17:00:00+08:00"])
def test_a_booking_is_believed_up_to_ten_days_after_its_message_was_made(bank, day, outcome, made):
    payment = detail(bank.instruction(), "1000.00")
    assert bank.plays(notice(entry("1000.00", payment, day=day), made=made), 1).counts == {outcome: 1}


def test_a_booking_that_was_announced_too_early_counts_when_its_day_has_come(bank):
    announced = entry("1000.00", detail(bank.instruction(), "1000.00"), day="2026-03-20")
    assert bank.plays(notice(announced), 1).counts == {"held": 1}
    assert bank.plays(notice(announced, made="2026-03-20T17:00:00+08:00"), 1, day="2026-03-20").counts == {"paid": 1}


@pytest.mark.parametrize("day", ["2016-03-03", "2062-03-03"])
def test_unknown_money_of_an_impossible_day_is_held(bank, caplog, day):
    before = bank.state()
    assert bank.plays(notice(entry("7.00", day=day)), 1).counts == {"held": 1}
    assert bank.state() == before
    assert CALLED in caplog.text


def test_an_entry_that_comes_again_with_its_transactions_leaves_suspense_and_the_account_goes_down_once(bank):
    both = [detail(bank.instruction(), "1000.00"), detail(bank.instruction(PHARMACY), "500.00")]
    whole, in_parts = notice(entry("1500.00"), message="N1"), notice(entry("1500.00", *both), message="N2")
    assert bank.plays(whole, 1).counts == {"unknown": 1}
    assert (account_of(bank), suspense_of(bank)) == (Decimal("-1500.00"), Decimal("1500.00"))
    assert bank.plays(in_parts, 2).counts == {"paid": 2}
    assert (account_of(bank), suspense_of(bank)) == (Decimal("-1500.00"), 0)
    again = notice(entry("1500.00"), message="N3")
    assert is_nothing_new(bank.plays(again, 1))
    assert (account_of(bank), suspense_of(bank)) == (Decimal("-1500.00"), 0)


def test_an_entry_that_came_with_its_transactions_is_not_booked_as_a_whole(bank):
    both = [detail(bank.instruction(), "1000.00"), detail(bank.instruction(PHARMACY), "500.00")]
    assert bank.plays(notice(entry("1500.00", *both)), 2).counts == {"paid": 2}
    assert bank.plays(notice(entry("1500.00"), message="N2"), 1).counts == {"repeated": 1}
    assert (account_of(bank), suspense_of(bank)) == (Decimal("-1500.00"), 0)


@pytest.mark.parametrize("name", [None, "NOTPROVIDED", "SALARY-7"])
def test_an_entry_that_names_its_payment_only_later_is_booked_once(bank, name):
    unnamed, named = detail(name, "1000.00"), detail(bank.instruction(), "1000.00")
    assert bank.plays(notice(entry("1000.00", unnamed)), 1).counts == {"unknown": 1}
    assert bank.plays(notice(entry("1000.00", named), message="N2"), 1).counts == {"paid": 1}
    assert (account_of(bank), suspense_of(bank)) == (Decimal("-1000.00"), 0)


def test_a_transaction_that_is_named_later_leaves_suspense_beside_those_that_were(bank):
    first, second = detail(bank.instruction(), "1000.00"), detail(bank.instruction(PHARMACY), "500.00")
    assert bank.plays(notice(entry("1500.00", first, detail(None, "500.00"))), 2).counts == {"paid": 1, "unknown": 1}
    assert suspense_of(bank) == Decimal("500.00")
    assert bank.plays(notice(entry("1500.00", first, second), message="N2"), 2).counts["paid"] == 1
    assert (account_of(bank), suspense_of(bank)) == (Decimal("-1500.00"), 0)


def test_a_part_that_names_no_payment_stays_in_suspense_and_the_whole_leaves_it(bank):
    bank.plays(notice(entry("1500.00")), 1)
    parts = [detail(bank.instruction(), "1000.00"), detail(None, "500.00")]
    assert bank.plays(notice(entry("1500.00", *parts), message="N2"), 2).counts == {"paid": 1, "unknown": 1}
    assert (account_of(bank), suspense_of(bank)) == (Decimal("-1500.00"), Decimal("500.00"))


def test_entries_of_one_reference_and_two_days_are_two(bank):
    bank.plays(notice(entry("1000.00")), 1)
    later = entry("1000.00", detail(bank.instruction(), "1000.00"), day="2026-03-04")
    assert bank.plays(notice(later, message="N2"), 1).counts == {"paid": 1}
    assert account_of(bank) == Decimal("-2000.00")


def test_an_entry_without_a_reference_is_known_by_the_block_it_books(bank):
    block = "<Btch><PmtInfId>330100-310100-20260303-daily</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>"
    both = [detail(bank.instruction(), "1000.00"), detail(bank.instruction(PHARMACY), "500.00")]
    whole = entry("1500.00", block, reference=None)
    assert bank.plays(notice(whole), 1).counts == {"unknown": 1}
    assert bank.plays(notice(entry("1500.00", block, *both, reference=None), message="N2"), 2).counts == {"paid": 2}
    assert (account_of(bank), suspense_of(bank)) == (Decimal("-1500.00"), 0)


@pytest.mark.parametrize("place", ["entry", "transaction", "both"])
def test_a_payment_is_paid_with_its_own_amount_and_the_charge_stands_in_suspense(bank, caplog, place):
    more = charge("5.00")
    paid = detail(bank.instruction(), "1000.00", more if place != "entry" else "")
    whole = entry("1005.00", paid, more=more if place != "transaction" else "")
    matched = bank.plays(notice(whole), 1)
    assert (matched.counts, matched.findings) == ({"paid": 1, "unknown": 1}, {"charge": 1})
    assert (account_of(bank), suspense_of(bank)) == (Decimal("-1005.00"), Decimal("5.00"))
    assert CALLED in caplog.text
    assert is_nothing_new(bank.plays(notice(whole, message="N2"), 1))


def test_payments_with_one_charge_are_paid_each_and_another_entry_beside_them_too(bank):
    first, second = detail(bank.instruction(), "1000.00"), detail(bank.instruction(PHARMACY), "500.00")
    whole = entry("1507.50", first, second, more=charge("5.00") + charge("2.50"))
    assert bank.plays(notice(whole, entry("3.00", reference="S2")), 3).counts == {"paid": 2, "unknown": 2}
    assert (account_of(bank), suspense_of(bank)) == (Decimal("-1510.50"), Decimal("10.50"))


def test_a_charge_that_is_booked_apart_leaves_the_payment_its_amount(bank):
    paid = detail(bank.instruction(), "1000.00", charge("5.00", included="false"))
    assert bank.plays(notice(entry("1000.00", paid)), 1).counts == {"paid": 1}
    assert suspense_of(bank) == 0


def test_a_return_less_a_charge_gives_the_payment_back_and_the_charge_to_suspense(bank):
    payment = bank.instruction()
    bank.plays(notice(entry("1000.00", detail(payment, "1000.00"))), 1)
    returned = detail(payment, "1000.00", charge("3.00"))
    less = notice(entry("997.00", returned, side="CRDT", reference="S2"), message="N2")
    assert bank.plays(less, 1).counts == {"returned": 1, "unknown": 1}
    assert (account_of(bank), suspense_of(bank)) == (Decimal("-3.00"), Decimal("3.00"))


def test_a_whole_with_charges_is_explained_by_its_payment_and_its_charge(bank):
    bank.plays(notice(entry("1005.00")), 1)
    in_parts = entry("1005.00", detail(bank.instruction(), "1000.00"), more=charge("5.00"))
    assert bank.plays(notice(in_parts, message="N2"), 1).counts == {"paid": 1, "unknown": 1}
    assert (account_of(bank), suspense_of(bank)) == (Decimal("-1005.00"), Decimal("5.00"))


@pytest.mark.parametrize("reference", ["S1", "S2", None])
@pytest.mark.parametrize("is_paid", [False, True])
def test_a_debit_that_reverses_nothing_known_is_held(bank, caplog, reference, is_paid):
    payment = detail(bank.instruction(), "1000.00")
    if is_paid:
        bank.plays(notice(entry("1000.00", payment)), 1)
    before = bank.state()
    reversed_ = notice(entry("1000.00", payment, reference=reference, reversal=True), message="N2")
    matched = bank.plays(reversed_, 1)
    assert (matched.counts, set(matched.findings)) == ({"held": 1}, {"reversal_unclear"})
    assert bank.state() == before
    assert CALLED in caplog.text


def test_a_credit_that_reverses_a_payment_returns_it(bank):
    payment = detail(bank.instruction(), "1000.00")
    bank.plays(notice(entry("1000.00", payment)), 1)
    reversed_ = entry("1000.00", payment, side="CRDT", reference="S2", reversal=True)
    assert bank.plays(notice(reversed_, message="N2"), 1).counts == {"returned": 1}
    assert account_of(bank) == 0


def test_a_return_that_is_taken_back_stands_in_suspense_and_the_payment_does_not_go_out_again(bank):
    payment = bank.instruction(PHARMACY)
    named = detail(payment, "500.00")
    bank.plays(notice(entry("500.00", named)), 1)
    bank.plays(notice(entry("500.00", named, side="CRDT", reference="S2"), message="N2"), 1)
    taken_back = entry("500.00", named, reference="S3", reversal=True)
    matched = bank.plays(notice(taken_back, message="N3"), 1)
    assert (matched.counts, set(matched.findings)) == ({"not_expected": 1}, {"credit_reversed"})
    settle_next_day(bank)
    assert bank.instruction(PHARMACY) == payment


def test_a_rejected_payment_with_a_held_debit_does_not_go_out_again(bank):
    payment = bank.instruction(PHARMACY)
    report = STATUS.format(payment=payment.hex).encode()
    assert bank.plays(report, 1, file_format="pain002").counts == {"rejected": 1}
    debit = entry("500.00", detail(payment, "500.00"), day="2026-03-01")
    assert bank.plays(notice(debit), 1).counts == {"held": 1}
    settle_next_day(bank)
    assert bank.instruction(PHARMACY) == payment


@pytest.mark.parametrize("reason", ["AM05", "DU03", "DUPL"])
@pytest.mark.parametrize("place", ["block", "group", "both"])
def test_a_payment_that_is_listed_as_a_duplicate_is_not_rejected_with_the_rest(bank, caplog, place, reason):
    before = bank.state()
    matched = bank.plays(
        refusal(bank, LISTED.format(bank.instruction(PHARMACY).hex, reason), place), 1, file_format="pain002"
    )
    assert matched.counts == {"not_expected": 1, "unknown": 1}
    assert bank.state() == before
    assert CALLED in caplog.text
    payments = bank.instruction(), bank.instruction(PHARMACY)
    settle_next_day(bank)
    assert (bank.instruction(), bank.instruction(PHARMACY)) == payments


def test_a_payment_that_another_block_lists_as_a_duplicate_is_not_rejected_with_the_rest(bank):
    listed = LISTED.format(bank.instruction(PHARMACY).hex, "AM05")
    report = refusal(bank, "", "block").replace(b"</CstmrPmtStsRpt>", f"{block(listed)}</CstmrPmtStsRpt>".encode())
    assert bank.plays(report, 1, file_format="pain002").counts == {"rejected": 1, "not_expected": 1}
    assert bank.state()[1] == [(INSTITUTION, "rejected")]


def test_a_payment_that_is_known_as_a_duplicate_is_not_rejected_with_the_rest(bank):
    listed = LISTED.format(bank.instruction(PHARMACY).hex, "AM05")
    assert bank.plays(refusal(bank, listed, "none"), 1, file_format="pain002").counts == {"not_expected": 1}
    assert bank.plays(refusal(bank, listed, "block"), 1, file_format="pain002").counts == {"unknown": 1}
    assert bank.state()[1] == []


@pytest.mark.parametrize("place", ["block", "group"])
def test_what_is_listed_with_another_reason_is_rejected_once_beside_the_rest(bank, place):
    report = refusal(bank, LISTED.format(bank.instruction(PHARMACY).hex, "AC04"), place)
    assert bank.plays(report, 1, file_format="pain002").counts == {"rejected": 2}
    assert bank.warehouse.rows("select fixmedins_code, reason_code from ledger.payment_event order by reason_code") == [
        (INSTITUTION, "AC02"),
        (PHARMACY, "AC04"),
    ]


def test_an_entry_and_its_only_transaction_that_contradict_in_side_are_refused(bank):
    for payment in (bank.instruction(), None):
        wrong = detail(payment, "1000.00", "<CdtDbtInd>CRDT</CdtDbtInd>")
        receipt = bank.receives(notice(entry("1000.00", wrong)), 1)
        assert (receipt.status, receipt.error["code"]) == ("refused", "bank_message_side_differs")


@pytest.mark.parametrize("word", ["NONREF", "NOTPROVIDED", "NOT PROVIDED", "N/A", "0000"])
@pytest.mark.parametrize("place", ["payment", "reference"])
def test_alike_movements_of_one_message_count_each_and_the_message_again_repeats_them(bank, word, place):
    one = entry("88.01", detail(word), side="CRDT", reference=None)
    if place == "reference":
        one = entry("88.01", side="CRDT", reference=word)
    message = notice(one, one.replace("<NtryRef>1<", "<NtryRef>2<"), one)
    assert bank.plays(message, 3).counts == {"unknown": 3}
    assert account_of(bank) == Decimal("264.03")
    assert is_nothing_new(bank.plays(message + b"\n", 3))


def test_two_debits_of_one_payment_without_references_count_each(bank):
    debit = entry("1000.00", detail(bank.instruction(), "1000.00"), reference=None)
    assert bank.plays(notice(debit, debit), 2).counts == {"paid": 1, "not_expected": 1}
    assert (account_of(bank), suspense_of(bank)) == (Decimal("-2000.00"), Decimal("1000.00"))
    assert is_nothing_new(bank.plays(notice(debit, message="N2"), 1))


@pytest.mark.parametrize(
    "more",
    [
        "<AddtlNtryInf>another payer</AddtlNtryInf>",
        "<NtryDtls><TxDtls><RmtInf><Ustrd>x</Ustrd></RmtInf></TxDtls></NtryDtls>",
    ],
)
def test_one_message_id_with_other_content_is_another_movement(bank, more):
    first = entry("66.16", side="CRDT", reference=None)
    other = first.replace("</Ntry>", f"{more}</Ntry>")
    assert bank.plays(notice(first), 1).counts == {"unknown": 1}
    assert bank.plays(notice(other), 1).counts == {"unknown": 1}
    assert account_of(bank) == Decimal("132.32")
    assert is_nothing_new(bank.plays(notice(other) + b" ", 1))


@pytest.mark.parametrize("declared", ['<?xml version="1.0" encoding="UTF-8"?>', "", '<?xml version="1.0"?>'])
def test_a_message_in_another_encoding_than_it_says_is_refused_in_these_words(bank, declared):
    text = notice(entry("1.00", more="<AddtlNtryInf>医保基金支出户</AddtlNtryInf>")).decode()
    body = text.removeprefix('<?xml version="1.0" encoding="UTF-8"?>')
    receipt = bank.receives((declared + body).encode("gb18030"), 1)
    assert (receipt.status, receipt.error["code"]) == ("refused", "bank_message_encoding")
    assert "UTF-8" in receipt.error["hint"]
    assert "编码" in receipt.error["message"]


def test_a_message_with_a_blank_before_it_and_a_control_sign_behind_is_read(bank):
    message = b" \r\n" + notice(entry("1000.00", detail(bank.instruction(), "1000.00"))) + b"\x1a"
    assert bank.plays(message, 1).counts == {"paid": 1}


def settle_next_day(bank) -> None:
    """Run the payments of the day after."""
    settle(bank.warehouse, date(2026, 3, 4))


def block(listed: str = "", refused: str = "") -> str:
    """A payment block of a status report."""
    return f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>M</OrgnlPmtInfId>{refused}{listed}</OrgnlPmtInfAndSts>"


def refusal(bank, listed: str, place: str) -> bytes:
    """A pain.002 that lists transactions and refuses their block, their group, both or none because of the account."""
    [(message_id,)] = bank.warehouse.rows("select message_id from ledger.bank_file")
    reason = "<StsRsnInf><Rsn><Cd>AC02</Cd></Rsn></StsRsnInf>"
    of_group = f"<GrpSts>RJCT</GrpSts>{reason}" if place in ("group", "both") else "<GrpSts>PART</GrpSts>"
    of_block = f"<PmtInfSts>RJCT</PmtInfSts>{reason}" if place in ("block", "both") else ""
    return (
        (
            '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
            f"<GrpHdr><MsgId>R-{place}</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{message_id}</OrgnlMsgId>{of_group}"
            f"</OrgnlGrpInfAndSts>{block(listed, of_block)}</CstmrPmtStsRpt></Document>"
        )
        .replace("<OrgnlPmtInfId>M<", f"<OrgnlPmtInfId>{message_id}<")
        .encode()
    )


LISTED = (
    "<TxInfAndSts><OrgnlEndToEndId>{}</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
    "<StsRsnInf><Rsn><Cd>{}</Cd></Rsn></StsRsnInf></TxInfAndSts>"
)
STATUS = (
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
    "<GrpHdr><MsgId>R1</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><TxInfAndSts>"
    "<OrgnlEndToEndId>{payment}</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>"
    "</TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
)
