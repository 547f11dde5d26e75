"""The embedded server: starts, stops, survives a crash, and refuses with a reason."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.fixtures.folders import reachable_folder

from settlement.errors import SettlementError
from settlement.local.postgres import EmbeddedPostgres


@pytest.fixture
def directory() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder


@pytest.mark.parametrize("version", [16, 18])
def test_server_starts_twice_and_stops_twice(directory: Path, version: int) -> None:
    server = EmbeddedPostgres(directory / "postgres", version=version)
    with server:
        server.start()
        server.ensure_database("settlement")
        server.ensure_database("settlement")
        with psycopg.connect(server.admin_dsn("settlement")) as connection:
            row = connection.execute("select current_setting('server_version_num')::int / 10000").fetchone()
        assert row == (version,)
    assert not server.is_running()
    server.stop()


def test_rows_and_password_survive_a_crash_and_a_stale_pid_file(directory: Path) -> None:
    server = EmbeddedPostgres(directory / "postgres")
    server.start()
    with psycopg.connect(server.admin_dsn()) as connection:
        connection.execute("create table kept as select 42 as answer")
    server.stop("immediate")
    stale = f"{os.getpid()}\n{server.data}\n1\n5432\n\n127.0.0.1\n\nready\n"
    (server.data / "postmaster.pid").write_text(stale)
    assert not server.is_running()
    with server, psycopg.connect(server.admin_dsn()) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)


def test_wrong_password_is_refused(directory: Path) -> None:
    with EmbeddedPostgres(directory / "postgres") as server:
        dsn = f"postgresql://postgres:wrong@127.0.0.1:{server.port}/postgres"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(dsn)


def test_busy_port_names_the_program_that_holds_it(directory: Path) -> None:
    with EmbeddedPostgres(directory / "first") as first:
        second = EmbeddedPostgres(directory / "second", port=first.port)
        with pytest.raises(SettlementError, match=r"port \d+ is in use by postgres \(pid \d+\)") as refusal:
            second.start()
    assert refusal.value.code == "port_in_use"
    assert "SETTLEMENT_PORT_POSTGRES" in refusal.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another account")
def test_closed_folder_is_named(directory: Path) -> None:
    closed = directory / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(SettlementError, match=f"may not enter {closed}") as refusal:
        EmbeddedPostgres(closed / "postgres").start()
    assert refusal.value.code == "directory_not_reachable"


def test_a_stopped_server_has_no_address(directory: Path) -> None:
    with pytest.raises(SettlementError, match="not running"):
        EmbeddedPostgres(directory / "postgres").port  # noqa: B018
