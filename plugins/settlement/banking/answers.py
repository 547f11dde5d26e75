"""What one answer of the bank means for the instruction it names, as that stands (回单含义判定).

Only a booked debit pays an instruction, and only a rejection that nothing contradicts makes its money payable again.
What moves money and does not fit stands in suspense; what cannot be true, or is not the fund's, is held: nothing is
booked from it. Whatever is not plain has a finding, and a person is called.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import NAMESPACE_URL, UUID, uuid5

from settlement.banking.payment_file import CURRENCY
from settlement.banking.statuses import DUPLICATE, FAILED, SETTLED, UNDER_WAY, WAITING

FINDINGS = {
    "unknown_payment": "no such payment 无对应指令",
    "charge": "charge within an entry 分录内手续费",
    "amount_differs": "other amount 金额不符",
    "currency_differs": "currency other than CNY 非人民币",
    "account_missing": "no account named 未注明账户",
    "foreign_account": "not an account of this fund 非本基金账户",
    "date_impossible": "impossible booking date 入账日期不合理",
    "date_before_order": "booked before the pay date 入账日早于拨付日",
    "reversal_unclear": "reversal of nothing that is known 冲正无对应原交易",
    "credit_reversed": "a credit was taken back 退汇被冲回",
    "second_debit": "second debit 重复扣款",
    "debit_after_failure": "debit after a rejection or return 拒付或退汇后扣款",
    "credit_unexpected": "credit of money that is not out 未付款项的贷记",
    "never_sent": "payment was never sent 指令未发出",
    "duplicate": "refused as a duplicate 银行称重复",
    "status_unknown": "unknown status 状态代码未知",
    "status_contradicts": "statuses contradict each other 银行答复自相矛盾",
}
"""Why a person is called, by code; docs/runbook/record_receipts.md says what to do."""


@dataclass(frozen=True)
class Meaning:
    """What an answer does, and why a person is called, if one is."""

    outcome: str
    finding: str | None = None


@dataclass(frozen=True)
class BookingKey:
    """What makes two notices of an entry the same entry: one may come as a whole, the other with its transactions."""

    account_no: str | None
    reference: str
    currency: str | None
    booked_on: date | None
    amount: Decimal | None


@dataclass(frozen=True)
class Answer:
    """One transaction of the bank's, with the instruction it names and the events that instruction already has.

    One that `was_held` is of an earlier batch, and is judged again in case its obstacle is gone.
    A booking date is possible from `earliest_booking_date` to `latest_booking_date`, which the day of the message and
    the dated settings give.
    """

    area_code: str
    was_held: bool
    message_id: str | None
    is_booked: bool
    is_further_movement: bool
    account_no: str | None
    is_own_account: bool
    entry_reference: str | None
    servicer_reference: str | None
    booking_reference: str | None
    booking_amount: Decimal | None
    line_no: int
    occurrence: int
    content: str | None
    is_reversal: bool
    is_detail: bool
    is_charge: bool
    status: str | None
    reason_code: str | None
    side: str | None
    amount: Decimal | None
    currency: str | None
    booking_date: date | None
    earliest_booking_date: date | None
    latest_booking_date: date | None
    end_to_end_id: str | None
    fixmedins_code: str | None
    instruction_id: UUID | None
    instruction_amount: Decimal | None
    pay_date: date | None
    has_account: bool | None
    events: Sequence[str]
    was_said_to_be_made: bool

    @property
    def kind(self) -> str:
        """Whether it says that money moved, or only how far a payment has come."""
        return "booked" if self.is_booked else "status"

    @property
    def refuses_duplicate(self) -> bool:
        """Whether the bank refuses the copy only: a message that was sent again says nothing about the first."""
        return self.status in FAILED and self.reason_code in DUPLICATE

    @property
    def is_nameless(self) -> bool:
        """Whether it moves money of no known payment: the same entry may come again with its transactions named."""
        return self.is_booked and self.instruction_id is None and not self.is_charge

    @property
    def signed_amount(self) -> Decimal:
        """What left the account; negative for what came."""
        amount = self.amount or Decimal(0)
        return amount if self.side == "debit" else -amount

    @property
    def booking(self) -> BookingKey | None:
        """The entry that it is, or is a transaction of; None where the bank gave it no reference."""
        if not self.is_booked or self.booking_reference is None:
            return None
        return BookingKey(
            self.account_no, self.booking_reference, self.currency, self.booking_date, self.booking_amount
        )

    @property
    def obstacle(self) -> str | None:
        """Why the movement cannot be what it says, whatever became of its payment: its account or its date."""
        if not self.is_booked:
            return None
        if self.account_no is None:
            return "account_missing"
        if not self.is_own_account:
            return "foreign_account"
        booked_on, earliest, latest = self.booking_date, self.earliest_booking_date, self.latest_booking_date
        if booked_on is None or earliest is None or latest is None or not earliest <= booked_on <= latest:
            return "date_impossible"
        if self.pay_date is not None and booked_on < self.pay_date:
            return "date_before_order"
        return None

    @property
    def order(self) -> tuple[int, bool, str, str, str]:
        """The place in its batch: money that left, statuses, money that came back; what is named before what is not."""
        step = {"debit": 0, "credit": 2}.get(self.side or "", 1) if self.is_booked else 1
        return (step, self.is_nameless, str(self.booking_date), self.end_to_end_id or "", self.status or "")

    @property
    def bank_entry_id(self) -> UUID:
        """The identity of the transaction, whichever message brings it.

        A booked one is known by end-to-end id, side, amount and date; where the bank gives several such movements
        references of their own, by its reference; where a message lists several without one, by its number among them.
        A status is known by end-to-end id and code, where a copy's refusal is none of the payment. Money without an id
        is told apart by the bank's reference, or else by its message and content. What is held stands for itself
        only, so that the corrected notice counts. Each area has a bank of its own.
        """
        key = ["bank entry", self.area_code, self.kind, self.end_to_end_id or self._bank_reference()]
        if self.is_booked:
            key += [str(self.side), str(self.amount), str(self.booking_date)]
            # A notice that was corrected from another currency is another one. Yuan, the rule, is left unsaid.
            key += [str(self.currency)] if self.currency != CURRENCY else []
            key += [str(self.servicer_reference)] if self.is_further_movement else []
            key += ["reversal"] if self.is_reversal else []
            key += ["charge"] if self.is_charge else []
            key += [f"number {self.occurrence}"] if self.occurrence > 1 else []
            key += ["held", self.obstacle, str(self.account_no)] if self.obstacle else []
        else:
            key += [str(self.status)]
            key += [str(self.reason_code)] if self.refuses_duplicate else []
        return uuid5(NAMESPACE_URL, "|".join(key))

    def _bank_reference(self) -> str:
        if self.servicer_reference:
            return f"{self.account_no}/{self.servicer_reference}"
        return f"{self.message_id}/{self.entry_reference}/{self.content or self.line_no}"


@dataclass(frozen=True)
class EarlierCredit:
    """A credit that was booked before the debit it gives back, and stands in suspense."""

    bank_entry_id: UUID
    booked_on: date
    reason_code: str | None


@dataclass
class Standing:
    """What became of an instruction so far: its events, and its movements that stand in suspense."""

    events: set[str] = field(default_factory=set)
    is_said_to_be_made: bool = False
    """Whether a status said that the bank made the payment, which its booking has still to prove."""
    debits_in_suspense: int = 0
    credits_in_suspense: list[EarlierCredit] = field(default_factory=list)

    @property
    def is_paid(self) -> bool:
        """Whether the institution has the money: what left and came back besides does not count."""
        return self.events == {"paid"} and self.debits_in_suspense <= len(self.credits_in_suspense)


def meaning_of(answer: Answer, standing: Standing) -> Meaning:
    """Decide what an answer means for its instruction, as it stands."""
    return _meaning_of_booked(answer, standing) if answer.is_booked else _meaning_of_status(answer, standing)


def _meaning_of_booked(answer: Answer, standing: Standing) -> Meaning:
    if answer.obstacle:
        return Meaning("held", answer.obstacle)
    if answer.currency != CURRENCY:
        return Meaning("amount_differs", "currency_differs")  # whoever it names: it is never yuan in the books
    if answer.instruction_id is None:
        return Meaning("unknown", "charge" if answer.is_charge else "unknown_payment")
    if answer.amount != answer.instruction_amount:
        return Meaning("amount_differs", "amount_differs")
    if not answer.has_account:
        return Meaning("not_expected", "never_sent")
    if answer.side == "debit":
        return _meaning_of_reversed_credit(standing) if answer.is_reversal else _meaning_of_debit(standing)
    # Where money left twice, the first that comes back is the surplus: the institution still has its payment.
    return Meaning("returned") if standing.is_paid else Meaning("not_expected", "credit_unexpected")


def _meaning_of_debit(standing: Standing) -> Meaning:
    if not standing.events:
        return Meaning("paid")
    failed = standing.events & {"rejected", "returned"}
    return Meaning("not_expected", "debit_after_failure" if failed else "second_debit")


def _meaning_of_reversed_credit(standing: Standing) -> Meaning:
    """A debit that reverses a credit: where none is known, some banks mean that the debit itself was reversed."""
    if "returned" in standing.events or standing.credits_in_suspense:
        return Meaning("not_expected", "credit_reversed")
    return Meaning("held", "reversal_unclear")


def _meaning_of_status(answer: Answer, standing: Standing) -> Meaning:
    if answer.instruction_id is None:
        return Meaning("unknown", "unknown_payment")
    if answer.refuses_duplicate:
        return Meaning("not_expected", "duplicate")
    if answer.status in FAILED:
        return _meaning_of_failure(answer, standing)
    if answer.status in SETTLED:
        contradicts = "rejected" in standing.events
        return Meaning("not_expected", "status_contradicts") if contradicts else Meaning("accepted")
    if answer.side or answer.status in WAITING:
        return Meaning("pending")
    # A code that nobody has agreed on may be a final one: it is no acceptance.
    return Meaning("accepted") if answer.status in UNDER_WAY else Meaning("not_expected", "status_unknown")


def _meaning_of_failure(answer: Answer, standing: Standing) -> Meaning:
    if not answer.has_account:
        return Meaning("not_expected", "never_sent")
    if standing.events or standing.is_said_to_be_made:
        return Meaning("not_expected", "status_contradicts")
    return Meaning("rejected")
