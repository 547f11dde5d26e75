"""What one payment request asks of the bank, before it is written as XML or as a table.

The same request is always the same `PaymentFile`: identifiers come from its business key, its instant from the pay
date and never from the clock, and its payments are ordered by their identifier. Sending it twice therefore sends
the same bytes under the same message identifier, which the bank refuses the second time.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from settlement.errors import SettlementError
from settlement.money import yuan

CURRENCY = "CNY"
SHANGHAI = ZoneInfo("Asia/Shanghai")
IDENTIFIER_LENGTH = 35
NAME_LENGTH = 140
ACCOUNT_NUMBER_LENGTH = 34
CNAPS_CODE = re.compile(r"[0-9]{12}")
IDENTIFIER = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]{1,35}")
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
LARGEST_AMOUNT = Decimal("9999999999999.99")


@dataclass(frozen=True)
class BankAccount:
    """An account at a Chinese bank; `bank_code` is the 12-digit CNAPS code (联行号)."""

    name: str
    number: str
    bank_code: str

    def __post_init__(self) -> None:
        """Refuse what no bank message can carry: SettlementError `bank_account_invalid`."""
        _check_text("account name", self.name, NAME_LENGTH)
        _check_text("account number", self.number, ACCOUNT_NUMBER_LENGTH)
        if not CNAPS_CODE.fullmatch(self.bank_code):
            raise _bad_account("bank code", self.bank_code, "twelve digits")


def usable_account(name: str | None, number: str | None, bank_code: str | None) -> BankAccount | None:
    """Give the account if a bank message can carry it, else None: such an institution cannot be paid yet."""
    try:
        return BankAccount(name or "", number or "", bank_code or "")
    except SettlementError:
        return None


@dataclass(frozen=True)
class Payment:
    """One payment instruction: `amount` yuan to `creditor`, told apart by `instruction_id`."""

    instruction_id: UUID
    amount: Decimal
    creditor: BankAccount
    creditor_code: str
    remittance: str

    def __post_init__(self) -> None:
        """Refuse an amount that is not positive whole fen or text a message cannot carry."""
        if not 0 < self.amount <= LARGEST_AMOUNT or self.amount != yuan(self.amount):
            raise SettlementError(
                "payment_amount_invalid",
                f"Instruction {self.instruction_id} asks for {self.amount} yuan.",
                "A payment is a positive amount in whole fen.",
            )
        _check_text("creditor code", self.creditor_code, IDENTIFIER_LENGTH)
        _check_text("remittance text", self.remittance, NAME_LENGTH)

    @property
    def end_to_end_id(self) -> str:
        """The instruction id without dashes, 32 characters: what comes back in every receipt."""
        return self.instruction_id.hex


@dataclass(frozen=True)
class PaymentFile:
    """One message to the bank: payments from one account, to be executed on one day."""

    message_id: str
    created_at: datetime
    execution_date: date
    debtor: BankAccount
    payments: tuple[Payment, ...]

    def __post_init__(self) -> None:
        """Refuse an empty file, a payment twice, a bad identifier or an instant without a time zone."""
        if not IDENTIFIER.fullmatch(self.message_id):
            raise ValueError(f"no message identifier: {self.message_id!r}")
        if self.created_at.tzinfo is None:
            raise ValueError(f"the instant of {self.message_id} has no time zone")
        if not self.payments:
            raise ValueError(f"{self.message_id} holds no payment")
        identifiers = [payment.end_to_end_id for payment in self.payments]
        if len(set(identifiers)) != len(identifiers):
            raise ValueError(f"{self.message_id} holds an instruction twice")
        if identifiers != sorted(identifiers):
            raise ValueError(f"the payments of {self.message_id} are not in the order of their identifiers")

    @property
    def total(self) -> Decimal:
        """The control sum in yuan."""
        return sum((payment.amount for payment in self.payments), Decimal("0.00"))


def payment_file(
    *,
    area_code: str,
    fund_pay_type: str,
    pay_date: date,
    purpose: str,
    debtor: BankAccount,
    payments: list[Payment],
) -> PaymentFile:
    """Make the file of one payment request (area, fund, pay date, purpose); the order of `payments` is of no matter."""
    return PaymentFile(
        message_id=message_id(area_code, fund_pay_type, pay_date, purpose),
        created_at=datetime.combine(pay_date, time(), SHANGHAI),
        execution_date=pay_date,
        debtor=debtor,
        payments=tuple(sorted(payments, key=lambda payment: payment.end_to_end_id)),
    )


def message_id(area_code: str, fund_pay_type: str, pay_date: date, purpose: str) -> str:
    """Give the message identifier of a request, at most 35 characters: `330100-310100-20260302-daily`.

    A purpose that does not fit or is not plain ASCII is replaced by twelve digits of its SHA-256.
    """
    head = f"{area_code}-{fund_pay_type}-{pay_date:%Y%m%d}-"
    if IDENTIFIER.fullmatch(head + purpose):
        return head + purpose
    return head + hashlib.sha256(purpose.encode()).hexdigest()[:12]


def _check_text(field: str, text: str, longest: int) -> None:
    """Refuse text that is blank, too long for the message, or holds characters XML cannot carry."""
    if not text.strip() or len(text) > longest or CONTROL_CHARACTER.search(text):
        raise _bad_account(field, text, f"1 to {longest} characters, not only blanks, no control characters")


def _bad_account(field: str, value: str, wanted: str) -> SettlementError:
    """Say which field of an account or payment the bank would not take."""
    return SettlementError(
        "bank_account_invalid",
        f"The {field} {value!r} cannot stand in a payment file.",
        f"Wanted: {wanted}. Correct the reference table bank_account or fund_account with a new row.",
    )
