"""A batch that Great Expectations stops after the gate accepted it: left out alone, paid when its cause is mended."""

from decimal import Decimal

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.fixtures.batches import (
    area,
    bank_account,
    cash_plan,
    daily_policy,
    fund_account,
    institution,
    settlement,
    write_batch,
)
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.runs import run_as

from settlement.gate import expectations
from settlement.intake import receive
from settlement.tasks import payment
from settlement.tasks.checking import check_expectations
from settlement.warehouse import dbt

pytestmark = pytest.mark.slow

CITY, EARLY, LATE = "320500", "H32050000001", "H32050000002"
AGREE_FROM = "update reference.institution set agreement_from = %s where fixmedins_code = %s"


@pytest.fixture
def city(prepared: PreparedWarehouse, tmp_path, monkeypatch):  # noqa: F811
    """A city with two hospitals that each brought a day, 1,000.00 and 500.00.

    The register then says that the agreement of one of them began only on the day after.
    """
    expectations._great_expectations.cache_clear()  # it keeps a connection to the database of another test
    inbox = tmp_path / "inbox"
    monkeypatch.setenv("SETTLEMENT_INBOX", str(inbox))
    tables = {
        "area": [area(CITY)],
        "institution": [institution(code) for code in (EARLY, LATE)],
        "bank_account": [bank_account(code) for code in (EARLY, LATE)],
        "fund_account": [fund_account(CITY)],
        "payment_policy": [daily_policy(CITY)],
        "cash_plan": [cash_plan(CITY, "2026-03", "10000.00", "0.00")],
    }
    write_batch(inbox, "reference", "reference", tables, area_code=CITY)
    assert receive("reference").status == "accepted"
    deliver(inbox, "in-time", EARLY, "2026-03-02", "1000.00")
    deliver(inbox, "too-early", LATE, "2026-03-01", "500.00")
    dbt.build("tag:reconciliation")  # as the receiving run does
    prepared.execute(AGREE_FROM, ["2026-03-02", LATE])
    return inbox


def deliver(inbox, batch_id, institution_code, day, fund):
    rows = {"settlement": [settlement(batch_id.upper(), institution_code, day, fund)]}
    write_batch(inbox, batch_id, "settlement", rows, day=day, area_code=CITY)
    assert receive(batch_id).status == "accepted"


def settle(patch, pay_date):
    """Run the steps of `settle_day`; give the text of its note."""
    run_as(patch, pay_date=pay_date, area_code=CITY)
    checked = check_expectations.function()
    payment.propose_entries_and_payments.function()
    posted = payment.post_entries.function()
    requested = payment.request_payments.function()
    disbursed = payment.disburse_approved_requests.function()
    payment.publish.function()
    return payment.report_outcome.function(checked, posted, requested, disbursed, None)


def paid(prepared):  # noqa: F811
    return prepared.rows(
        "select fixmedins_code, pay_date::text, amount from ledger.payment_instruction order by pay_date, 1"
    )


def test_a_stopped_batch_is_left_out_told_and_paid_once_its_cause_is_mended(city, prepared, monkeypatch):  # noqa: F811
    notes = []
    monkeypatch.setattr(payment, "write_note", notes.append)
    with pytest.raises(AirflowFailException, match=r"too-early: \[batch_stopped\].*settlement R_INSTITUTION"):
        settle(monkeypatch, "2026-03-03")
    assert "stopped 叫停: settlement R_INSTITUTION" in notes[0]
    first = (EARLY, "2026-03-03", Decimal("700.00"))
    assert paid(prepared) == [first]
    accrued = "select distinct fixmedins_code from ledger.entry where event = 'accrued'"
    assert prepared.rows(accrued) == [(EARLY,)]
    for daily in ("int_settlements__totalled", "int_daily_fund_totals", "int_daily_payables"):
        assert prepared.rows(f"select distinct business_date::text from intermediate.{daily}") == [("2026-03-02",)], (
            daily
        )

    prepared.execute(AGREE_FROM, ["2025-01-01", LATE])
    settle(monkeypatch, "2026-03-04")
    assert paid(prepared) == [first, (LATE, "2026-03-04", Decimal("350.00"))]


def test_what_is_accepted_while_a_run_proposes_is_judged_before_it_is_booked(city, prepared, monkeypatch):  # noqa: F811
    monkeypatch.setattr(payment, "write_note", str)
    prepared.execute(AGREE_FROM, ["2025-01-01", LATE])
    build = dbt.build

    def build_while_a_batch_arrives(select, settings=None):
        monkeypatch.setattr(dbt, "build", build)
        deliver(city, "meanwhile", LATE, "2026-03-01", "80.00")
        prepared.execute(AGREE_FROM, ["2026-03-02", LATE])
        return build(select, settings)

    monkeypatch.setattr(dbt, "build", build_while_a_batch_arrives)
    with pytest.raises(AirflowFailException, match=r"meanwhile: \[batch_stopped\]"):
        settle(monkeypatch, "2026-03-03")
    # What was judged before the register changed is paid; what came after it is not.
    assert paid(prepared) == [
        (EARLY, "2026-03-03", Decimal("700.00")),
        (LATE, "2026-03-03", Decimal("350.00")),
    ]
