"""What monitoring watches: a run that failed, and a run that missed its deadline.

Airflow writes these lines as JSON, one object a line; the text below begins the field ``event``. Which file holds them
stands in docs/runbook/installation.md.
"""

import logging
from typing import Any

log = logging.getLogger(__name__)

RUN_FAILED = "RUN FAILED 运行失败"
DEADLINE_MISSED = "DEADLINE MISSED 超过时限"
BATCH_SET_ASIDE = "BATCH SET ASIDE 批次搁置"
SCHEDULE_NOT_KEPT = "SCHEDULE NOT KEPT 未按计划运行"
SIGN_INS_FAILED = "SIGN-INS FAILED 多次登录失败"

SET_ASIDE = ("file_unreadable", "load_killed_twice")


def run_failed(context: Any) -> None:
    """Say that a run failed, which of its tasks did, and the page that helps; Airflow's DAG processor calls it."""
    dag_id, run_id = context["dag"].dag_id, context["run_id"]
    tasks = ", ".join(_failed_tasks(context)) or "no task, " + context["reason"]
    log.error("%s: %s %s: %s; see docs/runbook/%s.md", RUN_FAILED, dag_id, run_id, tasks, dag_id)


def batch_refused(receipt: dict[str, Any]) -> None:
    """Say of a refused batch that its sender alone cannot mend it: an account's rights, or what killed its load."""
    error = receipt.get("error") or {}
    if error.get("code") in SET_ASIDE:
        log.error(
            "%s: %s: %s: %s. %s; see docs/runbook/receive_batch.md",
            *(BATCH_SET_ASIDE, receipt["batch_id"], error["code"], error["message"], error.get("hint", "")),
        )


def deadline_missed(limit: str, context: dict[str, Any] | None = None, **_: Any) -> None:
    """Say which limit a run missed; Airflow's executor calls it."""
    run = (context or {}).get("dag_run") or {}
    log.error("%s: %s (%s %s)", DEADLINE_MISSED, limit, run.get("dag_id", "?"), run.get("dag_run_id", "?"))


def _failed_tasks(context: Any) -> list[str]:
    """Name the tasks that failed, a mapped one with its index; Airflow itself hands over the last one only."""
    last = context.get("ti")
    if last is None:
        return []
    try:
        states = last.get_task_states(dag_id=context["dag"].dag_id, run_ids=[context["run_id"]])
    except Exception:  # whatever keeps the others from being read, that the run failed must be told
        log.exception("the tasks of the run could not be read")
        return [last.task_id]
    return sorted(task for task, state in states.get(context["run_id"], {}).items() if state == "failed")
