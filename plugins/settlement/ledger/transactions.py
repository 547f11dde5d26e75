"""One transaction for each area or request: what fails stops itself and nothing else."""

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import psycopg

from settlement.errors import SettlementError

log = logging.getLogger(__name__)

Key = TypeVar("Key")
Result = TypeVar("Result")


def each_in_a_transaction(
    connection: psycopg.Connection[Any], keys: Iterable[Key], work: Callable[[Key], Result]
) -> list[Result]:
    """Do `work` for every key, each in a transaction of its own, and only then raise what went wrong.

    Raises:
        SettlementError: The first failure, with the messages of all of them.
    """
    results: list[Result] = []
    failures: list[SettlementError] = []
    for key in keys:
        try:
            with connection.transaction():
                results.append(work(key))
        except SettlementError as error:
            log.error("%s: %s", key, error)
            failures.append(error)
    if failures:
        messages = "; ".join(failure.message for failure in failures)
        raise SettlementError(failures[0].code, messages, failures[0].hint) from failures[0]
    return results
