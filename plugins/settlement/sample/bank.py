"""A bank that answers payment files: what it booked, what it rejected, and what came back afterwards."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from lxml import etree

from settlement.errors import SettlementError
from settlement.sample.files import DataFile, write_manifest

PAIN_001 = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
PAIN_002 = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
CAMT_054 = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
#: ISO reason: the creditor's account is closed.
ACCOUNT_CLOSED = "AC04"
DEBIT, CREDIT = "DBIT", "CRDT"


@dataclass(frozen=True)
class _Payment:
    end_to_end_id: str
    amount: Decimal


@dataclass(frozen=True)
class _Order:
    """What the bank needs of a payment file."""

    message_id: str
    account: str
    payments: tuple[_Payment, ...]


def answer_payment_file(
    payment_file: bytes | Path,
    *,
    area_code: str,
    booked_on: date,
    directory: Path,
    reject_share: float = 0.0,
    reject_ids: Collection[str] = (),
    return_ids: Collection[str] = (),
    seed: int = 7,
    batch_id: str | None = None,
) -> str:
    """Write a ``bank_receipt`` batch that answers a ``pain.001.001.09`` file, and give its batch id.

    Payments named in ``reject_ids`` (``EndToEndId``) are rejected, and ``reject_share`` of all, picked by ``seed``; the
    others are booked on ``booked_on``. Those in ``return_ids`` are booked and come back on the same day. The same
    arguments give the same bytes.

    :raises SettlementError: ``sample_not_a_payment_file``.
    """
    order = _read_order(payment_file)
    rejected = set(reject_ids) | _pick(order, reject_share, seed)
    booked = [(payment, DEBIT) for payment in order.payments if payment.end_to_end_id not in rejected]
    booked += [(payment, CREDIT) for payment, _ in booked if payment.end_to_end_id in set(return_ids)]
    refused = [payment for payment in order.payments if payment.end_to_end_id in rejected]

    name = (
        batch_id or f"{area_code}-{booked_on:%Y%m%d}-BANK-{hashlib.sha256(order.message_id.encode()).hexdigest()[:8]}"
    )
    folder = directory / name
    folder.mkdir(parents=True, exist_ok=True)
    answered_at = f"{booked_on}T17:00:00+08:00"
    files = []
    if booked:
        files.append(_write(folder, "camt054", _notice(name, order, booked, booked_on, answered_at), len(booked)))
    if refused:
        files.append(_write(folder, "pain002", _report(name, order, refused, answered_at), len(refused)))
    write_manifest(
        folder,
        kind="bank_receipt",
        area_code=area_code,
        business_date=None,
        created_at=answered_at,
        sender="BANK",
        files=files,
    )
    return name


def _read_order(payment_file: bytes | Path) -> _Order:
    content = payment_file.read_bytes() if isinstance(payment_file, Path) else payment_file
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise SettlementError("sample_not_a_payment_file", f"The file is not XML: {error.msg}") from None
    if root.tag != f"{{{PAIN_001}}}Document":
        raise SettlementError(
            "sample_not_a_payment_file", f"The file holds {root.tag}.", hint="Wanted: a pain.001.001.09 document."
        )
    names = {"p": PAIN_001}
    payments = tuple(
        _Payment(
            end_to_end_id=transfer.findtext("p:PmtId/p:EndToEndId", namespaces=names),
            amount=Decimal(transfer.findtext("p:Amt/p:InstdAmt", namespaces=names)),
        )
        for transfer in root.iterfind(".//p:CdtTrfTxInf", names)
    )
    return _Order(
        message_id=root.findtext(".//p:GrpHdr/p:MsgId", namespaces=names),
        account=root.findtext(".//p:DbtrAcct/p:Id/p:Othr/p:Id", default="", namespaces=names),
        payments=payments,
    )


def _pick(order: _Order, share: float, seed: int) -> set[str]:
    """A fixed share of the payments, whatever their order in the file."""

    def lot(payment: _Payment) -> str:
        return hashlib.sha256(f"{seed}|{payment.end_to_end_id}".encode()).hexdigest()

    drawn = sorted(order.payments, key=lot)[: round(share * len(order.payments))]
    return {payment.end_to_end_id for payment in drawn}


def _write(folder: Path, message: str, document: etree._Element, rows: int) -> DataFile:
    with DataFile(folder / f"{message}.xml", "bank_receipt", message) as file:
        file.write_text(etree.tostring(document, xml_declaration=True, encoding="UTF-8").decode(), rows)
    return file


def _add(parent: etree._Element, path: str, text: str) -> etree._Element:
    """Append the elements of ``path`` (``BookgDt/Dt``) below one another, the last one with the text."""
    for name in path.split("/"):
        parent = etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{name}")
    parent.text = text or None
    return parent


def _notice(
    name: str, order: _Order, booked: list[tuple[_Payment, str]], booked_on: date, answered_at: str
) -> etree._Element:
    """The camt.054 document: one booked entry a payment, a credit for what came back."""
    document = etree.Element(f"{{{CAMT_054}}}Document", nsmap={None: CAMT_054})
    message = _add(document, "BkToCstmrDbtCdtNtfctn", "")
    header = _add(message, "GrpHdr", "")
    _add(header, "MsgId", f"{name}-C"[-35:])
    _add(header, "CreDtTm", answered_at)
    notification = _add(message, "Ntfctn", "")
    _add(notification, "Id", name[-35:])
    _add(notification, "Acct/Id/Othr/Id", order.account)
    for number, (payment, side) in enumerate(booked, start=1):
        entry = _add(notification, "Ntry", "")
        _add(entry, "NtryRef", str(number))
        _add(entry, "Amt", f"{payment.amount:.2f}").set("Ccy", "CNY")
        _add(entry, "CdtDbtInd", side)
        _add(entry, "Sts/Cd", "BOOK")
        _add(entry, "BookgDt/Dt", booked_on.isoformat())
        _add(entry, "BkTxCd/Prtry/Cd", "PMT")
        details = _add(_add(entry, "NtryDtls", ""), "TxDtls", "")
        _add(details, "Refs/EndToEndId", payment.end_to_end_id)
        _add(details, "Amt", f"{payment.amount:.2f}").set("Ccy", "CNY")
        _add(details, "CdtDbtInd", side)
        if side == CREDIT:
            _add(details, "RtrInf/Rsn/Cd", ACCOUNT_CLOSED)
    return document


def _report(name: str, order: _Order, refused: list[_Payment], answered_at: str) -> etree._Element:
    """The pain.002 document: one rejected transaction a payment."""
    document = etree.Element(f"{{{PAIN_002}}}Document", nsmap={None: PAIN_002})
    message = _add(document, "CstmrPmtStsRpt", "")
    header = _add(message, "GrpHdr", "")
    _add(header, "MsgId", f"{name}-P"[-35:])
    _add(header, "CreDtTm", answered_at)
    group = _add(message, "OrgnlGrpInfAndSts", "")
    _add(group, "OrgnlMsgId", order.message_id)
    _add(group, "OrgnlMsgNmId", "pain.001.001.09")
    _add(group, "GrpSts", "RJCT" if len(refused) == len(order.payments) else "PART")
    block = _add(message, "OrgnlPmtInfAndSts", "")
    _add(block, "OrgnlPmtInfId", order.message_id)
    for payment in refused:
        transaction = _add(block, "TxInfAndSts", "")
        _add(transaction, "OrgnlEndToEndId", payment.end_to_end_id)
        _add(transaction, "TxSts", "RJCT")
        _add(transaction, "StsRsnInf/Rsn/Cd", ACCOUNT_CLOSED)
    return document
