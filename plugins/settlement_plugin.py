"""Registers what Airflow must know at start-up. It stays light: every task process loads it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from settlement.tasks.deadlines import RunPlannedAt
from settlement.tasks.working_day_timetable import WorkingDayTimetable

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class StatusApi:
    """The status API, imported at its first call: a task process never pays for a web framework."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a call, remembering which application this one is mounted in."""
        from settlement.web.airflow import AIRFLOW
        from settlement.web.application import app

        scope[AIRFLOW] = scope["app"]
        await app(scope, receive, send)


class LazyGuard:
    """What stands before all of the api-server, imported when that starts."""

    def __init__(self, app: App) -> None:
        from settlement.web.guard import Guard

        self._guard = Guard(app)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a call on, or refuse it."""
        await self._guard(scope, receive, send)


class SettlementPlugin(AirflowPlugin):
    """The status API and its guard, the working-day timetable of the payment DAG, and what deadlines count from."""

    name = "settlement"
    fastapi_apps: ClassVar[list[Any]] = [
        {"app": StatusApi(), "url_prefix": "/settlement", "name": "settlement status API"},
    ]
    fastapi_root_middlewares: ClassVar[list[Any]] = [{"middleware": LazyGuard, "name": "settlement guard"}]
    timetables: ClassVar[list[Any]] = [WorkingDayTimetable]
    deadline_references: ClassVar[list[Any]] = [RunPlannedAt]
