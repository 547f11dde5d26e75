"""When the payment DAG runs."""

from datetime import UTC, datetime

import pendulum
import pytest
from airflow.timetables.base import DataInterval, TimeRestriction

from settlement.tasks.working_day_timetable import WorkingDayTimetable

TIMETABLE = WorkingDayTimetable(hour=6)


def run_after(last: str, timetable: WorkingDayTimetable = TIMETABLE) -> datetime | None:
    """When the next run is after the run of an ISO date."""
    interval = DataInterval.exact(pendulum.parse(f"{last}T06:00:00+08:00"))
    restriction = TimeRestriction(earliest=None, latest=None, catchup=True)
    info = timetable.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)
    return info.run_after if info else None


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("2026-02-27", "2026-02-28"),  # Friday to the make-up Saturday
        ("2026-02-28", "2026-03-02"),
        ("2026-02-14", "2026-02-24"),  # Spring Festival
        ("2026-09-30", "2026-10-08"),
    ],
)
def test_the_next_run_is_on_the_next_official_working_day_at_six_in_shanghai(last, expected):
    assert run_after(last) == datetime.fromisoformat(f"{expected}T06:00:00+08:00")


def test_no_run_is_planned_into_a_year_that_is_not_published():
    assert run_after("2026-12-31") is None


def test_without_catch_up_no_passed_day_is_run():
    restriction = TimeRestriction(earliest=pendulum.datetime(2026, 1, 1), latest=None, catchup=False)
    info = TIMETABLE.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
    assert info is None or info.run_after > datetime.now(UTC)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("2026-03-04", "2026-04-03"),
        ("2026-04-03", "2026-05-08"),  # Labour Day until the 5th
        ("2026-02-04", "2026-03-04"),
    ],
)
def test_a_monthly_run_is_on_the_third_working_day(last, expected):
    monthly = WorkingDayTimetable(hour=5, day_of_month=3)
    assert run_after(last, monthly) == datetime.fromisoformat(f"{expected}T05:00:00+08:00")


def test_it_survives_being_stored():
    monthly = WorkingDayTimetable.deserialize(WorkingDayTimetable(hour=5, day_of_month=3).serialize())
    assert (monthly.hour, monthly.day_of_month) == (5, 3)
