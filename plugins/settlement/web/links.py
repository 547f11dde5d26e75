"""Paths on this server, wherever a proxy has put it."""

from fastapi import Request

from settlement.web.access import RECEIVE_BATCH
from settlement.web.answers import Links


def links_of(request: Request, batch_id: str, run_id: str, *, has_rejected: bool = False) -> Links:
    """Where the batch, its run and its refused rows are found."""
    batch = f"{request.scope['root_path']}/v1/batches/{batch_id}"
    airflow = request.scope.get("app_root_path", "")
    return Links(
        self=batch,
        run=f"{airflow}/api/v2/dags/{RECEIVE_BATCH}/dagRuns/{run_id}",
        rejected=f"{batch}/rejected.csv" if has_rejected else None,
    )
