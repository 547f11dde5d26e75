"""The decorator of every step: an error people can act on fails the run at once, an outage is tried again."""

import functools
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowFailException

from settlement.errors import SettlementError

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
