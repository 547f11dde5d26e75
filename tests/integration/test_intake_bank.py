"""Files of a bank: what the manifest says of them is compared with the transactions in them."""

import hashlib
import json
from collections.abc import Mapping

from tests.conftest import Warehouse

from settlement.intake import Receipt, receive

CAMT = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn>
<GrpHdr><MsgId>{message}</MsgId><CreDtTm>2026-03-02T17:00:00+08:00</CreDtTm></GrpHdr><Ntfctn><Id>1</Id>
<Acct><Id><Othr><Id>9330100</Id></Othr></Id></Acct>
<Ntry><NtryRef>1</NtryRef><Amt Ccy="CNY">694.04</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-03-02</Dt></BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>e1</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>
</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"""


def deliver(
    warehouse: Warehouse,
    batch_id: str,
    content: bytes,
    rows: int,
    file_format: str,
    control: Mapping[str, str] | None = None,
) -> Receipt:
    folder = warehouse.inbox / batch_id
    folder.mkdir()
    (folder / "a.xml").write_bytes(content)
    file = {
        "name": "a.xml",
        "table": "bank_receipt",
        "format": file_format,
        "rows": rows,
        "sha256": hashlib.sha256(content).hexdigest(),
        "control": control or {},
    }
    manifest = {
        "batch_id": batch_id,
        "kind": "bank_receipt",
        "area_code": "330100",
        "created_at": "2026-03-02T23:10:00+08:00",
        "files": [file],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return receive(batch_id)


def error_code(receipt: Receipt) -> str | None:
    return receipt.error["code"] if receipt.error else None


def test_the_control_sum_of_a_bank_file_is_compared_and_kept(warehouse: Warehouse) -> None:
    content = CAMT.format(message="M1").encode()
    whole = {"amount": "694.04"}
    other = deliver(warehouse, "k1", content, 1, "camt054", {"amount": "694.05"})
    assert (other.status, error_code(other)) == ("refused", "control_mismatch")
    receipt = deliver(warehouse, "k2", content, 1, "camt054", whole)
    assert (receipt.status, receipt.files[0]["control"]) == ("accepted", whole)
    assert warehouse.rows("select control_sums from intake.batch_file where batch_id = 'k2'") == [(whole,)]


def test_a_report_that_rejects_a_whole_message_has_no_transaction(warehouse: Warehouse) -> None:
    content = b"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>R1</MsgId><CreDtTm>2026-03-02T17:00:00+08:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId><OrgnlMsgNmId>pain.001</OrgnlMsgNmId><GrpSts>RJCT</GrpSts>
</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"""
    counted = deliver(warehouse, "k1", content, 1, "pain002")
    assert (counted.status, error_code(counted)) == ("refused", "control_mismatch")
    receipt = deliver(warehouse, "k2", content, 0, "pain002")
    assert [receipt.files[0][name] for name in ("read", "accepted")] == [1, 1]
    assert warehouse.rows("select original_message_id, end_to_end_id, status from raw.bank_transaction") == [
        ("M1", None, "RJCT")
    ]


def test_a_rejected_transaction_without_an_id_does_not_stand_for_its_message(warehouse: Warehouse) -> None:
    content = b"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>R1</MsgId><CreDtTm>2026-03-02T17:00:00+08:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId><OrgnlMsgNmId>pain.001</OrgnlMsgNmId></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>M1</OrgnlPmtInfId><TxInfAndSts><TxSts>RJCT</TxSts></TxInfAndSts></OrgnlPmtInfAndSts>
</CstmrPmtStsRpt></Document>"""
    assert deliver(warehouse, "k1", content, 1, "pain002").status == "accepted"
    assert warehouse.rows("select original_message_id, end_to_end_id, status from raw.bank_transaction") == [
        ("M1", "NOTPROVIDED", "RJCT")
    ]


def test_alike_transactions_of_an_entry_are_all_taken_and_the_file_again_repeats_them(
    warehouse: Warehouse,
) -> None:
    details = '<TxDtls><Refs><EndToEndId>e1</EndToEndId></Refs><Amt Ccy="CNY">347.02</Amt></TxDtls>' * 2
    entry = CAMT.format(message="M1").replace("<NtryDtls>", "<AcctSvcrRef>B1</AcctSvcrRef><NtryDtls>")
    single = "<TxDtls><Refs><EndToEndId>e1</EndToEndId></Refs></TxDtls>"
    content = entry.replace(single, details).encode()
    first = deliver(warehouse, "k1", content, 2, "camt054", {"amount": "694.04"})
    assert [first.files[0][name] for name in ("read", "accepted", "repeated")] == [2, 2, 0]
    assert warehouse.rows("select servicer_reference from raw.bank_transaction order by line_no") == [
        ("B1",),
        ("B1/2",),
    ]
    again = deliver(warehouse, "k2", content.replace(b"M1", b"M2"), 2, "camt054", {"amount": "694.04"})
    assert [again.files[0][name] for name in ("read", "accepted", "repeated")] == [2, 0, 2]
