"""Rounding to the fen and dividing money by largest remainder."""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.money import apportion, yuan

whole_fen = st.integers(min_value=-(10**40), max_value=10**40).map(lambda fen: Decimal(f"{fen}E-2"))
weights = st.dictionaries(
    st.text(min_size=1, max_size=4),
    st.decimals(min_value=0, max_value=10**9, places=6),
    min_size=1,
    max_size=30,
).filter(lambda weights: any(weights.values()))


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [
        ("2.345", "2.35"),
        ("-2.345", "-2.35"),
        ("2.344999999999999999999999999999", "2.34"),
        ("86419.746", "86419.75"),
        ("69135.801", "69135.80"),
        ("77000.007", "77000.01"),
        ("-0.004", "0.00"),
        ("123456789012345678901234567890.125", "123456789012345678901234567890.13"),
    ],
)
def test_half_a_fen_rounds_away_from_zero(exact: str, rounded: str) -> None:
    assert str(yuan(Decimal(exact))) == rounded


def test_a_third_is_rounded_from_its_exact_value() -> None:
    assert yuan(Fraction(1, 3)) == Decimal("0.33")
    assert yuan(Fraction(5, 1000)) == Decimal("0.01")


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=9))
def test_rounding_agrees_with_decimal_half_up(value: Decimal) -> None:
    with localcontext(prec=60):
        assert yuan(value) == value.quantize(Decimal("0.01"), ROUND_HALF_UP)


@given(whole_fen)
def test_what_is_already_whole_fen_stays_as_it_is(amount: Decimal) -> None:
    assert yuan(amount) == amount
    assert yuan(amount).as_tuple().exponent == -2


@pytest.mark.parametrize("value", [0.1, True, None, b"1"])
def test_a_float_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="not"):
        yuan(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), "1,234.00", "\uff11\uff12", "1_000", "", "NaN"])
def test_what_is_no_finite_number_is_refused(value: Decimal | str) -> None:
    with pytest.raises(ValueError, match="not a"):
        yuan(value)


@given(whole_fen, weights)
def test_shares_add_up_to_the_total(total: Decimal, weights: dict[str, Decimal]) -> None:
    shares = apportion(total, weights)
    assert sum(map(Fraction, shares.values())) == Fraction(total)
    assert list(shares) == list(weights)


@given(whole_fen, weights)
def test_every_share_is_less_than_one_fen_from_its_exact_part(total: Decimal, weights: dict[str, Decimal]) -> None:
    weight_sum = sum(map(Fraction, weights.values()))
    for key, share in apportion(total, weights).items():
        exact = Fraction(total) * Fraction(weights[key]) / weight_sum
        assert abs(Fraction(share) - exact) < Fraction(1, 100)


@given(whole_fen, weights, st.randoms())
def test_shares_do_not_depend_on_the_order_of_the_rows(
    total: Decimal, weights: dict[str, Decimal], random: Random
) -> None:
    shuffled = list(weights.items())
    random.shuffle(shuffled)
    assert apportion(total, dict(shuffled)) == apportion(total, weights)


@given(whole_fen, weights)
def test_a_negative_total_is_the_mirror_of_the_positive_one(total: Decimal, weights: dict[str, Decimal]) -> None:
    mirrored = {key: share.copy_negate() for key, share in apportion(total.copy_negate(), weights).items()}
    assert mirrored == apportion(total, weights)


@given(whole_fen, weights, st.integers(min_value=1, max_value=10**6))
def test_only_the_proportion_of_the_weights_matters(total: Decimal, weights: dict[str, Decimal], factor: int) -> None:
    scaled = {key: Fraction(weight) * factor for key, weight in weights.items()}
    assert apportion(total, scaled) == apportion(total, weights)


def test_spare_fen_go_to_the_largest_remainders() -> None:
    assert apportion("100.00", {"a": 1, "b": 1, "c": 4}) == {
        "a": Decimal("16.67"),
        "b": Decimal("16.66"),
        "c": Decimal("66.67"),
    }


def test_a_tie_of_remainders_goes_to_the_larger_weight() -> None:
    assert apportion("0.02", {"a": 1, "b": 3}) == {"a": Decimal("0.00"), "b": Decimal("0.02")}


def test_a_tie_of_remainders_and_weights_goes_to_the_smaller_key() -> None:
    assert apportion("0.01", {"b": 5, "a": 5}) == {"b": Decimal("0.00"), "a": Decimal("0.01")}


def test_weight_zero_gets_nothing() -> None:
    assert apportion("-0.05", {"a": 0, "b": 2}) == {"a": Decimal("0.00"), "b": Decimal("-0.05")}


@pytest.mark.parametrize(
    ("total", "weights", "reason"),
    [
        ("1.00", {}, "none of the 0 weights"),
        ("1.00", {"a": 0, "b": Decimal(0)}, "none of the 2 weights"),
        ("0.00", {"a": 0}, "none of the 1 weights"),
        ("1.00", {"a": 2, "b": -1}, "'b' is negative"),
        ("1.005", {"a": 1}, "whole number of fen"),
    ],
)
def test_what_cannot_be_apportioned_is_refused(total: str, weights: dict[str, int], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        apportion(total, weights)
