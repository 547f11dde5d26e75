"""Writing a run's outcome into its note, where the grid and the API show it.

Tasks have no access to Airflow's own database, so the note goes through its REST API with a service account.
"""

import logging
import os
from typing import Any

import httpx
from airflow.sdk import get_current_context

from settlement.markdown import plain

log = logging.getLogger(__name__)

SECONDS_TO_WAIT = 10
LONGEST_NOTE = 1000


def write_note(text: str) -> None:
    """Set the note of the current run; a note that cannot be written is logged and fails nothing.

    Airflow renders notes as Markdown: the text, in which words of senders stand, renders nothing.
    """
    log.info("outcome: %s", text)
    run: Any = get_current_context()["dag_run"]
    try:
        client = service_client()
        if client is None:
            log.warning("the note was not written: SETTLEMENT_AIRFLOW_URL is not set")
            return
        with client:
            client.patch(
                f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}",
                params={"update_mask": "note"},
                json={"note": _note(text)},
            ).raise_for_status()
    except httpx.HTTPError as error:
        log.warning("the note was not written: %s", error)


def _note(text: str) -> str:
    """Give the beginning of the text that is a note of the allowed length; it is cut before it is escaped."""
    beginning = text[:LONGEST_NOTE]
    while len(note := plain(beginning)) > LONGEST_NOTE:
        beginning = beginning[: len(beginning) - (len(note) - LONGEST_NOTE + 1) // 2]
    return note


def service_client() -> httpx.Client | None:
    """Give a client of Airflow's REST API, signed in with the service account; None where no address is set."""
    address = os.environ.get("SETTLEMENT_AIRFLOW_URL")
    if not address:
        return None
    # Signing in has a connection of its own: a client that was used cannot be opened by `with`.
    token = _token(address)
    return httpx.Client(base_url=address, timeout=SECONDS_TO_WAIT, headers={"Authorization": f"Bearer {token}"})


def _token(address: str) -> str:
    account = {
        "username": os.environ["SETTLEMENT_AIRFLOW_USER"],
        "password": os.environ["SETTLEMENT_AIRFLOW_PASSWORD"],
    }
    answer = httpx.post(f"{address}/auth/token", json=account, timeout=SECONDS_TO_WAIT)
    answer.raise_for_status()
    return str(answer.json()["access_token"])
