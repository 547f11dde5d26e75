"""Money: yuan with two decimals, rounded once.

No binary float ever enters: a float is refused with TypeError, because its value is already not what was
written. All arithmetic is on whole numbers, so it is exact for any size.
"""

from decimal import Decimal
from fractions import Fraction

Exact = Decimal | Fraction | int | str
"""What an amount may be given as; text is a plain decimal number."""


def yuan(value: Exact) -> Decimal:
    """Round `value`, in yuan, to whole fen, half away from zero: 2.345 → 2.35, -2.345 → -2.35.

    Call it once, at the last step of a calculation. Raises TypeError for a float and ValueError for anything
    that is not a finite number.
    """
    numerator, denominator = _ratio(value)
    fen = (200 * abs(numerator) + denominator) // (2 * denominator)
    return _from_fen(fen if numerator >= 0 else -fen)


def _ratio(value: Exact) -> tuple[int, int]:
    """Give `value` as an exact numerator and a positive denominator."""
    if isinstance(value, str):
        value = _parse(value)
    if isinstance(value, bool) or not isinstance(value, Decimal | Fraction | int):
        raise TypeError(f"money is Decimal, Fraction, int or text, not {value!r}")
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


def _from_fen(fen: int) -> Decimal:
    """Give whole fen as yuan with two decimals; the text form keeps every digit, whatever the decimal context."""
    return Decimal(f"{fen}E-2")
