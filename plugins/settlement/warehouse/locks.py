"""Advisory locks: two runs of the same step wait for each other instead of working twice."""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from settlement.warehouse.connect import connect

log = logging.getLogger(__name__)


def transaction_lock(connection: psycopg.Connection[Any], *name: str) -> None:
    """Take the lock called `name` until the transaction ends, waiting for whoever holds it."""
    connection.execute("select pg_advisory_xact_lock(%s)", [_lock_number(name)])


@contextmanager
def session_lock(role: str, *name: str) -> Iterator[None]:
    """Hold the lock called `name` while the block runs, on a connection of its own.

    A killed process loses its connection and so its lock: nothing has to be cleaned up.
    """
    with connect(role, application_name="settlement lock") as connection:
        connection.autocommit = True
        number = _lock_number(name)
        taken = connection.execute("select pg_try_advisory_lock(%s)", [number]).fetchone()
        if taken and not taken[0]:
            log.info("waiting for another run that holds %s", ":".join(name))
            connection.execute("select pg_advisory_lock(%s)", [number])
        yield


def _lock_number(name: tuple[str, ...]) -> int:
    """Map a readable name to the signed 64-bit number that PostgreSQL locks are known by."""
    digest = hashlib.sha256("|".join(name).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
