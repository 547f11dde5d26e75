"""A warehouse that was in use before a migration goes on with what it holds."""

import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.fixtures.prepared_warehouse import set_references
from tests.fixtures.proposals import AREA, INSTITUTION
from tests.fixtures.servers import Server

from settlement.warehouse.migrate import migrate, migrations_folder

Upgrade = Callable[[], psycopg.Connection[Any]]


@pytest.fixture
def before_accounts_were_kept(
    postgres: Server, role_passwords: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[psycopg.Connection[Any], Upgrade]]:
    """The administrator's connection to a warehouse without the migrations from 14 on, and what applies them."""
    name = f"before_{secrets.token_hex(6)}"
    with psycopg.connect(postgres.admin_dsn(), autocommit=True) as server:
        server.execute(f"create database {name}")
    newest = migrations_folder()
    older = tmp_path / "database"
    older.mkdir()
    for path in newest.glob("[0-9]*.sql"):
        if int(path.name[:2]) < 14:
            shutil.copy(path, older)
    monkeypatch.setenv("SETTLEMENT_HOME", str(tmp_path))
    migrate(postgres.admin_dsn(name), role_passwords)

    def upgrade() -> psycopg.Connection[Any]:
        connection.commit()
        shutil.rmtree(older)
        shutil.copytree(newest, older)
        migrate(postgres.admin_dsn(name), role_passwords)
        return connection

    with psycopg.connect(postgres.admin_dsn(name)) as connection:
        yield connection, upgrade
    with psycopg.connect(postgres.admin_dsn(), autocommit=True) as server:
        server.execute(f"drop database {name} with (force)")


def _request(connection: psycopg.Connection[Any], fund: str, institution: str) -> Any:
    [request] = connection.execute(
        "insert into ledger.payment_request values (gen_random_uuid(), %s, %s, '2026-03-03', 'daily', 1, 5, 100, 0, 0,"
        " 0, 0, false, 10, 'scheduler') returning request_id",
        [AREA, fund],
    ).fetchone() or [None]
    connection.execute("insert into ledger.payment_request_line values (%s, %s, '2026-03', 5)", [request, institution])
    return request


def test_requests_of_before_get_the_account_they_would_have_been_paid_to(before_accounts_were_kept):
    connection, upgrade = before_accounts_were_kept
    set_references(connection)
    connection.execute("insert into ledger.payment_run values (%s, '2026-03-03', 'scheduler')", [AREA])
    open_one = _request(connection, "310100", INSTITUTION)
    rejected = _request(connection, "390100", INSTITUTION)
    paid = _request(connection, "320100", INSTITUTION)
    connection.execute("insert into ledger.payment_decision values (%s, 'rejected', 'head', false, 'no')", [rejected])
    connection.execute("insert into ledger.payment_decision values (%s, 'approved', 'rule', true)", [paid])
    connection.execute(
        "insert into ledger.payment_instruction (fixmedins_code, instruction_id, request_id, area_code, fund_pay_type,"
        " settlement_month, pay_date, purpose, sequence, amount, has_account) values (%s, gen_random_uuid(), %s, %s,"
        " '320100', '2026-03', '2026-03-03', 'daily', 1, 5, false)",
        [INSTITUTION, paid, AREA],
    )

    upgrade()
    kept = dict(connection.execute("select request_id, account_no from ledger.payment_request_line").fetchall())
    assert kept == {open_one: "622200000001", rejected: None, paid: None}
    with pytest.raises(psycopg.errors.RestrictViolation):
        connection.execute("update ledger.payment_request_line set account_no = '1'")
