"""A file in many slices gives what it gives in one: lines, first keys, repetitions, refunds, held batches."""

from functools import partial

import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import Row, area, institution, settlement, write_batch

from settlement.intake import Receipt, formats, receive, slices

HOSPITAL = "H33010600123"
DAY = "2026-03-02"
ROWS = 60


@pytest.fixture
def city(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    monkeypatch.setattr(formats, "cut", partial(slices.cut, size=2_000))
    register = {"area": [area(reject_limit="0.5")], "institution": [institution(HOSPITAL, area_code="330100")]}
    write_batch(warehouse.inbox, "reference-1", "reference", register)
    assert receive("reference-1").status == "accepted"
    return warehouse


def deliver(city: Warehouse, batch_id: str, rows: list[Row]) -> Receipt:
    write_batch(city.inbox, batch_id, "settlement", {"settlement": rows}, day=DAY, control=["medfee_sumamt"])
    return receive(batch_id)


def settlements() -> list[Row]:
    return [settlement(f"S{number:03}", HOSPITAL, DAY, f"{number}.25") for number in range(ROWS, 0, -1)]


def test_rows_of_all_slices_keep_their_lines(city: Warehouse) -> None:
    receipt = deliver(city, "b1", settlements())
    assert (receipt.status, receipt.files[0]["accepted"]) == ("accepted", ROWS)
    found = city.rows("select setl_id, hifp_pay::text, line_no from raw.settlement order by line_no")
    assert found == [(f"S{number:03}", f"{number}.25", ROWS - number + 2) for number in range(ROWS, 0, -1)]


def test_a_key_twice_keeps_its_first_row_although_slices_lie_between(city: Warehouse) -> None:
    rows = settlements()
    receipt = deliver(city, "b1", [*rows, {**rows[0], "hifp_pay": "x"}, rows[-1]])
    assert receipt.reasons == {"R_DUPLICATE": 2, "R_TYPE": 1}
    assert city.rows("select line_no from intake.quarantine order by line_no") == [(ROWS + 2,), (ROWS + 3,)]


def test_rows_that_are_stored_already_are_repeated_or_in_conflict_in_every_slice(city: Warehouse) -> None:
    deliver(city, "b1", settlements())
    rows = settlements()
    changed = [settlement(str(rows[place]["setl_id"]), HOSPITAL, DAY, "7777.00") for place in (3, ROWS - 3)]
    rows[3], rows[ROWS - 3] = changed
    receipt = deliver(city, "b2", rows)
    assert (receipt.files[0]["repeated"], receipt.files[0]["quarantined"]) == (ROWS - 2, 2)
    assert receipt.reasons == {"R_CONFLICT": 2}


def test_a_held_batch_leaves_nothing_of_what_was_stored_while_it_was_judged(city: Warehouse) -> None:
    rows = [{**row, "hifp_pay": "x"} if place > 20 else row for place, row in enumerate(settlements())]
    receipt = deliver(city, "b1", rows)
    assert (receipt.status, receipt.files[0]["accepted"]) == ("held", 21)
    assert city.rows("select (select count(*) from raw.settlement), (select count(*) from raw.settlement_key)") == [
        (0, 0)
    ]
    assert receive("b1", release_by="chief").status == "accepted"
    assert city.rows("select count(*) from raw.settlement") == [(21,)]
