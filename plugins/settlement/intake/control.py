"""Rows and control sums: what the manifest says of a file must be what is found in it."""

from decimal import Decimal

from settlement.contract.manifest import DeliveredFile, shown
from settlement.errors import SettlementError


def check_rows(file: DeliveredFile, found: int) -> None:
    """Compare the number of rows. Raises SettlementError ``control_mismatch`` with both numbers."""
    if found != file.rows:
        raise _mismatch(file, "rows", str(file.rows), str(found))


def check_sum(file: DeliveredFile, column: str, found: Decimal) -> Decimal:
    """Compare the sum of a column the manifest names; gives it with two decimals at least.

    Raises:
        SettlementError: ``control_mismatch`` with what was expected and found.
    """
    plain = _plain(found)
    expected = file.control[column]
    if not _is_same_number(expected, plain):
        raise _mismatch(file, f"control sum of {column}", expected, f"{plain:f}")
    return plain


def _is_same_number(expected: str, found: Decimal) -> bool:
    """True when the sender's text is this very number; NaN, 1e308, 1,234.00 or full-width digits are no number."""
    if not expected.isascii() or not set(expected) <= set("+-.0123456789"):
        return False
    try:
        return Decimal(expected) == found
    except ArithmeticError:
        return False


def _plain(amount: Decimal) -> Decimal:
    """Without trailing zeros, but with two decimals at least."""
    short = amount.normalize()
    exponent = short.as_tuple().exponent
    return short if isinstance(exponent, int) and exponent < -2 else short.quantize(Decimal("0.01"))


def _mismatch(file: DeliveredFile, what: str, expected: str, found: str) -> SettlementError:
    return SettlementError(
        "control_mismatch",
        f"{file.name}: {what} expected {shown(expected)[1:-1]}, found {found}"
        f" (清单所列 {shown(expected)[1:-1]}, 文件实有 {found})",
        "the file is not the one the manifest describes: send the batch again (文件与清单不符, 请核对后重报)",
    )
