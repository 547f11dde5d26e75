"""Reading a run's parameters: what Airflow's schema lets through is checked here with the same words."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import get_current_context

from settlement.callers import ON_BEHALF_OF, is_service, started_by
from settlement.errors import SettlementError
from settlement.user_areas import require_area, require_every_area
from settlement.user_kinds import require_kind

SHANGHAI = ZoneInfo("Asia/Shanghai")


def refuse_unknown_keys(known: Collection[str]) -> None:
    """Refuse a run whose conf holds a key the DAG does not know: Airflow itself accepts any.

    In whose name it runs only the service account may say.

    Raises:
        SettlementError: ``unknown_parameter``, naming the key and the known ones.
    """
    run = get_current_context()["dag_run"]
    conf: dict[str, Any] = getattr(run, "conf", None) or {}
    said_by_service = {ON_BEHALF_OF} if is_service(getattr(run, "triggering_user_name", None)) else set()
    unknown = sorted(set(conf) - set(known) - said_by_service)
    if unknown:
        raise SettlementError(
            "unknown_parameter",
            f"conf holds {', '.join(unknown)}; this DAG knows {', '.join(sorted(known))}",
            "trigger the run again with those keys only",
        )


def current_run() -> Any:
    """Give the run that the step belongs to."""
    return get_current_context()["dag_run"]


def triggered_by() -> str:
    """Give the name of who started the run; a scheduled run belongs to `scheduler`."""
    return caller_of_run(get_current_context()["dag_run"])


def caller_of_run(run: Any) -> str:
    """Give the name in which a run was started, read from the run itself: no task can hand on another one."""
    return started_by(getattr(run, "triggering_user_name", None), getattr(run, "conf", None))


def require_area_of_run(area_code: str | None) -> None:
    """Refuse a run on an area, or with none on every area, that who started it may not act on.

    Raises:
        SettlementError: ``area_not_allowed``.
    """
    account = triggered_by()
    if area_code:
        require_area(account, area_code)
    else:
        require_every_area(account)


def require_area_of_batch(area_code: str | None) -> None:
    """Refuse a run on a batch of an area that who started it may not act on; without an area there is nothing to guard.

    Raises:
        SettlementError: ``area_not_allowed``.
    """
    require_area(triggered_by(), area_code)


def require_kind_of_batch(kind: str | None) -> None:
    """Refuse a run on a batch of a kind that who started it may not deliver; without a kind there is nothing to guard.

    Raises:
        SettlementError: ``kind_not_allowed``.
    """
    require_kind(triggered_by(), kind)


def conf_of_run() -> dict[str, Any]:
    """Give the parameters that the run was started with, read from the run itself; those left out are not in it."""
    return dict(getattr(get_current_context()["dag_run"], "conf", None) or {})


def time_of_run() -> datetime:
    """Give the Shanghai time the run was planned for."""
    return get_current_context()["dag_run"].run_after.astimezone(SHANGHAI)


def day_of_run() -> date:
    """Give the Shanghai date the run was planned for."""
    return time_of_run().date()
