"""The official working days of mainland China: 国务院办公厅关于部分节假日安排的通知, one notice a year.

Weekends that are worked to make up for a holiday (调休) are working days. The days of a year are known only once
its notice is published; asking about any other year is an error and never a guess, because a deadline that
silently ignores the Spring Festival is wrong by a week.

`python -m settlement.working_days` writes the dbt seed of the same days.
"""

import csv
import io
import os
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from chinese_calendar import Holiday, get_holiday_detail, is_workday
from chinese_calendar.constants import holidays

from settlement.errors import SettlementError

ONE_DAY = timedelta(days=1)
FIRST_YEAR = min(holidays).year
LAST_YEAR = max(holidays).year
FIRST_SEED_YEAR = 2024
REMEDY = (
    "When the State Council has published the year's notice (usually in November), raise `chinesecalendar` in "
    "pyproject.toml, then `make lock`, `make setup`, `.venv/bin/python -m settlement.working_days` and `make up`, "
    "on a server `docker compose up --detach --wait --build` for the last one."
)
SEED = Path("dbt_project", "seeds", "working_days.csv")

CHINESE_NAMES = {holiday.value: holiday.chinese for holiday in Holiday}


class UnpublishedYear(SettlementError):
    """The working days of this year are not published, so nothing can be said about its days."""


def is_working_day(day: date) -> bool:
    """Say whether `day` is worked. Raises UnpublishedYear."""
    _require_published(day)
    return bool(is_workday(day))


def next_working_day(day: date) -> date:
    """Give the first working day strictly after `day`. Raises UnpublishedYear."""
    return add_working_days(day, 1)


def add_working_days(day: date, count: int) -> date:
    """Give the `count`-th working day strictly after `day`; `count` 0 is `day` itself, worked or not.

    Raises UnpublishedYear when the answer lies in a year that is not published, ValueError for a negative count.
    """
    if count < 0:
        raise ValueError(f"working days are counted forward, not {count}")
    while count:
        day += ONE_DAY
        count -= is_working_day(day)
    return day


def working_days_between(start: date, end: date) -> int:
    """Count the working days strictly after `start` up to and including `end`; 0 when `end` is not after `start`.

    This is how time limits are counted: the day that starts the clock does not count, the day it stops does.
    Raises UnpublishedYear when a day of the span lies in a year that is not published.
    """
    days = (end - start).days
    return sum(is_working_day(start + number * ONE_DAY) for number in range(1, days + 1))


def holiday_name(day: date) -> tuple[str, str] | None:
    """Give the Chinese and English name of the holiday that makes `day` free, or None for any other day.

    Raises UnpublishedYear.
    """
    _require_published(day)
    is_free, english = get_holiday_detail(day)
    if not is_free or english is None:
        return None
    return CHINESE_NAMES[english], english


def seed_text() -> str:
    """Give the seed as CSV: date, is_working_day, holiday_name_zh, holiday_name_en, one row a day."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["date", "is_working_day", "holiday_name_zh", "holiday_name_en"])
    for day in _seed_days():
        chinese, english = holiday_name(day) or ("", "")
        writer.writerow([day.isoformat(), str(is_working_day(day)).lower(), chinese, english])
    return text.getvalue()


def _seed_days() -> Iterator[date]:
    """Give every day from the first seeded year to the last published one."""
    day = date(FIRST_SEED_YEAR, 1, 1)
    while day.year <= LAST_YEAR:
        yield day
        day += ONE_DAY


def _require_published(day: date) -> None:
    """Refuse a day of a year whose notice is not in the calendar."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise UnpublishedYear(
            "unpublished_year",
            f"The working days of {day.year} are not known; the calendar holds {FIRST_YEAR} to {LAST_YEAR}.",
            REMEDY,
        )


if __name__ == "__main__":
    seed = Path(os.environ.get("SETTLEMENT_HOME", ".")) / SEED
    seed.write_text(seed_text(), encoding="utf-8")
    print(f"{seed}: {FIRST_SEED_YEAR} to {LAST_YEAR}")
