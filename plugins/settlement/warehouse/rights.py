"""What no migration settles once and for all: limits of the roles, and doors that PostgreSQL leaves open to everybody.

Databases that are restored or copied lose the rights on the database itself, roles belong to the server, and tables
come later: so every migration sets all of it again. An administrator who is no superuser may not set everything. What
is refused stays open, is named in the log, and stops nothing (docs/decisions/0009).
"""

import logging
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg import sql

from settlement.errors import SettlementError
from settlement.statements import statement
from settlement.warehouse.connect import ROLES

log = logging.getLogger(__name__)

STORAGE_OWNER = "storage_owner"
OTHER_DATABASES = ("airflow", "postgres", "template1")

# Locks keep two runs of a step apart; a reader that could take them would stop payments.
LOCKING = ("loader", "transformer", "poster", "decider", STORAGE_OWNER)
# Work tables of a transaction. Readers have no need of the disk.
WITH_TEMPORARY_TABLES = ("loader", "transformer", "poster")


@dataclass(frozen=True)
class Limits:
    """What one role may use at a time. Times and sizes are in PostgreSQL's words."""

    connections: int
    statement_timeout: str
    lock_timeout: str
    """Also how long a step waits for another one that holds its lock."""
    idle_in_transaction_session_timeout: str
    temp_file_limit: str


# Together less than a server's hundred connections, so that administrator and Airflow get in whatever one role does. A
# day of a million settlements (docs/performance.md) spends less than two minutes in its longest statement.
LIMITS = {
    "loader": Limits(24, "2h", "1h", "1h", "50GB"),
    "transformer": Limits(8, "2h", "2h", "1h", "50GB"),
    "poster": Limits(8, "2h", "1h", "30min", "20GB"),
    "decider": Limits(4, "1min", "30s", "1min", "100MB"),
    "bi_reader": Limits(20, "10min", "30s", "10min", "5GB"),
    "auditor": Limits(12, "2h", "30s", "2h", "20GB"),
}


def settle_rights(connection: psycopg.Connection[Any]) -> None:
    """Set limits and close doors, as the administrator, in the caller's transaction.

    Raises:
        SettlementError: ``foreign_function``: a role of the warehouse owns a function, which would run with the rights
            of whoever reads a view that calls it.
    """
    _refuse_functions_of_roles(connection)
    _hand_over_storage(connection)
    for role, limits in LIMITS.items():
        _limit(connection, role, limits)
    _close_doors(connection)
    for door in _open_doors(connection):
        log.warning("left open, because the administrator may not close it: %s (需数据库超级用户处理)", door)


def _refuse_functions_of_roles(connection: psycopg.Connection[Any]) -> None:
    found = connection.execute(
        "select oid::regprocedure::text, proowner::regrole::text from pg_catalog.pg_proc"
        " where proowner::regrole::text = any(%s) and not starts_with(pronamespace::regnamespace::text, 'pg_temp')",
        [list(ROLES)],
    ).fetchone()
    if found is None:
        return
    function, owner = found
    raise SettlementError(
        "foreign_function",
        f"function {function} belongs to {owner}: in a view it would run with the rights of whoever reads the view",
        f"read what it does, drop it with what depends on it, and change the password of {owner} (请核查并删除该函数)",
    )


def _hand_over_storage(connection: psycopg.Connection[Any]) -> None:
    """Give the tables whose partitions and statistics the loader asks for to their owner."""
    for (table,) in connection.execute(statement("settlement.warehouse", "storage_to_hand_over")).fetchall():
        connection.execute(sql.SQL("alter table {} owner to {}").format(sql.SQL(table), sql.Identifier(STORAGE_OWNER)))


def _limit(connection: psycopg.Connection[Any], role: str, limits: Limits) -> None:
    """Set the limits of a role anew, whatever it set for itself."""
    name = sql.Identifier(role)
    _try(connection, sql.SQL("alter role {} reset all").format(name))
    settings = asdict(limits)
    count = settings.pop("connections")
    _try(connection, sql.SQL("alter role {} connection limit {}").format(name, sql.Literal(count)))
    for setting, value in settings.items():
        command = sql.SQL("alter role {} set {} = {}").format(name, sql.Identifier(setting), sql.Literal(value))
        _try(connection, command)


def _close_doors(connection: psycopg.Connection[Any]) -> None:
    database = sql.Identifier(connection.info.dbname)
    members = sql.SQL(", ").join(sql.Identifier(role) for role in ROLES)
    with_tables = sql.SQL(", ").join(sql.Identifier(role) for role in WITH_TEMPORARY_TABLES)
    locking = sql.SQL(", ").join(sql.Identifier(role) for role in LOCKING)
    _try(connection, sql.SQL("grant connect on database {} to {}").format(database, members))
    _try(connection, sql.SQL("grant temporary on database {} to {}").format(database, with_tables))
    _try(connection, sql.SQL("revoke connect, temporary on database {} from public").format(database))
    for (other,) in _reachable(connection):
        _try(connection, sql.SQL("revoke connect on database {} from public").format(sql.Identifier(other)))
    # A role that can write no function can put none into a view that somebody else reads.
    for (language,) in _writable_languages(connection):
        _try(connection, sql.SQL("revoke usage on language {} from public").format(sql.Identifier(language)))
    for (function,) in _public_functions(connection, "lock"):
        _try(connection, sql.SQL("grant execute on function {} to {}").format(sql.SQL(function), locking))
        _try(connection, sql.SQL("revoke execute on function {} from public").format(sql.SQL(function)))
    for (function,) in _public_functions(connection, "large object"):
        _try(connection, sql.SQL("revoke execute on function {} from public").format(sql.SQL(function)))


def _open_doors(connection: psycopg.Connection[Any]) -> list[str]:
    """Name what is still open, judged by what the reader of marts may do."""
    doors = [f"language {language}" for (language,) in _writable_languages(connection)]
    doors += [f"database {other}" for (other,) in _reachable(connection)]
    doors += [
        f"function {function}"
        for kind in ("lock", "large object")
        for (function,) in _public_functions(connection, kind)
    ]
    return doors


def _reachable(connection: psycopg.Connection[Any]) -> list[Any]:
    return connection.execute(
        "select datname from pg_catalog.pg_database where datname = any(%s) and datname <> current_database()"
        " and has_database_privilege('bi_reader', oid, 'connect') order by datname",
        [list(OTHER_DATABASES)],
    ).fetchall()


def _writable_languages(connection: psycopg.Connection[Any]) -> list[Any]:
    return connection.execute(
        "select lanname from pg_catalog.pg_language where lanpltrusted"
        " and has_language_privilege('bi_reader', oid, 'usage') order by lanname"
    ).fetchall()


def _public_functions(connection: psycopg.Connection[Any], kind: str) -> list[Any]:
    pattern = {"lock": "^pg_(try_)?advisory_", "large object": "^(lo_|lo(read|write)$)"}[kind]
    return connection.execute(
        "select oid::regprocedure::text from pg_catalog.pg_proc where pronamespace = 'pg_catalog'::regnamespace"
        " and proname ~ %s and has_function_privilege('bi_reader', oid, 'execute') order by 1",
        [pattern],
    ).fetchall()


def _try(connection: psycopg.Connection[Any], command: sql.Composed) -> None:
    """Run a command that an administrator without all rights may be refused."""
    try:
        with connection.transaction():
            connection.execute(command)
    except psycopg.errors.InsufficientPrivilege as error:
        log.warning("not set: %s: %s", command.as_string(connection), error.diag.message_primary)
