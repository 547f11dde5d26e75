"""The note of a run is written over Airflow's own API, spoken to here as it is: over HTTP, signed in first."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.fixtures.runs import run_as

from settlement.tasks.run_notes import LONGEST_NOTE, write_note


class Airflow(HTTPServer):
    """Gives a token to the service account, keeps notes, and lists no runs."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.notes: dict[str, str] = {}


class Handler(BaseHTTPRequestHandler):
    server: Airflow

    def do_POST(self) -> None:
        account = self.content()
        self.answer(201, {"access_token": f"of {account['username']}"})

    def do_PATCH(self) -> None:
        if self.headers["Authorization"] != "Bearer of service":
            self.answer(401, {})
            return
        self.server.notes[self.path] = self.content()["note"]
        self.answer(200, {})

    def content(self) -> dict[str, str]:
        content: dict[str, str] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return content

    def answer(self, status: int, content: dict[str, str]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Say nothing."""


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Airflow]:
    run_as(monkeypatch)
    with Airflow() as server:
        monkeypatch.setenv("SETTLEMENT_AIRFLOW_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("SETTLEMENT_AIRFLOW_USER", "service")
        monkeypatch.setenv("SETTLEMENT_AIRFLOW_PASSWORD", "secret")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def note_of(airflow: Airflow) -> str:
    [(path, note)] = airflow.notes.items()
    assert path == "/api/v2/dags/settle_day/dagRuns/run-1?update_mask=note"
    return note


def test_a_note_is_written_by_the_service_account(airflow: Airflow) -> None:
    write_note("3 requests 请款 57,324.71")
    assert note_of(airflow) == "3 requests 请款 57,324.71"


def test_a_note_renders_nothing_and_is_no_longer_than_airflow_keeps(airflow: Airflow) -> None:
    write_note("![x](http://127.0.0.1:9999/md.png)" + "*" * 2000)
    assert note_of(airflow).startswith(r"!\[x\](`http://127.0.0.1:9999/md.png")
    assert len(note_of(airflow)) <= LONGEST_NOTE
