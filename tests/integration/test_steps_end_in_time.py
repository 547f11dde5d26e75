"""A step that hangs is ended, its transaction with it, and what it waited for is looked for."""

import signal
import time
from datetime import timedelta

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowTaskTimeout
from tests.conftest import Warehouse

from settlement.errors import SettlementError
from settlement.tasks.step import step, time_of_a_step
from settlement.warehouse import connect

STILL_RUNNING = (
    "select pid from pg_stat_activity where usename = 'loader' and state = 'active' and datname = current_database()"
)


def test_a_step_that_hangs_in_the_warehouse_is_ended_and_its_statement_with_it(warehouse: Warehouse) -> None:
    @step(task_id="hangs")
    def hangs() -> None:
        with connect("loader") as connection:
            connection.execute("select pg_sleep(60)")

    def end(number: int, frame: object) -> None:
        raise AirflowTaskTimeout  # as Airflow does when `execution_timeout` is over

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        with pytest.raises(AirflowFailException, match=r"step_timeout.*hangs took longer"):
            hangs.function()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    end_of_waiting = time.monotonic() + 10
    while warehouse.rows(STILL_RUNNING) and time.monotonic() < end_of_waiting:
        time.sleep(0.1)
    assert warehouse.rows(STILL_RUNNING) == []


def test_a_step_names_its_time_or_has_that_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_STEP_MINUTES", "5")
    assert time_of_a_step() == timedelta(minutes=5)
    monkeypatch.setenv("SETTLEMENT_STEP_MINUTES", "soon")
    with pytest.raises(SettlementError, match="SETTLEMENT_STEP_MINUTES"):
        time_of_a_step()
