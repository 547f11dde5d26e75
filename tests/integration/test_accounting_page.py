"""The week of docs/accounting.md, run through intake, dbt, ledger and bank: the books are the table of the page."""

from datetime import date
from decimal import Decimal

import pytest
from tests.fixtures import batches
from tests.fixtures.bank import write_bank_batch
from tests.fixtures.prepared_warehouse import prepared  # noqa: F401
from tests.unit.test_accounting_page import PAGE

from settlement.banking.matching import record_batch
from settlement.intake import receive
from settlement.ledger.proposals import post_proposed_entries
from settlement.payments.approval import decide_request
from settlement.payments.instructions import disburse_approved
from settlement.payments.requests import request_payments
from settlement.warehouse import dbt

HOSPITAL = "H33010600123"


def deliver(inbox, batch_id, day, rows, created=None):
    batches.write_batch(
        inbox, batch_id, "settlement", {"settlement": rows}, day=day, created_at=f"{created or day}T23:10:00+08:00"
    )
    assert receive(batch_id).status == "accepted"


def settle(pay_date):
    dbt.build("tag:proposal", {"pay_date": pay_date, "area_code": ""})
    post_proposed_entries(area_code=None, posted_by="tester")
    day = date.fromisoformat(pay_date)
    for request in request_payments(pay_date=day, area_code=None, triggered_by="tester"):
        if request.needs_a_person:
            decide_request(request.request_id, decision="approved", decided_by="another", reason="checked")
    disburse_approved(pay_date=day, area_code=None, posted_by="tester")


def bank_books_all(inbox, warehouse, day):
    paid = warehouse.rows("select instruction_id, amount from ledger.payment_instruction where pay_date = %s", day)
    booked = [(instruction_id.hex, str(amount)) for instruction_id, amount in paid]
    batch_id = write_bank_batch(inbox, f"bank-{day}", day, booked=booked)
    assert receive(batch_id).status == "accepted"
    record_batch(batch_id, posted_by="tester")


@pytest.mark.slow
def test_the_books_of_the_week_are_the_table_of_the_page(prepared, tmp_path, monkeypatch):  # noqa: F811
    inbox = tmp_path / "page-inbox"
    inbox.mkdir()
    monkeypatch.setenv("SETTLEMENT_INBOX", str(inbox))
    batches.write_batch(inbox, "policy", "reference", {"payment_policy": [batches.daily_policy()]})
    assert receive("policy").status == "accepted"

    accepted = {
        "2026-03-02": "123456.78",
        "2026-03-03": "98765.43",
        "2026-03-04": "110000.01",
        "2026-03-05": "50000.00",
    }
    pay_dates = ["2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06"]
    for (day, amount), pay_date in zip(accepted.items(), pay_dates, strict=True):
        deliver(inbox, f"day-{day}", day, [batches.settlement(f"S-{day}", HOSPITAL, day, amount)])
        if day == "2026-03-05":
            refund = batches.settlement("R-1", HOSPITAL, "2026-03-02", "-456.78", refund_of="S-2026-03-02")
            deliver(inbox, "late", "2026-03-02", [refund], created="2026-03-05")
        settle(pay_date)
        bank_books_all(inbox, prepared, pay_date)

    booked = prepared.rows(
        "select entry.accounting_date::text, entry.event,"
        " max(line.account) filter (where line.side = 'debit'), max(line.account) filter (where line.side = 'credit'),"
        " max(line.amount)"
        " from ledger.entry join ledger.entry_line as line using (fixmedins_code, business_event_id)"
        " where entry.fixmedins_code = %s and entry.fund_pay_type = '310100'"
        " group by entry.posting_run_id, entry.accounting_date, entry.event, business_event_id"
        " order by entry.posting_run_id, entry.accounting_date",
        HOSPITAL,
    )
    assert booked == [
        (row["accounting_date"], row["event"], row["debit"], row["credit"], Decimal(row["amount"]))
        for row in PAGE["no"]
    ]
