"""What monitoring is told of DAGs whose schedule is not kept."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from settlement.web.schedule_watch import Schedule, Watch, fault_of

SIX = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)  # 06:00 of 3 March in Shanghai
SEVEN = SIX + timedelta(hours=1)
TOMORROW = SIX + timedelta(days=1)
KEPT = Schedule("settle_day", next_run_at=TOMORROW, planned_at=SIX, has_run=True)


@pytest.mark.parametrize(
    ("schedule", "fault"),
    [
        (KEPT, None),
        (Schedule("settle_day", next_run_at=TOMORROW), None),
        (Schedule("settle_day", next_run_at=SEVEN - timedelta(minutes=29)), None),
        (Schedule("settle_day", next_run_at=SEVEN - timedelta(minutes=31)), "was not made"),
        (Schedule("settle_day", next_run_at=TOMORROW, is_paused=True), "is paused"),
        (Schedule("settle_day", next_run_at=TOMORROW, planned_at=SIX), "no run of all areas"),
        (Schedule("settle_day", is_known=False), "does not know it"),
    ],
)
def test_a_schedule_is_kept_or_its_fault_is_named(schedule: Schedule, fault: str | None) -> None:
    found = fault_of(schedule, SEVEN)
    assert found is None if fault is None else fault in (found or "")


def test_a_fault_is_told_when_it_begins_and_every_hour_as_long_as_it_lasts(caplog: pytest.LogCaptureFixture) -> None:
    watch = Watch()
    paused = Schedule("settle_day", is_paused=True)
    with caplog.at_level(logging.INFO):
        for minutes in range(125):
            watch.look([paused], SEVEN + timedelta(minutes=minutes))
        watch.look([KEPT], SEVEN + timedelta(minutes=125))
        watch.look([paused], SEVEN + timedelta(minutes=126))
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(told) == 4
    assert all(text.startswith("SCHEDULE NOT KEPT 未按计划运行: settle_day: it is paused") for text in told)
