"""Deadlines of runs, counted from the moment a run was planned for."""

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineAlert

from settlement.tasks.alerts import deadline_missed


class RunPlannedAt(BaseDeadlineReference):
    """The moment a run was planned for; for a run over the API that is when it was asked for.

    Airflow's own DAGRUN_QUEUED_AT does not survive clearing in 3.3.2: clearing a failed run recalculates it with the
    interval as it is stored, a serialised value, and ends in a server error.
    """

    required_kwargs = frozenset({"dag_id", "run_id"})

    def _evaluate_with(self, *, session: Any, dag_id: str, run_id: str) -> datetime | None:
        """Read the moment from the run's row; called by the scheduler and the API server only."""
        from airflow.models import DagRun
        from sqlalchemy import select

        return session.scalar(select(DagRun.run_after).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))


def within(hours: int, limit: str) -> DeadlineAlert:
    """Raise the alarm when a run has not ended `hours` after it was planned; `limit` says what was missed."""
    return DeadlineAlert(
        reference=RunPlannedAt(),
        interval=timedelta(hours=hours),
        callback=SyncCallback(deadline_missed, kwargs={"limit": limit}),
    )
