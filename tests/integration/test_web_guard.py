"""What stands before all of the api-server: bounds on bodies, tries at passwords and runs started, safe headers."""

import json
import logging
import time
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from settlement.local.postgres import free_port
from settlement.web import access, guard, sign_ins
from settlement.web.rate_limit import RateLimit
from settlement.web.sign_ins import KEPT_MAX, SignIns
from settlement_plugin import LazyGuard

RIGHT = "right"


def airflow_with_guard() -> FastAPI:
    """A stand-in for the api-server behind the real guard: it answers what it is asked."""
    airflow = FastAPI()

    @airflow.post("/auth/token")
    async def sign_in(request: Request) -> JSONResponse:
        try:
            body = await request.json()
            return JSONResponse({}, 201 if body["password"] == RIGHT else 401)
        except (ValueError, KeyError, TypeError, RecursionError):
            return JSONResponse({"bytes": len(await request.body())}, 422)

    @airflow.api_route("/{path:path}", methods=["GET", "POST", "PATCH"])
    async def anything(path: str, request: Request) -> dict[str, Any]:
        return {"path": path, "bytes": len(await request.body())}

    airflow.add_middleware(LazyGuard)
    return airflow


@pytest.fixture
def client(monkeypatch):
    async def account_of(token: str | None) -> str:
        if not token:
            raise HTTPException(401, "Not authenticated")
        return token

    monkeypatch.setattr(access, "account_of", account_of)
    monkeypatch.setattr(guard, "account_of", account_of)
    monkeypatch.setattr(guard, "SIGN_INS", SignIns(free_tries=3))
    monkeypatch.setattr(guard, "RUN_STARTS", RateLimit(5))
    monkeypatch.setenv("SETTLEMENT_AIRFLOW_USER", "service")
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "0123456789abcdef" * 4)
    access.task_tokens.cache_clear()
    return TestClient(airflow_with_guard())


def a_tasks_token() -> str:
    """A token as Airflow gives it to a task."""
    from airflow.api_fastapi.execution_api.app import _jwt_generator

    return str(_jwt_generator().generate({"sub": "01990000-0000-7000-8000-000000000000"}))


def sign_in(client, password: str, account: str = "platform"):
    return client.post("/auth/token", json={"username": account, "password": password})


def start(client, account: str, conf: Any = None):
    body = {"dag_run_id": "x", "logical_date": None, "conf": conf or {}}
    return client.post("/api/v2/dags/settle_day/dagRuns", json=body, headers={"Authorization": f"Bearer {account}"})


def test_after_wrong_passwords_the_account_waits_and_others_do_not(client):
    assert [sign_in(client, "wrong").status_code for _ in range(4)] == [401, 401, 401, 429]
    paused = sign_in(client, RIGHT)
    assert (paused.status_code, paused.json()["code"]) == (429, "sign_in_paused")
    assert int(paused.headers["retry-after"]) >= 1
    assert sign_in(client, RIGHT, "approver").status_code == 201


def test_a_right_password_forgets_the_wrong_ones(client):
    for _ in range(4):
        assert [sign_in(client, "wrong").status_code for _ in range(2)] == [401, 401]
        assert sign_in(client, RIGHT).status_code == 201


def test_each_further_wrong_password_doubles_the_pause_and_the_alarm_is_raised(caplog):
    now = [0.0]
    tries = SignIns(free_tries=3, clock=lambda: now[0])
    pauses = []
    with caplog.at_level(logging.ERROR):
        for _ in range(20):
            tries.failed("platform", "10.0.0.1")
            pauses.append(max(0.0, tries._of("platform", "10.0.0.1").pause_ends_at - now[0]))
            now[0] += 1000
    assert pauses[:6] == [0, 0, 1, 2, 4, 8]
    assert pauses[-1] == sign_ins.LONGEST_PAUSE_SECONDS
    assert [record.getMessage().partition(": ")[0] for record in caplog.records] == ["SIGN-INS FAILED 多次登录失败"] * 2


def test_what_is_kept_of_tries_is_bounded():
    tries = SignIns(free_tries=3)
    for number in range(KEPT_MAX + 1000):
        tries.failed(f"account-{number}", "10.0.0.1")
    assert len(tries._tries) <= KEPT_MAX


@pytest.mark.parametrize(
    "body", [b"\xff", b"[]", b"{", b"[" * 10_000, b"username=platform&password=x", b"", b'{"username": 7}']
)
def test_a_sign_in_of_any_form_is_passed_on_to_airflow(client, body):
    answer = client.post("/auth/token", content=body)
    assert (answer.status_code, answer.json()) == (422, {"bytes": len(body)})


def test_a_conf_is_small_and_other_bodies_are_bounded(client):
    large = start(client, "platform", {"batch_id": "x" * 20_000})
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
    known = {"Authorization": "Bearer platform"}
    assert client.post("/api/v2/pools", content=b"x" * 20_000, headers=known).json()["bytes"] == 20_000
    assert client.post("/api/v2/pools", content=b"x" * 2_000_000, headers=known).status_code == 413


@pytest.mark.parametrize("path", ["/api/v2/pools", "/ui/x", "/execution/xcoms/a", "/settlement/v1/runs/settle_day"])
def test_of_who_has_not_signed_in_next_to_nothing_is_read(client, path):
    """A web framework reads a body before it asks who sends it: here it would lie in memory."""
    answer = client.post(path, content=b"x" * 20_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_tasks_bring_results_of_any_size(client):
    task = {"Authorization": f"Bearer {a_tasks_token()}"}
    body = b"x" * 2_000_000
    assert client.post("/execution/xcoms/a", content=body, headers=task).json()["bytes"] == len(body)
    assert client.post("/api/v2/pools", content=body, headers=task).status_code == 413


def test_runs_started_over_airflows_own_api_are_counted_by_account_but_the_services_are_not(client):
    assert [start(client, "platform").status_code for _ in range(6)] == [200] * 5 + [429]
    assert start(client, "other").status_code == 200
    assert {start(client, "service").status_code for _ in range(20)} == {200}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://testserver"}, 403),
        ({}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://testserver"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"authorization": "Bearer platform", "origin": "http://evil.example"}, 200),
    ],
)
def test_a_session_cookie_changes_something_only_from_a_page_of_this_server(client, headers, status):
    client.cookies.set("_token", "platform")
    answer = client.patch("/api/v2/dags/settle_day", json={"is_paused": True}, headers=headers)
    assert answer.status_code == status
    assert client.get("/api/v2/dags").status_code == 200


def test_every_answer_tells_browsers_what_not_to_do(client):
    for path in ("/api/v2/dags", "/settlement/v1/payments", "/static/app.js", "/openapi.json"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["content-security-policy"] == "frame-ancestors 'self'"
        assert headers["referrer-policy"] == "same-origin"
        assert headers.get("cache-control") == (None if path.startswith("/static") else "no-store"), path


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc", "/api/v2/version"])
def test_what_the_server_is_it_tells_accounts_only(client, path):
    assert client.get(path).status_code == 401
    assert client.get(path, headers={"Authorization": "Bearer platform"}).status_code == 200


def test_a_body_that_trickles_is_cut_off(monkeypatch):
    import socket
    import threading

    import uvicorn

    monkeypatch.setenv("SETTLEMENT_API_BODY_SECONDS", "1")
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(airflow_with_guard(), host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
            slow.sendall(b"POST /api/v2/pools HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")
            answer = slow.recv(65536).decode()
            while piece := slow.recv(65536):
                answer += piece.decode()
    finally:
        server.should_exit = True
        thread.join(20)
    assert answer.startswith("HTTP/1.1 408")
    assert json.loads(answer.partition("\r\n\r\n")[2])["code"] == "body_too_slow"
