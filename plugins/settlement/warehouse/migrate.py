"""Numbered plain-SQL migrations, each applied once, in one transaction."""

import hashlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from settlement.errors import SettlementError
from settlement.warehouse.connect import ROLES
from settlement.warehouse.rights import settle_rights

log = logging.getLogger(__name__)

OLDEST_SERVER = 150000
NEWEST_SERVER = 189999


def migrations_folder() -> Path:
    """Return ``database/`` of the checkout: ``SETTLEMENT_HOME``, else the folder above ``plugins/``."""
    home = os.environ.get("SETTLEMENT_HOME")
    return (Path(home) if home else Path(__file__).parents[3]) / "database"


def migrate(admin_dsn: str, passwords: Mapping[str, str]) -> list[str]:
    """Bring the warehouse up to date, and set the roles' passwords, limits and rights on the server.

    Args:
        admin_dsn: Address of the warehouse database as a role that may create roles and schemas.
        passwords: One password for each role of :data:`settlement.warehouse.connect.ROLES`.

    Returns:
        Names of the migrations applied now; empty when the warehouse was up to date.

    Raises:
        SettlementError: ``server_version`` outside PostgreSQL 15 to 18; ``migration_changed`` when a file differs
            from what was applied; ``migration_failed`` with the statement's own message; ``foreign_function``.
    """
    with psycopg.connect(admin_dsn, application_name="settlement migrate") as connection:
        _check_version(connection)
        connection.execute("select pg_advisory_xact_lock(hashtext('settlement migrate'))")
        connection.execute(
            "create table if not exists public.settlement_migration ("
            "name text primary key, sha256 text not null, applied_at timestamptz not null default clock_timestamp())"
        )
        applied: dict[str, str] = dict(
            connection.execute("select name, sha256 from public.settlement_migration").fetchall()
        )
        fresh = [path for path in sorted(migrations_folder().glob("[0-9]*.sql")) if _is_new(path, applied)]
        for path in fresh:
            _apply(connection, path)
        _set_passwords(connection, passwords)
        settle_rights(connection)
    return [path.name for path in fresh]


def _check_version(connection: psycopg.Connection) -> None:
    version = connection.info.server_version
    if not OLDEST_SERVER <= version <= NEWEST_SERVER:
        raise SettlementError(
            "server_version",
            f"the warehouse server is PostgreSQL {version // 10000}; 15 to 18 are supported",
            "point SETTLEMENT_DATABASE_URL at a supported server",
        )


def _is_new(path: Path, applied: dict[str, str]) -> bool:
    if path.name not in applied:
        return True
    if applied[path.name] != _hash(path):
        raise SettlementError(
            "migration_changed",
            f"{path.name} was changed after it was applied to this warehouse",
            "put the change into a new numbered file; on a throw-away warehouse run 'make clean' first",
        )
    return False


def _apply(connection: psycopg.Connection, path: Path) -> None:
    log.info("applying %s", path.name)
    try:
        connection.execute(path.read_text(encoding="utf-8"))  # reviewed files, not input
    except psycopg.Error as error:
        raise SettlementError(
            "migration_failed",
            f"{path.name}: {str(error).strip()}",
            "nothing of this run was applied; mend the cause and run it again",
        ) from error
    connection.execute(
        "insert into public.settlement_migration (name, sha256) values (%s, %s)", [path.name, _hash(path)]
    )


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _set_passwords(connection: psycopg.Connection, passwords: Mapping[str, str]) -> None:
    for role in ROLES:
        connection.execute(
            sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(passwords[role]))
        )
