"""The working-day calendar against the State Council's notices of 2024, 2025 and 2026."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from settlement import working_days
from settlement.working_days import (
    SEED,
    UnpublishedYear,
    add_working_days,
    holiday_name,
    is_working_day,
    next_working_day,
    working_days_between,
)

MAKE_UP_WEEKENDS = {
    2024: "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
    2025: "01-26 02-08 04-27 09-28 10-11",
    2026: "01-04 02-14 02-28 05-09 09-20 10-10",
}
FREE_WEEKDAYS = {
    2025: "01-01 01-28 01-29 01-30 01-31 02-03 02-04 04-04 05-01 05-02 05-05 06-02 10-01 10-02 10-03 10-06 10-07 10-08",
    2026: "01-01 01-02 02-16 02-17 02-18 02-19 02-20 02-23 04-06 05-01 05-04 05-05 06-19 09-25 "
    "10-01 10-02 10-05 10-06 10-07",
}


def days_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=number) for number in range((date(year + 1, 1, 1) - first).days)]


@pytest.mark.parametrize(("year", "count"), [(2024, 251), (2025, 248), (2026, 248)])
def test_the_year_has_as_many_working_days_as_its_notice_gives(year: int, count: int) -> None:
    assert sum(map(is_working_day, days_of(year))) == count


@pytest.mark.parametrize("year", MAKE_UP_WEEKENDS)
def test_exactly_the_make_up_weekends_of_the_notice_are_worked(year: int) -> None:
    worked = [day.strftime("%m-%d") for day in days_of(year) if day.weekday() > 4 and is_working_day(day)]
    assert " ".join(worked) == MAKE_UP_WEEKENDS[year]


@pytest.mark.parametrize("year", FREE_WEEKDAYS)
def test_exactly_the_weekdays_of_the_notice_are_free(year: int) -> None:
    free = [day.strftime("%m-%d") for day in days_of(year) if day.weekday() < 5 and not is_working_day(day)]
    assert " ".join(free) == FREE_WEEKDAYS[year]


@pytest.mark.parametrize(
    ("cut_off", "one", "five", "twenty"),
    [
        ("2025-01-20", "2025-01-21", "2025-01-26", "2025-02-21"),
        ("2025-09-25", "2025-09-26", "2025-10-09", "2025-10-29"),
        ("2025-12-31", "2026-01-04", "2026-01-08", "2026-01-29"),
        ("2026-02-10", "2026-02-11", "2026-02-24", "2026-03-16"),
        ("2026-04-30", "2026-05-06", "2026-05-11", "2026-06-01"),
        ("2026-09-18", "2026-09-20", "2026-09-24", "2026-10-22"),
    ],
)
def test_limits_count_strictly_after_the_cut_off(cut_off: str, one: str, five: str, twenty: str) -> None:
    start = date.fromisoformat(cut_off)
    for count, limit in ((1, one), (5, five), (20, twenty)):
        end = date.fromisoformat(limit)
        assert add_working_days(start, count) == end
        assert working_days_between(start, end) == count
    assert next_working_day(start) == date.fromisoformat(one)


def test_the_day_that_starts_the_clock_does_not_count_and_the_day_that_stops_it_does() -> None:
    friday, sunday, monday = date(2026, 3, 6), date(2026, 3, 8), date(2026, 3, 9)
    assert working_days_between(friday, sunday) == 0
    assert working_days_between(sunday, monday) == 1
    assert working_days_between(friday, monday) == 1


def test_no_working_day_lies_between_a_day_and_itself_or_an_earlier_one() -> None:
    assert working_days_between(date(2026, 3, 2), date(2026, 3, 2)) == 0
    assert working_days_between(date(2026, 3, 2), date(2026, 2, 2)) == 0
    assert add_working_days(date(2026, 3, 1), 0) == date(2026, 3, 1)


def test_days_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="-1"):
        add_working_days(date(2026, 3, 2), -1)


def test_a_year_without_a_notice_is_an_error() -> None:
    unpublished = date(working_days.LAST_YEAR + 1, 3, 1)
    for ask in (is_working_day, next_working_day, holiday_name):
        with pytest.raises(UnpublishedYear) as caught:
            ask(unpublished)
        assert caught.value.code == "unpublished_year"
        assert str(unpublished.year) in caught.value.message


def test_a_limit_that_runs_into_an_unpublished_year_is_an_error() -> None:
    december = date(working_days.LAST_YEAR, 12, 20)
    with pytest.raises(UnpublishedYear):
        add_working_days(december, 20)
    with pytest.raises(UnpublishedYear):
        working_days_between(december, december + timedelta(days=20))


def test_holidays_are_named_in_both_languages() -> None:
    assert holiday_name(date(2026, 2, 17)) == ("春节", "Spring Festival")
    assert holiday_name(date(2026, 2, 28)) is None, "a make-up working day is no holiday"
    assert holiday_name(date(2026, 3, 7)) is None, "an ordinary weekend has no name"


def test_the_seed_is_current() -> None:
    seed = Path(__file__).parents[2] / SEED
    assert seed.read_text(encoding="utf-8") == working_days.seed_text(), "run: python -m settlement.working_days"
