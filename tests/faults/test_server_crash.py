"""F3: the server crashes amid a stage. What was open is gone, what was committed stays, a repeat ends it."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo
from tests.fixtures.batches import area, daily_policy, institution, settlement, write_batch
from tests.fixtures.folders import reachable_folder
from tests.fixtures.processes import package_environment
from tests.fixtures.proposals import AREA, Accrual, offer

from settlement.errors import SettlementError
from settlement.intake import receive
from settlement.ledger.posting import post
from settlement.ledger.proposals import post_proposed_entries
from settlement.ledger.verification import verify_ledger
from settlement.local.postgres import EmbeddedPostgres, free_port
from settlement.warehouse import connect, dbt
from settlement.warehouse.connect import ROLES
from settlement.warehouse.migrate import migrate

HOSPITAL = "H33010600123"
DAY = "2026-03-02"
INSTITUTIONS = 400
POSTER = f"""
from settlement.ledger.posting import post
from settlement.warehouse import connect

with connect("poster") as connection:
    print("begun", flush=True)
    post(connection, "entries.entry_accrued", area_code="{AREA}", purpose="accrued", posted_by="victim")
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedPostgres]:
    """A server of the test's own with a migrated warehouse: crashing it disturbs nobody."""
    with reachable_folder() as folder, EmbeddedPostgres(folder / "server", port=free_port()) as server:
        server.ensure_database("settlement")
        dsn = server.admin_dsn("settlement")
        passwords = {role: f"crash-{role}" for role in ROLES}
        migrate(dsn, passwords)
        for role, password in passwords.items():
            address = conninfo.make_conninfo(dsn, user=role, password=password)
            monkeypatch.setenv(f"SETTLEMENT_{role.upper()}_DSN", address)
        for name in ("INBOX", "OUTBOX", "LOCAL"):
            (folder / name).mkdir()
            monkeypatch.setenv(f"SETTLEMENT_{name}", str(folder / name))
        monkeypatch.setenv("SETTLEMENT_PERSON_KEY", "5a" * 32)
        yield server


def crash(server: EmbeddedPostgres) -> None:
    server.stop("immediate")
    server.start()


def rows(server: EmbeddedPostgres, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.admin_dsn("settlement")) as connection:
        return connection.execute(query).fetchall()  # type: ignore[call-overload]


def crash_when(server: EmbeddedPostgres, condition: str, act: Callable[[], object]) -> BaseException | None:
    """Crash the server as soon as `condition` holds for a session of it while `act` runs; give what `act` raised."""
    raised: list[BaseException] = []

    def acting() -> None:
        try:
            act()
        except (SettlementError, psycopg.Error) as error:
            raised.append(error)

    thread = threading.Thread(target=acting)
    thread.start()
    with psycopg.connect(server.admin_dsn("settlement"), autocommit=True) as watching:
        query = f"select from pg_stat_activity where pid <> pg_backend_pid() and {condition}"
        while thread.is_alive() and not watching.execute(query).rowcount:  # type: ignore[call-overload]
            time.sleep(0.002)
    crash(server)
    thread.join()
    return raised[0] if raised else None


@pytest.mark.parametrize("seed", range(3))
def test_a_posting_the_server_dies_under_has_posted_all_or_nothing(server: EmbeddedPostgres, seed: int) -> None:
    with connect("transformer") as connection:
        offer(connection, [Accrual("12.34", institution=f"H330106{n:05}") for n in range(INSTITUTIONS)])
    command = [sys.executable, "-c", POSTER]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=package_environment()
    ) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline().strip() == "begun"
        time.sleep(random.Random(seed).uniform(0.0, 0.2))
        crash(server)
    with connect("poster") as connection:
        post(connection, "entries.entry_accrued", area_code=AREA, purpose="accrued", posted_by="successor")
    assert rows(server, "select count(*), count(distinct posting_run_id) from ledger.entry") == [(INSTITUTIONS, 1)]
    assert verify_ledger().is_intact


@pytest.mark.slow
def test_a_load_and_a_build_the_server_dies_under_are_finished_by_their_repeats(server: EmbeddedPostgres) -> None:
    dbt.prepare()
    reference = {"area": [area()], "institution": [institution(HOSPITAL)], "payment_policy": [daily_policy()]}
    write_batch(Path(os.environ["SETTLEMENT_INBOX"]), "ref", "reference", reference)
    assert receive("ref").status == "accepted"
    load = [settlement(f"S{number}", HOSPITAL, DAY, "10.00") for number in range(5_000)]
    write_batch(Path(os.environ["SETTLEMENT_INBOX"]), "b1", "settlement", {"settlement": load}, day=DAY)

    broken = crash_when(server, "query ilike 'copy %'", lambda: receive("b1"))
    assert broken is not None
    assert rows(server, "select count(*) from raw.settlement") == [(0,)]
    assert receive("b1").status == "accepted"

    settings = {"pay_date": "2026-03-03", "area_code": "330100"}
    in_dbt = "usename = 'transformer' and state = 'active' and query ilike '%int_daily_payables%'"
    broken = crash_when(server, in_dbt, lambda: dbt.build("tag:proposal", settings))
    assert isinstance(broken, SettlementError)
    assert broken.code == "dbt_failed"
    assert rows(server, "select count(*) from ledger.entry") == [(0,)]

    dbt.build("tag:proposal", settings)
    assert post_proposed_entries(area_code="330100", posted_by="successor")["accrued"] == 1
    assert rows(server, "select sum(amount) from ledger.entry_line where side = 'debit'") == [(50_000,)]
    assert verify_ledger().is_intact
