"""Writing a run's outcome into its note, where the grid and the API show it.

Tasks have no access to Airflow's own database, so the note goes through its REST API with a service account.
"""

import logging
import os
from typing import Any

import httpx
from airflow.sdk import get_current_context

log = logging.getLogger(__name__)

SECONDS_TO_WAIT = 10


def write_note(text: str) -> None:
    """Set the note of the current run; a note that cannot be written is logged and fails nothing."""
    log.info("outcome: %s", text)
    run: Any = get_current_context()["dag_run"]
    address = os.environ.get("SETTLEMENT_AIRFLOW_URL")
    if not address:
        log.warning("the note was not written: SETTLEMENT_AIRFLOW_URL is not set")
        return
    try:
        token = _token(address)
        answer = httpx.patch(
            f"{address}/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}",
            params={"update_mask": "note"},
            json={"note": text[:1000]},
            headers={"Authorization": f"Bearer {token}"},
            timeout=SECONDS_TO_WAIT,
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        log.warning("the note was not written: %s", error)


def _token(address: str) -> str:
    account = {
        "username": os.environ["SETTLEMENT_AIRFLOW_USER"],
        "password": os.environ["SETTLEMENT_AIRFLOW_PASSWORD"],
    }
    answer = httpx.post(f"{address}/auth/token", json=account, timeout=SECONDS_TO_WAIT)
    answer.raise_for_status()
    return str(answer.json()["access_token"])
