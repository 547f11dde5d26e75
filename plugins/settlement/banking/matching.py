"""Match what the bank answered to instructions, and book what it means (回单匹配入账).

Only a booked debit pays an instruction; a rejection or a booked credit makes the money payable again. Within a batch
booked debits come first, then statuses, then booked credits, so the order of its messages is of no matter. Between
batches a credit may come before its debit: it waits in suspense, and the debit then pays and returns at once.

The bank of one area says nothing about another's: an answer decides only about instructions of its batch's area.
"""

import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import psycopg
from psycopg.rows import class_row

from settlement.banking.payment_file import CURRENCY
from settlement.banking.statuses import DUPLICATE, FAILED, SETTLED, UNDER_WAY, WAITING
from settlement.errors import SettlementError
from settlement.ledger.posting import post
from settlement.statements import statement
from settlement.warehouse import connect, transaction_lock

log = logging.getLogger(__name__)

PACKAGE = "settlement.banking"
EVENTS = ("paid", "rejected", "returned")
POSTED = (*EVENTS, "suspense", "suspense_cleared")
ALERT = "BANK ANSWER NEEDS A PERSON 回单须人工核查"
"""Monitoring reads lines of the log whose ``event`` begins so; docs/runbook/installation.md says in which files."""
NEEDS_A_LOOK = ("unknown", "amount_differs", "not_expected")
WORDS = {
    "paid": "paid 已到账",
    "rejected": "rejected 拒付",
    "returned": "returned 退汇",
    "accepted": "accepted by the bank 银行受理",
    "pending": "pending 处理中",
    "unknown": "unknown 无对应指令",
    "amount_differs": "amount differs 金额不符",
    "not_expected": "not expected 状态不符",
    "repeated": "repeated 重复",
}
ENTRY_COLUMNS = (
    "bank_entry_id, area_code, batch_id, message_id, kind, end_to_end_id, account_no, side, amount, booked_on,"
    " status_code, reason_code, outcome, fixmedins_code, instruction_id"
)
EVENT_COLUMNS = "fixmedins_code, instruction_id, event, bank_entry_id, event_date, reason_code"


@dataclass(frozen=True)
class Matching:
    """What recording one batch found: the number of transactions by outcome.

    An earlier credit that this batch explains counts here as `returned`.
    """

    batch_id: str
    counts: dict[str, int]
    summary: str


@dataclass(frozen=True)
class Answer:
    """One transaction of the bank's, with the instruction it names and the events that instruction already has."""

    area_code: str
    message_id: str | None
    is_booked: bool
    is_further_movement: bool
    account_no: str | None
    entry_reference: str | None
    servicer_reference: str | None
    line_no: int
    status: str | None
    reason_code: str | None
    side: str | None
    amount: Decimal | None
    currency: str | None
    booking_date: date | None
    end_to_end_id: str | None
    fixmedins_code: str | None
    instruction_id: UUID | None
    instruction_amount: Decimal | None
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
    def order(self) -> tuple[int, str, str, str]:
        """The place in its batch: money that left, then statuses, then money that came back."""
        step = {"debit": 0, "credit": 2}.get(self.side or "", 1) if self.is_booked else 1
        return (step, str(self.booking_date), self.end_to_end_id or "", self.status or "")

    @property
    def bank_entry_id(self) -> UUID:
        """The identity of the transaction, whichever message brings it.

        A booked one is known by end-to-end id, side, amount and date, and where the bank gives several such movements
        references of their own, by its reference; a status by end-to-end id and code, where a copy's refusal is none
        of the payment. Money without an id is told apart by the bank's reference, or else by its place in its message.
        Each area has a bank of its own.
        """
        key = ["bank entry", self.area_code, self.kind, self.end_to_end_id or self._bank_reference()]
        if self.is_booked:
            key += [str(self.side), str(self.amount), str(self.booking_date)]
            # A notice that was corrected from another currency is another one. Yuan, the rule, is left unsaid.
            key += [str(self.currency)] if self.currency != CURRENCY else []
            key += [str(self.servicer_reference)] if self.is_further_movement else []
        else:
            key += [str(self.status)]
            key += [str(self.reason_code)] if self.refuses_duplicate else []
        return uuid5(NAMESPACE_URL, "|".join(key))

    def _bank_reference(self) -> str:
        if self.servicer_reference:
            return f"{self.account_no}/{self.servicer_reference}"
        return f"{self.message_id}/{self.entry_reference}/{self.line_no}"


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


@dataclass(frozen=True)
class _Batch:
    """The received batch; `received_on` dates what carries no date itself."""

    batch_id: str
    area_code: str
    received_on: date


@dataclass(frozen=True)
class _Event:
    """What happened to an instruction, and the transaction that says so."""

    fixmedins_code: str | None
    instruction_id: UUID | None
    event: str
    bank_entry_id: UUID
    event_date: date | None
    reason_code: str | None


@dataclass
class _Decisions:
    """What a batch says: its new answers with their outcomes, in order, and the events that follow."""

    answers: list[tuple[Answer, str]] = field(default_factory=list)
    events: list[_Event] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def outcome_of(answer: Answer, standing: Standing) -> str:
    """Decide what an answer means for its instruction, as it stands."""
    if answer.is_booked and answer.currency != CURRENCY:
        return "amount_differs"  # whoever it names: another currency is never yuan in the books
    if answer.instruction_id is None:
        return "unknown"
    untouched = bool(answer.has_account) and not standing.events
    if answer.is_booked:
        if answer.amount != answer.instruction_amount:
            return "amount_differs"
        if answer.side == "debit":
            return "paid" if untouched else "not_expected"
        # Where money left twice, the first that comes back is the surplus: the institution still has its payment.
        return "returned" if standing.is_paid else "not_expected"
    if answer.status in FAILED:
        is_final = untouched and not answer.refuses_duplicate and not standing.is_said_to_be_made
        return "rejected" if is_final else "not_expected"
    if answer.status in SETTLED:
        return "not_expected" if "rejected" in standing.events else "accepted"
    if answer.side or answer.status in WAITING:
        return "pending"
    # A code that nobody has agreed on may be a final one: it is no acceptance.
    return "accepted" if answer.status in UNDER_WAY else "not_expected"


def unrecorded_batches() -> list[str]:
    """Return the accepted receipt batches that are not recorded yet, in the order they were received."""
    with connect("poster") as connection:
        return [batch_id for (batch_id,) in connection.execute(statement(PACKAGE, "unrecorded_batches"))]


def area_of_batch(batch_id: str) -> str | None:
    """Give the area of a batch that was received; None where none has this id."""
    with connect("poster") as connection:
        row = connection.execute("select area_code from intake.batch where batch_id = %s", [batch_id]).fetchone()
    return row[0] if row else None


def record_batch(batch_id: str, *, posted_by: str) -> Matching:
    """Record one batch in a transaction of its own; see :func:`record_receipts`."""
    with connect("poster") as connection:
        return record_receipts(connection, batch_id, posted_by=posted_by)


def record_receipts(connection: psycopg.Connection[Any], batch_id: str, *, posted_by: str) -> Matching:
    """Match the transactions of a batch and post what they mean, in the caller's transaction; once, however often.

    Raises:
        SettlementError: ``batch_not_accepted`` for a batch that is not an accepted bank receipt; those of the posting.
    """
    transaction_lock(connection, "receipts")
    batch = _batch(connection, batch_id)
    earlier = connection.execute(
        "select outcome_counts from ledger.receipt_batch where batch_id = %s", [batch_id]
    ).fetchone()
    if earlier:
        return Matching(batch_id, earlier[0], f"{batch_id}: already recorded 已入账 ({_in_words(earlier[0])})")

    decisions = _decide(connection, batch)
    _insert(connection, batch, decisions)
    connection.execute("select set_config('settlement.batch_id', %s, true)", [batch_id])
    for event in POSTED:
        post(connection, f"entries.entry_{event}", area_code=batch.area_code, purpose=event, posted_by=posted_by)
    counts = dict(decisions.counts)
    connection.execute(
        "insert into ledger.receipt_batch (batch_id, area_code, outcome_counts, recorded_by) values (%s, %s, %s, %s)",
        [batch_id, batch.area_code, json.dumps(counts), posted_by],
    )
    _alert(batch, counts)
    return Matching(batch_id, counts, f"{batch_id}: {_in_words(counts)}")


def _alert(batch: _Batch, counts: dict[str, int]) -> None:
    """Call for a person. It is said before the transaction ends, so that a crash may say it twice, and never not."""
    open_questions = {outcome: counts[outcome] for outcome in NEEDS_A_LOOK if counts.get(outcome)}
    if open_questions:
        log.error("%s: area %s, batch %s: %s", ALERT, batch.area_code, batch.batch_id, _in_words(open_questions))


def _batch(connection: psycopg.Connection[Any], batch_id: str) -> _Batch:
    with connection.cursor(row_factory=class_row(_Batch)) as cursor:
        batch = cursor.execute(
            "select batch_id, area_code, (created_at at time zone 'Asia/Shanghai')::date as received_on"
            " from intake.batch where batch_id = %s and kind = 'bank_receipt' and status = 'accepted'",
            [batch_id],
        ).fetchone()
    if batch is None:
        raise SettlementError(
            "batch_not_accepted",
            f"{batch_id} is not an accepted bank receipt batch",
            "receive it first (receive_batch), and read its receipt (回单批次未接收)",
        )
    return batch


def _decide(connection: psycopg.Connection[Any], batch: _Batch) -> _Decisions:
    """Decide about each new answer in its order; the counts include what is repeated."""
    with connection.cursor(row_factory=class_row(Answer)) as cursor:
        found = cursor.execute(
            statement(PACKAGE, "answers"), {"batch_id": batch.batch_id, "settled": list(SETTLED)}
        ).fetchall()
    known = _known(connection, [answer.bank_entry_id for answer in found])
    standings = _standings(connection, found)
    decisions = _Decisions()
    for answer in sorted(found, key=lambda answer: answer.order):
        if answer.bank_entry_id in known:
            decisions.counts["repeated"] += 1
            continue
        known.add(answer.bank_entry_id)
        standing = standings[answer.instruction_id]
        outcome = outcome_of(answer, standing)
        decisions.answers.append((answer, outcome))
        decisions.counts[outcome] += 1
        if answer.is_booked and outcome == "not_expected":
            _set_aside(answer, standing)
        events = _events(answer, outcome, standing, batch)
        decisions.events.extend(events)
        standing.events.update(event.event for event in events)
        standing.is_said_to_be_made |= answer.status in SETTLED
        decisions.counts.update(event.event for event in events[1:])  # an earlier credit that is explained now
    return decisions


def _standings(connection: psycopg.Connection[Any], answers: Sequence[Answer]) -> dict[UUID | None, Standing]:
    """Give how each instruction that the answers name stands before this batch."""
    standings = {
        answer.instruction_id: Standing(set(answer.events), is_said_to_be_made=answer.was_said_to_be_made)
        for answer in answers
    }
    instruction_ids = [instruction_id for instruction_id in standings if instruction_id]
    in_suspense = connection.execute(statement(PACKAGE, "in_suspense"), {"instruction_ids": instruction_ids})
    for instruction_id, bank_entry_id, side, booked_on, reason_code in in_suspense:
        if side == "debit":
            standings[instruction_id].debits_in_suspense += 1
        else:
            standings[instruction_id].credits_in_suspense.append(EarlierCredit(bank_entry_id, booked_on, reason_code))
    return standings


def _set_aside(answer: Answer, standing: Standing) -> None:
    """Let the instruction know of a movement that goes to suspense."""
    if answer.side == "debit":
        standing.debits_in_suspense += 1
    elif answer.booking_date:
        credit = EarlierCredit(answer.bank_entry_id, answer.booking_date, answer.reason_code)
        standing.credits_in_suspense.append(credit)


def _events(answer: Answer, outcome: str, standing: Standing, batch: _Batch) -> list[_Event]:
    """Give what the answer makes happen: a payment whose return came before it is paid and returned at once."""
    if outcome not in EVENTS:
        return []
    event_date = (answer.booking_date if answer.is_booked else None) or batch.received_on
    instruction = (answer.fixmedins_code, answer.instruction_id)
    events = [_Event(*instruction, outcome, answer.bank_entry_id, event_date, answer.reason_code)]
    if outcome == "paid" and standing.credits_in_suspense:
        credit = standing.credits_in_suspense.pop(0)
        returned_on = max(event_date, credit.booked_on)
        events.append(_Event(*instruction, "returned", credit.bank_entry_id, returned_on, credit.reason_code))
    return events


def _known(connection: psycopg.Connection[Any], ids: list[UUID]) -> set[UUID]:
    """Return which of these transactions are recorded already."""
    rows = connection.execute("select bank_entry_id from ledger.bank_entry where bank_entry_id = any(%s)", [ids])
    return {bank_entry_id for (bank_entry_id,) in rows}


def _insert(connection: psycopg.Connection[Any], batch: _Batch, decisions: _Decisions) -> None:
    with connection.cursor() as cursor:
        with cursor.copy(f"copy ledger.bank_entry ({ENTRY_COLUMNS}) from stdin") as rows:
            for answer, outcome in decisions.answers:
                rows.write_row(
                    [
                        answer.bank_entry_id,
                        batch.area_code,
                        batch.batch_id,
                        answer.message_id,
                        answer.kind,
                        answer.end_to_end_id,
                        answer.account_no,
                        answer.side,
                        answer.amount,
                        answer.booking_date,
                        answer.status,
                        answer.reason_code,
                        outcome,
                        answer.fixmedins_code,
                        answer.instruction_id,
                    ]
                )
        with cursor.copy(f"copy ledger.payment_event ({EVENT_COLUMNS}) from stdin") as rows:
            for event in decisions.events:
                rows.write_row(astuple(event))


def _in_words(counts: dict[str, int]) -> str:
    named = [f"{counts[outcome]} {words}" for outcome, words in WORDS.items() if counts.get(outcome)]
    return ", ".join(named) or "no transactions 无交易"
