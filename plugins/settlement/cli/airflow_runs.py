"""Starting runs over the REST API and following them on the terminal."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console

from settlement.cli.delivery import read_receipt
from settlement.errors import SettlementError
from settlement.local import lifecycle
from settlement.local.airflow_api import AirflowApi, Run

console = Console()

# A run is looked at twice a second; its list of tasks, which costs the API server twice as much, every fourth time.
LOOKS_A_TASK_LIST = 4


def connect() -> tuple[AirflowApi, dict[str, str]]:
    """The API and the facts of `settlement info --json`.

    With SETTLEMENT_AIRFLOW_URL, _USER and _PASSWORD set it is that installation (then SETTLEMENT_INBOX and _OUTBOX
    must be set too), else the local one.
    """
    if url := os.environ.get("SETTLEMENT_AIRFLOW_URL"):
        facts = {name: _required(f"SETTLEMENT_{name.upper()}") for name in ("inbox", "outbox")}
        user, password = _required("SETTLEMENT_AIRFLOW_USER"), _required("SETTLEMENT_AIRFLOW_PASSWORD")
        return AirflowApi(url, user, password), facts
    installation = lifecycle.require_running()
    return lifecycle.admin_api(installation), lifecycle.describe(installation)


def receive(api: AirflowApi, batch_id: str, run_id: str, outbox: str, seconds: float) -> dict[str, Any]:
    """Receive a batch that lies in the inbox by the run `run_id`, and give its receipt."""
    follow(api, "receive_batch", run_id, {"batch_id": batch_id}, seconds)
    return read_receipt(batch_id, outbox)


def follow(
    api: AirflowApi,
    dag_id: str,
    run_id: str,
    conf: Mapping[str, object],
    seconds: float,
    answer: Callable[[Mapping[str, Any]], None] | None = None,
) -> Run:
    """Start the run, or join the one that has this id, and wait for its end.

    `answer` is called with each question that the run asks a person; without it a question ends the waiting.

    Raises SettlementError: answer_needed, run_failed, run_not_finished.
    """
    api.trigger(dag_id, run_id, conf)
    with console.status(f"{dag_id} {run_id} …") as status:
        for look, run in enumerate(api.follow(dag_id, run_id, seconds=seconds)):
            if look % LOOKS_A_TASK_LIST:
                continue
            tasks = api.tasks(dag_id, run_id)
            running = [task["task_id"] for task in tasks if task["state"] == "running"]
            status.update(f"{dag_id} {run_id}: {run.state} {' '.join(running)}")
            asks = any(task["state"] == "awaiting_input" for task in tasks)
            for question in api.open_questions(dag_id, run_id) if asks else []:
                if answer is None:
                    raise SettlementError(
                        "answer_needed",
                        f"{dag_id} {run_id} waits for a person (等待人工审批)",
                        f"answer it at {api.url}/required_actions, then run this command again",
                    )
                answer(question)
    if run.state == "failed":
        failed = [task["task_id"] for task in api.tasks(dag_id, run_id) if task["state"] == "failed"]
        raise SettlementError(
            "run_failed",
            f"{dag_id} {run_id} failed at {', '.join(failed) or 'its start'} (运行失败)",
            f"read the log at {api.url}/dags/{dag_id}/runs/{run_id}",
        )
    console.print(f"✓ {dag_id} {run_id}{': ' + run.note if run.note else ''}", highlight=False, soft_wrap=True)
    return run


def _required(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise SettlementError(
            "setting_missing", f"SETTLEMENT_AIRFLOW_URL is set, but {variable} is not", f"set {variable} as well"
        )
    return value
