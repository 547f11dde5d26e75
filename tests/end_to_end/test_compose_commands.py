"""What docker-compose.yml starts, started without containers: its commands, environment, health checks and accounts."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
import yaml
from tests.end_to_end.questions import answer_and_follow, wait_for_question
from tests.fixtures import batches
from tests.fixtures.folders import reachable_folder

from settlement.errors import SettlementError
from settlement.local import processes
from settlement.local.airflow_api import AirflowApi
from settlement.local.postgres import HOST, EmbeddedPostgres, free_port
from settlement.web.schedule_watch import LOOK_EVERY_SECONDS

HOME = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((HOME / "docker-compose.yml").read_text())
AREA = "330100"
HOSPITAL = "H33010000001"
REFERENCE = {
    "area": [batches.area(AREA)],
    "institution": [batches.institution(HOSPITAL)],
    "bank_account": [batches.bank_account(HOSPITAL)],
    "fund_account": [batches.fund_account()],
    "payment_policy": [batches.daily_policy()],
    "cash_plan": [batches.cash_plan(AREA, "2026-03", "90000000.00", "10000000.00")],
}
PEOPLE = {"platform": "Platform", "approver": "Approver", "operator": "Operator"}
KNOWN_TO_EVERY_ACCOUNT = {"/api/v2/version", "/api/v2/monitor/health"}
SECRET = "0123456789abcdef" * 4  # as long as those that .env.example asks for
PASSWORDS_OF_ACCOUNTS = ("AIRFLOW_ADMIN_PASSWORD", "SETTLEMENT_SERVICE_PASSWORD")
EARLIER_PASSWORD = "fedcba9876543210" * 4
MISSING_RIGHT = ["Platform", "--resource", "DAG Run:book_month", "--action", "can_read"]
EARLIER_RIGHT = ["Platform", "--resource", "DAG:settle_day", "--action", "can_edit"]
HEALTHY_WITHIN_SECONDS = 240

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


class Services:
    """The services of docker-compose.yml as processes of this machine, in a folder of their own."""

    def __init__(self, folder: Path, server: EmbeddedPostgres) -> None:
        self.folder = folder
        self.port = free_port()
        self._server = server
        self._bin = Path(sys.executable).parent
        self._running: list[subprocess.Popen[bytes]] = []
        self._tokens: dict[str, str] = {}
        self.settings = {
            **{name: SECRET for name in re.findall(r"^(\w+)=$", (HOME / ".env.example").read_text(), re.MULTILINE)},
            "AIRFLOW_FERNET_KEY": "b25seS1mb3ItdGhpcy10ZXN0LTAxMjM0NTY3ODlhYmM=",
            "POSTGRES_PASSWORD": (server.directory / "password").read_text(),
            "SETTLEMENT_APPROVERS": "approver",
            "SETTLEMENT_RELEASERS": "approver",
            "SETTLEMENT_USER_KINDS": json.dumps({"platform": ["reference", "settlement"]}),
            "AIRFLOW_BASE_URL": self.url,
        }

    @property
    def url(self) -> str:
        """Where the API server listens."""
        return f"http://{HOST}:{self.port}"

    @property
    def inbox(self) -> Path:
        """Where batches are delivered."""
        return self.folder / "inbox"

    def create_metadata_database(self) -> None:
        """Run the script that the database's container runs when its volume is new."""
        script = COMPOSE["configs"]["airflow_database"]["content"].replace("$$", "$")
        environment = {
            "PATH": f"{self._server._binary('psql').parent}:{os.environ['PATH']}",
            "PGHOST": HOST,
            "PGPORT": str(self._server.port),
            "PGPASSWORD": self.settings["POSTGRES_PASSWORD"],
            "PGDATABASE": "settlement",
            "POSTGRES_USER": "postgres",
            "AIRFLOW_DATABASE_PASSWORD": SECRET,
        }
        subprocess.run(["/bin/sh", "-c", script], env=environment, check=True)

    def run(self, service: str, command: list[str] | None = None) -> str:
        """Run a service's own command, or another in its environment, to its end; what it prints."""
        finished = subprocess.run(
            command or self._command(service),
            env=self.environment(service),
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def start(self, service: str) -> None:
        """Start a service and wait until its own health check says that it is well."""
        with (self.folder / f"{service}.log").open("wb") as sink:
            process = subprocess.Popen(
                self._command(service),
                env=self.environment(service),
                cwd=self.folder,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)
        check = [str(self._bin / "python"), *COMPOSE["services"][service]["healthcheck"]["test"][2:]]
        deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
        while time.monotonic() < deadline:
            assert process.poll() is None, (self.folder / f"{service}.log").read_text()[-3000:]
            if subprocess.run(check, env=self.environment(service), capture_output=True).returncode == 0:
                return
            time.sleep(1)
        raise AssertionError(f"{service} is not healthy: {(self.folder / f'{service}.log').read_text()[-3000:]}")

    def stop(self) -> None:
        """Stop all that was started, with what they started."""
        processes.stop([psutil.Process(one.pid) for one in self._running if one.poll() is None], 45.0)

    def errors(self) -> str:
        """What tasks have logged as an error."""
        lines = (line for log in (self.folder / "logs/tasks").rglob("*.log") for line in log.read_text().splitlines())
        return "\n".join(line for line in lines if '"level":"error"' in line)

    def api(self, user: str, password: str = SECRET) -> AirflowApi:
        """The REST API as one of Airflow's own accounts."""
        return AirflowApi(self.url, user, password)

    def call(self, account: str, method: str, path: str, body: Any = None) -> httpx.Response:
        """Any call of the server, with a token of the account."""
        token = self._tokens.get(account) or _sign_in(self, account, SECRET).json()["access_token"]
        self._tokens[account] = token
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=60)

    def _command(self, service: str) -> list[str]:
        program, *arguments = [self._here(word) for word in COMPOSE["services"][service]["command"]]
        found = self._bin / program
        return [str(found) if found.exists() else program, *arguments]

    def environment(self, service: str) -> dict[str, str]:
        """The service's variables, as they read on this machine."""
        declared = {
            name: self._here(self._filled(str(value)))
            for name, value in COMPOSE["services"][service]["environment"].items()
        }
        return {
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "PYTHONPATH": str(HOME / "plugins"),
            "LC_ALL": "C.UTF-8",
            "SETTLEMENT_SCHEDULES": "off",  # nothing here may depend on the hour at which the test runs
            **declared,
        }

    def _filled(self, text: str) -> str:
        """Fill in `${NAME}`, `${NAME:-default}` and `${NAME:?message}` as compose does."""

        def value(match: re.Match[str]) -> str:
            name, rest = match[1], match[2] or ""
            if name in self.settings:
                return self.settings[name]
            assert not rest.startswith(":?"), f"{name} is not in .env.example"
            return rest.removeprefix(":-")

        return re.sub(r"\$\{(\w+)(:[-?][^}]*)?\}", value, text)

    def _here(self, text: str) -> str:
        """Say of this machine what the file says of its containers."""
        for there, here in {
            "@postgres:5432/": f"@{HOST}:{self._server.port}/",
            "@postgres/": f"@{HOST}:{self._server.port}/",
            "http://api-server:8080": self.url,
            "0.0.0.0": HOST,
            "/opt/settlement": str(HOME),
            "/var/lib/settlement": str(self.folder),
            "/home/settlement": str(self.folder / "home"),
        }.items():
            text = text.replace(there, here)
        return re.sub("^8080$", str(self.port), text)


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    """PostgreSQL, `prepare` run twice as two starts do, the four processes, and the accounts of two people.

    The first start is one of an earlier day: the accounts had other passwords, and a role had other rights.
    """
    with reachable_folder() as folder, EmbeddedPostgres(folder / "postgres") as server:
        for name in ("inbox", "outbox", "state", "logs", "home"):
            (folder / name).mkdir()
        server.ensure_database("settlement")
        started = Services(folder, server)
        started.create_metadata_database()
        try:
            started.settings |= dict.fromkeys(PASSWORDS_OF_ACCOUNTS, EARLIER_PASSWORD)
            started.run("prepare")
            started.run("prepare", ["airflow", "roles", "del-perms", *MISSING_RIGHT])
            started.run("prepare", ["airflow", "roles", "add-perms", *EARLIER_RIGHT])
            started.settings |= dict.fromkeys(PASSWORDS_OF_ACCOUNTS, SECRET)
            started.run("prepare")
            for service in ("api-server", "scheduler", "dag-processor", "triggerer"):
                started.start(service)
            for person, role in PEOPLE.items():
                started.run("scheduler", _create_account(person, role))
            yield started
        finally:
            started.stop()


def _create_account(person: str, role: str) -> list[str]:
    words = ["airflow", "users", "create", "--username", person, "--password", SECRET, "--role", role]
    return [*words, "--firstname", person, "--lastname", role, "--email", f"{person}@localhost"]


def test_nobody_gets_in_without_an_account(services: Services) -> None:
    assert httpx.get(f"{services.url}/api/v2/dags").status_code == 401
    assert _sign_in(services, "admin", "admin").status_code == 401


@pytest.mark.parametrize("account", ["admin", "service"])
def test_a_password_that_was_changed_in_the_settings_reaches_the_account_that_exists(
    services: Services, account: str
) -> None:
    assert _sign_in(services, account, SECRET).status_code == 201
    assert _sign_in(services, account, EARLIER_PASSWORD).status_code == 401


def test_the_role_of_a_platform_sees_what_months_booked_and_books_none(services: Services) -> None:
    case = services.call("platform", "GET", "/settlement/v1/cases/nowhere/grouping")
    assert (case.status_code, case.json()["code"]) == (404, "case_not_found")
    booking = services.call("platform", "POST", "/settlement/v1/runs/book_month", {"month": "2026-01"})
    assert (booking.status_code, booking.json()["code"]) == (403, "not_allowed")


def test_the_pools_are_those_of_the_project(services: Services) -> None:
    wanted = json.loads((HOME / "deploy" / "pools.json").read_text())
    listed = json.loads(services.run("scheduler", ["airflow", "pools", "list", "--output", "json"]))
    slots = {pool["pool"]: int(pool["slots"]) for pool in listed}
    assert {name: slots.get(name) for name in wanted} == {name: pool["slots"] for name, pool in wanted.items()}


def test_money_is_paid_and_who_started_it_does_not_approve_it(services: Services) -> None:
    batches.write_batch(services.inbox, "reference", "reference", REFERENCE)
    large = batches.settlement("S1", HOSPITAL, "2026-03-04", "250000.00")
    batches.write_batch(services.inbox, "wednesday", "settlement", {"settlement": [large]}, day="2026-03-04")
    assert _finish(services, "receive_batch", {}) == "success", services.errors()

    run_id = _start(services, "settle_day", {"pay_date": "2026-03-05", "area_code": AREA})
    approver = services.api("approver")
    question = wait_for_question(approver, run_id)
    with pytest.raises(SettlementError, match="answered 403"):
        services.api("platform").answer(question, "approve", {"reason": "our own money"})
    state = answer_and_follow(approver, question, "approve", "seen")
    assert state == "success", services.errors()

    dsn = services.environment("scheduler")["SETTLEMENT_BI_READER_DSN"]
    with psycopg.connect(dsn) as connection:
        paid = connection.execute("select status, amount from marts.fct_payment_instructions").fetchall()
    assert paid == [("instructed", Decimal("175000.00"))]


@pytest.mark.parametrize("account", ["platform", "approver"])
def test_nobody_from_outside_starts_a_run_over_airflows_own_api(services: Services, account: str) -> None:
    for dag_id in ("receive_batch", "settle_day"):
        with pytest.raises(SettlementError, match="answered 403"):
            services.api(account).trigger(dag_id, f"not-mine-{account}", {})


@pytest.mark.parametrize("account", ["platform", "approver", "service"])
@pytest.mark.parametrize("dag_id", ["settle_day", "receive_batch"])
def test_only_operators_and_administrators_pause_a_dag(services: Services, account: str, dag_id: str) -> None:
    for method, path in (("PATCH", f"/api/v2/dags/{dag_id}"), ("PATCH", "/api/v2/dags?dag_id_pattern=%25")):
        refused = services.call(account, method, path, {"is_paused": True})
        assert refused.status_code == 403, refused.text
    assert services.call("admin", "GET", f"/api/v2/dags/{dag_id}").json()["is_paused"] is False


def test_an_operator_pauses_a_dag_monitoring_is_told_and_it_goes_on(services: Services) -> None:
    said = services.folder / "api-server.log"
    alarm = "SCHEDULE NOT KEPT 未按计划运行: book_month: it is paused"
    assert alarm not in said.read_text()
    for is_paused in (True, False):
        answer = services.call("operator", "PATCH", "/api/v2/dags/book_month", {"is_paused": is_paused})
        assert (answer.status_code, answer.json()["is_paused"]) == (200, is_paused)
        deadline = time.monotonic() + 4 * LOOK_EVERY_SECONDS
        while is_paused and alarm not in said.read_text():
            assert time.monotonic() < deadline
            time.sleep(1)


def test_a_run_that_an_administrator_starts_in_anothers_name_is_refused(services: Services) -> None:
    admin = services.api("admin")
    conf = {"pay_date": "2026-03-05", "area_code": AREA, "on_behalf_of": "platform"}
    admin.trigger("settle_day", "forged", conf)
    assert [run.state for run in admin.follow("settle_day", "forged", seconds=300)][-1] == "failed"


def test_xcoms_states_and_clearing_are_closed_to_who_comes_from_outside(services: Services) -> None:
    run_id = _start(services, "settle_day", {"pay_date": "2026-03-05", "area_code": AREA})
    run = f"/api/v2/dags/settle_day/dagRuns/{run_id}"
    task = f"{run}/taskInstances/resolve_pay_date"
    for account in ("platform", "approver", "service"):
        for method, path, body in (
            ("POST", f"{task}/xcomEntries", {"key": "return_value", "value": "x"}),
            ("GET", f"{task}/xcomEntries/return_value", None),
            ("PATCH", task, {"new_state": "success"}),
            ("POST", "/api/v2/dags/settle_day/clearTaskInstances", {"dry_run": False}),
            ("DELETE", run, None),
        ):
            answer = services.call(account, method, path, body)
            assert answer.status_code == 403, (account, method, path, answer.text)


@pytest.mark.parametrize(("account", "status"), [("platform", 403), ("approver", 403), ("service", 422)])
def test_nobody_backfills_payments(services: Services, account: str, status: int) -> None:
    """Who may start runs is told that this schedule has no backfills: 422."""
    dates = {"from_date": "2026-03-01T00:00:00Z", "to_date": "2026-03-02T00:00:00Z"}
    answer = services.call(account, "POST", "/api/v2/backfills", {"dag_id": "settle_day", **dates})
    assert answer.status_code == status, answer.text


def test_a_platform_reads_nothing_of_runs_over_airflows_own_api(services: Services) -> None:
    run_id = _start(services, "settle_day", {"pay_date": "2026-03-05", "area_code": AREA})
    document = services.call("admin", "GET", "/openapi.json").json()
    values = {"dag_id": "settle_day", "dag_run_id": run_id, "run_id": run_id, "task_id": "resolve_pay_date"}
    open_paths = {}
    for path, operations in document["paths"].items():
        if "get" not in operations or not path.startswith(("/api/v2/", "/ui/")) or path.endswith("/logout"):
            continue
        for named in (values, {**values, "dag_id": "~", "dag_run_id": "~"}):
            answer = services.call("platform", "GET", re.sub(r"\{\w+\}", "-1", _filled(path, named)))
            if answer.status_code == 200:
                open_paths[path] = answer.text
    told = "".join(open_paths.values())
    assert set(open_paths) <= KNOWN_TO_EVERY_ACCOUNT
    assert not {word for word in (run_id, "settle_day", AREA) if word in told}
    followed = services.call("platform", "GET", f"/settlement/v1/runs/settle_day/{run_id}")
    assert (followed.status_code, followed.json()["started_by"]) == (200, "platform")


def test_what_the_api_offers_is_told_to_accounts_only(services: Services) -> None:
    for path in ("/openapi.json", "/docs", "/redoc", "/api/v2/version", "/settlement/v1/openapi.json"):
        assert httpx.get(f"{services.url}{path}", timeout=30).status_code == 401, path
        assert services.call("platform", "GET", path).status_code in (200, 404), path


def test_wrong_passwords_are_slowed_down_and_nobody_elses(services: Services) -> None:
    for _ in range(6):
        last = _sign_in(services, "viewer", "wrong")
    assert (last.status_code, last.json()["code"]) == (429, "sign_in_paused")
    assert int(last.headers["retry-after"]) >= 1
    assert _sign_in(services, "approver", SECRET).status_code == 201


def _sign_in(services: Services, account: str, password: str) -> httpx.Response:
    return httpx.post(f"{services.url}/auth/token", json={"username": account, "password": password}, timeout=30)


def _filled(path: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        path = path.replace("{" + name + "}", value)
    return path


def _start(services: Services, dag_id: str, conf: Mapping[str, object]) -> str:
    """Start a run as a platform does; give its id."""
    answer = services.call("platform", "POST", f"/settlement/v1/runs/{dag_id}", conf)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["dag_run_id"])


def _finish(services: Services, dag_id: str, conf: Mapping[str, object]) -> str:
    """Start a run as a platform does, and follow it to its end."""
    path = f"/settlement/v1/runs/{dag_id}/{_start(services, dag_id, conf)}"
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        state = str(services.call("platform", "GET", path).json()["state"])
        if state in ("success", "failed"):
            return state
        time.sleep(1)
    raise AssertionError(f"{path} does not end")
