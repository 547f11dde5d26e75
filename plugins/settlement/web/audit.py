"""Every call with effect leaves a row in `audit.api_call`: who, what, when, from where, outcome."""

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from settlement.warehouse import connect
from settlement.web.problems import describe
from settlement.web.rate_limit import RateLimited

log = logging.getLogger(__name__)

INSERT = """
insert into audit.api_call (caller, client_address, action, batch_id, area_code, http_status, code)
values (%s, %s, %s, %s, %s, %s, %s)
"""


@dataclass
class Subject:
    """What a call is about; the handler fills it in as it learns it."""

    batch_id: str | None = None
    area_code: str | None = None


class AuditedRoute(APIRoute):
    """A route whose calls are recorded once they are answered, refused ones as well.

    Calls without an account and calls over the rate limit had no effect and leave no row: the table cannot be flooded.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler; errors become answers further up."""
        handle = super().get_route_handler()

        async def recorded(request: Request) -> Response:
            request.state.subject = Subject()
            try:
                response = await handle(request)
            except RateLimited:
                raise
            except Exception as error:
                problem = describe(error, request.url.path)
                await run_in_threadpool(_record, request, self.name, problem.status, problem.code)
                raise
            await run_in_threadpool(_record, request, self.name, response.status_code, "ok")
            return response

        return recorded


def _record(request: Request, action: str, status: int, code: str) -> None:
    caller = getattr(request.state, "caller", None)
    if caller is None:
        return
    subject: Subject = request.state.subject
    address = request.client.host if request.client else None
    log.info("%s by %s from %s: %s %s %s", action, caller, address, subject.batch_id, status, code)
    values = [caller, address, action, subject.batch_id, subject.area_code, status, code]
    with connect("loader", application_name="settlement api") as connection:
        connection.execute(INSERT, values)
