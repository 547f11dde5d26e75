"""Receipts say in both languages what is wrong, where, with both sides; fee lines that add up otherwise are said."""

import csv
import json
from typing import Any

import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import Row, area, institution, settlement, write_batch
from tests.fixtures.formats import write_files

from settlement.intake import receive

HOSPITAL, DAY = "H33010600123", "2026-03-02"


@pytest.fixture
def city(warehouse: Warehouse) -> Warehouse:
    tables = {"area": [area(reject_limit="1.0")], "institution": [institution(HOSPITAL, area_code="330100")]}
    write_batch(warehouse.inbox, "reference-1", "reference", tables)
    assert receive("reference-1").status == "accepted"
    return warehouse


def fee_line(setl_id: str, number: int, amount: str, **changes: str) -> Row:
    return {
        **dict(setl_id=setl_id, feedetl_sn=f"F{number}", med_list_codg="XN01", med_chrgitm_type="09", cnt="1"),
        **dict(pric=amount, det_item_fee_sumamt=amount, fulamt_ownpay_amt="0.00", overlmt_amt="0.00"),
        **dict(preselfpay_amt="0.00", inscp_scp_amt=amount, fee_ocur_time=f"{DAY} 09:00:00"),
        **changes,
    }


def fee_sums(city: Warehouse, batch_id: str, settlements: list[Row], lines: list[Row]) -> list[str]:
    write_batch(city.inbox, batch_id, "settlement", {"settlement": settlements, "fee_item": lines}, day=DAY)
    receipt = receive(batch_id)
    assert receipt.status == "accepted"
    return [text for text in receipt.warnings if text.startswith("R_FEE_SUM")]


def test_fee_lines_that_do_not_add_up_are_said_and_refuse_nothing(city: Warehouse) -> None:
    settlements: list[Row] = [settlement(f"S{number}", HOSPITAL, DAY, "100.00") for number in range(1, 6)]
    thirds = [fee_line("S1", number, "33.33") for number in range(3)]
    sound = [fee_line("S2", number, "50.00") for number in range(2)]
    broken = [fee_line("S3", 1, "100.00"), fee_line("S3", 2, "1.00", cnt="x")]
    [said] = fee_sums(city, "b1", settlements, [*thirds, *sound, *broken, fee_line("S4", 1, "20.01")])
    assert "(settlement: 2; S4 100.00 ≠ 20.01, S1 100.00 ≠ 99.99)" in said
    assert "容差 0.00 元" in said
    assert city.rows("select count(*) from raw.settlement") == [(5,)]


@pytest.mark.parametrize(("tolerance", "amount", "is_said"), [("0.01", "99.99", False), ("0.01", "99.98", True)])
def test_how_much_may_be_between_lines_and_total_is_a_dated_setting(
    city: Warehouse, tolerance: str, amount: str, is_said: bool
) -> None:
    ended = area(reject_limit="1.0", valid_to="2026-03-01")
    begun = area(reject_limit="1.0", fee_sum_tolerance=tolerance, valid_from=DAY)
    write_batch(city.inbox, "reference-2", "reference", {"area": [ended, begun]})
    assert receive("reference-2").reasons == {}
    found = fee_sums(city, "b1", [settlement("S1", HOSPITAL, DAY, "100.00")], [fee_line("S1", 1, amount)])
    assert bool(found) == is_said


def test_lines_over_many_pieces_are_added_up(city: Warehouse) -> None:
    lines = [fee_line("S1", number, "0.01") for number in range(1, 10_001)]
    assert fee_sums(city, "b1", [settlement("S1", HOSPITAL, DAY, "100.00")], lines) == []


def listed(setl_id: str, **changes: Any) -> dict[str, Any]:
    information = {
        **dict(setl_id=setl_id, mdtrt_id=f"M{setl_id}", fixmedins_code=HOSPITAL, psn_no="33000000000000000001"),
        **dict(psn_name="张三丰", medcasno="C1", gend="1", brdy="1980-01-01", ipt_med_type="1", act_ipt_days="3"),
        **dict(adm_time="2026-02-27 08:00:00", dscg_time="2026-03-02 09:00:00", bill_code="1", bill_no="1", biz_sn="1"),
        **dict(setl_begn_date="2026-02-27", setl_end_date="2026-03-02", hi_paymtd="3", dscg_way="1"),
    }
    diagnoses = [{"diag_type": "1", "diag_code": "I10.x00", "maindiag_flag": "1"}]
    return {
        "setlinfo": information,
        "diseinfo": diagnoses,
        "iteminfo": [{"med_chrgitm": "09", "amt": "100.00"}],
    } | changes


def test_a_refused_document_names_its_child_and_both_sides_of_its_sum(city: Warehouse) -> None:
    rows = [settlement(name, HOSPITAL, DAY, "100.00") for name in ("S1", "S2", "S3")]
    write_batch(city.inbox, "b1", "settlement", {"settlement": rows}, day=DAY)
    receive("b1")
    unsound = [{"diag_type": "1", "diag_code": "I10.x00"}, {"diag_type": "1", "diag_code": "?|?", "seq": "7"}]
    documents = [
        listed("S1", diseinfo=unsound),
        listed("S2", iteminfo=[{"med_chrgitm": "09", "amt": "99.99"}]),
        listed("S3", iteminfo=[{"med_chrgitm": "张三丰", "amt": "100.00"}]),
    ]
    content = "\n".join(json.dumps(one, ensure_ascii=False) for one in documents).encode()
    receive(write_files(city.inbox, "b2", [("settlement_list", "json4101", content, 3)], DAY))
    folder = city.outbox / "b2"
    with (folder / "rejected.csv").open(newline="", encoding="utf-8-sig") as file:
        lines = {line["record_key"]: line for line in csv.DictReader(file)}
    assert (lines["S1"]["reason_codes"], lines["S1"]["value"], lines["S1"]["child"]) == ("R_CODE", "?¦?", "diseinfo 7")
    assert "ICD-10" in lines["S1"]["reason"]
    assert (lines["S2"]["reason_codes"], lines["S2"]["value"]) == ("L_ITEM_SUM", "100.00 ≠ 99.99")
    assert lines["S3"]["child"].startswith("iteminfo")
    assert "张三丰" not in (folder / "rejected.csv").read_text(encoding="utf-8")
    texts = json.loads((folder / "receipt.json").read_text(encoding="utf-8"))["reason_texts"]
    assert texts["L_ITEM_SUM"] == [
        "收费项目合计 ≠ 结算的医疗费总额 / the items do not add up to the total of the settlement"
    ]
    assert texts.keys() == {"R_CODE", "L_ITEM_SUM"}


def test_every_reason_of_a_receipt_has_its_texts(city: Warehouse) -> None:
    rows = [
        settlement("S1", HOSPITAL, DAY, "100.00"),
        settlement("S1", HOSPITAL, DAY, "100.00"),
        settlement("S2", HOSPITAL, DAY, "100.00") | {"gend": "x", "begndate": "2026/03/02"},
        settlement("R1", HOSPITAL, DAY, "-200.00", refund_of="S1"),
    ]
    write_batch(city.inbox, "b1", "settlement", {"settlement": rows}, day=DAY)
    receipt = receive("b1")
    assert receipt.reason_texts.keys() == receipt.reasons.keys() == {"R_DUPLICATE", "R_DICT", "R_TYPE", "R_REFUND"}
    assert all(" / " in text for texts in receipt.reason_texts.values() for text in texts)
    refund = (city.outbox / "b1" / "rejected.csv").read_text(encoding="utf-8-sig").splitlines()[-1]
    assert "剩余 left 100.00，退 refunded 200.00" in refund
