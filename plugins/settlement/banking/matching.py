"""Match what the bank answered to instructions, and book what it means (回单匹配入账).

Within a batch booked debits come first, then statuses, then booked credits, so the order of its messages is of no
matter. Between batches a credit may come before its debit: it waits in suspense, and the debit then pays and returns at
once. What is held is judged again with each batch of its area, because the same notice is loaded only once: when its
account is known by now, or its day has come, it is another transaction, and booked.

The bank of one area says nothing about another's: an answer decides only about instructions of its batch's area.
"""

import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from settlement.banking.answers import FINDINGS, Answer, EarlierCredit, Meaning, Standing, meaning_of
from settlement.banking.bookings import Bookings
from settlement.banking.statuses import SETTLED
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
WORDS = {
    "paid": "paid 已到账",
    "rejected": "rejected 拒付",
    "returned": "returned 退汇",
    "accepted": "accepted by the bank 银行受理",
    "pending": "pending 处理中",
    "unknown": "unknown 无对应指令",
    "amount_differs": "amount differs 金额不符",
    "not_expected": "not expected 状态不符",
    "held": "held 暂挂未入账",
    "repeated": "repeated 重复",
}
ENTRY_COLUMNS = (
    "bank_entry_id, area_code, batch_id, message_id, kind, end_to_end_id, account_no, side, amount, currency,"
    " booked_on, booking_reference, booking_amount, is_detail, status_code, reason_code, outcome, finding,"
    " explains_bank_entry_id, fixmedins_code, instruction_id"
)
EVENT_COLUMNS = "fixmedins_code, instruction_id, event, bank_entry_id, event_date, reason_code"


@dataclass(frozen=True)
class Matching:
    """What recording one batch found: the number of transactions by outcome, and of those for a person by finding.

    An earlier credit that this batch explains counts here as `returned`.
    """

    batch_id: str
    counts: dict[str, int]
    summary: str
    findings: dict[str, int] = field(default_factory=dict)


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


@dataclass(frozen=True)
class _Decision:
    """One new answer, what it means, and the movement in suspense that it is a transaction of."""

    answer: Answer
    meaning: Meaning
    explains_bank_entry_id: UUID | None


@dataclass
class _Decisions:
    """What a batch says: its new answers with what they mean, in order, and the events that follow."""

    answers: list[_Decision] = field(default_factory=list)
    events: list[_Event] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)


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
    _require_entries(connection, batch_id)
    counts, findings = dict(decisions.counts), dict(decisions.findings)
    connection.execute(
        "insert into ledger.receipt_batch (batch_id, area_code, outcome_counts, recorded_by) values (%s, %s, %s, %s)",
        [batch_id, batch.area_code, json.dumps(counts), posted_by],
    )
    _alert(batch, findings)
    questions = f"; needs a person 须人工核查: {_named(findings, FINDINGS)}" if findings else ""
    return Matching(batch_id, counts, f"{batch_id}: {_in_words(counts)}{questions}", findings)


def _alert(batch: _Batch, findings: dict[str, int]) -> None:
    """Call for a person. It is said before the transaction ends, so that a crash may say it twice, and never not."""
    if findings:
        log.error("%s: area %s, batch %s: %s", ALERT, batch.area_code, batch.batch_id, _named(findings, FINDINGS))


def _require_entries(connection: psycopg.Connection[Any], batch_id: str) -> None:
    """Refuse to record what the books would not hold: an event that no posting rule books would be lost in silence."""
    missing = connection.execute(statement(PACKAGE, "missing_entries"), {"batch_id": batch_id}).fetchone()
    if missing is not None:
        raise SettlementError(
            "event_without_entry",
            f"{batch_id}: {missing[0]} would be recorded without an entry in the books (事件没有对应分录)",
            "nothing of the batch was recorded; look whether a posting rule is in force on its date"
            " (整批未入账, 请核对该日期是否有生效的记账规则)",
        )


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
    bookings = Bookings.recorded(connection, batch.area_code, found)
    decisions = _Decisions()
    for answer in sorted(found, key=lambda answer: answer.order):
        if answer.bank_entry_id in known or bookings.tells(answer):
            decisions.counts.update([] if answer.was_held else ["repeated"])
            continue
        known.add(answer.bank_entry_id)
        standing = standings[answer.instruction_id]
        meaning = meaning_of(answer, standing)
        decisions.answers.append(_Decision(answer, meaning, bookings.take(answer, meaning)))
        decisions.counts[meaning.outcome] += 1
        decisions.findings.update([meaning.finding] if meaning.finding else [])
        if answer.is_booked and meaning.outcome == "not_expected":
            _set_aside(answer, standing)
        events = _events(answer, meaning.outcome, standing, batch)
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
    """Give what the answer makes happen: a payment whose return came before it is paid and returned at once.

    A status has no date of its own and is of the day it was received, but never before the payment's own: that day is
    the sender's word.
    """
    if outcome not in EVENTS:
        return []
    event_date = answer.booking_date if answer.is_booked else None
    event_date = event_date or max(batch.received_on, answer.pay_date or batch.received_on)
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
            for decision in decisions.answers:
                answer = decision.answer
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
                        answer.currency,
                        answer.booking_date,
                        answer.booking_reference,
                        answer.booking_amount,
                        answer.is_detail,
                        answer.status,
                        answer.reason_code,
                        decision.meaning.outcome,
                        decision.meaning.finding,
                        decision.explains_bank_entry_id,
                        answer.fixmedins_code,
                        answer.instruction_id,
                    ]
                )
        with cursor.copy(f"copy ledger.payment_event ({EVENT_COLUMNS}) from stdin") as rows:
            for event in decisions.events:
                rows.write_row(astuple(event))


def _in_words(counts: dict[str, int]) -> str:
    return _named(counts, WORDS) or "no transactions 无交易"


def _named(counts: dict[str, int], words: dict[str, str]) -> str:
    return ", ".join(f"{counts[name]} {meaning}" for name, meaning in words.items() if counts.get(name))
