"""Starting runs through Airflow's own REST API, inside the same process and in the caller's name.

So a run started here is checked, recorded and named like any other, and no address or service account is needed.
"""

from http import HTTPStatus
from typing import Any

import httpx
from fastapi import Request

from settlement.errors import SettlementError
from settlement.web.access import RECEIVE_BATCH, credential
from settlement.web.answers import Run

# The plugin notes here which application it is mounted in.
AIRFLOW = "settlement.airflow"


async def start_receiving(request: Request, batch_id: str, run_id: str) -> tuple[Run, bool]:
    """Start `receive_batch` for the batch as run `run_id`; give the run, and whether it is new.

    Raises:
        SettlementError: ``run_not_started`` when Airflow refuses, ``run_id_taken`` when the run of this id is about
            another batch.
    """
    runs = f"/api/v2/dags/{RECEIVE_BATCH}/dagRuns"
    body = {"dag_run_id": run_id, "logical_date": None, "conf": {"batch_id": batch_id}}
    inside = httpx.ASGITransport(request.scope[AIRFLOW], raise_app_exceptions=False)
    address = str(request.base_url)
    async with httpx.AsyncClient(transport=inside, base_url=address, headers=credential(request)) as airflow:
        answer = await airflow.post(runs, json=body)
        is_new = answer.status_code != HTTPStatus.CONFLICT
        if not is_new:
            answer = await airflow.get(f"{runs}/{run_id}")
    if answer.status_code != HTTPStatus.OK:
        raise SettlementError(
            "run_not_started",
            f"batch {batch_id} is in the inbox, but Airflow answered {answer.status_code}: {answer.text[:200]}",
            "post it again, or wait: the inbox is looked through every 10 minutes",
        )
    return _run(answer.json(), batch_id), is_new


def _run(answer: dict[str, Any], batch_id: str) -> Run:
    if answer["conf"].get("batch_id") != batch_id:
        raise SettlementError(
            "run_id_taken",
            f"run {answer['dag_run_id']} of {RECEIVE_BATCH} is about another batch",
            "trigger a run yourself",
        )
    return Run(dag_id=answer["dag_id"], dag_run_id=answer["dag_run_id"], state=answer["state"])
