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
PEOPLE = {"platform": "Platform", "approver": "Approver"}
SECRET = "0123456789abcdef" * 4  # as long as those that .env.example asks for
PASSWORDS_OF_ACCOUNTS = ("AIRFLOW_ADMIN_PASSWORD", "SETTLEMENT_SERVICE_PASSWORD")
EARLIER_PASSWORD = "fedcba9876543210" * 4
LATER_RIGHT = ["Platform", "--resource", "DAG:book_month", "--action", "can_read"]
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
        self.settings = {
            **{name: SECRET for name in re.findall(r"^(\w+)=$", (HOME / ".env.example").read_text(), re.MULTILINE)},
            "AIRFLOW_FERNET_KEY": "b25seS1mb3ItdGhpcy10ZXN0LTAxMjM0NTY3ODlhYmM=",
            "POSTGRES_PASSWORD": (server.directory / "password").read_text(),
            "SETTLEMENT_APPROVERS": "approver",
            "SETTLEMENT_RELEASERS": "approver",
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

    The first start is one of an earlier day: the accounts had other passwords, and a role had fewer rights.
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
            started.run("prepare", ["airflow", "roles", "del-perms", *LATER_RIGHT])
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
    token = _sign_in(services, "platform", SECRET).json()["access_token"]
    case = f"{services.url}/settlement/v1/cases/nowhere/grouping"
    answer = httpx.get(case, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (404, "case_not_found")
    with pytest.raises(SettlementError, match="answered 403"):
        services.api("platform").trigger("book_month", "not-mine", {})


def test_the_pools_are_those_of_the_project(services: Services) -> None:
    wanted = json.loads((HOME / "deploy" / "pools.json").read_text())
    listed = json.loads(services.run("scheduler", ["airflow", "pools", "list", "--output", "json"]))
    slots = {pool["pool"]: int(pool["slots"]) for pool in listed}
    assert {name: slots.get(name) for name in wanted} == {name: pool["slots"] for name, pool in wanted.items()}


def test_money_is_paid_and_who_started_it_does_not_approve_it(services: Services) -> None:
    batches.write_batch(services.inbox, "reference", "reference", REFERENCE)
    large = batches.settlement("S1", HOSPITAL, "2026-03-04", "250000.00")
    batches.write_batch(services.inbox, "wednesday", "settlement", {"settlement": [large]}, day="2026-03-04")
    platform = services.api("platform")
    assert _finish(platform, "receive_batch", "all-that-waits", {}) == "success", services.errors()

    platform.trigger("settle_day", "thursday", {"pay_date": "2026-03-05", "area_code": AREA})
    approver = services.api("approver")
    question = wait_for_question(approver, "thursday")
    with pytest.raises(SettlementError, match="answered 403"):
        platform.answer(question, "approve", {"reason": "our own money"})
    state = answer_and_follow(approver, question, "approve", "seen")
    assert state == "success", services.errors()

    dsn = services.environment("scheduler")["SETTLEMENT_BI_READER_DSN"]
    with psycopg.connect(dsn) as connection:
        paid = connection.execute("select status, amount from marts.fct_payment_instructions").fetchall()
    assert paid == [("instructed", Decimal("175000.00"))]


def test_an_account_starts_no_dag_that_its_role_does_not_name(services: Services) -> None:
    with pytest.raises(SettlementError, match="answered 403"):
        services.api("approver").trigger("receive_batch", "not-mine", {})


def _sign_in(services: Services, account: str, password: str) -> httpx.Response:
    return httpx.post(f"{services.url}/auth/token", json={"username": account, "password": password}, timeout=30)


def _finish(api: AirflowApi, dag_id: str, run_id: str, conf: Mapping[str, object]) -> str:
    api.trigger(dag_id, run_id, conf)
    return [run.state for run in api.follow(dag_id, run_id, seconds=300)][-1]
