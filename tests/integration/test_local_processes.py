"""Processes of ours are found, told from strangers, and stopped with all they started; the CLI refuses with reasons."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from settlement.cli import app
from settlement.local import lifecycle
from settlement.local.postgres import free_port, refuse_busy_port
from settlement.local.processes import KnownProcess, read_pid_file, stop, write_pid_file
from settlement.local.supervisor import Child

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN_PARENT = f"""
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen({SLEEP!r})
print("ready", flush=True)
time.sleep(600)
"""
LINGERING_PARENT = f"""
import signal, subprocess, time
child = subprocess.Popen({SLEEP!r})
signal.signal(signal.SIGTERM, lambda *_: child.kill() or child.wait())
print("ready", flush=True)
while True:
    time.sleep(600)
"""


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "local"
    monkeypatch.setenv("SETTLEMENT_LOCAL", str(folder))
    return folder


def test_living_process_is_found_and_a_dead_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "pids.json"
    process = subprocess.Popen(SLEEP)
    write_pid_file(path, {"sleeper": KnownProcess.of(process.pid)})
    assert list(read_pid_file(path)) == ["sleeper"]
    stop(list(read_pid_file(path).values()), patience=5)
    assert read_pid_file(path) == {}
    assert process.wait() != 0


def test_recycled_pid_is_a_stranger() -> None:
    mine = KnownProcess.of(os.getpid())
    assert mine.find() is not None
    assert KnownProcess(mine.pid, mine.started_at - 60).find() is None


@pytest.mark.parametrize("text", ["", "{", '{"a": 1}', '{"a": {"pid": 1}}'])
def test_torn_pid_file_names_nobody(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pids.json"
    path.write_text(text)
    assert read_pid_file(path) == {}


def test_what_ends_with_its_children_is_not_waited_for_after_them() -> None:
    parent = subprocess.Popen([sys.executable, "-c", LINGERING_PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    lingering = psutil.Process(parent.pid)
    stop([lingering], patience=3600, ended_with_children=[lingering])
    assert parent.wait() == -signal.SIGKILL


def test_what_ignores_the_request_is_killed_with_its_children() -> None:
    parent = subprocess.Popen([sys.executable, "-c", STUBBORN_PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    process = psutil.Process(parent.pid)
    family = [process, *process.children(recursive=True)]
    assert len(family) == 2
    stop([process], patience=0.3)
    parent.wait()
    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in family)


def test_child_that_keeps_failing_waits_longer_each_time(tmp_path: Path) -> None:
    child = Child("broken", [sys.executable, "-c", "raise SystemExit('out of order')"], tmp_path, pause=0.1)
    pauses = []
    for _ in range(2):
        assert child.ensure_running()
        assert child.process is not None
        child.process.wait()
        assert not child.ensure_running()
        pauses.append(child.pause)
        time.sleep(child.pause)
    assert pauses == [0.2, 0.4]
    assert (tmp_path / "broken.log").read_text() == "out of order\n" * 2


def test_free_port_is_accepted_and_a_wrong_one_refused(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_busy_port(free_port(), "SETTLEMENT_PORT_AIRFLOW")
    monkeypatch.setenv("SETTLEMENT_PORT_AIRFLOW", "eighty")
    result = CliRunner().invoke(app, ["up"])
    assert result.exit_code == 1
    assert "SETTLEMENT_PORT_AIRFLOW=eighty is not a port" in result.stderr


def test_full_disk_is_refused_before_anything_starts(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "FREE_BYTES_MIN", 10**18)
    result = CliRunner().invoke(app, ["up"])
    assert result.exit_code == 1
    assert "disk_full" in result.stderr
    assert not (local / "postgres").exists()


@pytest.mark.parametrize("command", [["info"], ["info", "--json"], ["settle", "--pay-date", "2026-03-02"]])
def test_commands_say_that_nothing_runs(local: Path, command: list[str]) -> None:
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert "not_started" in result.stderr
    assert "make up" in result.stderr
    assert result.stdout == ""


def test_stopping_what_never_ran_is_harmless(local: Path) -> None:
    assert CliRunner().invoke(app, ["down"]).exit_code == 0


@pytest.mark.parametrize(
    "arguments", [[], ["up"], ["down"], ["info"], ["deliver"], ["receive"], ["settle"], ["receipts"]]
)
def test_every_command_explains_itself(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.stdout
