"""Tasks killed with SIGKILL in the middle of their work: the run ends well and nothing is there twice.

A table lock makes the task stop at a known place; the process behind the waiting connection is then killed.
"""

import os
import signal
import time
from decimal import Decimal

import psutil
import psycopg
import pytest
from tests.fixtures import batches

HOSPITAL = "H44010000777"
AREA = "440100"


@pytest.fixture(scope="module")
def city(installation):
    batches.write_batch(
        installation.inbox,
        "killed-reference",
        "reference",
        {
            "area": [batches.area(AREA)],
            "institution": [batches.institution(HOSPITAL)],
            "bank_account": [batches.bank_account(HOSPITAL)],
            "fund_account": [batches.fund_account(AREA)],
            "payment_policy": [batches.daily_policy(AREA)],
            "cash_plan": [batches.cash_plan(AREA, "2026-04", "90000000.00", "0.00")],
        },
        area_code=AREA,
    )
    assert installation.receive("killed-reference")["status"] == "accepted"
    return installation


def kill_whoever_waits_for(table: str, admin_dsn: str) -> None:
    """Hold a lock on `table` until a task waits for it, then kill that task's process."""
    # A transaction sees the sessions as they were when it first looked, so somebody else watches.
    with psycopg.connect(admin_dsn) as holder, psycopg.connect(admin_dsn, autocommit=True) as watcher:
        holder.execute(f"lock table {table} in access exclusive mode")
        end = time.monotonic() + 120
        while time.monotonic() < end:
            waiting = watcher.execute(
                "select client_port from pg_stat_activity where datname = current_database()"
                " and wait_event_type = 'Lock' and application_name like 'settlement%'"
            ).fetchone()
            if waiting:
                os.kill(process_with_port(waiting[0]), signal.SIGKILL)
                return
            time.sleep(0.2)
        raise AssertionError(f"no task waited for {table}")


def process_with_port(port: int) -> int:
    for process in psutil.process_iter():
        try:
            if any(peer.laddr.port == port for peer in process.net_connections("tcp")):
                return process.pid
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
    raise AssertionError(f"no process has port {port}")


def test_a_load_that_is_killed_is_done_once_when_it_is_tried_again(city):
    rows = [batches.settlement(f"K{n}", HOSPITAL, "2026-04-01", "1000.00") for n in range(50)]
    batches.write_batch(city.inbox, "killed-load", "settlement", {"settlement": rows}, day="2026-04-01", area_code=AREA)
    api = city.api()
    api.trigger("receive_batch", "killed-load", {"batch_id": "killed-load"})
    kill_whoever_waits_for("raw.settlement_key", city.admin_dsn)
    assert [run.state for run in api.follow("receive_batch", "killed-load", seconds=240)][-1] == "success"
    [file] = city.receipt("killed-load")["files"]
    assert (file["read"], file["accepted"]) == (50, 50)
    assert city.rows("select count(*) from marts.fct_settlements where batch_id = 'killed-load'") == [(50,)]


def test_a_posting_that_is_killed_books_once_when_it_is_tried_again(city):
    api = city.api()
    api.trigger("settle_day", "killed-posting", {"pay_date": "2026-04-02", "area_code": AREA})
    kill_whoever_waits_for("ledger.entry_line", city.admin_dsn)
    assert [run.state for run in api.follow("settle_day", "killed-posting", seconds=240)][-1] == "success"
    assert city.rows(
        "select event, count(distinct business_event_id), sum(amount) from marts.fct_entry_lines"
        f" where area_code = '{AREA}' and side = 'debit' group by event order by event"
    ) == [("accrued", 1, Decimal("50000.00")), ("instructed", 1, Decimal("35000.00"))]


def test_two_runs_of_one_pay_date_at_once_pay_once(city):
    rows = [batches.settlement("K100", HOSPITAL, "2026-04-02", "2000.00")]
    batches.write_batch(
        city.inbox, "killed-twice", "settlement", {"settlement": rows}, day="2026-04-02", area_code=AREA
    )
    city.receive("killed-twice")
    api = city.api()
    for run_id in ("at-once-1", "at-once-2"):
        api.trigger("settle_day", run_id, {"pay_date": "2026-04-03", "area_code": AREA})
    for run_id in ("at-once-1", "at-once-2"):
        assert [run.state for run in api.follow("settle_day", run_id, seconds=300)][-1] == "success"
    assert city.rows(
        "select amount from marts.fct_payment_instructions as i join marts.fct_payment_requests using (request_id)"
        f" where i.fixmedins_code = '{HOSPITAL}' and pay_date = '2026-04-03'"
    ) == [(Decimal("1400.00"),)]
