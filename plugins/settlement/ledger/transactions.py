"""One transaction for each area or request: what fails stops itself and nothing else."""

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import psycopg

from settlement.errors import SettlementError

log = logging.getLogger(__name__)

Key = TypeVar("Key")
Result = TypeVar("Result")
Failures = dict[Any, SettlementError]
"""What went wrong, by area or request."""


def each_in_a_transaction(
    connection: psycopg.Connection[Any],
    keys: Iterable[Key],
    work: Callable[[Key], Result],
    failures: Failures | None = None,
) -> list[Result]:
    """Do `work` for every key, each in a transaction of its own, and only then raise what went wrong.

    A caller that has more to do for the other keys gives `failures`: what went wrong is put there by key instead.

    Raises:
        SettlementError: The first failure, with the messages of all of them.
        psycopg.Error: If the connection is lost: then no other key could be worked on either.
    """
    results: list[Result] = []
    found: Failures = {}
    for key in keys:
        try:
            with connection.transaction():
                results.append(work(key))
        except SettlementError as error:
            found[key] = error
        except psycopg.Error as error:
            if connection.broken:
                raise
            found[key] = _refused(key, error)
        if key in found:
            log.error("%s: %s", key, found[key])
    hand_on(found, failures)
    return results


def hand_on(found: Failures, failures: Failures | None) -> None:
    """Put what went wrong where the caller wants it, or raise it where the caller does not.

    Raises:
        SettlementError: The first failure, with the messages of all of them.
    """
    if failures is not None:
        failures.update(found)
    elif found:
        raise _all_of(list(found.values()))


def _refused(key: object, error: psycopg.Error) -> SettlementError:
    """Put into words what the database itself refused: nobody foresaw it, so it must not hide the other keys."""
    refusal = SettlementError(
        "database_refused",
        f"{key}: {(error.diag.message_primary or str(error)).strip()}",
        "nothing of it was kept; mend what the message names, then run it again (数据库拒绝, 请按提示修正后重跑)",
    )
    refusal.__cause__ = error
    return refusal


def _all_of(failures: list[SettlementError]) -> SettlementError:
    messages = "; ".join(failure.message for failure in failures)
    error = SettlementError(failures[0].code, messages, failures[0].hint)
    error.__cause__ = failures[0]
    return error
