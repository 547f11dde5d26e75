"""A month of inpatient cases through a real Airflow: delivered, settled, booked, booked again, and explained."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from settlement.grouper.schemes import import_scheme
from settlement.ledger.explanation import explain
from settlement.sample import write_batches

AREA = "420100"
MONTH = "2026-03"
SMALL_DRG = Path(__file__).parents[2] / "examples/schemes/small_drg"
CASES = f"select * from marts.fct_case_bookings where area_code = '{AREA}' order by setl_id"
POOLS = f"""
    select values.fund_amount - (
        select sum(booked_amount) from marts.fct_case_bookings as cases
        where cases.area_code = values.area and cases.fund_pay_type = values.fund_pay_type
            and cases.booking_basis = 'points'
    )
    from marts.fct_point_values as values where area = '{AREA}'
"""
ENTRIES = f"select count(*) from marts.fct_entry_lines where area_code = '{AREA}' and event = 'booked'"


@pytest.fixture(scope="module")
def booked(installation):
    """An area on the example scheme: a day with lists received, and the month booked; gives the run's note."""
    import_scheme("drg", SMALL_DRG, version="small_drg", valid_from=date(2025, 1, 1), imported_by="test")
    summary = write_batches(
        installation.inbox, area_code=AREA, start=date(2026, 3, 2), days=1, per_day=400, lists="csv"
    )
    for batch in summary.batches:
        assert installation.receive(batch.batch_id)["status"] == "accepted"
    assert installation.run("book_month", "book-first", {"month": MONTH, "area_code": AREA}) == "success"
    return installation.note("book_month", "book-first")


def test_every_pool_is_shared_out_to_the_fen_and_the_note_says_so(installation, booked):
    assert f"{MONTH}: " in booked
    assert "point value 点值" in booked
    differences = installation.rows(POOLS)
    assert differences
    assert {difference for (difference,) in differences} == {Decimal("0.00")}


def test_booking_again_changes_nothing(installation, booked):
    cases, entries = installation.rows(CASES), installation.rows(ENTRIES)
    assert installation.run("book_month", "book-again", {"month": MONTH, "area_code": AREA}) == "success"
    assert installation.rows(CASES) == cases
    assert installation.rows(ENTRIES) == entries
    assert "0 new entries" in installation.note("book_month", "book-again")


def test_a_case_is_explained_with_its_group_and_its_money(installation, booked):
    ((setl_id,),) = installation.rows(
        "select setl_id from marts.fct_case_bookings"
        f" where area_code = '{AREA}' and case_status = 'GROUPED' order by setl_id limit 1"
    )
    sections = {section.name: section.rows for section in explain(setl_id).sections}
    (booking,) = sections["booking"]
    assert booking["group_code"] in booking["explanation"]
    assert str(booking["booked_amount"]) in booking["explanation_en"]


def test_a_day_without_areas_on_path_3_books_nothing(installation, booked):
    assert installation.run("book_cases", "day-2026-03-03", {"booked_on": "2026-03-03"}) == "success"
    assert "nothing to book" in installation.note("book_cases", "day-2026-03-03")
