"""What monitoring watches, written where the handbook says: a run that fails and misses its deadline does both."""

import json
import time
from pathlib import Path

import pytest
from tests.end_to_end.conftest import RunningInstallation

from settlement.tasks.alerts import DEADLINE_MISSED, RUN_FAILED

RUN = "of-a-batch-that-is-nowhere"
LONG_AGO = "2026-01-05T00:00:00Z"
SECONDS = 60

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def failed_run(installation: RunningInstallation) -> RunningInstallation:
    """A run that was planned for long ago, on a batch that nobody delivered."""
    api = installation.api()
    body = {"dag_run_id": RUN, "logical_date": None, "run_after": LONG_AGO, "conf": {"batch_id": "nowhere"}}
    api._call("POST", "/api/v2/dags/receive_batch/dagRuns", json=body)
    assert [run.state for run in api.follow("receive_batch", RUN, seconds=SECONDS)][-1] == "failed"
    return installation


def event_that_begins(text: str, logs: Path, pattern: str) -> str:
    """The `event` of the first JSON line that begins so and is about the run; it may come a little after the run."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for path in logs.glob(pattern):
            for line in path.read_text(encoding="utf-8").splitlines():
                event = str(json.loads(line)["event"])
                if event.startswith(text) and RUN in event:
                    return event
        time.sleep(0.5)
    raise AssertionError(f"no line of {logs}/{pattern} begins {text}")


def test_a_failed_run_is_told_with_its_tasks_and_the_page_that_helps(failed_run: RunningInstallation) -> None:
    event = event_that_begins(RUN_FAILED, failed_run.logs, "dags/2*/dags-folder/receive_batch.py.log")
    assert event == f"{RUN_FAILED}: receive_batch {RUN}: load_and_check_0; see docs/runbook/receive_batch.md"


def test_a_missed_deadline_is_told_with_its_limit(failed_run: RunningInstallation) -> None:
    event = event_that_begins(DEADLINE_MISSED, failed_run.logs, f"tasks/executor_callbacks/receive_batch/{RUN}/*")
    assert event == f"{DEADLINE_MISSED}: a batch is received within 4 hours (receive_batch {RUN})"
