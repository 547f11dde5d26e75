"""A timetable of official working days, or of one working day of each month, at a fixed hour in Shanghai."""

import logging
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable

from settlement.working_days import UnpublishedYear, is_working_day, working_days_between

log = logging.getLogger(__name__)

SHANGHAI = ZoneInfo("Asia/Shanghai")
ONE_DAY = timedelta(days=1)


class WorkingDayTimetable(Timetable):
    """Runs at `hour`:00 Shanghai time of every working day, make-up weekends included.

    With `day_of_month` it is only that working day of each month: 3 is the third.

    When the next day lies in a year whose calendar is not published, no run is planned and the log says so: a
    payment date is never guessed.
    """

    def __init__(self, hour: int = 6, day_of_month: int | None = None) -> None:
        self.hour = hour
        self.day_of_month = day_of_month

    @property
    def summary(self) -> str:
        """Say in the UI when it runs."""
        days = f"working day {self.day_of_month} of each month" if self.day_of_month else "working days"
        return f"{days} {self.hour:02d}:00 Asia/Shanghai"

    description = "Official working days of China, make-up weekends included (法定工作日，含调休)"

    def serialize(self) -> dict[str, Any]:
        """Give what the scheduler stores."""
        return {"hour": self.hour, "day_of_month": self.day_of_month}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> "WorkingDayTimetable":
        """Make the timetable again from what was stored."""
        return cls(**data)

    def infer_manual_data_interval(self, *, run_after: pendulum.DateTime) -> DataInterval:
        """Give a manual run an interval of no length: its period comes from its parameters."""
        return DataInterval.exact(run_after)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Give the first working day after the last automated run, and never one that has passed without catch-up."""
        earliest = [restriction.earliest] if restriction.earliest else []
        if not restriction.catchup:
            earliest.append(pendulum.now("UTC"))
        if last_automated_data_interval:
            earliest.append(last_automated_data_interval.end + timedelta(seconds=1))
        if not earliest:
            return None
        moment = self._next_moment(max(earliest))
        if moment is None or (restriction.latest and moment > restriction.latest):
            return None
        return DagRunInfo.exact(moment)

    def _next_moment(self, not_before: datetime) -> pendulum.DateTime | None:
        day = not_before.astimezone(SHANGHAI).date()
        if self._moment_of(day) < not_before:
            day += ONE_DAY
        try:
            while not self._is_wanted(day):
                day += ONE_DAY
        except UnpublishedYear as error:
            log.error("no further run can be planned: %s", error)
            return None
        return self._moment_of(day)

    def _is_wanted(self, day: date) -> bool:
        if not is_working_day(day):
            return False
        return self.day_of_month in (None, working_days_between(day.replace(day=1) - ONE_DAY, day))

    def _moment_of(self, day: date) -> pendulum.DateTime:
        return pendulum.instance(datetime.combine(day, time(self.hour), SHANGHAI)).in_timezone("UTC")
