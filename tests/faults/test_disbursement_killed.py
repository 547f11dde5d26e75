"""F17: a crash around the bank file never sends two files, and never loses one. F16: part of a file is rejected."""

import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.processes import package_environment
from tests.fixtures.proposals import AREA, INSTITUTION, Accrual, offer

from settlement.ledger.posting import post
from settlement.ledger.verification import verify_ledger
from settlement.payments.instructions import disburse_approved
from settlement.payments.requests import request_payments

PAY_DATE, NEXT_PAY_DATE = date(2026, 3, 3), date(2026, 3, 4)
VICTIM = """
import os, signal
from datetime import date
from settlement.payments import {module} as victim

def die(*arguments, **keywords):
    os.kill(os.getpid(), signal.SIGKILL)

victim.{function} = die
from settlement.payments.instructions import disburse_approved
disburse_approved(pay_date=date(2026, 3, 3), area_code="330100", posted_by="victim")
"""


@pytest.fixture
def requested(prepared: PreparedWarehouse) -> PreparedWarehouse:  # noqa: F811
    with prepared.connect("transformer") as connection:
        offer(connection, [Accrual("2000.00")], "entries.entry_scene")
    with prepared.connect("poster") as connection:
        post(connection, "entries.entry_scene", area_code=AREA, purpose="accrued", posted_by="scene")
    prepared.entitle("1000.00")
    prepared.propose("2026-03-03")
    request_payments(pay_date=PAY_DATE, area_code=AREA, triggered_by="operator")
    return prepared


def kill_at(module, function):
    code = VICTIM.format(module=module, function=function)
    assert subprocess.run([sys.executable, "-c", code], env=package_environment(), check=False).returncode == -9


def files(warehouse):
    return {path.name: path.read_bytes() for path in warehouse.outbox.rglob("*.xml")}


@pytest.mark.parametrize(
    ("module", "function", "instructions"),
    [
        ("instructions", "_insert_bank_file", 0),
        ("instructions", "write_bank_files", 1),
        ("bank_files", "_write_once", 1),
    ],
    ids=["before the file is stored", "before the outbox", "inside the outbox"],
)
@pytest.mark.parametrize("pay_date", [PAY_DATE, NEXT_PAY_DATE], ids=["again", "on the next pay date"])
def test_a_killed_disbursement_is_finished_with_one_file_under_one_id(
    requested, module, function, instructions, pay_date
):
    kill_at(module, function)
    assert files(requested) == {}
    assert requested.rows("select count(*) from ledger.payment_instruction") == [(instructions,)]
    assert requested.rows("select count(*) from ledger.bank_file") == [(instructions,)]
    assert requested.rows("select count(*) from ledger.entry where event = 'instructed'") == [(instructions,)]

    disburse_approved(pay_date=pay_date, area_code=AREA, posted_by="successor")
    [(content,)] = requested.rows("select content from ledger.bank_file")
    assert files(requested) == {"330100-310100-20260303-daily.xml": content.encode()}
    assert requested.rows("select fixmedins_code, amount from ledger.payment_instruction") == [
        (INSTITUTION, Decimal("1000.00"))
    ]
    assert verify_ledger().is_intact


def test_a_file_that_the_bank_took_away_is_not_sent_again_on_a_later_pay_date(requested):
    disburse_approved(pay_date=PAY_DATE, area_code=AREA, posted_by="operator")
    [path] = requested.outbox.rglob("*.xml")
    path.unlink()
    disburse_approved(pay_date=NEXT_PAY_DATE, area_code=AREA, posted_by="operator")
    assert files(requested) == {}


def test_a_half_written_file_is_replaced(requested):
    disburse_approved(pay_date=PAY_DATE, area_code=AREA, posted_by="operator")
    [path] = requested.outbox.rglob("*.xml")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    disburse_approved(pay_date=PAY_DATE, area_code=AREA, posted_by="operator")
    assert path.read_bytes() == whole
