"""Refunds: the rule itself, and that no order of refunds takes back more than was paid."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.intake import refunds
from settlement.intake.refunds import FUNDS, Original, Party, Refund

HOSPITAL = Party("H33010600123", "person-1", "310")


def decide(rows: list[Refund], originals: dict[str, Original]) -> list[str]:
    return [decision.verdict for decision in refunds.decide(rows, originals)]


def causes(rows: list[Refund], originals: dict[str, Original]) -> list[str]:
    return [decision.cause for decision in refunds.decide(rows, originals)]


def amounts(**given_amounts: str) -> dict[str, Decimal]:
    return {fund: Decimal(given_amounts.get(fund, "0")) for fund in FUNDS}


def original(**given_amounts: str) -> Original:
    return Original(HOSPITAL, False, amounts(**given_amounts))


def refund(init: str | None = "A", party: Party = HOSPITAL, *, broken: bool = False, **given_amounts: str) -> Refund:
    return Refund(init, party, amounts(**given_amounts), broken)


def test_a_refund_of_the_whole_is_accepted_once() -> None:
    whole = refund(hifp_pay="-100.00")
    assert decide([whole, whole], {"A": original(hifp_pay="100.00")}) == ["accepted", "refused"]


def test_parts_are_accepted_until_nothing_is_left() -> None:
    part = refund(hifp_pay="-40.00", acct_pay="-1.00")
    assert decide([part] * 3, {"A": original(hifp_pay="100.00", acct_pay="9.00")}) == [
        "accepted",
        "accepted",
        "refused",
    ]


def test_each_fund_is_looked_at_by_itself() -> None:
    too_much_of_one = refund(hifp_pay="-10.00", hifes_pay="-0.01")
    assert decide([too_much_of_one], {"A": original(hifp_pay="100.00")}) == ["refused"]


def test_another_person_or_institution_is_refused() -> None:
    others = [Party("H33010600999", "person-1"), Party("H33010600123", "person-2")]
    assert decide([refund(party=party) for party in others], {"A": original()}) == ["refused", "refused"]


@pytest.mark.parametrize("party", [Party(None, "person-1"), Party("H33010600123", None), Party(None, None)])
def test_what_is_unknown_about_the_party_is_not_compared(party: Party) -> None:
    assert decide([refund(party=party, broken=True)], {"A": original()}) == ["broken"]


def test_what_is_known_about_the_party_is_compared() -> None:
    others = [Party(None, "person-2"), Party("H33010600999", None)]
    refunds = [refund(party=party, broken=True) for party in others]
    assert decide(refunds, {"A": original()}) == ["refused", "refused"]


def test_an_unknown_amount_takes_nothing_and_the_known_ones_are_judged() -> None:
    def unknown(**known: str) -> Refund:
        return Refund("A", HOSPITAL, {**amounts(**known), "hifes_pay": None}, is_broken=True)

    refunds = [unknown(hifp_pay="-100.00"), unknown(hifp_pay="-100.01")]
    assert decide(refunds, {"A": original(hifp_pay="100.00")}) == ["broken", "refused"]


def test_a_refund_of_a_refund_is_refused() -> None:
    assert decide([refund()], {"A": Original(HOSPITAL, True, amounts())}) == ["refused"]


def test_without_its_original_a_refund_waits_unless_it_is_broken_anyway() -> None:
    assert decide([refund(), refund(broken=True), refund(None)], {}) == ["pending", "broken", "broken"]


def test_a_broken_refund_takes_nothing_from_the_next() -> None:
    whole = refund(hifp_pay="-100.00")
    broken = refund(hifp_pay="-100.00", broken=True)
    assert decide([broken, whole], {"A": original(hifp_pay="100.00")}) == ["broken", "accepted"]


def test_a_broken_refund_also_hears_that_it_is_too_large() -> None:
    assert decide([refund(hifp_pay="-100.01", broken=True)], {"A": original(hifp_pay="100.00")}) == ["refused"]


@given(st.lists(st.integers(0, 5_000)), st.integers(0, 10_000))
def test_what_is_accepted_never_exceeds_the_original(fen: list[int], paid_fen: int) -> None:
    paid = Decimal(paid_fen) / 100
    refunds = [refund(hifp_pay=str(-Decimal(part) / 100)) for part in fen]
    verdicts = decide(refunds, {"A": original(hifp_pay=str(paid))})
    taken = sum(
        (-one.amounts["hifp_pay"] for one, verdict in zip(refunds, verdicts, strict=True) if verdict == "accepted"),
        Decimal(0),
    )
    assert taken <= paid
    for one, verdict in zip(refunds, verdicts, strict=True):
        assert verdict == "accepted" or -one.amounts["hifp_pay"] > paid - taken


def test_another_insurance_type_has_nothing_left() -> None:
    other = refund(party=Party("H33010600123", "person-1", "390"), hifp_pay="-1.00")
    [cause] = causes([other], {"A": original(hifp_pay="100.00")})
    assert "insutype 390" in cause
    assert "original 310" in cause


def test_a_refusal_says_its_cause_and_the_fund_with_both_amounts() -> None:
    rows = [
        refund(hifp_pay="-60.00"),
        refund(hifp_pay="-60.00", acct_pay="-0.01"),
        refund(party=Party("H33010600999", "person-2", "310")),
        refund("R"),
    ]
    originals = {"A": original(hifp_pay="100.00"), "R": Original(HOSPITAL, True, amounts())}
    accepted, too_much, others, of_a_refund = causes(rows, originals)
    assert accepted == ""
    assert too_much == "hifp_pay：剩余 left 40.00，退 refunded 60.00; acct_pay：剩余 left 0.00，退 refunded 0.01"
    assert "institution" in others
    assert "person" in others
    assert "itself a refund" in of_a_refund
