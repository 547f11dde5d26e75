"""Settlement months and payment windows: plain arithmetic on the calendar, without working days.

A settlement month is text such as `2026-02`; the same text is the key in the warehouse.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from settlement.errors import SettlementError

Frequency = Literal["day", "week", "ten_day", "month"]
"""How often a payment policy pays: every day, Monday to Sunday, 1st-10th / 11th-20th / 21st-end, or the month."""

FREQUENCIES: tuple[Frequency, ...] = get_args(Frequency)
ONE_DAY = timedelta(days=1)
MONTH_TEXT = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True)
class Window:
    """A run of days, both ends included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def month_of(day: date) -> str:
    """Give the settlement month of a business date: 2026-02-27 → `2026-02`."""
    return f"{day.year:04d}-{day.month:02d}"


def month_window(month: str) -> Window:
    """Give the first and last day of a settlement month. Raises SettlementError `month_invalid`."""
    match = MONTH_TEXT.fullmatch(month)
    if match is None or match[1] == "0000":
        raise SettlementError("month_invalid", f"{month!r} is not a month.", "Write it as year and month: 2026-02.")
    first = date(int(match[1]), int(match[2]), 1)
    return Window(first, _last_of_month(first))


def next_month(month: str) -> str:
    """Give the settlement month after `month`. Raises SettlementError `month_invalid`."""
    return month_of(month_window(month).last + ONE_DAY)


def previous_month(month: str) -> str:
    """Give the settlement month before `month`. Raises SettlementError `month_invalid`."""
    return month_of(month_window(month).first - ONE_DAY)


def payment_window(frequency: Frequency, day: date) -> Window:
    """Give the window of `frequency` that `day` lies in. Raises SettlementError `frequency_invalid`."""
    match frequency:
        case "day":
            return Window(day, day)
        case "week":
            monday = day - timedelta(days=day.weekday())
            return Window(monday, monday + timedelta(days=6))
        case "ten_day":
            return _ten_day_window(day)
        case "month":
            return month_window(month_of(day))
    raise SettlementError(
        "frequency_invalid", f"{frequency!r} is no frequency.", f"Use one of {', '.join(FREQUENCIES)}."
    )


def payable_from(frequency: Frequency, day: date) -> date:
    """Give the first pay date that may pay the business date `day`: the day after its window ends."""
    return payment_window(frequency, day).last + ONE_DAY


def _ten_day_window(day: date) -> Window:
    """Give the 旬 of `day`; the third one ends with the month, so it has eight to eleven days."""
    if day.day > 20:
        return Window(day.replace(day=21), _last_of_month(day))
    first = 1 if day.day <= 10 else 11
    return Window(day.replace(day=first), day.replace(day=first + 9))


def _last_of_month(day: date) -> date:
    """Give the last day of the month `day` lies in."""
    return day.replace(day=monthrange(day.year, day.month)[1])
