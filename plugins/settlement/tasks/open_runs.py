"""How many runs of a DAG an account may have open at a time, so that no sender stands in everybody's way.

Tasks have no access to Airflow's own database, so the runs are asked for over its REST API with the service account.
"""

import logging
import os
from collections.abc import Iterator
from typing import Any

import httpx

from settlement.callers import SCHEDULER, started_by
from settlement.errors import SettlementError
from settlement.tasks.parameters import caller_of_run, current_run
from settlement.tasks.run_notes import service_client

log = logging.getLogger(__name__)

SETTING = "SETTLEMENT_OPEN_RUNS"
DEFAULT = 8
PAGE = 100
PAGES = 20
"""Nobody looks at more than this many runs: whoever is behind so many is not the one to be refused."""


def refuse_too_many_runs(times: int = 1) -> None:
    """Refuse the current run where as many older ones of its account are open as it may have at a time.

    A DAG whose runs come in bursts by their nature allows `times` as many.

    Runs of the schedule are not counted. Where Airflow cannot be asked, the run goes on: the limit keeps order and
    guards no money.

    Raises:
        SettlementError: ``too_many_runs``; ``setting_invalid``.
    """
    allowed = _allowed() * times
    run = current_run()
    caller = caller_of_run(run)
    if caller == SCHEDULER:
        return
    try:
        older = [other for other in _older_open_runs(run) if _caller(other) == caller]
    except httpx.HTTPError as error:
        log.warning("how many runs %s has open is not known: %s", caller, error)
        return
    if len(older) >= allowed:
        raise SettlementError(
            "too_many_runs",
            f"{caller} has {len(older)} runs of {run.dag_id} open, and may have {allowed} (未结束的运行过多)",
            "wait until one has ended, answer its questions, or settle several areas in one run",
        )


def _allowed() -> int:
    text = os.environ.get(SETTING) or str(DEFAULT)
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SettlementError(
            "setting_invalid",
            f"{SETTING} is {text!r}, which is no count of runs (设置有误)",
            f"write it like {DEFAULT}",
        )
    return int(text)


def _older_open_runs(run: Any) -> Iterator[dict[str, Any]]:
    """Yield the runs that wait or go on and were made before this one, oldest first."""
    client = service_client()
    if client is None:
        return
    with client:
        for page in range(PAGES):
            answer = client.get(
                f"/api/v2/dags/{run.dag_id}/dagRuns",
                params={"state": ["queued", "running"], "order_by": "id", "limit": PAGE, "offset": page * PAGE},
            )
            answer.raise_for_status()
            found = answer.json()["dag_runs"]
            for other in found:
                if other["dag_run_id"] == run.run_id:
                    return
                yield other
            if len(found) < PAGE:
                return


def _caller(other: dict[str, Any]) -> str:
    return started_by(other.get("triggering_user_name"), other.get("conf"))
