"""What stands before all of Airflow's api-server: bounds on bodies, on tries at passwords, and on starting runs.

Airflow has none of them. The status API judges its own calls; here stands what concerns every path.
"""

import asyncio
import json
import re
from typing import Any
from urllib.parse import parse_qs

from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from fastapi import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from settlement.callers import is_service
from settlement.errors import SettlementError
from settlement.web.access import account_of, is_account, is_task
from settlement.web.answer_headers import AnswerHeaders, App, Message, Receive, Send
from settlement.web.problems import PROBLEM, describe, headers_of
from settlement.web.rate_limit import RUN_STARTS
from settlement.web.same_origin import HARMLESS, require_same_origin
from settlement.web.schedule_watch import watching
from settlement.web.settings import whole_number
from settlement.web.sign_ins import SIGN_INS

KIB = 1024
BODY_BYTES = 1024 * KIB
SMALL_BODY_BYTES = 16 * KIB
"""Of a sign-in, of what starts runs (their conf is a few short values), and of whoever has not signed in: a web
framework reads a body before it asks who sends it."""
BODY_SECONDS = 30

UPLOADS = "/settlement/v1/batches"
"""Bodies that are bounded where they are read."""
OF_TASKS = "/execution/"
"""Tasks bring results of their own here, of any size, by tokens of their own."""
SIGN_IN = re.compile(r"/auth/(token(/cli)?|login)/?")
START = re.compile(r"/api/v2/(dags/[^/]+/dagRuns|backfills|assets/[^/]+/materialize|assets/events)/?")
FOR_ACCOUNTS = ("/openapi.json", "/docs", "/redoc", "/api/v2/version")
BY_COOKIE = ("/api/v2/", "/ui/")


class Guard:
    """A middleware of Airflow's api-server."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._guarded = AnswerHeaders(self._guard)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Look at a call of HTTP, and pass it on or refuse it; as long as the server runs, watch the schedules."""
        if scope["type"] == "lifespan":
            async with watching():
                await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._guarded(scope, receive, send)

    async def _guard(self, scope: Message, receive: Receive, send: Send) -> None:
        request = Request(scope)
        path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
        try:
            if path in FOR_ACCOUNTS:
                await account_of(_token(request))
            if path.startswith(BY_COOKIE):
                has_cookie = COOKIE_NAME_JWT_TOKEN in request.cookies
                require_same_origin(request.method, request.headers, has_cookie=has_cookie)
            limit = await _limit_of(request, path)
            if limit is None:
                await self._app(scope, receive, send)
                return
            body = await _read(receive, limit)
            if START.fullmatch(path):
                await _count_start(request)
            answer = _answer_of(path, body, request)
            await self._app(scope, _replayed(body, receive), _watched(send, answer))
        except (SettlementError, HTTPException) as error:
            problem = describe(error, path)
            headers = headers_of(error, problem, request.method)
            body_of_problem = problem.model_dump(exclude_none=True)
            refusal = JSONResponse(body_of_problem, problem.status, headers, media_type=PROBLEM)
            await refusal(scope, receive, send)


async def _limit_of(request: Request, path: str) -> int | None:
    """Give how many bytes of a body are read before the call is passed on; None where it is passed on at once."""
    if request.method in HARMLESS or path == UPLOADS:
        return None
    if path.startswith(OF_TASKS):
        return None if await is_task(_token(request)) else SMALL_BODY_BYTES
    if SIGN_IN.fullmatch(path) or START.fullmatch(path) or not await is_account(_token(request)):
        return SMALL_BODY_BYTES
    return BODY_BYTES


async def _read(receive: Receive, limit: int) -> bytes:
    """Read a body that is small and comes within a time: what follows never waits for a sender.

    Raises:
        SettlementError: ``body_too_large``, ``body_too_slow``.
    """
    body = b""
    try:
        async with asyncio.timeout(whole_number("SETTLEMENT_API_BODY_SECONDS", BODY_SECONDS)):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > limit:
                    raise SettlementError(
                        "body_too_large",
                        f"the body has more than {limit} bytes (请求正文过大)",
                        "deliver data as a batch; other calls are short (数据请按批次报送)",
                    )
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return body
    except TimeoutError:
        raise SettlementError(
            "body_too_slow", "the body did not arrive in time (请求正文发送过慢)", "send it again (请重发)"
        ) from None


async def _count_start(request: Request) -> None:
    """Count a run that an account starts over Airflow's own API; the service account's callers were counted before.

    Raises:
        RateLimited: Too many a minute.
    """
    try:
        account = await account_of(_token(request))
    except HTTPException:
        return  # Airflow itself refuses it
    if not is_service(account):
        RUN_STARTS.take(account)


class _SignIn:
    """One try at a password."""

    def __init__(self, account: str, address: str) -> None:
        self._who = (account, address)
        SIGN_INS.require_no_pause(*self._who)

    def ended(self, message: Message) -> None:
        """Learn from the head of the answer whether the password was right: it then brings a token or the cookie."""
        cookies = [value for name, value in message.get("headers", ()) if name.lower() == b"set-cookie"]
        has_cookie = any(value.startswith(f"{COOKIE_NAME_JWT_TOKEN}=".encode()) for value in cookies)
        if message["status"] == 201 or has_cookie:
            SIGN_INS.succeeded(*self._who)
        elif message["status"] < 500:
            SIGN_INS.failed(*self._who)


def _answer_of(path: str, body: bytes, request: Request) -> _SignIn | None:
    if not SIGN_IN.fullmatch(path):
        return None
    return _SignIn(_account_named_in(body), request.client.host if request.client else "")


def _account_named_in(body: bytes) -> str:
    """Give the account that a sign-in names, as JSON or as a form; empty where it names none."""
    try:
        named = json.loads(body).get("username")
    except (ValueError, AttributeError, RecursionError):
        named = parse_qs(body.decode("utf-8", "replace")).get("username", [""])[0]
    return named[:256] if isinstance(named, str) else ""


def _token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else request.cookies.get(COOKIE_NAME_JWT_TOKEN)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read, once, and then what the connection says."""
    waiting: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _watched(send: Send, sign_in: _SignIn | None) -> Send:
    if sign_in is None:
        return send

    async def watch(message: Message) -> None:
        if message["type"] == "http.response.start":
            sign_in.ended(message)
        await send(message)

    return watch
