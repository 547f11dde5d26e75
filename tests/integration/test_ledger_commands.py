"""`settlement verify-ledger` and `settlement explain`, as an auditor types them."""

import json
from datetime import date

import psycopg
import pytest
from tests.fixtures.bank_answers import booked, deliver
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.proposals import AREA, INSTITUTION, Accrual, offer
from typer.testing import CliRunner

from settlement.banking.matching import record_batch
from settlement.cli import app
from settlement.ledger.posting import post
from settlement.payments.instructions import disburse_approved
from settlement.payments.requests import request_payments

SETTLEMENT = "S1"


def run(*arguments):
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


@pytest.fixture
def paid(prepared: PreparedWarehouse):  # noqa: F811
    """One settlement of 1,000 yuan, accrued, paid whole, and booked by the bank."""
    accrual = Accrual("1000.00")
    with prepared.connect("transformer") as connection:
        offer(connection, [accrual], "entries.entry_scene")
    with prepared.connect("poster") as connection:
        post(connection, "entries.entry_scene", area_code=AREA, purpose="accrued", posted_by="scene")
    prepared.execute("select raw.ensure_partitions('2026-03-01', '2026-03-31')")
    prepared.execute(
        "insert into raw.settlement_key values (%s, %s, %s, '2026-03-02')",
        [INSTITUTION, SETTLEMENT, accrual.batch_id],
    )
    row = {
        "setl_id": SETTLEMENT,
        "fixmedins_code": INSTITUTION,
        "business_date": "2026-03-02",
        "setl_time": "2026-03-02 10:00:00",
        "area_code": AREA,
        "batch_id": accrual.batch_id,
        "accepted_batch_id": accrual.batch_id,
        "insutype": "310",
        "med_type": "11",
        "clr_type": "11",
        "hifp_pay": "1000.00",
        "fund_pay_sumamt": "1000.00",
        "medfee_sumamt": "1000.00",
    }
    with psycopg.connect(prepared.admin_dsn) as connection:
        fill_required(connection, row)
        connection.execute(
            "insert into raw.settlement select * from jsonb_populate_record(null::raw.settlement, %s)",
            [json.dumps(row)],
        )
    prepared.entitle("1000.00")
    prepared.propose("2026-03-03")
    request_payments(pay_date=date(2026, 3, 3), area_code=AREA, triggered_by="operator")
    disburse_approved(pay_date=date(2026, 3, 3), area_code=AREA, posted_by="operator")
    [(instruction,)] = prepared.rows("select instruction_id from ledger.payment_instruction")
    record_batch(deliver(prepared, booked(instruction)), posted_by="bank")
    return prepared, instruction


def fill_required(connection, row):
    """Give every other required column of a settlement a value of its type."""
    values = {"numeric": "0", "smallint": 0, "integer": 0, "bigint": 1, "date": "2026-03-02", "uuid": "0" * 32}
    for name, kind in connection.execute(
        "select column_name, data_type from information_schema.columns where table_schema = 'raw'"
        " and table_name = 'settlement' and is_nullable = 'NO'"
    ).fetchall():
        row.setdefault(name, values.get(kind, "1"))


def test_intact_books_are_proved(paid):
    code, output = run("verify-ledger")
    assert code == 0
    assert "ledger intact 账簿完好" in output


def test_a_tampered_entry_is_named_and_the_command_fails(paid):
    warehouse, _ = paid
    with psycopg.connect(warehouse.admin_dsn) as superuser:
        superuser.execute("set session_replication_role = replica")
        superuser.execute("update ledger.entry_line set amount = 1 where side = 'debit'")
    code, output = run("verify-ledger", "--area", AREA, "--json")
    proof = json.loads(output)
    assert code == 1
    assert proof["is_intact"] is False
    [(first_run,)] = warehouse.rows("select min(posting_run_id) from ledger.posting_run")
    assert proof["chains"][0]["fault"] == {
        "area_code": AREA,
        "posting_run_id": first_run,
        "fault": "seal_differs",
    }
    assert {breach["invariant"] for breach in proof["breaches"]} >= {"entries_balance", "trial_balance"}
    code, output = run("verify-ledger")
    assert code == 1
    assert f"run {first_run} seal_differs" in output


def test_a_settlement_is_followed_to_the_bank(paid):
    _, instruction = paid
    code, output = run("explain", SETTLEMENT, "--json")
    assert code == 0, output
    sections = {section["name"]: section["rows"] for section in json.loads(output)["sections"]}
    assert sections["settlement"][0]["fixmedins_code"] == INSTITUTION
    assert sections["funds"] == [{"fund_pay_type": "310100", "amount": "1000.00"}]
    assert {row["account"] for row in sections["accrual"]} == {"benefit_expense", "payable_institution"}
    assert [row["entitled_amount"] for row in sections["payables"]] == ["1000.00"]
    assert [(row["instruction_id"], row["status"]) for row in sections["carried_by"]] == [(str(instruction), "paid")]
    assert [row["outcome"] for row in sections["bank_entries"]] == ["paid"]


def test_a_payment_is_followed_back_to_its_settlements(paid):
    _, instruction = paid
    code, output = run("explain", instruction.hex, "--json")
    assert code == 0, output
    sections = {section["name"]: section["rows"] for section in json.loads(output)["sections"]}
    assert [row["event"] for row in sections["entries"]] == ["instructed", "instructed", "paid", "paid"]
    assert sections["days"][0] | {"settlement_count": 1, "entitled_amount": "1000.00"} == sections["days"][0]
    assert sections["request"][0]["message_id"] == "330100-310100-20260303-daily"


def test_people_get_tables(paid):
    code, output = run("explain", SETTLEMENT)
    assert code == 0
    assert "Instructions of its month 所在月份的拨付指令" in output


def test_an_unknown_id_is_a_clear_error(paid):
    code, output = run("explain", "NOT-THERE")
    assert code == 1
    assert "neither an accepted settlement nor a payment instruction" in output
