"""A whole installation, really started: it works, starts twice, heals, survives a crash, and leaves nothing behind."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from settlement.local.airflow_api import AirflowApi
from settlement.local.postgres import EmbeddedPostgres, free_port
from settlement.local.processes import read_pid_file

HOME = Path(__file__).parents[2]
COMPONENTS = {"supervisor", "api-server", "scheduler", "dag-processor", "triggerer"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Shell:
    """Runs `settlement …` as a person would, in an installation of its own."""

    def __init__(self, local: Path) -> None:
        self.local = local
        self.home = local.parent / "home"
        self.home.mkdir()
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SETTLEMENT_", "AIRFLOW"))},
            "HOME": str(self.home),
            "PYTHONPATH": str(HOME / "plugins"),
            "SETTLEMENT_LOCAL": str(local),
            "SETTLEMENT_PORT_AIRFLOW": str(free_port()),
            "SETTLEMENT_PORT_POSTGRES": str(free_port()),
        }

    def run(self, *arguments: str) -> str:
        """Standard output of a command that must succeed."""
        finished = subprocess.run(
            [sys.executable, "-m", "settlement", *arguments],
            env=self._environment,
            cwd=self.local.parent,
            capture_output=True,
            text=True,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def processes(self) -> dict[str, psutil.Process]:
        """Airflow's living processes by name."""
        return read_pid_file(self.local / "run" / "airflow.json")

    def pids(self) -> dict[str, int]:
        """Their ids by name."""
        return {name: process.pid for name, process in self.processes().items()}


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    folder = Path(tempfile.mkdtemp(prefix="settlement-local-"))
    folder.chmod(0o755)
    shell = Shell(folder / "local")
    try:
        shell.run("up")
        yield shell
    finally:
        shell.run("down")
        shutil.rmtree(folder)


@pytest.fixture
def info(shell: Shell) -> dict[str, str]:
    facts: dict[str, str] = json.loads(shell.run("info", "--json"))
    return facts


def test_info_names_what_a_program_needs(info: dict[str, str]) -> None:
    names = ["airflow_url", "airflow_user", "airflow_password", "warehouse_dsn", "inbox", "outbox"]
    assert list(info) == names
    assert Path(info["inbox"]).is_dir()
    assert Path(info["outbox"]).is_dir()
    with psycopg.connect(info["warehouse_dsn"]) as connection:
        assert connection.execute("select current_user, count(*) >= 0 from marts.fct_settlements").fetchone() == (
            "bi_reader",
            True,
        )


def test_airflow_is_healthy_and_knows_every_dag(info: dict[str, str]) -> None:
    api = AirflowApi(info["airflow_url"], info["airflow_user"], info["airflow_password"])
    assert set(api.health().values()) == {"healthy"}
    known, broken = api.dag_files()
    assert broken == {}
    assert known == {path.name for path in (HOME / "dags").glob("*.py")}


def test_pools_are_those_of_the_server(info: dict[str, str]) -> None:
    account = {"username": info["airflow_user"], "password": info["airflow_password"]}
    token = httpx.post(f"{info['airflow_url']}/auth/token", json=account).json()["access_token"]
    answer = httpx.get(f"{info['airflow_url']}/api/v2/pools", headers={"Authorization": f"Bearer {token}"}).json()
    slots = {pool["name"]: pool["slots"] for pool in answer["pools"]}
    expected = json.loads((HOME / "deploy" / "pools.json").read_text())
    assert {name: slots.get(name) for name in expected} == {name: pool["slots"] for name, pool in expected.items()}


def test_secrets_are_private_and_the_home_stays_untouched(shell: Shell) -> None:
    for name in ("secrets.json", "installation.json", "airflow/passwords.json"):
        assert (shell.local / name).stat().st_mode & 0o077 == 0
    assert list(shell.home.iterdir()) == []


def test_nobody_else_reads_what_was_delivered_or_paid_and_no_log_of_a_start_holds_a_password(
    shell: Shell, info: dict[str, str]
) -> None:
    for folder in (info["inbox"], info["outbox"], str(shell.local / "logs")):
        assert Path(folder).stat().st_mode & 0o077 == 0, folder
    assert info["airflow_password"] not in shell.run("up")
    assert info["warehouse_dsn"] not in shell.run("info")


def test_starting_twice_changes_nothing(shell: Shell) -> None:
    before = shell.pids()
    assert "it runs already" in shell.run("up")
    assert shell.pids() == before


def test_after_a_change_of_the_code_it_is_stopped_before_anything_is_migrated(
    shell: Shell, info: dict[str, str]
) -> None:
    before = shell.pids()
    (shell.local / "run" / "code").write_text("what it was started with was other code")
    said = shell.run("up")
    assert said.index("the code has changed") < said.index("stopping Airflow") < said.index("warehouse")
    assert shell.pids().keys() == COMPONENTS
    assert set(shell.pids().values()).isdisjoint(before.values())
    assert json.loads(shell.run("info", "--json")) == info


def test_a_component_that_dies_comes_back(shell: Shell) -> None:
    victim = shell.processes()["triggerer"]
    victim.kill()
    deadline = time.monotonic() + 120
    while "triggerer" not in shell.processes() or shell.processes()["triggerer"].pid == victim.pid:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_start_after_a_crash_finds_what_was_there(shell: Shell, info: dict[str, str]) -> None:
    orphans = shell.processes()
    orphans["supervisor"].kill()
    EmbeddedPostgres(shell.local / "postgres").stop("immediate")
    shell.run("up")
    assert shell.processes().keys() == COMPONENTS
    survivors = {process.pid for process in shell.processes().values()} & {process.pid for process in orphans.values()}
    assert survivors == set()
    assert json.loads(shell.run("info", "--json")) == info


def test_stopping_leaves_no_process(shell: Shell) -> None:
    family = [child for process in shell.processes().values() for child in (process, *process.children(recursive=True))]
    shell.run("down")
    assert not [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    assert not EmbeddedPostgres(shell.local / "postgres").is_running()
