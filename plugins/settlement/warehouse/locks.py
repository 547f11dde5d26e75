"""Advisory locks: two runs of the same step wait for each other instead of working twice."""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg

from settlement.errors import SettlementError
from settlement.warehouse.connect import connect

log = logging.getLogger(__name__)


def transaction_lock(connection: psycopg.Connection[Any], *name: str) -> None:
    """Take the lock called `name` until the transaction ends, waiting for whoever holds it.

    Raises:
        SettlementError: ``lock_timeout`` after as long as the role may wait.
    """
    _wait(connection, "select pg_advisory_xact_lock(%s)", name)


@contextmanager
def session_lock(role: str, *name: str) -> Iterator[None]:
    """Hold the lock called `name` while the block runs, on a connection of its own.

    A killed process loses its connection and so its lock: nothing has to be cleaned up.

    Raises:
        SettlementError: ``lock_timeout`` after as long as the role may wait.
    """
    with connect(role, application_name="settlement lock") as connection:
        connection.autocommit = True
        number = _lock_number(name)
        taken = connection.execute("select pg_try_advisory_lock(%s)", [number]).fetchone()
        if taken and not taken[0]:
            log.info("waiting for another run that holds %s", ":".join(name))
            _wait(connection, "select pg_advisory_lock(%s)", name)
        yield


def _wait(connection: psycopg.Connection[Any], query: LiteralString, name: tuple[str, ...]) -> None:
    try:
        connection.execute(query, [_lock_number(name)])
    except psycopg.errors.LockNotAvailable as error:
        raise SettlementError(
            "lock_timeout",
            f"another run holds the lock {':'.join(name)} for longer than this one may wait",
            "look in pg_stat_activity for what hangs, end it, then run this again (等待锁超时)",
        ) from error


def _lock_number(name: tuple[str, ...]) -> int:
    """Map a readable name to the signed 64-bit number that PostgreSQL locks are known by."""
    digest = hashlib.sha256("|".join(name).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
