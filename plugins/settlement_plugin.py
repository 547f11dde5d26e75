"""Registers what Airflow must know at start-up. It stays light: every task process loads it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from settlement.tasks.deadlines import RunPlannedAt
from settlement.tasks.working_day_timetable import WorkingDayTimetable


class StatusApi:
    """The status API, imported at its first call: a task process never pays for a web framework."""

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Answer a call, remembering which application this one is mounted in."""
        from settlement.web.airflow import AIRFLOW
        from settlement.web.application import app

        scope[AIRFLOW] = scope["app"]
        await app(scope, receive, send)


class SettlementPlugin(AirflowPlugin):
    """The status API, the working-day timetable of the payment DAG, and what deadlines count from."""

    name = "settlement"
    fastapi_apps: ClassVar[list[Any]] = [
        {"app": StatusApi(), "url_prefix": "/settlement", "name": "settlement status API"},
    ]
    timetables: ClassVar[list[Any]] = [WorkingDayTimetable]
    deadline_references: ClassVar[list[Any]] = [RunPlannedAt]
