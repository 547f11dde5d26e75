"""Read `camt.054`, the bank's notice of what it booked on an account.

A payment counts as made only on a booked entry of this message. An entry may carry several transactions; each gives
a row of its own with its own amount, and together they must be the amount of the entry.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import BinaryIO, Literal

from settlement.banking.messages import (
    MAX_BYTES,
    BankMessageError,
    Element,
    Message,
    bad_value,
    read_amount,
    read_day,
    read_elements,
)

CAMT_054 = Message("camt.054.001", "BkToCstmrDbtCdtNtfctn", range(2, 14))
BOOKED = "BOOK"
NAMES = frozenset({"GrpHdr", "Acct", "TxDtls", "Ntry"})
SIDES: dict[str, Literal["debit", "credit"]] = {"DBIT": "debit", "CRDT": "credit"}

Side = Literal["debit", "credit"]


@dataclass(frozen=True)
class BookedEntry:
    """One transaction on the account.

    `side` is the account holder's: a debit is money that left, a credit money that came (back). `amount` is in units
    of `currency`, never negative. `status` is the ISO code; only BOOK has happened, and then `booked_on` is the day
    in Asia/Shanghai. `end_to_end_id` and the references are None where the bank gave none.
    """

    account: str | None
    entry_reference: str | None
    servicer_reference: str | None
    end_to_end_id: str | None
    amount: Decimal
    currency: str
    side: Side
    status: str
    booked_on: date | None
    message_id: str | None
    return_reason: str | None


@dataclass(frozen=True)
class _Detail:
    """What a transaction of an entry says of itself; None where the entry speaks for it."""

    servicer_reference: str | None
    end_to_end_id: str | None
    amount: Decimal | None
    currency: str | None
    side: Side | None
    return_reason: str | None


def parse_camt054(stream: BinaryIO, *, max_bytes: int = MAX_BYTES) -> Iterator[BookedEntry]:
    """Give one row a transaction, in the order of the file.

    Raises BankMessageError: those of `read_elements`, `bank_message_value_invalid`, and `bank_message_sum_differs`
    where the transactions of an entry are not its amount.
    """
    message_id: str | None = None
    account: str | None = None
    details: list[_Detail] = []
    number = 0

    for name, element in read_elements(stream, CAMT_054, NAMES, max_bytes=max_bytes):
        match name, element.parent_name:
            case "GrpHdr", _:
                message_id = element.text("MsgId")
            case "Acct", "Ntfctn":
                account = element.text("Id/IBAN", "Id/Othr/Id")
            case "TxDtls", "NtryDtls":
                details.append(_detail(element, f"entry {number + 1}"))
            case "Ntry", "Ntfctn":
                number += 1
                yield from _rows(_entry(element, f"entry {number}", account, message_id), details, number)
                details = []


def _entry(element: Element, where: str, account: str | None, message_id: str | None) -> BookedEntry:
    """Read an entry as if it were one transaction."""
    amount = element.find("Amt")
    side = _side(element, where)
    # Until version .06 the status is the text of Sts itself, since .07 it is a choice below it.
    status = element.text("Sts/Cd", "Sts/Prtry", "Sts")
    booked = element.text("BookgDt/Dt", "BookgDt/DtTm")
    if amount is None:
        raise bad_value(where, "amount", None, "Amt")
    if side is None:
        raise bad_value(where, "side", None, "CdtDbtInd with CRDT or DBIT")
    if status is None:
        raise bad_value(where, "status", None, "Sts")
    if booked is None and status == BOOKED:
        raise bad_value(where, "booking date", None, "BookgDt, because the entry is booked")
    return BookedEntry(
        account=account,
        entry_reference=element.reference("NtryRef"),
        servicer_reference=element.reference("AcctSvcrRef"),
        end_to_end_id=None,
        amount=read_amount(amount, where),
        currency=_currency(amount, where),
        side=side,
        status=status,
        booked_on=None if booked is None else read_day(booked, where),
        message_id=message_id,
        return_reason=None,
    )


def _detail(element: Element, where: str) -> _Detail:
    """Read one transaction of an entry; older versions give its amount only under AmtDtls."""
    amount = element.find("Amt") or element.find("AmtDtls/TxAmt/Amt")
    return _Detail(
        servicer_reference=element.reference("Refs/AcctSvcrRef"),
        end_to_end_id=element.reference("Refs/EndToEndId"),
        amount=None if amount is None else read_amount(amount, where),
        currency=None if amount is None else _currency(amount, where),
        side=_side(element, where),
        return_reason=element.text("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
    )


def _rows(entry: BookedEntry, details: list[_Detail], number: int) -> Iterator[BookedEntry]:
    """Give the transactions of an entry; a single one has the amount of the entry, which is what was booked."""
    if not details:
        yield entry
        return
    if len(details) > 1:
        _require_sum(entry, details, number)
    for detail, reference in zip(details, _references(entry, details), strict=True):
        yield replace(
            entry,
            servicer_reference=reference,
            end_to_end_id=detail.end_to_end_id,
            amount=entry.amount if detail.amount is None or len(details) == 1 else detail.amount,
            side=detail.side or entry.side,
            return_reason=detail.return_reason,
        )


def _references(entry: BookedEntry, details: list[_Detail]) -> Iterator[str | None]:
    """Give each transaction its reference; `B1/2` is the second of those that only share the entry's and are alike.

    Alike are payment, side and amount. Only these are numbered, so that a notice that lists the same transactions in
    another order, or among others, repeats them and does not say that money moved once more.
    """
    alike: Counter[tuple[str | None, Side, Decimal]] = Counter()
    for detail in details:
        reference = detail.servicer_reference or entry.servicer_reference
        if reference is None or reference != entry.servicer_reference:
            yield reference
            continue
        amount = entry.amount if detail.amount is None else detail.amount
        key = (detail.end_to_end_id, detail.side or entry.side, amount)
        alike[key] += 1
        yield reference if alike[key] == 1 else f"{reference}/{alike[key]}"


def _require_sum(entry: BookedEntry, details: list[_Detail], number: int) -> None:
    """Refuse an entry whose transactions, signed by their side, are not its amount: one of the two is wrong."""
    total = Decimal("0.00")
    for detail in details:
        if detail.amount is None or detail.currency != entry.currency:
            raise bad_value(f"entry {number}", f"amount of a transaction in {entry.currency}", None, "TxDtls/Amt")
        total += detail.amount if (detail.side or entry.side) == entry.side else -detail.amount
    if total != entry.amount:
        raise BankMessageError(
            "bank_message_sum_differs",
            f"entry {number}: its {len(details)} transactions come to {total}, the entry says {entry.amount}.",
            "Ask the bank for a corrected notice; nothing of this one was taken.",
        )


def _side(element: Element, where: str) -> Side | None:
    """Read CdtDbtInd, or None where it is not given."""
    code = element.text("CdtDbtInd")
    if code is None:
        return None
    if code not in SIDES:
        raise bad_value(where, "side", code, "CRDT or DBIT")
    return SIDES[code]


def _currency(amount: Element, where: str) -> str:
    """Read the currency of an amount."""
    currency = amount.attribute("Ccy")
    if not currency:
        raise bad_value(where, "currency", currency, "the attribute Ccy")
    return currency
