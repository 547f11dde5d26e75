"""Refunds through the intake: waiting, release, several at once, and never more than was paid."""

import json
from typing import Any

import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import settlement, write_batch
from tests.fixtures.one_hospital import HOSPITAL, register_hospital

from settlement.intake import Receipt, receive

FIRST, SECOND = "2026-02-27", "2026-03-02"


@pytest.fixture
def city(warehouse: Warehouse) -> Warehouse:
    return register_hospital(warehouse)


def deliver(city: Warehouse, batch_id: str, day: str, *rows: Any) -> Receipt:
    write_batch(city.inbox, batch_id, "settlement", {"settlement": list(rows)}, day=day)
    return receive(batch_id)


def paid(setl_id: str, fund: str, day: str = FIRST, **fields: Any) -> dict[str, Any]:
    return settlement(setl_id, HOSPITAL, day, fund, **fields)


def back(setl_id: str, original: str, fund: str, day: str = SECOND, **fields: Any) -> dict[str, Any]:
    return settlement(setl_id, HOSPITAL, day, fund, refund_of=original, **fields)


def counts(receipt: Receipt) -> tuple[int, ...]:
    return tuple(receipt.files[0][name] for name in ("accepted", "quarantined", "repeated", "pending"))


def total(city: Warehouse) -> str:
    [(amount,)] = city.rows("select sum(hifp_pay)::text from raw.settlement")
    return str(amount)


def test_a_refund_of_an_earlier_day_is_accepted_on_its_own_day(city: Warehouse) -> None:
    deliver(city, "b1", FIRST, paid("S1", "100.00"))
    assert counts(deliver(city, "b2", SECOND, back("R1", "S1", "-40.00"))) == (1, 0, 0, 0)
    assert total(city) == "60.00"


def test_a_refund_before_its_original_waits_and_is_released_with_it(city: Warehouse) -> None:
    assert counts(deliver(city, "b2", SECOND, back("R1", "S1", "-40.00"))) == (0, 0, 0, 1)
    assert city.rows("select count(*) from raw.settlement") == [(0,)]
    assert counts(deliver(city, "b1", FIRST, paid("S1", "100.00"))) == (1, 0, 0, 0)
    assert city.rows(
        "select setl_id, business_date::text, batch_id, accepted_batch_id, line_no from raw.settlement order by setl_id"
    ) == [("R1", SECOND, "b2", "b1", 2), ("S1", FIRST, "b1", "b1", 2)]
    assert city.rows("select business_date::text, row_count from raw.accepted_day order by business_date") == [
        (FIRST, 1),
        (SECOND, 1),
    ]
    assert city.rows("select outcome, outcome_batch_id from intake.pending_refund") == [("accepted", "b1")]


def test_a_waiting_refund_delivered_again_is_repeated(city: Warehouse) -> None:
    deliver(city, "b2", SECOND, back("R1", "S1", "-40.00"))
    assert counts(deliver(city, "b3", SECOND, back("R1", "S1", "-40.00"))) == (0, 0, 1, 0)
    assert deliver(city, "b4", SECOND, back("R1", "S1", "-41.00")).reasons == {"R_CONFLICT": 1}


def test_original_and_refund_may_come_in_one_batch_in_any_order(city: Warehouse) -> None:
    rows = [back("R1", "S1", "-40.00", FIRST), paid("S1", "100.00"), back("R2", "S1", "-60.00", FIRST)]
    assert counts(deliver(city, "b1", FIRST, *rows)) == (3, 0, 0, 0)
    assert total(city) == "0.00"


def test_several_refunds_in_one_batch_share_what_is_left(city: Warehouse) -> None:
    deliver(city, "b1", FIRST, paid("S1", "100.00"))
    receipt = deliver(city, "b2", SECOND, *(back(f"R{number}", "S1", "-40.00") for number in range(3)))
    assert (counts(receipt), receipt.reasons) == ((2, 1, 0, 0), {"R_REFUND": 1})
    receipt = deliver(city, "b3", SECOND, back("R9", "S1", "-20.01"), back("R8", "S1", "-20.00"))
    assert (counts(receipt), receipt.reasons) == ((1, 1, 0, 0), {"R_REFUND": 1})
    assert total(city) == "0.00"


def test_waiting_refunds_are_netted_before_those_delivered_with_the_original(city: Warehouse) -> None:
    deliver(city, "b2", SECOND, back("R1", "S1", "-70.00"), back("R2", "S1", "-70.00"))
    receipt = deliver(city, "b1", FIRST, paid("S1", "100.00"), back("R3", "S1", "-40.00", FIRST))
    assert (counts(receipt), receipt.reasons) == ((1, 1, 0, 0), {"R_REFUND": 1})
    assert total(city) == "30.00"
    found = city.rows("select batch_id, line_no, record_key, reason_codes from intake.quarantine order by batch_id")
    assert found == [("b1", 3, "R3", ["R_REFUND"]), ("b2", 3, "R2", ["R_REFUND"])]


def test_a_sender_learns_what_became_of_refunds_that_waited(city: Warehouse) -> None:
    deliver(city, "b2", SECOND, back("R1", "S1", "-70.00"), back("R2", "S1", "-70.00"), back("R3", "S9", "-1.00"))
    folder = city.outbox / "b2"
    first = (folder / "receipt.json").read_bytes()
    assert not (folder / "decided_refunds.json").exists()
    deliver(city, "b1", FIRST, paid("S1", "100.00"))
    assert (folder / "receipt.json").read_bytes() == first
    found = json.loads((folder / "decided_refunds.json").read_text())
    assert [tuple(refund.values()) for refund in found["refunds"]] == [
        ("settlement.csv", 2, "R1", "S1", "accepted", "b1"),
        ("settlement.csv", 3, "R2", "S1", "quarantined", "b1"),
    ]
    rejected = (folder / "rejected.csv").read_text()
    assert "R2,R_REFUND,init_setl_id,S1" in rejected
    for path in (folder / "rejected.csv", folder / "decided_refunds.json", city.outbox / "b1" / "receipt.json"):
        path.unlink()
    receive("b1")
    assert (folder / "rejected.csv").read_text() == rejected
    assert len(json.loads((folder / "decided_refunds.json").read_text())["refunds"]) == 2


def test_another_person_cannot_take_a_settlement_back(city: Warehouse) -> None:
    deliver(city, "b1", FIRST, paid("S1", "100.00"))
    receipt = deliver(city, "b2", SECOND, back("R1", "S1", "-1.00", person="33000000000000000009"))
    assert receipt.reasons == {"R_REFUND": 1}


def test_a_refund_hears_of_its_other_faults_too(city: Warehouse) -> None:
    deliver(city, "b1", FIRST, paid("S1", "100.00"))
    receipt = deliver(city, "b2", SECOND, back("R1", "S1", "-100.01") | {"gend": "x"})
    assert receipt.reasons == {"R_DICT": 1, "R_REFUND": 1}


def test_a_refund_with_an_unknown_person_or_amount_hears_of_that_alone(city: Warehouse) -> None:
    deliver(city, "b1", FIRST, paid("S1", "100.00"))
    unknown = [{"psn_no": ""}, {"fixmedins_code": "???"}, {"hifes_pay": "x"}]
    rows = [back(f"R{number}", "S1", "-40.00") | changes for number, changes in enumerate(unknown)]
    assert deliver(city, "b2", SECOND, *rows).reasons == {"R_CODE": 1, "R_MISSING": 1, "R_TYPE": 1}


def test_a_refund_that_was_refused_after_waiting_may_be_corrected_and_wait_again(city: Warehouse) -> None:
    deliver(city, "b2", SECOND, back("R1", "S1", "-100.01"))
    deliver(city, "b1", FIRST, paid("S1", "100.00"))
    assert counts(deliver(city, "b3", SECOND, back("R1", "S2", "-40.00"))) == (0, 0, 0, 1)
    deliver(city, "b4", FIRST, paid("S2", "50.00"))
    assert city.rows("select batch_id, outcome, outcome_batch_id from intake.pending_refund order by batch_id") == [
        ("b2", "quarantined", "b1"),
        ("b3", "accepted", "b4"),
    ]
    assert total(city) == "110.00"


def test_a_refund_of_a_refused_original_waits(city: Warehouse) -> None:
    rows = [paid("S1", "100.00") | {"gend": "x"}, back("R1", "S1", "-1.00", FIRST)]
    assert counts(deliver(city, "b1", FIRST, *rows)) == (0, 1, 0, 1)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_totals_do_not_depend_on_the_order_of_arrival(city: Warehouse, order: tuple[int, ...]) -> None:
    batches = {
        1: (FIRST, [paid("S1", "100.00"), paid("S2", "50.00")]),
        2: (SECOND, [back("R1", "S1", "-30.00"), paid("S3", "7.00", SECOND)]),
        3: (SECOND, [back("R2", "S1", "-70.00"), back("R3", "S2", "-0.01")]),
    }
    for number in order:
        day, rows = batches[number]
        assert deliver(city, f"b{number}", day, *rows).status == "accepted"
    assert total(city) == "56.99"
    assert city.rows("select business_date::text, sum(hifp_pay)::text from raw.settlement group by 1 order by 1") == [
        (FIRST, "150.00"),
        (SECOND, "-93.01"),
    ]


@pytest.mark.parametrize("story", ["later", "earlier", "together"])
def test_a_refund_of_another_insurance_type_takes_nothing_back(city: Warehouse, story: str) -> None:
    settled, refund = paid("S1", "100.00"), back("R1", "S1", "-100.00", insutype="390")
    if story == "later":
        deliver(city, "b1", FIRST, settled)
        assert deliver(city, "b2", SECOND, refund).reasons == {"R_REFUND": 1}
    elif story == "earlier":
        assert counts(deliver(city, "b2", SECOND, refund)) == (0, 0, 0, 1)
        deliver(city, "b1", FIRST, settled)
    else:
        refund = back("R1", "S1", "-100.00", FIRST, insutype="390")
        assert deliver(city, "b2", FIRST, refund, settled).reasons == {"R_REFUND": 1}
    assert total(city) == "100.00"
    [(note,)] = city.rows("select details -> 0 ->> 'note' from intake.quarantine where record_key = 'R1'")
    assert "insutype 390" in note
    assert counts(deliver(city, "b3", SECOND, back("R2", "S1", "-100.00"))) == (1, 0, 0, 0)
    assert total(city) == "0.00"


def test_refunds_of_two_insurance_types_in_one_batch_are_told_apart(city: Warehouse) -> None:
    deliver(city, "b1", FIRST, paid("S1", "100.00"))
    rows = [back("R1", "S1", "-30.00", insutype="390"), back("R2", "S1", "-30.00"), back("R3", "S1", "-70.00")]
    receipt = deliver(city, "b2", SECOND, *rows, back("R4", "S1", "-0.01"))
    assert (counts(receipt), receipt.reasons) == ((2, 2, 0, 0), {"R_REFUND": 2})
    notes = dict(city.rows("select record_key, details -> 0 ->> 'note' from intake.quarantine"))
    assert "insutype" in notes["R1"]
    assert notes["R4"] == "hifp_pay：剩余 left 0.00，退 refunded 0.01"
