"""Match what the bank answered to instructions, and book what it means (回单匹配入账).

Only a booked debit pays an instruction; a rejection or a booked credit makes the money payable again. Within a batch
booked debits come first, then statuses, then booked credits, so the order of its messages is of no matter.
"""

import json
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import psycopg
from psycopg.rows import class_row

from settlement.banking.payment_file import CURRENCY
from settlement.errors import SettlementError
from settlement.ledger.posting import post
from settlement.statements import statement
from settlement.warehouse import connect, transaction_lock

log = logging.getLogger(__name__)

PACKAGE = "settlement.banking"
REJECTED = "RJCT"
PENDING = ("PDNG", "FUTR", "INFO", "RCVD")
EVENTS = ("paid", "rejected", "returned")
POSTED = (*EVENTS, "suspense")
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
    """What recording one batch found: the number of transactions by outcome."""

    batch_id: str
    counts: dict[str, int]
    summary: str


@dataclass(frozen=True)
class Answer:
    """One transaction of the bank's, with the instruction it names and the events that instruction already has."""

    message_id: str | None
    is_booked: bool
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
    instruction_area_code: str | None
    instruction_amount: Decimal | None
    has_account: bool | None
    events: Sequence[str]

    @property
    def kind(self) -> str:
        """Whether it says that money moved, or only how far a payment has come."""
        return "booked" if self.is_booked else "status"

    @property
    def order(self) -> tuple[int, str, str, str]:
        """The place in its batch: money that left, then statuses, then money that came back."""
        step = {"debit": 0, "credit": 2}.get(self.side or "", 1) if self.is_booked else 1
        return (step, str(self.booking_date), self.end_to_end_id or "", self.status or "")

    @property
    def bank_entry_id(self) -> UUID:
        """The identity of the transaction, whichever message brings it.

        A booked one is known by end-to-end id, side, amount and date, a status by end-to-end id and code. Money
        without an id is told apart by the bank's reference, or else by its place in its message.
        """
        key = ["bank entry", self.kind, self.end_to_end_id or self._bank_reference()]
        if self.is_booked:
            key += [str(self.side), str(self.amount), str(self.booking_date)]
        else:
            key += [str(self.status)]
        return uuid5(NAMESPACE_URL, "|".join(key))

    def _bank_reference(self) -> str:
        if self.servicer_reference:
            return f"{self.account_no}/{self.servicer_reference}"
        return f"{self.message_id}/{self.entry_reference}/{self.line_no}"


@dataclass(frozen=True)
class _Batch:
    """The received batch; `received_on` dates what carries no date itself."""

    batch_id: str
    area_code: str
    received_on: date


def outcome_of(answer: Answer, events: Collection[str]) -> str:
    """Decide what an answer means for its instruction, which has had `events` so far."""
    if answer.instruction_id is None:
        return "unknown"
    untouched = bool(answer.has_account) and not events
    if answer.is_booked:
        if answer.amount != answer.instruction_amount or answer.currency != CURRENCY:
            return "amount_differs"
        if answer.side == "debit":
            return "paid" if untouched else "not_expected"
        return "returned" if set(events) == {"paid"} else "not_expected"
    if answer.status == REJECTED:
        return "rejected" if untouched else "not_expected"
    return "pending" if answer.side or answer.status in PENDING else "accepted"


def unrecorded_batches() -> list[str]:
    """Return the accepted receipt batches that are not recorded yet, in the order they were received."""
    with connect("poster") as connection:
        return [batch_id for (batch_id,) in connection.execute(statement(PACKAGE, "unrecorded_batches"))]


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

    answers, counts = _decide(connection, batch)
    _insert(connection, batch, answers)
    areas = {batch.area_code, *(answer.instruction_area_code or batch.area_code for answer, _ in answers)}
    connection.execute("select set_config('settlement.batch_id', %s, true)", [batch_id])
    for area_code in sorted(areas):
        for event in POSTED:
            post(connection, f"entries.entry_{event}", area_code=area_code, purpose=event, posted_by=posted_by)
    connection.execute(
        "insert into ledger.receipt_batch (batch_id, area_code, outcome_counts, recorded_by) values (%s, %s, %s, %s)",
        [batch_id, batch.area_code, json.dumps(counts), posted_by],
    )
    for outcome in NEEDS_A_LOOK:
        if counts.get(outcome):
            log.warning("receipt batch %s: %d transactions %s", batch_id, counts[outcome], WORDS[outcome])
    return Matching(batch_id, counts, f"{batch_id}: {_in_words(counts)}")


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


def _decide(connection: psycopg.Connection[Any], batch: _Batch) -> tuple[list[tuple[Answer, str]], dict[str, int]]:
    """Give each new answer with its outcome, in order, and the counts by outcome including what is repeated."""
    with connection.cursor(row_factory=class_row(Answer)) as cursor:
        found = cursor.execute(statement(PACKAGE, "answers"), {"batch_id": batch.batch_id}).fetchall()
    known = _known(connection, [answer.bank_entry_id for answer in found])
    events = {answer.instruction_id: set(answer.events) for answer in found}
    decided: list[tuple[Answer, str]] = []
    counts: Counter[str] = Counter()
    for answer in sorted(found, key=lambda answer: answer.order):
        if answer.bank_entry_id in known:
            counts["repeated"] += 1
            continue
        known.add(answer.bank_entry_id)
        outcome = outcome_of(answer, events[answer.instruction_id])
        if outcome in EVENTS:
            events[answer.instruction_id].add(outcome)
        decided.append((answer, outcome))
        counts[outcome] += 1
    return decided, dict(counts)


def _known(connection: psycopg.Connection[Any], ids: list[UUID]) -> set[UUID]:
    """Return which of these transactions are recorded already."""
    rows = connection.execute("select bank_entry_id from ledger.bank_entry where bank_entry_id = any(%s)", [ids])
    return {bank_entry_id for (bank_entry_id,) in rows}


def _insert(connection: psycopg.Connection[Any], batch: _Batch, answers: Sequence[tuple[Answer, str]]) -> None:
    with connection.cursor() as cursor:
        with cursor.copy(f"copy ledger.bank_entry ({ENTRY_COLUMNS}) from stdin") as rows:
            for answer, outcome in answers:
                rows.write_row(
                    [
                        answer.bank_entry_id,
                        answer.instruction_area_code or batch.area_code,
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
            for answer, outcome in answers:
                if outcome in EVENTS:
                    event_date = answer.booking_date if answer.is_booked else batch.received_on
                    rows.write_row(
                        [
                            answer.fixmedins_code,
                            answer.instruction_id,
                            outcome,
                            answer.bank_entry_id,
                            event_date,
                            answer.reason_code,
                        ]
                    )


def _in_words(counts: dict[str, int]) -> str:
    named = [f"{counts[outcome]} {words}" for outcome, words in WORDS.items() if counts.get(outcome)]
    return ", ".join(named) or "no transactions 无交易"
