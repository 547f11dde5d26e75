"""Shared fixtures: a real PostgreSQL server, and a migrated warehouse of its own for each test."""

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from psycopg import conninfo, sql
from tests.fixtures.folders import reachable_folder
from tests.fixtures.servers import OutsideServer, Server

from settlement.contract.manifest import KINDS
from settlement.local.postgres import EmbeddedPostgres
from settlement.warehouse.connect import ROLES, connect
from settlement.warehouse.migrate import migrate

PERSON_KEY = "5a" * 32
SENDERS = ("admin", "hangzhou", "platform", "province", "service")
"""Accounts that may deliver every kind, where a test does not say otherwise."""

settings.register_profile("untimed", deadline=None)  # how fast a machine is today is no property of the code
settings.load_profile("untimed")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Tests on data from elsewhere exist only where that data is (SETTLEMENT_CONFORMANCE_DATA)."""
    if "conformance" in collection_path.parts and not os.environ.get("SETTLEMENT_CONFORMANCE_DATA"):
        return True
    return None


@pytest.fixture(scope="session")
def conformance_data() -> Path:
    """The folder of conformance data."""
    return Path(os.environ["SETTLEMENT_CONFORMANCE_DATA"])


@dataclass(frozen=True)
class Warehouse:
    """A migrated warehouse; the role addresses are in the environment as long as the test runs."""

    admin_dsn: str
    inbox: Path
    outbox: Path

    def connect(self, role: str, **settings: str) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect as a role, with run parameters as session settings."""
        return connect(role, **settings)

    def admin(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect as the owner of everything, for setting a scene no role may set."""
        return psycopg.connect(self.admin_dsn)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a query, as the administrator."""
        with self.admin() as connection:
            return connection.execute(query, parameters).fetchall()  # type: ignore[call-overload]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for all tests: embedded, or the one SETTLEMENT_TEST_DATABASE_URL names."""
    if url := os.environ.get("SETTLEMENT_TEST_DATABASE_URL"):
        yield OutsideServer(url)
        return
    with (
        reachable_folder() as folder,
        EmbeddedPostgres(folder / "server", settings={"fsync": "off"}) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def role_passwords() -> dict[str, str]:
    """Passwords of the roles, made for this session."""
    return {role: secrets.token_hex(16) for role in ROLES}


@pytest.fixture(scope="session")
def migrated_template(postgres: Server, role_passwords: dict[str, str]) -> Iterator[str]:
    """Name of a database that carries all migrations; tests copy it, which takes milliseconds."""
    name = f"migrated_{secrets.token_hex(4)}"
    with psycopg.connect(postgres.admin_dsn(), autocommit=True) as connection:
        connection.execute(f"create database {name}")
    migrate(postgres.admin_dsn(name), role_passwords)
    yield name
    with psycopg.connect(postgres.admin_dsn(), autocommit=True) as connection:
        for (copy,) in connection.execute("select datname from pg_database where starts_with(datname, %s)", [name]):
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(copy)))


@pytest.fixture
def warehouse(
    postgres: Server,
    migrated_template: str,
    role_passwords: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Warehouse]:
    """A migrated, empty warehouse of this test's own, with inbox and outbox, set in the environment."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres.admin_dsn(), autocommit=True) as connection:
        connection.execute(f"create database {name} template {migrated_template}")
    admin_dsn = postgres.admin_dsn(name)
    for role in ROLES:
        dsn = conninfo.make_conninfo(admin_dsn, user=role, password=role_passwords[role])
        monkeypatch.setenv(f"SETTLEMENT_{role.upper()}_DSN", dsn)
    folders = {"INBOX": tmp_path / "inbox", "OUTBOX": tmp_path / "outbox", "LOCAL": tmp_path / "local"}
    for variable, folder in folders.items():
        folder.mkdir()
        monkeypatch.setenv(f"SETTLEMENT_{variable}", str(folder))
    monkeypatch.setenv("SETTLEMENT_PERSON_KEY", PERSON_KEY)
    monkeypatch.setenv(
        "SETTLEMENT_LIMIT_MINUTES_AHEAD", str(100 * 366 * 1440)
    )  # days of tests are of no machine's clock
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", json.dumps({sender: list(KINDS) for sender in SENDERS}))
    yield Warehouse(admin_dsn, folders["INBOX"], folders["OUTBOX"])
    with psycopg.connect(postgres.admin_dsn(), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")
