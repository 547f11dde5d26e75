"""Steps of `keep_house`: the end of the working calendar is told early, and nobody overlooks it in the last month."""

import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from settlement.tasks import parameters
from settlement.tasks.housekeeping import check_calendar
from settlement.working_days import LAST_YEAR


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch):
    """The step in a run so many days before the calendar's last one."""

    def run(days_before_the_end: int) -> str:
        day = datetime(LAST_YEAR, 12, 31, 4, tzinfo=UTC) - timedelta(days=days_before_the_end)
        monkeypatch.setattr(parameters, "get_current_context", lambda: {"dag_run": SimpleNamespace(run_after=day)})
        return check_calendar.function()

    return run


@pytest.mark.parametrize("days", [366, 61])
def test_a_long_calendar_is_only_told(check, caplog, days):
    assert check(days) == f"working days known until {LAST_YEAR}-12-31 ({days} days left 日历剩余天数)"
    assert caplog.records == []


@pytest.mark.parametrize("days", [60, 32])
def test_a_short_calendar_is_warned_of_with_the_remedy(check, caplog, days):
    assert check(days).endswith(f"({days} days left 日历剩余天数), extend the calendar 请更新日历")
    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert "chinesecalendar" in warning.getMessage()


@pytest.mark.parametrize("days", [31, 0, -5])
def test_in_its_last_month_the_run_fails_with_the_remedy(check, days):
    with pytest.raises(AirflowFailException, match=rf"calendar_ends.*\({days} days left.*raise `chinesecalendar`"):
        check(days)
