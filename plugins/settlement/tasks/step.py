"""The decorator of every step: an error people can act on fails the run at once, an outage is tried again."""

import functools
import logging
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow.sdk import Connection, task
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

from settlement.errors import SettlementError
from settlement.warehouse.connect import ROLES

log = logging.getLogger(__name__)

# Trying again helps when a service was away, and never when the data or a rule is at fault.
PASSING_FAULTS = frozenset({"warehouse_unreachable"})


def step(**arguments: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make an Airflow task of a function that may raise SettlementError.

    A killed process is tried again by Airflow: every step is one transaction keyed by its business key, so the
    second try finds its work either not begun or done.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            _take_addresses_from_connections()
            try:
                return function(*args, **kwargs)
            except SettlementError as error:
                log.error("%s", error)
                if error.code in PASSING_FAULTS:
                    raise
                raise AirflowFailException(str(error)) from error

        settings: dict[str, Any] = {"retries": 2, "retry_delay": timedelta(seconds=10), **arguments}
        return task(**settings)(guarded)

    return decorate


def _take_addresses_from_connections() -> None:
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
