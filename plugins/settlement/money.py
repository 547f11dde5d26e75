"""Money: yuan with two decimals, rounded once, and divided without losing a fen.

No binary float ever enters: a float is refused with TypeError, because its value is already not what was
written. All arithmetic is on whole numbers, so it is exact for any size.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import lcm

Exact = Decimal | Fraction | int | str
"""What an amount, a ratio or a weight may be given as; text is a plain decimal number."""


def yuan(value: Exact) -> Decimal:
    """Round `value`, in yuan, to whole fen, half away from zero: 2.345 → 2.35, -2.345 → -2.35.

    Call it once, at the last step of a calculation. Raises TypeError for a float and ValueError for anything
    that is not a finite number.
    """
    numerator, denominator = _ratio(value)
    fen = (200 * abs(numerator) + denominator) // (2 * denominator)
    return _from_fen(fen if numerator >= 0 else -fen)


def apportion(total: Exact, weights: Mapping[str, Exact]) -> dict[str, Decimal]:
    """Split `total` yuan in proportion to `weights`; the shares add up to it exactly.

    Largest remainder: every share is rounded down to whole fen, and the fen left over go one each to the largest
    remainders. A tie goes to the larger weight, then to the smaller key, so the order of the rows is of no
    matter. A negative total is split as its opposite and the signs turned. The shares come in the order of
    `weights`.

    Raises ValueError when the total is not whole fen, a weight is negative, or no weight is positive: there is
    then no proportion to follow.
    """
    fen = _whole_fen(total)
    whole_weights = _whole_weights(weights)
    weight_sum = sum(whole_weights.values())

    shares: dict[str, int] = {}
    remainders: dict[str, int] = {}
    for key, weight in whole_weights.items():
        shares[key], remainders[key] = divmod(abs(fen) * weight, weight_sum)

    fen_left = abs(fen) - sum(shares.values())
    for key in sorted(shares, key=lambda key: (-remainders[key], -whole_weights[key], key))[:fen_left]:
        shares[key] += 1
    return {key: _from_fen(share if fen >= 0 else -share) for key, share in shares.items()}


def _ratio(value: Exact) -> tuple[int, int]:
    """Give `value` as an exact numerator and a positive denominator."""
    if isinstance(value, str):
        value = _parse(value)
    if isinstance(value, bool) or not isinstance(value, Decimal | Fraction | int):
        raise TypeError(f"money, ratios and weights are Decimal, Fraction, int or text, not {value!r}")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"not a finite number: {value}")
    return value.as_integer_ratio()


def _parse(text: str) -> Decimal:
    """Read a decimal number; Decimal itself would also take full-width digits and underscores."""
    if not text.isascii() or "_" in text:
        raise ValueError(f"not a decimal number: {text!r}")
    try:
        return Decimal(text)
    except ArithmeticError:
        raise ValueError(f"not a decimal number: {text!r}") from None


def _whole_fen(amount: Exact) -> int:
    """Give `amount` yuan as fen; refuses parts of a fen."""
    numerator, denominator = _ratio(amount)
    fen, rest = divmod(100 * numerator, denominator)
    if rest:
        raise ValueError(f"only a whole number of fen can be apportioned, not {amount}")
    return fen


def _whole_weights(weights: Mapping[str, Exact]) -> dict[str, int]:
    """Scale the weights to whole numbers, in the same proportion."""
    ratios = {key: _ratio(weight) for key, weight in weights.items()}
    common = lcm(*(denominator for _, denominator in ratios.values()))
    whole = {key: numerator * (common // denominator) for key, (numerator, denominator) in ratios.items()}
    for key, weight in whole.items():
        if weight < 0:
            raise ValueError(f"the weight of {key!r} is negative: {weights[key]}")
    if not any(whole.values()):
        raise ValueError(f"nothing to apportion by: none of the {len(whole)} weights is positive")
    return whole


def _from_fen(fen: int) -> Decimal:
    """Give whole fen as yuan with two decimals; the text form keeps every digit, whatever the decimal context."""
    return Decimal(f"{fen}E-2")
