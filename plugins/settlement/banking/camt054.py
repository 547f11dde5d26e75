"""Read `camt.054`, the bank's notice of what it booked on an account.

A payment counts as made only on a booked entry of this message. An entry may carry several transactions; each gives
a row of its own with its own amount, and together with the charges they must be the amount of the entry.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
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
    read_flag,
    read_instant,
)

CAMT_054 = Message("camt.054.001", "BkToCstmrDbtCdtNtfctn", range(2, 14))
BOOKED = "BOOK"
NAMES = frozenset({"GrpHdr", "Acct", "TxDtls", "Ntry", "Ntfctn"})
SIDES: dict[str, Literal["debit", "credit"]] = {"DBIT": "debit", "CRDT": "credit"}

Side = Literal["debit", "credit"]


@dataclass(frozen=True)
class BookedEntry:
    """One transaction on the account, or a charge that the bank took within an entry.

    `side` is the account holder's: a debit is money that left, a credit money that came (back). `amount` is in units
    of `currency`, never negative. `status` is the ISO code; only BOOK has happened, and then `booked_on` is the day
    in Asia/Shanghai. `end_to_end_id` and the references are None where the bank gave none, or only a word for none.
    `booking_reference` and `booking_amount` are those of the whole entry, which its details share. `content` tells
    entries apart that have no identifier.
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
    created_at: datetime | None = None
    is_reversal: bool = False
    is_detail: bool = False
    is_charge: bool = False
    booking_reference: str | None = None
    booking_amount: Decimal | None = None
    content: str | None = None


@dataclass(frozen=True)
class _Charge:
    """What the bank took for itself; `is_included`: the amount beside it contains it, None where nobody said."""

    amount: Decimal
    currency: str
    side: Side
    is_included: bool | None


@dataclass(frozen=True)
class _Detail:
    """What a transaction of an entry says of itself; None where the entry speaks for it."""

    servicer_reference: str | None
    end_to_end_id: str | None
    amount: Decimal | None
    currency: str | None
    side: Side | None
    return_reason: str | None
    charges: tuple[_Charge, ...]
    content: str | None
    block_id: str | None


def parse_camt054(stream: BinaryIO, *, max_bytes: int = MAX_BYTES) -> Iterator[BookedEntry]:
    """Give one row a transaction, in the order of the file, and one for charges that an entry contains.

    Raises BankMessageError: those of `read_elements`, `bank_message_value_invalid`, `bank_message_side_differs` where
    the transactions of an entry all say another side than it, and `bank_message_sum_differs` where they and what the
    bank charged are not its amount.
    """
    message_id: str | None = None
    created_at: datetime | None = None
    account: str | None = None
    details: list[_Detail] = []
    number = 0

    for name, element in read_elements(stream, CAMT_054, NAMES, max_bytes=max_bytes):
        match name, element.parent_name:
            case "GrpHdr", _:
                message_id = element.reference("MsgId")
                created_at = read_instant(element.text("CreDtTm"), "group header")
            case "Acct", "Ntfctn":
                account = _account(element.reference("Id/IBAN", "Id/Othr/Id"))
            case "Ntfctn", _:
                account = None
            case "TxDtls", "NtryDtls":
                details.append(_detail(element, f"entry {number + 1}"))
            case "Ntry", "Ntfctn":
                number += 1
                where = f"entry {number}"
                entry = replace(_entry(element, where, account, message_id), created_at=created_at)
                yield from _rows(entry, _charges(element, where), details, where)
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
    if booked is None and status.upper() == BOOKED:
        raise bad_value(where, "booking date", None, "BookgDt, because the entry is booked")
    reference = element.reference("AcctSvcrRef")
    value = read_amount(amount, where)
    return BookedEntry(
        account=account,
        entry_reference=element.reference("NtryRef"),
        servicer_reference=reference,
        end_to_end_id=None,
        amount=value,
        currency=_currency(amount, where),
        side=side,
        status=status.upper(),
        booked_on=None if booked is None else read_day(booked, where),
        message_id=message_id,
        return_reason=None,
        is_reversal=read_flag(element.text("RvslInd"), where),
        booking_reference=reference or _block_reference(element.reference("NtryDtls/Btch/PmtInfId")),
        booking_amount=value,
        content=element.digest() if reference is None else None,
    )


def _detail(element: Element, where: str) -> _Detail:
    """Read one transaction of an entry; older versions give its amount only under AmtDtls."""
    amount = element.find("Amt") or element.find("AmtDtls/TxAmt/Amt")
    end_to_end_id = element.reference("Refs/EndToEndId")
    around = element.parent
    return _Detail(
        servicer_reference=element.reference("Refs/AcctSvcrRef"),
        end_to_end_id=end_to_end_id,
        amount=None if amount is None else read_amount(amount, where),
        currency=None if amount is None else _currency(amount, where),
        side=_side(element, where),
        return_reason=element.text("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry"),
        charges=_charges(element, where),
        content=element.digest() if end_to_end_id is None else None,
        # It stands before the first transaction and is dropped together with it.
        block_id=around.reference("Btch/PmtInfId") if around else None,
    )


def _charges(element: Element, where: str) -> tuple[_Charge, ...]:
    """Read the charges of an entry or a transaction: records since version .03, the element itself before."""
    found = []
    for charges in element.find_all("Chrgs"):
        for record in charges.find_all("Rcrd") or [charges]:
            amount = record.find("Amt")
            if amount is not None:
                included = record.text("ChrgInclInd")
                charge = _Charge(
                    amount=read_amount(amount, where),
                    currency=_currency(amount, where),
                    side=_side(record, where) or "debit",
                    is_included=None if included is None else read_flag(included, where),
                )
                found.append(charge)
    return tuple(found)


def _rows(
    entry: BookedEntry, charges: tuple[_Charge, ...], details: list[_Detail], where: str
) -> Iterator[BookedEntry]:
    """Give the transactions of an entry, and what the bank charged within it.

    A single transaction has the amount of the entry, which is what was booked, unless charges explain the difference.
    """
    if not details:
        yield entry
        return
    _require_side(entry, details, where)
    amounts = _amounts(entry, charges, details, where)
    total = _signed(entry, [(detail.side, amount) for detail, amount in zip(details, amounts, strict=True)])
    charged = _charged(entry, charges, details, entry.amount - total)
    if total + charged != entry.amount:
        if len(details) > 1:
            raise BankMessageError(
                "bank_message_sum_differs",
                f"{where}: its {len(details)} transactions come to {total}, the entry says {entry.amount}"
                " (明细及手续费之和与分录金额不符).",
                "Ask the bank for a corrected notice; nothing of this one was taken (请银行更正后重发, 未接收任何内容)",
            )
        amounts = [entry.amount]
    entry = _with_booking_reference(entry, details)
    for detail, amount, reference in zip(details, amounts, _references(entry, details), strict=True):
        yield replace(
            entry,
            servicer_reference=reference,
            end_to_end_id=detail.end_to_end_id,
            amount=amount,
            side=detail.side or entry.side,
            return_reason=detail.return_reason,
            is_detail=True,
            content=f"{entry.content}{detail.content or ''}" if reference is None else None,
        )
    if charged:
        yield replace(
            entry,
            servicer_reference=None if entry.booking_reference is None else f"{entry.booking_reference}/charge",
            amount=abs(charged),
            side=entry.side if charged > 0 else _other(entry.side),
            is_detail=True,
            is_charge=True,
        )


def _amounts(entry: BookedEntry, charges: tuple[_Charge, ...], details: list[_Detail], where: str) -> list[Decimal]:
    """Give the amount of each transaction; only a single one may leave it to the entry."""
    if len(details) > 1:
        for detail in details:
            if detail.amount is None or detail.currency != entry.currency:
                raise bad_value(where, f"amount of a transaction in {entry.currency}", None, "TxDtls/Amt")
        return [detail.amount for detail in details if detail.amount is not None]
    [detail] = details
    if detail.amount is not None and detail.currency == entry.currency:
        return [detail.amount]
    contained = [charge for charge in (*charges, *detail.charges) if charge.is_included]
    charged = _signed(
        entry, [(charge.side, charge.amount) for charge in contained if charge.currency == entry.currency]
    )
    return [entry.amount - charged if 0 < charged < entry.amount else entry.amount]


def _charged(entry: BookedEntry, charges: tuple[_Charge, ...], details: list[_Detail], difference: Decimal) -> Decimal:
    """Give what of the entry is charges: `difference`, where charges come to it, and nothing where none do.

    Some banks give the charges of an entry a second time with its transactions, and some only there.
    """
    of_details = tuple(charge for detail in details for charge in detail.charges)
    for group in (charges + of_details, charges, of_details):
        contained = [
            charge for charge in group if charge.is_included is not False and charge.currency == entry.currency
        ]
        if _signed(entry, [(charge.side, charge.amount) for charge in contained]) == difference:
            return difference
    return Decimal(0)


def _signed(entry: BookedEntry, movements: list[tuple[Side | None, Decimal]]) -> Decimal:
    """Add amounts up; what is on the other side than the entry counts against it."""
    return sum((amount if (side or entry.side) == entry.side else -amount for side, amount in movements), Decimal(0))


def _require_side(entry: BookedEntry, details: list[_Detail], where: str) -> None:
    """Refuse an entry whose transactions all say the other side: whether money left or came cannot be told."""
    if all(detail.side == _other(entry.side) for detail in details):
        raise BankMessageError(
            "bank_message_side_differs",
            f"{where}: the entry is a {entry.side}, and each of its transactions a {_other(entry.side)}"
            " (分录与其明细的借贷方向相反).",
            "Ask the bank for a corrected notice; nothing of this one was taken (请银行更正后重发, 未接收任何内容).",
        )


def _with_booking_reference(entry: BookedEntry, details: list[_Detail]) -> BookedEntry:
    """Let the entry be known by the block of ours that it books where the bank gives it no reference."""
    block_ids = {detail.block_id for detail in details if detail.block_id}
    if entry.booking_reference or len(block_ids) != 1:
        return entry
    return replace(entry, booking_reference=_block_reference(block_ids.pop()))


def _block_reference(block_id: str | None) -> str | None:
    return block_id and f"PmtInfId {block_id}"


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


def _side(element: Element, where: str) -> Side | None:
    """Read CdtDbtInd, or None where it is not given."""
    code = element.text("CdtDbtInd")
    if code is None:
        return None
    if code not in SIDES:
        raise bad_value(where, "side", code, "CRDT or DBIT")
    return SIDES[code]


def _other(side: Side) -> Side:
    return "credit" if side == "debit" else "debit"


def _account(text: str | None) -> str | None:
    """Give an account as the reference has it: without the blanks and dashes that banks write for the eye."""
    return text and re.sub(r"[\s-]", "", text)


def _currency(amount: Element, where: str) -> str:
    """Read the currency of an amount."""
    currency = amount.attribute("Ccy")
    if not currency:
        raise bad_value(where, "currency", currency, "the attribute Ccy")
    return currency
