"""Rounding to the fen."""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.money import yuan

whole_fen = st.integers(min_value=-(10**40), max_value=10**40).map(lambda fen: Decimal(f"{fen}E-2"))


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
