"""What reads foreign files: it is given no other duty's address, and can take none; when it dies, the others go on."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import psycopg
import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import area, write_batch
from tests.fixtures.processes import run_unprivileged

from settlement.tasks import intake, parameters
from settlement.tasks.loading import LoadingProcess, handed_over
from settlement.warehouse import transaction_lock

AREAS = {"a": "330200", "b": "330100"}
LOADING = "settlement.loading_process"


@pytest.fixture
def inbox(warehouse: Warehouse) -> Warehouse:
    """Two batches wait, `a` and `b`."""
    for batch_id, code in AREAS.items():
        write_batch(warehouse.inbox, batch_id, "reference", {"area": [area(code)]}, area_code=code)
    return warehouse


@pytest.fixture
def stuck(inbox: Warehouse) -> Iterator[Warehouse]:
    """The load of `a` waits for a lock that nobody gives back."""
    with psycopg.connect(inbox.admin_dsn) as connection:
        transaction_lock(connection, "intake", AREAS["a"])
        yield inbox


def test_it_is_handed_the_loaders_address_and_no_other_secret(
    inbox: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "secret")
    monkeypatch.setenv("SETTLEMENT_AIRFLOW_PASSWORD", "secret")
    monkeypatch.setenv("SETTLEMENT_DECIDER_DSN", "postgresql://decider:secret@127.0.0.1/x")
    given = handed_over()
    assert [name for name in given if name.endswith("_DSN")] == ["SETTLEMENT_LOADER_DSN"]
    assert not [name for name, value in given.items() if "secret" in value]
    assert not [name for name in given if name.startswith("AIRFLOW")]
    assert inbox.outbox.as_posix() == given["SETTLEMENT_OUTBOX"]


PROBE = """
import os, socket, sys
from pathlib import Path
from settlement import loading_process
loading_process._confine()
def tried(name, attempt):
    try:
        attempt()
        print(name, "done")
    except OSError:
        print(name, "denied")
tried("signal", lambda: os.kill(os.getppid(), 0))
tried("secrets", lambda: (Path(os.environ["SETTLEMENT_LOCAL"]) / "secrets.json").read_text())
tried("inbox written", lambda: (Path(os.environ["SETTLEMENT_INBOX"]) / "x").write_text("x"))
tried("other port", lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5))
tried("inbox read", lambda: list(Path(os.environ["SETTLEMENT_INBOX"]).iterdir()))
tried("outbox written", lambda: (Path(os.environ["SETTLEMENT_OUTBOX"]) / "x").write_text("x"))
"""


def test_confined_it_signals_no_process_and_reaches_no_secret_and_no_other_port(inbox: Warehouse) -> None:
    (inbox.inbox.parent / "local" / "secrets.json").write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as other:
        command = [sys.executable, "-P", "-c", PROBE, str(other.getsockname()[1])]
        result = subprocess.run(command, env=handed_over(), capture_output=True, text=True, check=True)
    if "no Landlock" in result.stderr:
        pytest.skip("this kernel has no Landlock")
    assert result.stdout.splitlines() == [
        *("signal denied", "secrets denied", "inbox written denied", "other port denied"),
        *("inbox read done", "outbox written done"),
    ]


LOOKED_INTO = """
import ctypes, sys
from pathlib import Path
from settlement.confinement import close_to_others, confine
give_up_rights()
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # whoever gives up rights is closed by that; a task process never had any
if sys.argv[1] == "closed":
    close_to_others()
parent = os.getpid()
if os.fork() == 0:
    if sys.argv[1] == "confined" and not confine([Path("/proc")], [], None):
        print("no Landlock")
    for name in ("environ", "mem"):
        try:
            open(f"/proc/{parent}/{name}", "rb").close()
            print(name, "open", flush=True)
        except OSError:
            print(name, "denied", flush=True)
    os._exit(0)
os.wait()
"""


@pytest.mark.parametrize("how", ["closed", "confined"])
def test_neither_a_closed_process_nor_from_a_confined_one_any_is_looked_into_by_another_of_its_user(how: str) -> None:
    if sys.platform != "linux":
        pytest.skip("of Linux")
    assert run_unprivileged(LOOKED_INTO, "neither").splitlines()[0] == "environ open"
    found = run_unprivileged(LOOKED_INTO, how).splitlines()
    assert found in (["environ denied", "mem denied"], ["no Landlock", "environ open", "mem open"])
    assert how == "confined" or "no Landlock" not in found


def test_the_receipt_and_the_log_come_back_from_it(inbox: Warehouse, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with LoadingProcess() as loading:
        assert [loading.receive(batch_id)["status"] for batch_id in ("a", "b")] == ["accepted", "accepted"]
    assert "batch a: accepted" in caplog.text
    assert inbox.rows("select batch_id from intake.load_attempt") == []


def kill_loads(warehouse: Warehouse, times: int) -> None:
    """Kill the loading process of this test each time a load has begun."""
    for begun in range(1, times + 1):
        end = time.monotonic() + 60
        while len(warehouse.rows("select from intake.load_attempt")) < begun and time.monotonic() < end:
            time.sleep(0.1)
        for child in psutil.Process().children():
            if LOADING in child.cmdline():
                child.kill()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run without parameters, its steps called one by one."""
    context = {
        "dag_run": SimpleNamespace(conf={}, triggering_user_name=None),
        "params": {"batch_id": None},
        "run_id": "test",
    }
    for module in (parameters, intake):
        monkeypatch.setattr(module, "get_current_context", lambda: context)


@pytest.mark.usefixtures("run")
def test_a_load_that_kills_its_process_twice_is_set_aside_told_and_leaves_the_others_to_go_on(
    stuck: Warehouse, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTLEMENT_LIMIT_LOAD_SECONDS", "60")
    killer = threading.Thread(target=kill_loads, args=[stuck, 2])
    killer.start()
    received = intake.load_and_check.function(["a", "b"])
    killer.join()
    assert received["failures"] == {}
    assert [(receipt["batch_id"], receipt["status"]) for receipt in received["receipts"]] == [
        ("a", "refused"),
        ("b", "accepted"),
    ]
    assert received["receipts"][0]["error"]["code"] == "load_killed_twice"
    assert "BATCH SET ASIDE 批次搁置: a: load_killed_twice" in caplog.text
    assert (stuck.outbox / "a" / "receipt.json").exists()


@pytest.mark.usefixtures("run")
def test_a_load_that_does_not_end_is_stopped_and_set_aside(stuck: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_LIMIT_LOAD_SECONDS", "8")
    received = intake.load_and_check.function(["a", "b"])
    codes = [receipt.get("error", {}).get("code") for receipt in received["receipts"]]
    assert codes == ["load_killed_twice", None]
    assert not list((Path(stuck.inbox).parent / "local" / "work").glob("*/file_*"))
