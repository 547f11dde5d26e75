"""Starting runs for callers, by the service account in the caller's name, and reading them."""

import hashlib
import hmac
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import jsonschema  # type: ignore[import-untyped]
from fastapi import Request
from fastapi.exceptions import RequestValidationError

from settlement.callers import ON_BEHALF_OF, started_by
from settlement.errors import SettlementError
from settlement.web.access import RECEIVE_BATCH, server_secret
from settlement.web.airflow import Airflow
from settlement.web.answers import FollowedRun, Run

DIGITS = 16


async def start_receiving(request: Request, caller: str, batch_id: str, run_id: str) -> tuple[Run, bool]:
    """Start `receive_batch` for a batch that lies in the inbox as run `run_id`; give the run, and whether it is new.

    A run of this id that is about another batch, or that failed in somebody else's name, is not the caller's: then the
    run gets an id that nobody but this server can name beforehand.

    Raises:
        SettlementError: ``run_not_started``.
    """
    conf = {"batch_id": batch_id}
    for each in (run_id, f"{run_id}--{digest(RECEIVE_BATCH, run_id)}"):
        run, is_new = await start(request, caller, RECEIVE_BATCH, each, conf)
        if is_new or _is_of(run, caller, conf):
            return Run(dag_id=run["dag_id"], dag_run_id=run["dag_run_id"], state=run["state"]), is_new
    raise SettlementError(
        "run_not_started",
        f"run {run_id} of {RECEIVE_BATCH} is about something else",
        "wait: the inbox is looked through every 10 minutes (收件箱每10分钟检查一次, 请稍候)",
    )


async def start(
    request: Request, caller: str, dag_id: str, run_id: str, conf: dict[str, Any]
) -> tuple[dict[str, Any], bool]:
    """Start a run, or give the one that has this id, as Airflow shows it; and whether it is new.

    Raises:
        SettlementError: ``run_not_started``.
    """
    airflow = Airflow(request)
    runs = f"/dags/{dag_id}/dagRuns"
    body = {"dag_run_id": run_id, "logical_date": None, "conf": {**conf, ON_BEHALF_OF: caller}}
    answer = await airflow.call("POST", runs, body)
    is_new = answer.status_code != HTTPStatus.CONFLICT
    if not is_new:
        answer = await airflow.call("GET", f"{runs}/{quote(run_id, safe='')}")
    if answer.status_code != HTTPStatus.OK:
        raise SettlementError(
            "run_not_started",
            f"{dag_id} {run_id}: Airflow answered {answer.status_code}: {answer.text[:200]}",
            "see Airflow's log",
        )
    return dict(answer.json()), is_new


async def find(request: Request, dag_id: str, run_id: str) -> dict[str, Any]:
    """Give a run as Airflow shows it.

    Raises:
        SettlementError: ``run_not_found``.
    """
    answer = await Airflow(request).call("GET", f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}")
    if answer.status_code != HTTPStatus.OK:
        raise SettlementError(
            "run_not_found", f"{dag_id} has no run {run_id} (未找到该运行)", "check the id (请核对运行编号)"
        )
    return dict(answer.json())


async def check_parameters(request: Request, dag_id: str, conf: dict[str, Any]) -> None:
    """Hold a conf against the DAG's own schema, and refuse keys that it does not know, before anything is started.

    Raises:
        RequestValidationError: Naming the key (``parameter_invalid``).
        SettlementError: ``run_not_started`` where Airflow does not know the DAG.
    """
    answer = await Airflow(request).call("GET", f"/dags/{dag_id}/details")
    if answer.status_code != HTTPStatus.OK:
        raise SettlementError("run_not_started", f"Airflow does not know {dag_id}: {answer.status_code}", "try again")
    known = answer.json().get("params") or {}
    for key, value in conf.items():
        if key not in known:
            raise _invalid(key, f"is not known; {dag_id} knows {', '.join(sorted(known))}")
        try:
            jsonschema.validate(value, known[key].get("schema") or {}, format_checker=jsonschema.FormatChecker())
        except jsonschema.ValidationError as error:
            raise _invalid(key, error.message[:200]) from None


def conf_of(run: dict[str, Any]) -> dict[str, Any]:
    """Give the parameters of a run, without in whose name it was started."""
    return {key: value for key, value in (run.get("conf") or {}).items() if key != ON_BEHALF_OF}


def shown(run: dict[str, Any], *, is_new: bool = False) -> FollowedRun:
    """Give of a run what its caller sees."""
    return FollowedRun(
        dag_id=run["dag_id"],
        dag_run_id=run["dag_run_id"],
        state=run["state"],
        note=run.get("note"),
        conf=conf_of(run),
        started_by=_caller_of(run),
        is_new=is_new,
    )


def digest(*words: str) -> str:
    """Give letters and digits that follow from the words and that nobody without the server's secret can foretell."""
    return hmac.new(server_secret(), "\n".join(words).encode(), hashlib.sha256).hexdigest()[:DIGITS]


def _is_of(run: dict[str, Any], caller: str, conf: dict[str, Any]) -> bool:
    return conf_of(run) == conf and (run["state"] != "failed" or _caller_of(run) == caller)


def _caller_of(run: dict[str, Any]) -> str:
    return started_by(run.get("triggering_user_name"), run.get("conf"))


def _invalid(key: str, found: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", key[:100]), "msg": found}])
