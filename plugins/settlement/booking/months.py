"""Which months a run books: the one asked for, and those for whose cases lists have come since they were booked."""

from datetime import date

from settlement.errors import SettlementError
from settlement.statements import statement
from settlement.warehouse import connect

PACKAGE = "settlement.booking"


def month_before(day: date) -> str:
    """Give the month before that of `day`, as 2026-03."""
    year, month = divmod(day.year * 12 + day.month - 2, 12)
    return f"{year}-{month + 1:02d}"


def months_with_late_lists(*, area_code: str | None) -> list[str]:
    """Give the booked months with cases that waited for their list and have it now, the oldest first."""
    with connect("auditor") as connection:
        rows = connection.execute(statement(PACKAGE, "months_with_late_lists"), {"area_code": area_code}).fetchall()
    return [month for (month,) in rows]


def areas_to_book_case_by_case(*, month: str, area_code: str | None) -> list[str]:
    """Give the areas on path 3 (`monthly_prepay`) in `month` that have not booked the month as a whole yet."""
    with connect("auditor") as connection:
        query = statement(PACKAGE, "areas_booked_case_by_case")
        rows = connection.execute(query, {"month": month, "area_code": area_code}).fetchall()
    return [area for (area,) in rows]


def refuse_unknown_schemes(*, month: str, area_code: str | None) -> None:
    """Refuse to book where a payment method names a scheme that was never imported: its cases would have no group.

    Raises:
        SettlementError: ``scheme_unknown``.
    """
    with connect("auditor") as connection:
        row = connection.execute(
            statement(PACKAGE, "unknown_scheme"), {"month": month, "area_code": area_code}
        ).fetchone()
    if row is not None:
        area, method, scheme = row
        raise SettlementError(
            "scheme_unknown",
            f"area {area} pays inpatients by {method} scheme {scheme!r} in {month}, which is unknown (分组方案未导入)",
            f"import it: settlement scheme import {method} DIR --version {scheme}; or end the row of inpatient_method",
        )
