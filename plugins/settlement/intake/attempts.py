"""Loads that took their process with them: a batch that did it twice is set aside, so that it cannot do it for ever.

A load writes its row before it begins and removes it when it ends, whatever its outcome. A process that is killed, by
somebody or for want of memory, leaves it: the row's database session is gone, and nothing removed the row.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from settlement.contract.manifest import Manifest
from settlement.errors import SettlementError
from settlement.warehouse import connect

log = logging.getLogger(__name__)

KILLED_TWICE = "load_killed_twice"
KILLS_ALLOWED = 2
KILLED = """
select count(*)
from intake.load_attempt
where batch_id = %s
    and content_sha256 = %s
    and server_began_at = pg_postmaster_start_time()
    and not exists (
        select
        from pg_stat_activity
        where pid = load_attempt.backend_pid and backend_start = load_attempt.backend_began_at
    )
"""
BEGIN = """
insert into intake.load_attempt (batch_id, content_sha256, backend_pid, backend_began_at, server_began_at)
select %s, %s, pid, backend_start, pg_postmaster_start_time()
from pg_stat_activity
where pid = pg_backend_pid()
returning load_attempt_id
"""


@contextmanager
def counted(connection: psycopg.Connection[Any], manifest: Manifest) -> Iterator[None]:
    """Count what happens inside the block as a load of the batch by this connection, which must have no transaction.

    Raises:
        SettlementError: ``load_killed_twice``: two loads of this very content were killed before.
    """
    batch = [manifest.batch_id, manifest.content_sha256]
    with connection.transaction():
        (killed,) = connection.execute(KILLED, batch).fetchone() or (0,)
        if killed >= KILLS_ALLOWED:
            raise _killed_twice(manifest.batch_id)
        (attempt,) = connection.execute(BEGIN, batch).fetchone() or (None,)
    try:
        yield
    finally:
        _end(connection, attempt)


def forget(batch_id: str) -> int:
    """Let a batch that was set aside be loaded again; returns how many killed loads were counted."""
    with connect("loader", application_name=f"settlement intake {batch_id}") as connection:
        return connection.execute("delete from intake.load_attempt where batch_id = %s", [batch_id]).rowcount


def _end(connection: psycopg.Connection[Any], attempt: int | None) -> None:
    """Remove the row, on a new connection where the load's own is lost; a lost server is no fault of the batch."""
    statement = "delete from intake.load_attempt where load_attempt_id = %s"
    try:
        if not connection.closed:
            connection.rollback()
            with connection.transaction():
                connection.execute(statement, [attempt])
            return
    except psycopg.Error as error:
        log.warning("the load's connection is lost: %s", error)
    try:
        with connect("loader", application_name="settlement intake") as another:
            another.execute(statement, [attempt])
    except (psycopg.Error, SettlementError) as error:
        log.warning("the end of a load could not be written: %s", error)


def _killed_twice(batch_id: str) -> SettlementError:
    return SettlementError(
        KILLED_TWICE,
        f"the process that loaded batch {batch_id} was killed {KILLS_ALLOWED} times; the batch is set aside, and the"
        " others go on (装载进程两次被终止, 该批次已搁置)",
        "look for the reason (the system's log says when memory ran out), give the load more memory or have the batch"
        f" sent in parts, then try again with 'settlement retry {batch_id}' (排查原因后由运维执行 settlement retry)",
    )
