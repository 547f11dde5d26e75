"""The watch over schedules: monitoring is told of a DAG that is paused, unknown, or has no run when one was planned.

What makes no run fails none and misses no deadline, so nothing else would say that payments were switched off. The
watch stands in the api-server, which no pause reaches; each of its processes watches.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from settlement.tasks.alerts import SCHEDULE_NOT_KEPT

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 60
LATE = timedelta(minutes=30)
"""How long after its planned moment a run may be missing: a scheduler that starts anew takes minutes."""
DAY = timedelta(days=1)
TELL_AGAIN = timedelta(hours=1)


@dataclass(frozen=True)
class Schedule:
    """A DAG that has a schedule, as Airflow knows it.

    `next_run_at` is when the scheduler means to make the next run. `planned_at` is a moment of the last day for which
    the schedule planned a run, None where it planned none or the DAG was not known yet; `has_run` says whether a run
    of all areas exists that is of that moment or later.
    """

    dag_id: str
    is_known: bool = True
    is_paused: bool = False
    next_run_at: datetime | None = None
    planned_at: datetime | None = None
    has_run: bool = False


def fault_of(schedule: Schedule, now: datetime) -> str | None:
    """Say why the schedule is not kept; None where it is."""
    if not schedule.is_known:
        return "Airflow does not know it, or its file cannot be imported 流程未加载"
    if schedule.is_paused:
        return "it is paused and makes no runs 流程已暂停"
    if schedule.next_run_at and schedule.next_run_at < now - LATE:
        return f"the run planned for {schedule.next_run_at:%Y-%m-%d %H:%M} UTC was not made 计划运行未生成"
    if schedule.planned_at and not schedule.has_run:
        return f"there is no run of all areas since {schedule.planned_at:%Y-%m-%d %H:%M} UTC 当日无运行"
    return None


class Watch:
    """Tells of each schedule that is not kept when that begins, and every hour as long as it lasts."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[str, datetime]] = {}

    def look(self, schedules: Iterable[Schedule], now: datetime) -> None:
        """Look once."""
        faults = {each.dag_id: fault for each in schedules if (fault := fault_of(each, now))}
        for dag_id, fault in faults.items():
            told, told_at = self._told.get(dag_id, ("", now))
            if told == fault and now - told_at < TELL_AGAIN:
                continue
            self._told[dag_id] = (fault, now)
            log.error("%s: %s: %s; see docs/runbook/%s.md", SCHEDULE_NOT_KEPT, dag_id, fault, dag_id)
        for dag_id in self._told.keys() - faults.keys():
            del self._told[dag_id]
            log.info("the schedule of %s is kept again 已恢复按计划运行", dag_id)


@asynccontextmanager
async def watching() -> AsyncIterator[None]:
    """Watch as long as the block runs."""
    watch = asyncio.create_task(_watch())
    try:
        yield
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


async def _watch() -> None:
    watch = Watch()
    while True:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        try:
            await run_in_threadpool(_look, watch)
        except Exception:  # whatever keeps it from looking, it looks again
            log.exception("the schedules could not be looked at")


def _look(watch: Watch) -> None:
    from airflow.utils.session import create_session

    now = datetime.now(UTC)
    with create_session() as session:
        watch.look([_schedule(session, dag_id, now) for dag_id in _expected(session)], now)


def _expected(session: Any) -> list[str]:
    """Name the DAGs that have a schedule here, those as well whose file is there and cannot be imported any more."""
    from airflow.models.dag import DagModel
    from sqlalchemy import select

    dags = session.execute(select(DagModel.dag_id, DagModel.timetable_type, DagModel.is_stale, DagModel.fileloc))
    return sorted(
        dag_id
        for dag_id, timetable, is_stale, file in dags
        if not timetable.endswith(".NullTimetable") and not (is_stale and not Path(file or "").is_file())
    )


def _schedule(session: Any, dag_id: str, now: datetime) -> Schedule:
    from airflow.models.dag import DagModel

    known = session.get(DagModel, dag_id)
    if known.is_stale:
        return Schedule(dag_id, is_known=False)
    planned_at = _planned_at(session, dag_id, now)
    return Schedule(
        dag_id,
        is_paused=known.is_paused,
        next_run_at=None if known.exceeds_max_non_backfill else known.next_dagrun_create_after,
        planned_at=planned_at,
        has_run=planned_at is not None and _has_run(session, dag_id, planned_at),
    )


def _planned_at(session: Any, dag_id: str, now: datetime) -> datetime | None:
    from airflow.models.dag_version import DagVersion
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.timetables.base import TimeRestriction
    from pendulum import instance
    from sqlalchemy import func, select

    dag = SerializedDagModel.get_dag(dag_id, session=session)
    known_since = session.scalar(select(func.min(DagVersion.created_at)).where(DagVersion.dag_id == dag_id))
    if dag is None or known_since is None:
        return None
    earliest = instance(max(known_since, now - LATE - DAY))
    planned = dag.timetable.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(earliest, None, catchup=True)
    )
    return planned.run_after if planned and planned.run_after < now - LATE else None


def _has_run(session: Any, dag_id: str, planned_at: datetime) -> bool:
    """Whether a run was made since the planned moment; one that somebody started for a single area does not count."""
    from airflow.models.dagrun import DagRun
    from sqlalchemy import select

    confs: Iterable[Mapping[str, Any] | None] = session.scalars(
        select(DagRun.conf).where(DagRun.dag_id == dag_id, DagRun.run_after >= planned_at)
    )
    return any(not (conf or {}).get("area_code") for conf in confs)
