"""The other kinds of batch: declarations, lists with their children, decisions, bank receipts."""

import gzip
import hashlib
import json
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from tests.conftest import Warehouse
from tests.fixtures.bank import write_bank_batch
from tests.fixtures.batches import (
    settlement,
    write_batch,
)
from tests.fixtures.one_hospital import DAY, HOSPITAL, counts, deliver, error_code, register_hospital

from settlement.intake import Receipt, receive


@pytest.fixture
def city(warehouse: Warehouse) -> Warehouse:
    return register_hospital(warehouse)


def deliver_file(
    city: Warehouse, batch_id: str, kind: str, name: str, content: bytes, rows: int, table: str, file_format: str
) -> Receipt:
    folder = city.inbox / batch_id
    folder.mkdir()
    (folder / name).write_bytes(content)
    file = {"name": name, "table": table, "format": file_format, "encoding": "utf-8", "rows": rows, "control": {}}
    manifest = {
        "batch_id": batch_id,
        "kind": kind,
        "area_code": "330100",
        "business_date": DAY,
        "created_at": f"{DAY}T23:10:00+08:00",
        "files": [file | {"sha256": hashlib.sha256(content).hexdigest()}],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return receive(batch_id)


# Declarations, decisions, bills


def declaration(amount: str) -> dict[str, Any]:
    return {
        "fixmedins_code": HOSPITAL,
        "insutype": "310",
        "clr_type": "11",
        "stmt_begndate": DAY,
        "stmt_enddate": DAY,
        "medfee_sumamt": amount,
        "fund_pay_sumamt": amount,
        "acct_pay": "0.00",
        "fixmedins_setl_cnt": "1",
    }


def test_a_later_declaration_replaces_and_both_are_kept(city: Warehouse) -> None:
    found = [
        counts(deliver(city, f"d{number}", "declaration", {"declaration": [declaration(amount)]}), "declaration")
        for number, amount in enumerate(("1.00", "2.00", "2.00", "1.00"))
    ]
    assert found == [(1, 1, 0, 0, 0), (1, 1, 0, 0, 0), (1, 0, 0, 1, 0), (1, 1, 0, 0, 0)]
    assert [amount for (amount,) in city.rows("select medfee_sumamt from raw.declaration order by load_id")] == [
        Decimal("1.00"),
        Decimal("2.00"),
        Decimal("1.00"),
    ]


def test_decisions_and_bills_are_kept_once(city: Warehouse) -> None:
    decision = {
        "finding_id": "F1",
        "decision": "confirm",
        "amount": "10.00",
        "decided_by": "reviewer-7",
        "decided_at": "2026-03-02 09:00:00",
        "stage": "first",
    }
    assert counts(deliver(city, "v1", "review", {"review": [decision]}), "review") == (1, 1, 0, 0, 0)
    later = decision | {"decision": "waive", "decided_at": "2026-03-03 09:00:00"}
    write_batch(city.inbox, "v2", "review", {"review": [decision, later]}, created_at="2026-03-04T10:00:00+08:00")
    assert counts(receive("v2"), "review") == (2, 1, 0, 1, 0)
    bill = {
        "bill_id": "B1",
        "bill_month": "2026-02",
        "insu_province": "330000",
        "treat_province": "350000",
        "fund_pay_type": "310100",
        "amount": "31000.00",
        "cases": "3",
        "direction": "payable",
        "issued_on": "2026-03-01",
    }
    receipt = deliver(city, "c1", "clearing_bill", {"clearing_bill": [bill, bill | {"bill_id": "B2", "amount": "x"}]})
    assert (counts(receipt, "clearing_bill"), receipt.reasons) == ((2, 1, 1, 0, 0), {"R_TYPE": 1})
    result = {"setl_id": "S1", "decision": "fee_for_service", "decided_on": DAY}
    assert counts(deliver(city, "w1", "case_review", {"case_review": [result]}), "case_review") == (1, 1, 0, 0, 0)


# Fee lines and lists


def fee(setl_id: str, number: int) -> dict[str, Any]:
    money = ("det_item_fee_sumamt", "fulamt_ownpay_amt", "overlmt_amt", "preselfpay_amt", "inscp_scp_amt")
    return {
        "setl_id": setl_id,
        "feedetl_sn": f"F{number}",
        "med_list_codg": "XA01ABD075A002010100483",
        "med_chrgitm_type": "09",
        "cnt": "1.0000",
        "pric": "0.000000",
        "fee_ocur_time": f"{DAY} 09:00:00",
        **dict.fromkeys(money, "0.00"),
    }


def test_fee_lines_follow_their_settlement_in_the_batch_or_before_it(city: Warehouse) -> None:
    one = settlement("S1", HOSPITAL, DAY, "100.00")
    bad = settlement("S2", HOSPITAL, DAY, "100.00") | {"gend": "x"}
    lines = [fee("S1", 1), fee("S1", 2), fee("S2", 1), fee("S9", 1), fee("S1", 2)]
    receipt = deliver(city, "b1", "settlement", {"fee_item": lines, "settlement": [one, bad]})
    assert counts(receipt, "fee_item") == (5, 2, 3, 0, 0)
    assert receipt.reasons == {"R_DICT": 1, "R_ORPHAN": 2, "R_DUPLICATE": 1}
    receipt = deliver(city, "b2", "settlement", {"fee_item": [fee("S1", 1), fee("S1", 3)]})
    assert counts(receipt, "fee_item") == (2, 1, 0, 1, 0)
    assert city.rows("select fixmedins_code, business_date::text, count(*) from raw.fee_item group by 1, 2") == [
        (HOSPITAL, DAY, 3)
    ]


def inpatient_list(setl_id: str) -> dict[str, Any]:
    return {
        "setl_id": setl_id,
        "mdtrt_id": f"M{setl_id}",
        "fixmedins_code": HOSPITAL,
        "psn_no": "33000000000000000001",
        "psn_name": "SECRETNAME",
        "coner_tel": "13800000000",
        "medcasno": "C1",
        "gend": "1",
        "brdy": "1980-01-01",
        "age": 46.0,
        "ipt_med_type": "1",
        "adm_way": "2",
        "adm_time": "2026-02-27 08:00:00",
        "dscg_time": "2026-03-02 09:00:00",
        "act_ipt_days": 3,
        "dscg_way": "1",
        "bill_code": "1",
        "bill_no": "1",
        "biz_sn": "1",
        "setl_begn_date": "2026-02-27",
        "setl_end_date": "2026-03-02",
        "hi_paymtd": "3",
    }


def document(setl_id: str, *, diagnosis: str = "I10.x00", amount: float = 100.10) -> dict[str, Any]:
    return {
        "setlinfo": inpatient_list(setl_id),
        "diseinfo": [
            {"diag_type": "1", "diag_code": diagnosis, "diag_name": "x", "maindiag_flag": "1"},
            {"diag_type": "1", "diag_code": "E11.900", "diag_name": "y", "maindiag_flag": "0"},
        ],
        "oprninfo": [],
        "iteminfo": [{"med_chrgitm": "01", "amt": amount}],
        "payinfo": [{"fund_pay_type": "310100", "fund_payamt": 1}],
    }


def test_a_list_document_is_accepted_or_refused_whole(city: Warehouse) -> None:
    rows = [settlement(setl_id, HOSPITAL, DAY, "100.10") for setl_id in ("S1", "S2", "S3")]
    assert deliver(city, "b1", "settlement", {"settlement": rows}).status == "accepted"
    documents = [document("S1"), document("S2", diagnosis="???"), document("S3", amount=100.1), document("S9"), [1]]
    content = "\n".join(json.dumps(entry) for entry in documents).encode()
    receipt = deliver_file(
        city, "b2", "settlement", "lists.jsonl.gz", gzip.compress(content), 5, "settlement_list", "json4101"
    )
    assert (receipt.status, len(receipt.files)) == ("accepted", 1)
    assert counts(receipt, "settlement_list") == (5, 2, 3, 0, 0)
    assert receipt.reasons.keys() >= {"R_CODE", "R_ORPHAN", "R_FORM"}
    assert city.rows("select setl_id, business_date::text, line_no from raw.settlement_list order by 1") == [
        ("S1", DAY, 1),
        ("S3", DAY, 3),
    ]
    assert city.rows("select setl_id, seq, diag_code from raw.settlement_list_diagnosis order by 1, 2") == [
        ("S1", 1, "I10.x00"),
        ("S1", 2, "E11.900"),
        ("S3", 1, "I10.x00"),
        ("S3", 2, "E11.900"),
    ]
    assert city.rows("select amt from raw.settlement_list_item") == [(Decimal("100.10"),)] * 2
    again = deliver_file(
        city, "b3", "settlement", "lists.jsonl", json.dumps(document("S1")).encode(), 1, "settlement_list", "json4101"
    )
    assert counts(again, "settlement_list") == (1, 0, 0, 1, 0)


# Formats


def test_every_format_gives_the_same_rows(city: Warehouse) -> None:
    rows = [settlement("S1", HOSPITAL, DAY, "100.10"), settlement("S2", HOSPITAL, DAY, "0.30")]
    texts = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    names = list(texts[0])
    tsv = "\n".join(
        "\t".join(row[name] or "null" for name in names) for row in [dict(zip(names, names, strict=True)), *texts]
    )
    bare = [
        {name: float(value) if name.endswith(("_pay", "_sumamt")) else value for name, value in row.items()}
        for row in texts
    ]
    engine = duckdb.connect()
    columns = ", ".join(
        f"'{row[name]}'::DECIMAL(18,4) as {name}" if name == "hifp_pay" else f"'{row[name]}' as {name}"
        for row in texts[:1]
        for name in names
    )
    parquet = city.inbox.parent / "rows.parquet"
    engine.execute(f"copy (select {columns}) to '{parquet}' (format parquet)")
    content = {
        "tsv": (tsv.encode(), 2),
        "jsonl": ("\n".join(json.dumps(row) for row in bare).encode(), 2),
        "parquet": (parquet.read_bytes(), 1),
    }
    assert counts(deliver(city, "b-csv", "settlement", {"settlement": rows}), "settlement") == (2, 2, 0, 0, 0)
    for file_format, (data, count) in content.items():
        receipt = deliver_file(
            city, f"b-{file_format}", "settlement", f"rows.{file_format}", data, count, "settlement", file_format
        )
        assert (file_format, counts(receipt, "settlement")) == (file_format, (count, 0, 0, count, 0)), receipt.reasons


# Bank receipts

CAMT = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn>
<GrpHdr><MsgId>{message}</MsgId><CreDtTm>2026-03-02T17:00:00+08:00</CreDtTm></GrpHdr><Ntfctn><Id>1</Id>
<Acct><Id><Othr><Id>9330100</Id></Othr></Id></Acct>
<Ntry><NtryRef>1</NtryRef><Amt Ccy="CNY">694.04</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-03-02</Dt></BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>e1</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>
</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"""


def test_a_bank_that_repeats_itself_is_heard_once(city: Warehouse) -> None:
    for number, wanted in enumerate([(1, 1, 0, 0, 0), (1, 0, 0, 1, 0)]):
        content = CAMT.format(message=f"M{number}").encode()
        receipt = deliver_file(city, f"k{number}", "bank_receipt", "a.xml", content, 1, "bank_receipt", "camt054")
        assert counts(receipt, "bank_receipt") == wanted
    found = city.rows(
        "select message_id, end_to_end_id, side, amount, booking_date::text, status from raw.bank_transaction"
    )
    assert found == [("M0", "e1", "debit", Decimal("694.04"), "2026-03-02", "BOOK")]


def test_a_movement_with_another_reference_of_the_bank_is_another_movement(city: Warehouse) -> None:
    for number, (reference, accepted) in enumerate([("S1", 1), ("S1", 0), ("S2", 1)]):
        content = CAMT.format(message=f"M{number}").replace("<Refs>", f"<Refs><AcctSvcrRef>{reference}</AcctSvcrRef>")
        receipt = deliver_file(
            city, f"k{number}", "bank_receipt", "a.xml", content.encode(), 1, "bank_receipt", "camt054"
        )
        assert counts(receipt, "bank_receipt") == (1, accepted, 0, 1 - accepted, 0)


def test_what_the_bank_of_one_area_said_is_not_said_by_that_of_another(city: Warehouse) -> None:
    for area_code in ("330100", "330200"):
        batch_id = write_bank_batch(city.inbox, f"bank-{area_code}", DAY, area_code=area_code, booked=[("e1", "1.00")])
        assert counts(receive(batch_id), "bank_receipt") == (1, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("content", "rows", "code"),
    [
        (CAMT.format(message="M1"), 2, "control_mismatch"),
        ("<html/>", 1, "bank_message_wrong_kind"),
        (CAMT.format(message="M1")[:-40], 1, "bank_message_truncated"),
        (
            '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + CAMT.format(message="&e;"),
            1,
            "bank_message_unsafe",
        ),
    ],
)
def test_a_bank_file_that_is_not_what_it_says_is_refused(city: Warehouse, content: str, rows: int, code: str) -> None:
    receipt = deliver_file(city, "k1", "bank_receipt", "a.xml", content.encode(), rows, "bank_receipt", "camt054")
    assert (receipt.status, error_code(receipt)) == ("refused", code)
    assert city.rows("select count(*) from raw.bank_transaction") == [(0,)]
