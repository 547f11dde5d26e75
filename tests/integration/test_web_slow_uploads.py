"""Senders that trickle, in numbers, at a real server process: the database and the other callers do not notice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from tests.fixtures.slow_sender import HOST, SlowSender
from tests.fixtures.status_api import BATCH, manifest_of

from settlement.local.postgres import free_port

HOME = Path(__file__).parents[2]
FILES = {"settlement.csv": b"x"}
ACCOUNTS = ("platform", "province", "hangzhou")
STARTS_WITHIN_SECONDS = 120
PATIENCE_SECONDS = 10
TAKEN = 10

pytestmark = pytest.mark.timeout(400)


def start_server(port: int) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{HOME / 'plugins'}{os.pathsep}{HOME}",
        "SETTLEMENT_AIRFLOW_USER": "service",
        "SETTLEMENT_AIRFLOW_PASSWORD": "any",
        "SETTLEMENT_UPLOAD_PATIENCE": str(PATIENCE_SECONDS),
        "SETTLEMENT_UPLOADS_PER_ACCOUNT": "4",
        "SETTLEMENT_UPLOADS": str(TAKEN),
    }
    server = subprocess.Popen([sys.executable, "-m", "tests.fixtures.status_api", str(port)], env=environment, cwd=HOME)
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None
        try:
            httpx.get(f"http://{HOST}:{port}/settlement/v1/batches/x", headers={"X-User": "platform"}, timeout=30)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return server
    server.kill()
    raise AssertionError("the server does not answer")


@pytest.fixture
def port(warehouse) -> Iterator[int]:
    port = free_port()
    server = start_server(port)
    try:
        yield port
    finally:
        server.kill()
        server.wait()


def connections(warehouse) -> int:
    """Connections of the status API to this test's warehouse."""
    query = (
        "select count(*) from pg_stat_activity where datname = current_database() and application_name ~ 'settlement'"
    )
    return warehouse.rows(query)[0][0]


def soon(holds: Callable[[], bool], seconds: float = 8) -> bool:
    """Whether it holds within the time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_many_slow_uploads_hold_no_connection_and_disturb_nobody(port, warehouse):
    with ExitStack() as open_ones:
        senders = [
            open_ones.enter_context(
                SlowSender(port, account, manifest_of({"settlement.csv": b"x"}, f"330100-{account}-{number}"))
            )
            for account in ACCOUNTS
            for number in range(8)
        ]
        assert soon(lambda: len(list(warehouse.inbox.glob("*/settlement.csv"))) == TAKEN)
        assert soon(lambda: connections(warehouse) == 0)
        assert len(list(warehouse.inbox.glob("*/settlement.csv"))) == TAKEN  # all of them are still open
        began = time.monotonic()
        call = httpx.get(
            f"http://{HOST}:{port}/settlement/v1/batches/nowhere", headers={"X-User": "viewer"}, timeout=30
        )
        assert call.json()["code"] == "batch_not_found"
        assert time.monotonic() - began < 5

        for _ in range(PATIENCE_SECONDS):  # a byte a second is no delivery
            for sender in senders:
                sender.send(b"x")
            time.sleep(1)
        answers = [sender.answer(PATIENCE_SECONDS + 10) for sender in senders]
        assert all(sender.is_closed_by_the_server(5) for sender in senders)

    codes = [body["code"] for _, _, body in answers]
    assert codes.count("upload_too_slow") == TAKEN
    assert set(codes) == {"upload_too_slow", "too_many_uploads", "uploads_busy"}
    assert {status for status, _, body in answers if body["code"] == "upload_too_slow"} == {408}
    assert {status for status, _, body in answers if body["code"] == "too_many_uploads"} == {429}
    assert all(int(headers["retry-after"]) > 0 for status, headers, _ in answers if status != 408)
    assert list(warehouse.inbox.iterdir()) == []
    assert soon(lambda: connections(warehouse) == 0)


def test_a_slow_manifest_is_cut_off_as_well(port, warehouse):
    with SlowSender(port, "platform", b"") as sender:
        sender.send(b"--cu")
        status, _, body = sender.answer(PATIENCE_SECONDS + 10)
    assert (status, body["code"]) == (408, "upload_too_slow")


def test_a_delivery_that_dies_with_its_server_can_be_sent_again_at_once(warehouse):
    port = free_port()
    server = start_server(port)
    content = b"setl_id\nS1\n"
    manifest = manifest_of({"settlement.csv": content})
    try:
        with SlowSender(port, "platform", manifest) as sender:
            sender.send(b"setl")
            deadline = time.monotonic() + 10
            while not (warehouse.inbox / BATCH / "settlement.csv").exists():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            parts = [("manifest", ("manifest.json", manifest)), ("files", ("settlement.csv", content))]
            url = f"http://{HOST}:{port}/settlement/v1/batches"
            other = httpx.post(url, files=parts, headers={"X-User": "platform"}, timeout=30)
            assert (other.status_code, other.json()["code"]) == (409, "delivery_in_progress")
            server.send_signal(signal.SIGKILL)
            server.wait()
        server = start_server(port)
        again = httpx.post(url, files=parts, headers={"X-User": "platform"}, timeout=30)
        assert again.status_code == 202, again.text
    finally:
        server.kill()
        server.wait()
    assert sorted(path.name for path in warehouse.inbox.iterdir()) == [BATCH]
    assert (warehouse.inbox / BATCH / "settlement.csv").read_bytes() == content
    begun = warehouse.rows(
        "select call.caller, outcome.http_status from audit.api_call as call"
        " left join audit.api_outcome as outcome using (api_call_id) where call.code is null order by api_call_id"
    )
    assert begun == [("platform", None), ("platform", 202)]  # the one that was killed is on record all the same
