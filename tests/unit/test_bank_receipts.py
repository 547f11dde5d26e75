"""Status reports and booked entries, as banks send them and as nobody should."""

import io
from datetime import date
from decimal import Decimal

import pytest

from settlement.banking.camt054 import CAMT_054, BookedEntry, parse_camt054
from settlement.banking.messages import BankMessageError, read_elements
from settlement.banking.pain002 import TransactionStatus, parse_pain002

PAID = "c1e167d233095e5b8bee6361edbdc93d"
OTHER = "01a43d1f07f857329da4687ef0bde593"


def report(body: str, version: int = 10) -> list[TransactionStatus]:
    xml = (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version:02d}"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>R1</MsgId></GrpHdr>{body}</CstmrPmtStsRpt></Document>"
    )
    return list(parse_pain002(io.BytesIO(xml.encode())))


def notice_xml(entries: str, version: int = 8) -> bytes:
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.{version:02d}"><BkToCstmrDbtCdtNtfctn>'
        "<GrpHdr><MsgId>N1</MsgId></GrpHdr><Ntfctn><Id>1</Id><Acct><Id><Othr><Id>933010001</Id></Othr></Id></Acct>"
        f"{entries}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def notice(entries: str, version: int = 8) -> list[BookedEntry]:
    return list(parse_camt054(io.BytesIO(notice_xml(entries, version))))


def group(status: str, reason: str = "") -> str:
    return f"<OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId><GrpSts>{status}</GrpSts>{reason}</OrgnlGrpInfAndSts>"


def transaction(end_to_end_id: str, status: str, reason: str = "") -> str:
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{end_to_end_id}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason}</TxInfAndSts>"
    )


def block(*transactions: str, status: str = "") -> str:
    return f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>M1</OrgnlPmtInfId>{status}{''.join(transactions)}</OrgnlPmtInfAndSts>"


def entry(details: str = "", amount: str = "17250.67", side: str = "DBIT", status: str = "<Cd>BOOK</Cd>") -> str:
    return (
        f'<Ntry><NtryRef>7</NtryRef><Amt Ccy="CNY">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>{status}</Sts>'
        f"<BookgDt><Dt>2026-03-02</Dt></BookgDt><AcctSvcrRef>B9</AcctSvcrRef>{details}</Ntry>"
    )


def detail(end_to_end_id: str, amount: str = "17250.67", more: str = "") -> str:
    return f'<TxDtls><Refs><EndToEndId>{end_to_end_id}</EndToEndId></Refs><Amt Ccy="CNY">{amount}</Amt>{more}</TxDtls>'


REASON = "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>账户</AddtlInf><AddtlInf>已销户</AddtlInf></StsRsnInf>"


@pytest.mark.parametrize("version", range(3, 15))
def test_every_version_of_the_status_report_is_read(version: int) -> None:
    rows = report(group("PART") + block(transaction(PAID, "ACSC"), transaction(OTHER, "RJCT", REASON)), version)
    assert rows == [
        TransactionStatus(PAID, "ACSC", None, None, "R1", "M1"),
        TransactionStatus(OTHER, "RJCT", "AC04", "账户 已销户", "R1", "M1"),
    ]


def test_a_rejected_group_does_not_reject_a_transaction_that_says_otherwise() -> None:
    rows = report(group("RJCT") + block(transaction(PAID, "PDNG"), status="<PmtInfSts>RJCT</PmtInfSts>"))
    assert [(row.end_to_end_id, row.status) for row in rows] == [(PAID, "PDNG"), ("NOTPROVIDED", "RJCT")]
    assert [row.is_for_whole_message for row in rows] == [False, False], "what contradicts itself moves nothing"


def test_a_rejected_group_without_transactions_rejects_all() -> None:
    (row,) = report(group("RJCT", REASON))
    assert row == TransactionStatus(None, "RJCT", "AC04", "账户 已销户", "R1", "M1", is_of_transaction=False)
    assert row.is_for_whole_message


def test_a_rejected_block_without_transactions_rejects_all_once() -> None:
    (row,) = report(group("RJCT") + block(status=f"<PmtInfSts>RJCT</PmtInfSts>{REASON}"))
    assert row.is_for_whole_message
    assert row.reason_code == "AC04"


def test_a_rejection_without_a_reason_has_the_one_of_its_rejected_group() -> None:
    duplicate = group("RJCT", REASON.replace("AC04", "AM05"))
    (row,) = report(duplicate + block(status="<PmtInfSts>RJCT</PmtInfSts>"))
    assert (row.is_for_whole_message, row.reason_code) == (True, "AM05")
    rows = report(
        duplicate + block(transaction(PAID, "RJCT"), transaction(OTHER, "RJCT", REASON), transaction("x", "PDNG"))
    )
    # A message that is refused as a duplicate is refused with all its payments, whatever else is said of one.
    assert [row.reason_code for row in rows] == ["AM05", "AM05", None, "AM05"]
    (row,) = report(group("PART", REASON) + block(transaction(PAID, "RJCT")))
    assert row.reason_code is None, "the reason of a group that is not rejected is not that of the payment"


def test_a_transaction_without_a_status_has_the_one_of_its_block_or_group() -> None:
    bare = f"<TxInfAndSts><OrgnlEndToEndId>{PAID}</OrgnlEndToEndId></TxInfAndSts>"
    rows = report(group("PART") + block(bare, status=f"<PmtInfSts>RJCT</PmtInfSts>{REASON}"))
    assert [(row.end_to_end_id, row.status, row.reason_code) for row in rows] == [
        (PAID, "RJCT", "AC04"),
        (None, "RJCT", "AC04"),
    ]
    assert [row.status for row in report(group("RJCT", REASON) + block(bare))] == ["RJCT", "RJCT"]
    assert [row.status for row in report(group("PART") + block(bare))] == [None]


def test_a_refused_block_that_lists_one_payment_refuses_the_others_too() -> None:
    rows = report(group("PART") + block(transaction(PAID, "RJCT", REASON), status="<PmtInfSts>RJCT</PmtInfSts>"))
    assert [(row.end_to_end_id, row.status) for row in rows] == [(PAID, "RJCT"), (None, "RJCT")]
    assert rows[1].is_for_whole_message


@pytest.mark.parametrize("codes", [["NARR", "DU01"], ["AM05", "AC04"], ["AC04", "NARR", "DUPL"]])
def test_a_duplicate_is_heard_among_all_reasons_of_every_level(codes: list[str]) -> None:
    reasons = "".join(f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" for code in codes)
    [heard] = [code for code in codes if code in ("DU01", "AM05", "DUPL")]
    assert [row.reason_code for row in report(group("PART") + block(transaction(PAID, "RJCT", reasons)))] == [heard]
    assert [row.reason_code for row in report(group("RJCT", reasons))] == [heard]
    (row,) = report(group("RJCT") + block(status=f"<PmtInfSts>RJCT</PmtInfSts>{reasons}"))
    assert row.reason_code == heard


def test_a_comment_or_instruction_inside_a_value_is_no_end_of_it() -> None:
    text = entry().replace("17250.67", "17250<!-- x -->.<?y z?>67").replace("B9", "B<!-- -->9")
    [booked] = notice(text)
    assert (booked.amount, booked.servicer_reference) == (Decimal("17250.67"), "B9")


@pytest.mark.parametrize("word", ["NONREF", "NOTPROVIDED", "NOT AVAILABLE", "nonref", "N/A", "0", "000", "-"])
def test_a_word_for_no_reference_is_none(word: str) -> None:
    [booked] = notice(entry(f"<NtryDtls>{detail(word)}</NtryDtls>").replace("B9", word))
    assert (booked.end_to_end_id, booked.servicer_reference) == (None, None)


def test_a_rejected_block_rejects_its_own_payments_beside_a_block_that_lists_them() -> None:
    rejected = block(status="<PmtInfSts>RJCT</PmtInfSts>").replace("M1", "M2")
    rows = report(group("PART") + block(transaction(PAID, "ACSC")) + rejected)
    assert [(row.end_to_end_id, row.status, row.original_message_id) for row in rows] == [
        (PAID, "ACSC", "M1"),
        (None, "RJCT", "M2"),
    ]


def test_a_rejected_block_without_an_identifier_is_that_of_the_message() -> None:
    (row,) = report(group("PART") + block(status="<PmtInfSts>RJCT</PmtInfSts>").replace("M1", "NOTPROVIDED"))
    assert row.original_message_id == "M1"


def test_a_rejected_transaction_that_names_no_payment_does_not_reject_the_whole_message() -> None:
    for nameless in ("<OrgnlEndToEndId/>", "<OrgnlTxId>T1</OrgnlTxId>"):
        (row,) = report(group("PART") + block(f"<TxInfAndSts>{nameless}<TxSts>RJCT</TxSts>{REASON}</TxInfAndSts>"))
        assert (row.end_to_end_id, row.status, row.is_of_transaction) == ("NOTPROVIDED", "RJCT", True)
        assert not row.is_for_whole_message


def test_an_accepted_group_without_transactions_moves_nothing() -> None:
    assert report(group("ACTC") + block(status="<PmtInfSts>ACCP</PmtInfSts>")) == []


def test_a_bank_s_own_reason_and_a_missing_status_are_kept_as_they_are() -> None:
    own = "<StsRsnInf><Rsn><Prtry>E-17</Prtry></Rsn></StsRsnInf>"
    rows = report(
        block(transaction(PAID, "RJCT", own), f"<TxInfAndSts><OrgnlEndToEndId>{OTHER}</OrgnlEndToEndId></TxInfAndSts>")
    )
    assert [(row.status, row.reason_code) for row in rows] == [("RJCT", "E-17"), (None, None)]


@pytest.mark.parametrize("version", range(2, 14))
def test_every_version_of_the_booking_notice_is_read(version: int) -> None:
    status = "BOOK" if version < 7 else "<Cd>BOOK</Cd>"
    amount_details = '<AmtDtls><TxAmt><Amt Ccy="CNY">17250.67</Amt></TxAmt></AmtDtls>'
    details = f"<NtryDtls><TxDtls><Refs><EndToEndId>{PAID}</EndToEndId></Refs>{amount_details}</TxDtls></NtryDtls>"
    assert notice(entry(details, status=status), version) == [
        BookedEntry(
            account="933010001",
            entry_reference="7",
            servicer_reference="B9",
            end_to_end_id=PAID,
            amount=Decimal("17250.67"),
            currency="CNY",
            side="debit",
            status="BOOK",
            booked_on=date(2026, 3, 2),
            message_id="N1",
            return_reason=None,
            is_detail=True,
            booking_reference="B9",
            booking_amount=Decimal("17250.67"),
        )
    ]


def test_each_transaction_of_an_entry_is_a_row_of_its_own() -> None:
    details = f"<NtryDtls>{detail(PAID, '17000.00')}{detail(OTHER, '250.67')}</NtryDtls>"
    rows = notice(entry(details) + entry(f"<NtryDtls>{detail('x', '1.00')}</NtryDtls>", "1.00"))
    assert [(row.end_to_end_id, row.amount) for row in rows] == [
        (PAID, Decimal("17000.00")),
        (OTHER, Decimal("250.67")),
        ("x", Decimal("1.00")),
    ]


def references(*details: str, amount: str = "17250.67") -> list[str | None]:
    return [row.servicer_reference for row in notice(entry(f"<NtryDtls>{''.join(details)}</NtryDtls>", amount))]


def test_alike_transactions_that_share_the_reference_of_their_entry_are_told_apart() -> None:
    alike = detail(PAID, "5.00")
    assert references(alike, alike, alike, amount="15.00") == ["B9", "B9/2", "B9/3"]
    nameless = alike.replace(f"<EndToEndId>{PAID}</EndToEndId>", "")
    assert references(nameless, alike, nameless, amount="15.00") == ["B9", "B9", "B9/2"]
    repeats_it = alike.replace("</Refs>", "<AcctSvcrRef>B9</AcctSvcrRef></Refs>")
    assert references(repeats_it, repeats_it, amount="10.00") == ["B9", "B9/2"]


def test_a_transaction_keeps_its_reference_where_it_tells_it_apart() -> None:
    assert references(detail(PAID)) == ["B9"]
    own = detail(PAID, "5.00").replace("</Refs>", "<AcctSvcrRef>T1</AcctSvcrRef></Refs>")
    assert references(own, detail(PAID, "5.00"), amount="10.00") == ["T1", "B9"]
    one, other = detail(PAID, "1.00"), detail(OTHER, "2.00")
    assert references(one, other, amount="3.00") == references(other, one, amount="3.00") == ["B9", "B9"]


def test_a_return_is_a_credit_with_its_reason() -> None:
    returned = detail(PAID, more="<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>")
    (row,) = notice(entry(f"<NtryDtls>{returned}</NtryDtls>", side="CRDT"))
    assert (row.side, row.end_to_end_id, row.return_reason) == ("credit", PAID, "AC04")


def test_the_only_transaction_has_the_amount_that_was_booked() -> None:
    (row,) = notice(entry(f"<NtryDtls>{detail(PAID, '17250.60')}</NtryDtls>"))
    assert row.amount == Decimal("17250.67")


def test_transactions_that_do_not_add_up_to_their_entry_are_refused() -> None:
    with pytest.raises(BankMessageError) as caught:
        notice(entry(f"<NtryDtls>{detail(PAID, '17000.00')}{detail(OTHER, '250.66')}</NtryDtls>"))
    assert caught.value.code == "bank_message_sum_differs"
    assert "17250.66" in caught.value.message


@pytest.mark.parametrize("place", ["entry", "detail", "both", "in two records"])
def test_charges_make_up_what_transactions_lack_of_their_entry(place: str) -> None:
    charge = '<Chrgs><Rcrd><Amt Ccy="CNY">0.67</Amt><CdtDbtInd>DBIT</CdtDbtInd></Rcrd></Chrgs>'
    two = charge.replace("0.67", "0.60") + charge.replace("0.67", "0.07")
    of_entry = {"entry": charge, "both": charge, "in two records": two}.get(place, "")
    of_detail = charge if place in ("detail", "both") else ""
    rows = notice(entry(f"{of_entry}<NtryDtls>{detail(PAID, '17250.00', of_detail)}</NtryDtls>"))
    assert [(row.amount, row.is_charge, row.side) for row in rows] == [
        (Decimal("17250.00"), False, "debit"),
        (Decimal("0.67"), True, "debit"),
    ]


def test_an_amount_that_only_the_entry_gives_leaves_out_the_charges_it_contains() -> None:
    charge = '<Chrgs><Rcrd><Amt Ccy="CNY">0.67</Amt><ChrgInclInd>true</ChrgInclInd></Rcrd></Chrgs>'
    bare = f"<NtryDtls><TxDtls><Refs><EndToEndId>{PAID}</EndToEndId></Refs></TxDtls></NtryDtls>"
    assert [row.amount for row in notice(entry(charge + bare))] == [Decimal("17250.00"), Decimal("0.67")]


def test_charges_that_do_not_make_up_the_difference_are_none() -> None:
    charge = '<Chrgs><Rcrd><Amt Ccy="CNY">0.66</Amt></Rcrd></Chrgs>'
    (row,) = notice(entry(f"<NtryDtls>{detail(PAID, '17250.00', charge)}</NtryDtls>"))
    assert row.amount == Decimal("17250.67"), "what was booked, and no payment of ours"


@pytest.mark.parametrize("side", ["DBIT", "CRDT"])
def test_an_entry_whose_transactions_all_say_the_other_side_is_refused(side: str) -> None:
    other = {"DBIT": "CRDT", "CRDT": "DBIT"}[side]
    both = detail(PAID, "17250.00", f"<CdtDbtInd>{other}</CdtDbtInd>") + detail(
        OTHER, "0.67", f"<CdtDbtInd>{other}</CdtDbtInd>"
    )
    for details in (detail(PAID, more=f"<CdtDbtInd>{other}</CdtDbtInd>"), both):
        with pytest.raises(BankMessageError) as caught:
            notice(entry(f"<NtryDtls>{details}</NtryDtls>", side=side))
        assert caught.value.code == "bank_message_side_differs"


@pytest.mark.parametrize(
    ("flag", "expected"), [("true", True), ("1", True), ("false", False), ("0", False), ("", False)]
)
def test_a_reversal_is_read(flag: str, expected: bool) -> None:
    given = f"<RvslInd>{flag}</RvslInd>" if flag else ""
    (row,) = notice(entry().replace("<Sts>", f"{given}<Sts>"))
    assert row.is_reversal is expected


@pytest.mark.parametrize("encoding", ["gb18030", "gbk", "utf-16"])
def test_a_message_is_read_in_the_encoding_that_it_declares(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>{notice_xml(entry()).decode()}'.replace("B9", "医保9")
    (row,) = parse_camt054(io.BytesIO(text.encode(encoding)))
    assert row.servicer_reference == "医保9"


@pytest.mark.parametrize("declared", ['<?xml version="1.0" encoding="utf-8"?>', ""])
def test_a_message_in_another_encoding_than_it_declares_is_refused_as_such(declared: str) -> None:
    with pytest.raises(BankMessageError) as caught:
        list(parse_camt054(io.BytesIO((declared + notice_xml(entry()).decode()).replace("B9", "医保").encode("gbk"))))
    assert caught.value.code == "bank_message_encoding"


@pytest.mark.parametrize(("text", "value"), [(".5", "0.50"), ("+1.00", "1.00"), ("7.", "7.00"), ("1.50000", "1.50")])
def test_an_amount_is_read_in_every_form_of_a_decimal(text: str, value: str) -> None:
    (row,) = notice(entry(amount=text))
    assert row.amount == Decimal(value)


def test_an_entry_without_transactions_is_a_row_without_an_identifier() -> None:
    (row,) = notice(entry())
    assert (row.end_to_end_id, row.amount, row.servicer_reference) == (None, Decimal("17250.67"), "B9")


def test_the_booking_day_is_the_day_in_shanghai() -> None:
    late = entry().replace("<Dt>2026-03-02</Dt>", "<DtTm>2026-03-01T17:30:00Z</DtTm>")
    (row,) = notice(late)
    assert row.booked_on == date(2026, 3, 2)


def test_a_pending_entry_needs_no_booking_day() -> None:
    pending = entry(status="<Cd>PDNG</Cd>").replace("<BookgDt><Dt>2026-03-02</Dt></BookgDt>", "")
    (row,) = notice(pending)
    assert (row.status, row.booked_on) == ("PDNG", None)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("17250.67", "17250.671"),
        ("17250.67", "NaN"),
        ("17250.67", "1,7250.67"),
        ("17250.67", "-1.00"),
        ("17250.67", "1e3"),
        ('Ccy="CNY"', ""),
        ("DBIT", "LEFT"),
        ("<CdtDbtInd>DBIT</CdtDbtInd>", ""),
        ("2026-03-02", "2026-02-30"),
        ("<BookgDt><Dt>2026-03-02</Dt></BookgDt>", ""),
        ("<Sts><Cd>BOOK</Cd></Sts>", ""),
    ],
)
def test_a_value_that_cannot_be_read_names_its_entry(right: str, wrong: str) -> None:
    with pytest.raises(BankMessageError) as caught:
        notice(entry(amount="1.00") + entry().replace(right, wrong))
    assert caught.value.code == "bank_message_value_invalid"
    assert "entry 2" in caught.value.message


GOOD = notice_xml(entry())
BOMB = b'<!DOCTYPE D [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = b'<!DOCTYPE D [<!ENTITY f SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"", "bank_message_not_xml"),
        (b"PK\x03\x04 no xml at all", "bank_message_not_xml"),
        (GOOD.replace(b"</Ntry>", b"</Entry>"), "bank_message_not_xml"),
        (GOOD + b"<again/>", "bank_message_not_xml"),
        (GOOD.replace(b"</Ntry>", b"<a>" * 1000 + b"</a>" * 1000 + b"</Ntry>"), "bank_message_not_xml"),
        (GOOD[:-40], "bank_message_truncated"),
        (BOMB + GOOD.replace(b"B9", b"&b;"), "bank_message_unsafe"),
        (OUTSIDE + GOOD.replace(b"B9", b"&f;"), "bank_message_unsafe"),
        (b'<!DOCTYPE D SYSTEM "https://example.invalid/d.dtd">' + GOOD, "bank_message_unsafe"),
        (b"<html><body/></html>", "bank_message_wrong_kind"),
        (GOOD.replace(b"camt.054.001.08", b"camt.053.001.08"), "bank_message_wrong_kind"),
        (GOOD.replace(b"camt.054.001.08", b"camt.054.001.14"), "bank_message_wrong_kind"),
        (GOOD.replace(b"BkToCstmrDbtCdtNtfctn", b"CstmrPmtStsRpt"), "bank_message_wrong_kind"),
        (GOOD.replace(b"<BkToCstmr", b"<Ntfctn><Ntry/></Ntfctn><BkToCstmr"), "bank_message_wrong_kind"),
    ],
)
def test_a_file_that_is_no_booking_notice_is_refused(file: bytes, code: str) -> None:
    with pytest.raises(BankMessageError) as caught:
        list(parse_camt054(io.BytesIO(file)))
    assert caught.value.code == code


def test_a_file_cut_anywhere_is_refused() -> None:
    for length in range(len(GOOD)):
        with pytest.raises(BankMessageError):
            list(parse_camt054(io.BytesIO(GOOD[:length])))


def test_a_file_that_is_too_large_is_refused_while_reading() -> None:
    class Endless(io.RawIOBase):
        """Gives entries for ever."""

        served = 0

        def read(self, size: int = -1) -> bytes:
            self.served += size
            return (GOOD[: GOOD.index(b"<Ntry>")] if self.served == size else b"").ljust(size, b" ")

    endless = Endless()
    with pytest.raises(BankMessageError) as caught:
        list(parse_camt054(endless, max_bytes=200_000))  # type: ignore[arg-type]
    assert caught.value.code == "bank_message_too_large"
    assert endless.served < 400_000


def test_entries_are_given_before_the_file_is_read_to_its_end() -> None:
    body = io.BytesIO(notice_xml(entry() * 2000))
    assert next(parse_camt054(body)).amount == Decimal("17250.67")
    assert body.tell() < len(body.getvalue()) / 2


def test_entries_that_were_read_are_dropped() -> None:
    for _, element in read_elements(io.BytesIO(notice_xml(entry() * 100)), CAMT_054, frozenset({"Ntry"})):
        parent = element.node.getparent()
        assert parent is not None
        assert parent.index(element.node) <= 3, "at most the account and one emptied entry stand before it"


def test_what_looks_like_an_entry_elsewhere_is_no_entry() -> None:
    nested = f"<NtryDtls>{detail(PAID, more=f'<SplmtryData><Envlp>{entry()}</Envlp></SplmtryData>')}</NtryDtls>"
    foreign = '<Ntry xmlns="urn:example"><Amt>1</Amt></Ntry>'
    assert [row.end_to_end_id for row in notice(entry(nested) + foreign)] == [PAID]


@pytest.mark.parametrize(
    "broken",
    [
        GOOD.replace(b"</Ntry>", "</张三丰>".encode()),
        GOOD.replace(b"</Ntry>", b"&p110101198001018516;</Ntry>"),
        GOOD.replace(b"<Ntry>", "<Ntry 张三丰='1' 张三丰='1'>".encode()),
        GOOD.replace(b"</Ntry>", "张三丰110101198001018516".encode("gbk") + b"</Ntry>"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_line_and_repeats_nothing_of_the_message(broken: bytes) -> None:
    with pytest.raises(BankMessageError) as caught:
        list(parse_camt054(io.BytesIO(broken)))
    assert " 行" in caught.value.message
    assert "张三丰" not in str(caught.value)
    assert "110101" not in str(caught.value)
