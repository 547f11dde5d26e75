"""The decorator of every step: an error people can act on fails the run at once, an outage is tried again."""

import functools
import logging
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow.sdk import Connection, task
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException, AirflowTaskTimeout

from settlement.errors import SettlementError
from settlement.warehouse.connect import ROLES

log = logging.getLogger(__name__)

# Trying again helps when a service was away, and never when the data or a rule is at fault.
PASSING_FAULTS = frozenset({"warehouse_unreachable"})


STEP_MINUTES = "SETTLEMENT_STEP_MINUTES"


def step(**arguments: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make an Airflow task of a function that may raise SettlementError.

    A killed process is tried again by Airflow: every step is one transaction keyed by its business key, so the
    second try finds its work either not begun or done.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            take_addresses_from_connections()
            try:
                return function(*args, **kwargs)
            except AirflowTaskTimeout as error:  # it would hang as long again
                raise AirflowFailException(str(_too_long(function.__name__))) from error
            except SettlementError as error:
                log.error("%s", error)
                if error.code in PASSING_FAULTS:
                    raise
                raise AirflowFailException(str(error)) from error

        defaults = {"retries": 2, "retry_delay": timedelta(seconds=10), "execution_timeout": time_of_a_step()}
        settings: dict[str, Any] = {**defaults, **arguments}
        return task(**settings)(guarded)

    return decorate


def time_of_a_step() -> timedelta:
    """How long a step may run before it is ended: ``SETTLEMENT_STEP_MINUTES``, else four hours.

    A step that takes other arguments names its own ``execution_timeout``.

    Raises:
        SettlementError: ``setting_invalid``.
    """
    text = os.environ.get(STEP_MINUTES, "240")
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SettlementError(
            "setting_invalid",
            f"{STEP_MINUTES} is {text!r}, not a whole number of minutes above zero (设置有误)",
            "unset it to use 240 (取消设置即用默认值 240)",
        )
    return timedelta(minutes=int(text))


def _too_long(task: str) -> SettlementError:
    return SettlementError(
        "step_timeout",
        f"{task} took longer than it may and was ended (步骤超时, 已终止)",
        "look for what it waited for: a lock, a very large day. Its transaction was rolled back; run it again, or let"
        f" it take longer with {STEP_MINUTES} (请排查等待原因后重跑)",
    )


def take_addresses_from_connections() -> None:
    """Let an Airflow connection ``settlement_<role>`` stand in for an address that the environment does not give."""
    for role in ROLES:
        variable = f"SETTLEMENT_{role.upper()}_DSN"
        if variable in os.environ:
            continue
        try:
            address = Connection.get(f"settlement_{role}").get_uri()
        except AirflowNotFoundException:
            continue
        os.environ[variable] = address.replace("postgres://", "postgresql://", 1)
