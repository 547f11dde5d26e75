"""Which pay dates are plausible: a mistyped one would lock its areas, because pay dates only go forward."""

from datetime import date

from settlement.errors import SettlementError
from settlement.statements import statement
from settlement.warehouse import connect
from settlement.working_days import working_days_between


def refuse_pay_date_ahead(pay_date: date, day_of_run: date) -> None:
    """Refuse a pay date long after the day that the run was planned for: so many working days, a dated setting.

    It is judged by the run's day, so that a run gives the same answer whenever it is repeated.

    Raises:
        SettlementError: ``pay_date_too_far``.
    """
    if pay_date <= day_of_run:
        return
    with connect("poster") as connection:
        query = statement("settlement.payments", "pay_date_ahead_of_run")
        row = connection.execute(query, {"day_of_run": day_of_run}).fetchone()
    if row is None:
        return
    (allowed,) = row
    ahead = working_days_between(day_of_run, pay_date)
    if ahead > allowed:
        raise SettlementError(
            "pay_date_too_far",
            f"{pay_date} is {ahead} working days after {day_of_run}, the day of the run, and {allowed} are allowed"
            " (拨付日晚于运行日过多)",
            "check the year and month, or run it when the day is near",
        )


def refuse_far_pay_date(pay_date: date, area_code: str | None) -> None:
    """Refuse a pay date long after everything that was accepted in the area, or in every area.

    No clock is asked, so that a run gives the same answer whenever it is repeated. Where nothing was accepted yet,
    there is nothing to compare with and nothing to pay.

    Raises:
        SettlementError: ``pay_date_too_far``.
    """
    with connect("poster") as connection:
        query = statement("settlement.payments", "newest_payable_pay_date")
        row = connection.execute(query, {"pay_date": pay_date, "area_code": area_code}).fetchone()
    if row is None:
        return
    newest_business_date, newest_pay_date = row
    if pay_date > newest_pay_date:
        raise SettlementError(
            "pay_date_too_far",
            f"{pay_date} is more than {(newest_pay_date - newest_business_date).days} days after"
            f" {newest_business_date}, the newest business date accepted from {area_code or 'any area'} (拨付日过远)",
            "check the year and month: once paid on, no earlier date of the area can be paid",
        )
