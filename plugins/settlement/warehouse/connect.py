"""Connections to the warehouse, one login role each."""

import os
from typing import Any

import psycopg

from settlement.errors import SettlementError

ROLES = ("loader", "transformer", "poster", "decider", "bi_reader", "auditor")


def dsn_of(role: str) -> str:
    """Return the libpq address of `role` from ``SETTLEMENT_<ROLE>_DSN``.

    Raises:
        SettlementError: ``warehouse_not_configured`` when the variable is missing.
    """
    variable = f"SETTLEMENT_{role.upper()}_DSN"
    try:
        return os.environ[variable]
    except KeyError:
        raise SettlementError(
            "warehouse_not_configured",
            f"{variable} is not set, so the warehouse cannot be reached as {role}",
            "start the local installation with 'settlement up', or set the variable to a PostgreSQL address",
        ) from None


def connect(role: str, *, application_name: str = "settlement", **settings: str) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect as `role`; each extra keyword becomes the session setting ``settlement.<keyword>``.

    Times are read and written in Asia/Shanghai, whatever the server's own zone.

    Raises:
        SettlementError: ``warehouse_unreachable`` when the server does not answer or refuses the role.
    """
    try:
        return psycopg.connect(
            dsn_of(role),
            application_name=f"{application_name} ({role})",
            options=session_options(settings),
        )
    except psycopg.OperationalError as error:
        raise SettlementError(
            "warehouse_unreachable",
            f"no connection to the warehouse as {role}: {str(error).strip()}",
            "check that PostgreSQL runs ('settlement info') and that the address and password are right",
        ) from error


def session_options(settings: dict[str, str]) -> str:
    """Spell session settings for libpq's ``options``: run parameters travel this way, never inside SQL text.

    No statement is compiled (jit): a server that does so by default spends seconds on plans that run milliseconds. The
    server looks every two seconds whether its client is still there: a statement of a step that was killed or timed out
    ends, and its locks with it.
    """
    parameters = {f"settlement.{key}": value for key, value in settings.items()}
    pairs = {"timezone": "Asia/Shanghai", "jit": "off", "client_connection_check_interval": "2s", **parameters}
    return " ".join(f"-c {key}={_escape(value)}" for key, value in pairs.items())


def _escape(value: str) -> str:
    """Escape backslashes and spaces, the two characters that libpq splits options on."""
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
