"""Children of a 4101 document belong to their document; what stands twice is repeated or R_DUPLICATE, no more."""

import copy
import json
from typing import Any

import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import Row, area, institution, settlement, write_batch
from tests.fixtures.formats import as_file, write_files

from settlement.intake import Receipt, receive

HOSPITAL, DAY = "H33010600123", "2026-03-02"
DIAGNOSES = "select seq, diag_code from raw.settlement_list_diagnosis where setl_id = %s order by seq"


@pytest.fixture
def city(warehouse: Warehouse) -> Warehouse:
    tables = {"area": [area(reject_limit="1.0")], "institution": [institution(HOSPITAL, area_code="330100")]}
    write_batch(warehouse.inbox, "reference-1", "reference", tables)
    assert receive("reference-1").status == "accepted"
    rows = [settlement(f"S{number}", HOSPITAL, DAY, "100.00") for number in range(1, 7)]
    write_batch(warehouse.inbox, "settlements", "settlement", {"settlement": rows}, day=DAY)
    assert receive("settlements").reasons == {}
    return warehouse


def document(setl_id: str, **changes: Any) -> dict[str, Any]:
    information = {
        **dict(setl_id=setl_id, mdtrt_id=f"M{setl_id}", fixmedins_code=HOSPITAL, psn_no="33000000000000000001"),
        **dict(medcasno="C1", gend="1", brdy="1980-01-01", ipt_med_type="1", act_ipt_days="3", dscg_way="1"),
        **dict(adm_time="2026-02-27 08:00:00", dscg_time="2026-03-02 09:00:00", bill_code="1", bill_no="1", biz_sn="1"),
        **dict(setl_begn_date="2026-02-27", setl_end_date="2026-03-02", hi_paymtd="3", diag_code_cnt="2"),
    }
    return {
        "setlinfo": information | changes,
        "diseinfo": [
            {"diag_type": "1", "diag_code": "I10.x00", "maindiag_flag": "1"},
            {"diag_type": "1", "diag_code": "E11.900", "maindiag_flag": "0"},
        ],
        "iteminfo": [{"med_chrgitm": "09", "amt": "70.00"}, {"med_chrgitm": "03", "amt": "30.00"}],
        "oprninfo": [],
        "icuinfo": [],
    }


def deliver(city: Warehouse, *documents: Any, batch_id: str = "b1") -> Receipt:
    content = "\n".join(json.dumps(one, ensure_ascii=False) for one in documents).encode()
    return receive(write_files(city.inbox, batch_id, [("settlement_list", "json4101", content, len(documents))], DAY))


def counted(receipt: Receipt, file: int = 0) -> tuple[int, int, int]:
    return tuple(receipt.files[file][name] for name in ("accepted", "quarantined", "repeated"))  # type: ignore[return-value]


def test_the_same_document_again_is_repeated_and_the_first_stays(city: Warehouse) -> None:
    again = copy.deepcopy(document("S1"))
    again["diseinfo"].reverse()  # the same diagnoses, numbered as they stood
    for number, row in enumerate(reversed(again["diseinfo"]), start=1):
        row["seq"] = str(number)
    receipt = deliver(city, document("S1"), document("S2"), document("S1"), again)
    assert (receipt.reasons, counted(receipt)) == ({}, (2, 0, 2))
    assert city.rows(DIAGNOSES, "S1") == [(1, "I10.x00"), (2, "E11.900")]
    assert city.rows("select sum(amt) from raw.settlement_list_item where setl_id = 'S1'") == [(100,)]


OTHERWISE: dict[str, dict[str, Any]] = {
    "another value of the list": {"setlinfo": document("S1", dscg_way="2")["setlinfo"]},
    "another diagnosis": {"diseinfo": [*document("S1")["diseinfo"][:1], {"diag_code": "J18.900", "diag_type": "1"}]},
    "another amount": {"iteminfo": [{"med_chrgitm": "09", "amt": "60.00"}, {"med_chrgitm": "03", "amt": "40.00"}]},
    "no children": {"diseinfo": [], "iteminfo": []},
    "an operation more": {"oprninfo": [{"oprn_oprt_code": "47.0901", "oprn_oprt_date": "2026-02-28"}]},
}


@pytest.mark.parametrize("changes", OTHERWISE.values(), ids=OTHERWISE)
def test_a_document_that_says_otherwise_is_a_duplicate_and_nothing_else(
    city: Warehouse, changes: dict[str, Any]
) -> None:
    receipt = deliver(city, document("S1"), document("S1") | changes, document("S2"))
    assert (receipt.reasons, counted(receipt)) == ({"R_DUPLICATE": 1}, (2, 1, 0))
    assert city.rows(DIAGNOSES, "S1") == [(1, "I10.x00"), (2, "E11.900")]


def test_it_is_the_same_across_files_and_after_the_first_was_stored(city: Warehouse) -> None:
    assert deliver(city, document("S1")).reasons == {}
    other = document("S1") | OTHERWISE["another diagnosis"]
    receipt = deliver(city, document("S1"), document("S1"), other, batch_id="b2")
    assert (receipt.reasons, counted(receipt)) == ({"R_DUPLICATE": 1}, (0, 1, 2))
    contents = [json.dumps(one).encode() for one in (document("S2"), document("S2"))]
    files = [("settlement_list", "json4101", content, 1) for content in contents]
    receipt = receive(write_files(city.inbox, "b3", files, DAY))
    assert (receipt.reasons, counted(receipt), counted(receipt, 1)) == ({}, (1, 0, 0), (0, 0, 1))


def test_behind_a_refused_document_the_same_one_is_refused_too(city: Warehouse) -> None:
    broken = document("S1") | {"diseinfo": [{"diag_type": "1", "diag_code": "???", "maindiag_flag": "1"}]}
    receipt = deliver(city, broken, broken, document("S1"))
    assert (receipt.reasons, counted(receipt)) == ({"R_CODE": 1, "R_DUPLICATE": 2}, (0, 3, 0))


def test_a_child_twice_in_one_document_counts_once_or_is_a_duplicate(city: Warehouse) -> None:
    items, diagnoses = document("S1")["iteminfo"], document("S1")["diseinfo"]
    numbered = [row | {"seq": str(number)} for number, row in enumerate(diagnoses, start=1)]
    receipt = deliver(
        city,
        document("S1") | {"iteminfo": [*items, items[0]], "diseinfo": [*numbered, numbered[1]]},
        document("S2") | {"iteminfo": [*items, {"med_chrgitm": "09", "amt": "1.00"}]},
        document("S3") | {"diseinfo": [row | {"seq": "1"} for row in diagnoses]},
    )
    assert (receipt.reasons, counted(receipt)) == ({"R_DUPLICATE": 2}, (1, 2, 0))
    assert city.rows("select sum(amt) from raw.settlement_list_item where setl_id = 'S1'") == [(100,)]


def test_a_broken_child_is_no_wrong_sum_count_or_main_diagnosis(city: Warehouse) -> None:
    receipt = deliver(
        city,
        document("S1") | {"iteminfo": [{"med_chrgitm": "09", "amt": "1OO.00"}]},
        document("S2") | {"diseinfo": [{"diag_code": "", "diag_type": "1", "maindiag_flag": "1"}]},
        document("S3") | {"iteminfo": [{"med_chrgitm": "09", "amt": "99.99"}]},
        document("S4", diag_code_cnt="3"),
    )
    assert receipt.reasons == {"R_TYPE": 1, "R_MISSING": 1, "L_ITEM_SUM": 1, "L_COUNT": 1}


def test_rows_of_children_in_files_of_their_own_stand_twice_likewise(city: Warehouse) -> None:
    lists: list[Row] = [document(name)["setlinfo"] for name in ("S1", "S1", "S2", "S2")]
    lists[3] = {**lists[3], "dscg_way": "2"}
    children: dict[str, list[Row]] = {"settlement_list_diagnosis": [], "settlement_list_item": []}
    for name in ("S1", "S2", "S1"):
        whole = document(name)
        children["settlement_list_item"] += [{"setl_id": name, **row} for row in whole["iteminfo"]]
        children["settlement_list_diagnosis"] += [
            {"setl_id": name, "seq": str(number), **row} for number, row in enumerate(whole["diseinfo"], start=1)
        ]
    children["settlement_list_item"].append({"setl_id": "S2", "med_chrgitm": "09", "amt": "0.01"})
    tables = {"settlement_list": lists, **children}
    files = [(table, "csv", as_file(rows, "csv"), len(rows)) for table, rows in tables.items()]
    receipt = receive(write_files(city.inbox, "b1", files, DAY))
    assert receipt.reasons == {"R_DUPLICATE": 2}
    assert [counted(receipt, number) for number in range(3)] == [(2, 1, 1), (4, 0, 2), (4, 1, 2)]


def test_the_envelope_of_the_interface_is_read(city: Warehouse) -> None:
    wrapped = {"infno": "4101", "msgid": "X1", "mdtrtarea_admvs": "330100", "input": document("S1")}
    receipt = deliver(city, wrapped, {"INFNO": "4101", "INPUT": document("S2")}, {"input": "x"}, {"input": {}})
    assert (receipt.reasons, counted(receipt)) == ({"R_FORM": 2}, (2, 2, 0))


def test_a_child_that_names_another_list_is_not_believed(city: Warehouse) -> None:
    other = document("S1")
    other["iteminfo"][1]["setl_id"] = "S2"
    same = document("S3")
    same["iteminfo"][1]["setl_id"] = " S3"
    receipt = deliver(city, other, document("S2"), same)
    assert (receipt.reasons, counted(receipt)) == ({"R_FORM": 1}, (2, 1, 0))


def test_nobody_is_warned_about_what_nobody_sent_or_what_is_standard(city: Warehouse) -> None:
    whole = document("S1", fixmedins_name="x", hi_no="", ntly="CHN", curr_addr="x", spga_nurscare_days="0")
    whole["icuinfo"] = [{}, {"scs_cutd_ward_type": "1", "scs_cutd_inpool_time": "2026-02-28 08:00:00"}]
    whole["icuinfo"][1]["scs_cutd_sum_dura"] = "0/8/0"
    whole["oprninfo"] = [{"oprn_oprt_code": "47.0901", "oprn_oprt_date": "2026-02-28", "oper_dr_name": "x"}]
    receipt = deliver(city, whole, document("S2", colour="1"))
    assert (receipt.reasons, counted(receipt)) == ({}, (2, 0, 0))
    assert [text for text in receipt.warnings if "column" in text] == [
        "settlement_list_1.json: column 'colour' is not in the contract; ignored (契约中无此列, 已忽略)"
    ]
    assert city.rows("select count(*) from raw.settlement_list_icu") == [(1,)]
