"""What the gate accepts, Great Expectations accepts: two looks at the same facts, from arrival and from the tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import Row, area, institution, settlement, write_batch

from settlement.gate import expectations
from settlement.intake import Receipt, receive

HOSPITAL, OTHER_HOSPITAL = "H33010600123", "H33010600456"
DAY = "2026-03-02"
LATER = "2026-03-20"


@pytest.fixture
def city(warehouse: Warehouse) -> Warehouse:
    ended = institution(OTHER_HOSPITAL, area_code="330100", valid_to="2026-03-10")
    tables = {
        "area": [area(reject_limit="1.000000")],
        "institution": [
            institution(HOSPITAL, area_code="330100"),
            ended,
            ended | {"agreement_status": "ended", "valid_from": "2026-03-11", "valid_to": None},
        ],
    }
    write_batch(warehouse.inbox, "reference-1", "reference", tables)
    assert receive("reference-1").status == "accepted"
    rows = [settlement("S1", HOSPITAL, DAY, "100.00"), settlement("S2", OTHER_HOSPITAL, DAY, "100.00")]
    write_batch(warehouse.inbox, "b1", "settlement", {"settlement": rows}, day=DAY)
    assert receive("b1").files[0]["accepted"] == 2
    return warehouse


def inpatient_list(setl_id: str = "S1", hospital: str = HOSPITAL, **changes: Any) -> Row:
    return {
        **dict(setl_id=setl_id, mdtrt_id=f"M{setl_id}", fixmedins_code=hospital, psn_no="33000000000000000001"),
        **dict(medcasno="C1", gend="1", brdy="1980-01-01", ipt_med_type="1", act_ipt_days=3, dscg_way="1"),
        **dict(adm_time="2026-02-27 08:00:00", dscg_time="2026-03-02 09:00:00", bill_code="1", bill_no="1", biz_sn="1"),
        **dict(setl_begn_date="2026-02-27", setl_end_date="2026-03-02", hi_paymtd="3"),
        **changes,
    }


def diagnosis(seq: int, code: str = "I10.x00", setl_id: str = "S1", **changes: Any) -> Row:
    return {"setl_id": setl_id, "seq": seq, "diag_type": "1", "diag_code": code, "maindiag_flag": None, **changes}


def operation(seq: int = 1, **changes: Any) -> Row:
    names = ("oprn_oprt_date", "oprn_oprt_begntime", "oprn_oprt_endtime")
    return {"setl_id": "S1", "seq": seq, "oprn_oprt_code": "81.6600x002", **dict.fromkeys(names), **changes}


def charge(amount: str = "100.00", kind: str = "01", setl_id: str = "S1") -> Row:
    return {"setl_id": setl_id, "med_chrgitm": kind, "amt": amount}


def deliver(batch_id: str, city: Warehouse, day: str = DAY, **tables: Sequence[Row]) -> Receipt:
    names = {name: "settlement_list" if name == "lists" else f"settlement_list_{name}" for name in tables}
    named = {names[name]: rows for name, rows in tables.items()}
    write_batch(city.inbox, batch_id, "settlement", named, day=day)
    return receive(batch_id)


def list_reasons(city: Warehouse) -> set[str]:
    """Why lists were refused; empty when none was."""
    found = city.rows("select unnest(reason_codes) from intake.quarantine where table_name = 'settlement_list'")
    return {code for (code,) in found}


def assert_engines_agree(city: Warehouse) -> None:
    failures = expectations.validate_accepted(started_by="test").failures
    assert [failure for failure in failures if failure.severity == "critical"] == []


CHINESE = {"diag_type": "2", "maindiag_flag": "1", "diag_code": "BNX010"}
BEYOND = {"oprn_oprt_date": "2026-03-02", "oprn_oprt_endtime": "2026-03-03 01:00:00"}
CASES: dict[str, tuple[Mapping[str, Sequence[Row]], set[str]]] = {
    "a flag on a row of Chinese medicine does not count": (
        {"diagnosis": [diagnosis(1), diagnosis(2, **CHINESE)]},
        set(),
    ),
    "a row of Chinese medicine is no main diagnosis": ({"diagnosis": [diagnosis(1, **CHINESE)]}, {"L_MAIN_DX"}),
    "a flag counts before the order": ({"diagnosis": [diagnosis(1), diagnosis(2, maindiag_flag="1")]}, set()),
    "an operation has the date it is given": ({"operation": [operation(**BEYOND)]}, set()),
    "without a date its times count": (
        {"operation": [operation(**BEYOND | {"oprn_oprt_date": None})]},
        {"L_OPERATION_DATE"},
    ),
    "an end alone counts too": (
        {"operation": [operation(oprn_oprt_endtime="2026-02-26 23:00:00")]},
        {"L_OPERATION_DATE"},
    ),
    "a refused diagnosis is not counted": (
        {"lists": [inpatient_list(diag_code_cnt=2)], "diagnosis": [diagnosis(1), diagnosis(2, "???")]},
        {"L_COUNT"},
    ),
    "a list without a declared count lives without it": ({"diagnosis": [diagnosis(1), diagnosis(2, "???")]}, set()),
    "a refused diagnosis is not the main one": ({"diagnosis": [diagnosis(1, "???"), diagnosis(2)]}, {"L_MAIN_DX"}),
    "a repeated diagnosis counts once": (
        {"lists": [inpatient_list(diag_code_cnt=1)], "diagnosis": [diagnosis(1), diagnosis(1, "E11.900")]},
        set(),
    ),
    "a refused operation is not counted": (
        {"lists": [inpatient_list(oprn_oprt_code_cnt=1)], "operation": [operation(0, oprn_oprt_date="2026-03-01")]},
        {"L_COUNT"},
    ),
    "a refused charge is not added": ({"item": [charge("60.00"), charge("40.00", "x")]}, {"L_ITEM_SUM"}),
}


@pytest.mark.parametrize("story", CASES)
def test_both_engines_see_the_same_children(story: str, city: Warehouse) -> None:
    tables, reasons = CASES[story]
    whole = {"lists": [inpatient_list()], "diagnosis": [diagnosis(1)], "item": [charge()], **tables}
    deliver("b2", city, **whole)
    assert list_reasons(city) == reasons
    assert city.rows("select count(*) from raw.settlement_list") == [(0 if reasons else 1,)]
    assert_engines_agree(city)


def test_a_list_stands_under_the_agreement_of_the_day_it_was_settled(city: Warehouse) -> None:
    lists = [inpatient_list(), inpatient_list("S2", OTHER_HOSPITAL)]
    receipt = deliver("b2", city, LATER, lists=lists, diagnosis=[diagnosis(1), diagnosis(1, setl_id="S2")])
    assert receipt.reasons == {}
    assert_engines_agree(city)


def test_rows_that_come_after_their_list_do_not_change_what_was_judged(city: Warehouse) -> None:
    deliver("b2", city, lists=[inpatient_list(diag_code_cnt=1)], diagnosis=[diagnosis(1)])
    assert deliver("b3", city, diagnosis=[diagnosis(2)], item=[charge("99.00")]).reasons == {}
    assert_engines_agree(city)


@pytest.mark.parametrize("change", [{"fixmedins_code": OTHER_HOSPITAL}, {"psn_no": "33000000000000000009"}])
def test_a_list_of_another_institution_or_person_than_its_settlement_has_no_settlement(
    change: dict[str, str], city: Warehouse
) -> None:
    for batch_id in ("b2", "b3"):
        receipt = deliver(batch_id, city, lists=[inpatient_list(**change)], diagnosis=[diagnosis(1)])
        assert receipt.reasons == {"R_ORPHAN": 2}
    assert_engines_agree(city)
    assert deliver("b4", city, lists=[inpatient_list()], diagnosis=[diagnosis(1)]).reasons == {}
    assert_engines_agree(city)


def test_a_list_in_the_batch_of_its_settlement_is_compared_with_it_too(city: Warehouse) -> None:
    rows = [settlement("S3", HOSPITAL, DAY, "100.00"), settlement("S4", HOSPITAL, DAY, "100.00", person="9")]
    tables = {
        "settlement": rows,
        "settlement_list": [inpatient_list("S3"), inpatient_list("S4")],
        "settlement_list_diagnosis": [diagnosis(1, setl_id="S3"), diagnosis(1, setl_id="S4")],
    }
    write_batch(city.inbox, "b2", "settlement", tables, day=DAY)
    assert receive("b2").reasons == {"R_ORPHAN": 2}
    assert city.rows("select setl_id from raw.settlement_list") == [("S3",)]
    assert_engines_agree(city)
