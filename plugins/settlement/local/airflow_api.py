"""A small client of Airflow's REST API v2: what the command line needs, nothing more."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from settlement.errors import SettlementError

FINISHED = ("success", "failed")


@dataclass(frozen=True)
class Run:
    """A DAG run as its caller sees it."""

    dag_id: str
    run_id: str
    state: str
    note: str | None

    @property
    def is_finished(self) -> bool:
        """True once the run can no longer change by itself."""
        return self.state in FINISHED


class AirflowApi:
    """Calls as one user; a token is fetched at the first call and again when it has expired."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._account = {"username": user, "password": password}
        self._client = httpx.Client(base_url=url, timeout=30.0)

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, object]) -> Run:
        """Start a run. One with this id that exists already (409) is returned as it stands."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf)}
        response = self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", expected=(200, 409), json=body)
        return self.run(dag_id, run_id) if response.status_code == 409 else _run(response.json())

    def run(self, dag_id: str, run_id: str) -> Run:
        """The run as it stands."""
        return _run(self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}").json())

    def follow(self, dag_id: str, run_id: str, *, seconds: float, pause: float = 0.5) -> Iterator[Run]:
        """Yield the run at each look until it is finished; after `seconds` raise SettlementError run_not_finished."""
        deadline = time.monotonic() + seconds
        while True:
            run = self.run(dag_id, run_id)
            yield run
            if run.is_finished:
                return
            if time.monotonic() > deadline:
                raise SettlementError(
                    "run_not_finished",
                    f"{dag_id} {run_id} is still {run.state} after {seconds:.0f} s (尚未结束)",
                    f"look at {self.url}/dags/{dag_id}/runs/{run_id}",
                )
            time.sleep(pause)

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Task instances of the run: task_id, state, start_date and so on."""
        answer = self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances", params={"limit": 100})
        return list(answer.json()["task_instances"])

    def open_questions(self, dag_id: str = "~", run_id: str = "~") -> list[dict[str, Any]]:
        """What waits for a person's answer (required actions)."""
        answer = self._call(
            "GET",
            f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/hitlDetails",
            params={"response_received": "false", "state": "awaiting_input"},
        )
        return list(answer.json()["hitl_details"])

    def answer(self, question: Mapping[str, Any], option: str, form: Mapping[str, object] | None = None) -> None:
        """Answer one of `open_questions` with one of its options."""
        task = question["task_instance"]
        path = (
            f"/api/v2/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}"
            f"/taskInstances/{task['task_id']}/{task['map_index']}/hitlDetails"
        )
        self._call("PATCH", path, json={"chosen_options": [option], "params_input": dict(form or {})})

    def health(self) -> dict[str, str]:
        """Status by component: execution (what tasks talk to), metadatabase, scheduler, triggerer, dag_processor.

        The execution API makes its routes at its first request, which takes seconds: asked here, no task waits for it.
        """
        execution = self._call("GET", "/execution/health").json()
        answer = self._call("GET", "/api/v2/monitor/health").json()
        return {"execution": execution["status"]} | {
            name: part["status"] for name, part in answer.items() if part.get("status")
        }

    def dag_files(self) -> tuple[set[str], dict[str, str]]:
        """(files whose DAGs are known, file → error of those that do not import)."""
        dags = self._call("GET", "/api/v2/dags", params={"limit": 100, "exclude_stale": "true"}).json()["dags"]
        errors = self._call("GET", "/api/v2/importErrors", params={"limit": 100}).json()["import_errors"]
        return {dag["relative_fileloc"] for dag in dags}, {e["filename"]: e["stack_trace"] for e in errors}

    def ensure_pools(self, pools: Mapping[str, Mapping[str, object]]) -> None:
        """Create the pools, or change them to these: name → slots, description, include_deferred."""
        entities = [{"name": name, **pool} for name, pool in pools.items()]
        action = {"action": "create", "action_on_existence": "overwrite", "entities": entities}
        self._call("PATCH", "/api/v2/pools", json={"actions": [action]})

    def _call(self, method: str, path: str, expected: tuple[int, ...] = (200,), **content: Any) -> httpx.Response:
        response = self._send(method, path, **content)
        if response.status_code == 401:
            self._client.headers["Authorization"] = f"Bearer {self._token()}"
            response = self._send(method, path, **content)
        if response.status_code not in expected:
            raise SettlementError(
                "airflow_refused",
                f"{method} {self.url}{path} answered {response.status_code}: {_detail(response)}",
                "check the batch id, the parameters and the account's role",
            )
        return response

    def _token(self) -> str:
        response = self._send("POST", "/auth/token", json=self._account)
        if response.status_code != 201:
            raise SettlementError(
                "airflow_login_refused",
                f"{self.url} refuses the account {self._account['username']} (账号或密码错误)",
                "see 'settlement info'",
            )
        return str(response.json()["access_token"])

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **content)
        except httpx.TransportError as error:
            raise SettlementError(
                "airflow_unreachable", f"{self.url} does not answer (Airflow 未启动): {error}", "start it with: make up"
            ) from error


def _run(answer: Mapping[str, Any]) -> Run:
    return Run(answer["dag_id"], answer["dag_run_id"], answer["state"], answer.get("note"))


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json().get("detail")).strip().split("\n")[0]
    except ValueError:
        return response.text[:200]
