"""What monitoring reads about runs that failed or came late."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from settlement.tasks.alerts import deadline_missed, run_failed


def context_of_run(**more: Any) -> dict[str, Any]:
    return {"dag": SimpleNamespace(dag_id="settle_day"), "run_id": "friday", "reason": "task_failure", **more}


def last_task(states: Any) -> SimpleNamespace:
    """The task that Airflow hands over; its own name, and the states of all tasks of the run as Airflow gives them."""

    def get_task_states(dag_id: str, run_ids: list[str]) -> Any:
        if isinstance(states, Exception):
            raise states
        return {run_id: states for run_id in run_ids}

    return SimpleNamespace(task_id="publish", get_task_states=get_task_states)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_failed_run_names_every_task_that_failed_and_its_page(caplog):
    states = {"post_entries": "success", "publish": "failed", "load_1": "failed", "report_outcome": "upstream_failed"}
    run_failed(context_of_run(ti=last_task(states)))
    assert told(caplog) == [
        "RUN FAILED 运行失败: settle_day friday: load_1, publish; see docs/runbook/settle_day.md",
    ]


def test_a_run_that_fails_without_a_task_says_why(caplog):
    run_failed(context_of_run(reason="timed_out"))
    assert told(caplog) == [
        "RUN FAILED 运行失败: settle_day friday: no task, timed_out; see docs/runbook/settle_day.md",
    ]


def test_that_a_run_failed_is_told_although_its_tasks_cannot_be_read(caplog):
    run_failed(context_of_run(ti=last_task(RuntimeError("no answer"))))
    assert told(caplog)[-1] == "RUN FAILED 运行失败: settle_day friday: publish; see docs/runbook/settle_day.md"


def test_a_missed_deadline_names_the_run(caplog):
    deadline_missed("paid today", context={"dag_run": {"dag_id": "settle_day", "dag_run_id": "friday"}})
    assert told(caplog) == ["DEADLINE MISSED 超过时限: paid today (settle_day friday)"]
