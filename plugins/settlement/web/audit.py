"""Calls with effect are on record in `audit.api_call` before they have one: who, what, when, from where, on what.

How it ended follows in `audit.api_outcome`; a call that is refused before any effect has its outcome in its own row.
"""

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import psycopg
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from settlement.errors import SettlementError
from settlement.warehouse import connect
from settlement.web.problems import describe
from settlement.web.rate_limit import RetryLater

log = logging.getLogger(__name__)

BEGIN = """
insert into audit.api_call (caller, client_address, action, batch_id, area_code)
values (%s, %s, %s, %s, %s) returning api_call_id
"""
END = """
insert into audit.api_outcome (api_call_id, http_status, code, batch_id, area_code) values (%s, %s, %s, %s, %s)
"""
REFUSED = """
insert into audit.api_call (caller, client_address, action, batch_id, area_code, http_status, code)
values (%s, %s, %s, %s, %s, %s, %s)
"""


@dataclass
class Subject:
    """What a call is about; the handler fills it in as it learns it. `call_id` says that the call is on record."""

    action: str
    batch_id: str | None = None
    area_code: str | None = None
    call_id: int | None = None


class AuditedRoute(APIRoute):
    """A route whose calls are recorded, refused ones as well.

    Calls without an account, over the rate limit or beyond what is taken at a time had no effect and leave no row: the
    table cannot be flooded.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler; errors become answers further up."""
        handle = super().get_route_handler()

        async def recorded(request: Request) -> Response:
            request.state.subject = Subject(self.name)
            try:
                response = await handle(request)
            except RetryLater as later:
                if request.state.subject.call_id:
                    await run_in_threadpool(_record, request, describe(later, request.url.path).status, later.code)
                raise
            except Exception as error:
                problem = describe(error, request.url.path)
                await run_in_threadpool(_record, request, problem.status, problem.code)
                raise
            await run_in_threadpool(_record, request, response.status_code, "ok")
            return response

        return recorded


def begin(connection: psycopg.Connection[Any], request: Request) -> None:
    """Put the call on record, and its transaction to an end, before anything is done: what cannot be kept is not done.

    Raises:
        SettlementError: ``warehouse_unreachable``.
    """
    subject: Subject = request.state.subject
    try:
        row = connection.execute(
            BEGIN, [*_who(request), subject.action, subject.batch_id, subject.area_code]
        ).fetchone()
        connection.commit()
    except psycopg.OperationalError as error:
        raise SettlementError("warehouse_unreachable", f"the call cannot be put on record: {error}") from error
    subject.call_id = row[0] if row else None


def _record(request: Request, status: int, code: str) -> None:
    """Keep the outcome; where that fails, the log has it, and the row of the call says that it was begun."""
    subject: Subject = request.state.subject
    caller, address = _who(request)
    if caller is None:
        return
    log.info("%s by %s from %s: %s %s %s", subject.action, caller, address, subject.batch_id, status, code)
    about = (subject.batch_id, subject.area_code)
    try:
        with connect("loader", application_name="settlement api") as connection:
            if subject.call_id:
                connection.execute(END, [subject.call_id, status, code, *about])
            else:
                connection.execute(REFUSED, [caller, address, subject.action, *about, status, code])
    except (SettlementError, psycopg.Error) as error:
        log.error("the outcome of call %s could not be kept: %s", subject.call_id or "refused before any effect", error)


def _who(request: Request) -> tuple[str | None, str | None]:
    return getattr(request.state, "caller", None), request.client.host if request.client else None
