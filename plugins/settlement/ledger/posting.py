"""Posting: put the entries that should exist into the books, each event once, and seal the run.

dbt proposes, the ledger disposes: an ``entry_<event>`` relation offers one row a side of each event that should
exist, and this module is the only writer of ``ledger.entry`` and ``ledger.entry_line``.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from settlement.errors import SettlementError
from settlement.ledger import invariants, seals
from settlement.statements import statement
from settlement.warehouse import transaction_lock

PACKAGE = "settlement.ledger"
FAULTS = {
    "event_repeated": "offers a line of this event twice",
    "event_inconsistent": "offers this event with different dates, funds or sources",
    "line_invalid": "offers a side other than debit or credit, or an amount that is not positive whole fen",
}


@dataclass(frozen=True)
class Posting:
    """What one call put into the books; without a run nothing was new."""

    posting_run_id: int | None
    entry_count: int
    line_count: int
    total_amount: Decimal
    """Sum of the debit lines, in yuan."""
    seal: str
    """The area's newest seal."""


def post(
    connection: psycopg.Connection[Any], relation: str, *, area_code: str, purpose: str, posted_by: str
) -> Posting:
    """Post the events of `relation` that the books of `area_code` do not hold yet, in the caller's transaction.

    Two posters of an area wait for each other. Offering the same events again changes nothing. After an error
    nothing of this call remains, even if the caller goes on.

    Args:
        connection: As poster; the caller commits.
        relation: Table or view with one row a side of each event, e.g. ``entries.entry_accrued``.
        area_code: Only the relation's rows of this area are posted.
        purpose: What the run is for, kept with it, e.g. ``accrued``.
        posted_by: Who started it.

    Raises:
        SettlementError: ``event_repeated``, ``event_inconsistent``, ``line_invalid``, ``event_unbalanced`` for a
            faulty proposal; ``event_differs`` if the books hold the event otherwise; ``month_closed``;
            ``invariant_broken``.
    """
    transaction_lock(connection, "post", area_code)
    with connection.transaction():
        _propose(connection, relation, area_code)
        _refuse_faults(connection, relation)
        _drop_what_is_booked(connection, relation)
        return _insert(connection, relation, area_code=area_code, purpose=purpose, posted_by=posted_by)


def _propose(connection: psycopg.Connection[Any], relation: str, area_code: str) -> None:
    """Take the relation's lines of the area down into ``pg_temp.posting_proposal``."""
    connection.execute("drop table if exists pg_temp.posting_proposal")
    query = statement(PACKAGE, "propose").format(relation=sql.Identifier(*relation.split(".")))
    connection.execute(query, {"area_code": area_code})


def _refuse_faults(connection: psycopg.Connection[Any], relation: str) -> None:
    row = connection.execute(statement(PACKAGE, "proposal_faults")).fetchone()
    if row is not None:
        fault, event_id = row
        raise _refusal(fault, f"{relation} {FAULTS[fault]}: {event_id}")


def _refusal(fault: str, message: str) -> SettlementError:
    return SettlementError(
        fault, message, "nothing was posted; mend the model that proposes it (未入账, 请修正分录模型)"
    )


def _drop_what_is_booked(connection: psycopg.Connection[Any], relation: str) -> None:
    """Keep of the proposal what the books do not hold, and make sure that they hold the rest as it is offered."""
    if connection.execute(statement(PACKAGE, "booked_event")).fetchone() is None:
        return
    _refuse_differences(connection, relation)
    connection.execute(statement(PACKAGE, "drop_booked_events"))


def _insert(
    connection: psycopg.Connection[Any], relation: str, *, area_code: str, purpose: str, posted_by: str
) -> Posting:
    """Record what is new as a sealed run, insert it, and prove the run."""
    previous_seal = seals.last_seal(connection, area_code)
    totals = connection.execute(statement(PACKAGE, "proposal_totals")).fetchone()
    assert totals is not None
    entry_count, line_count, total_amount = totals
    if not entry_count:
        return Posting(None, 0, 0, Decimal("0.00"), previous_seal)

    seal = seals.seal_proposal(connection, previous_seal)
    run = {
        "area_code": area_code,
        "purpose": purpose,
        "entry_count": entry_count,
        "total_amount": total_amount,
        "previous_seal": previous_seal,
        "seal": seal,
        "posted_by": posted_by,
    }
    row = connection.execute(statement(PACKAGE, "insert_posting_run"), run).fetchone()
    assert row is not None
    run_id = int(row[0])
    _insert_entries(connection, relation, run_id)
    connection.execute(statement(PACKAGE, "insert_accrued_batch_days"), {"posting_run_id": run_id})
    invariants.check_run(connection, run_id)
    return Posting(run_id, entry_count, line_count, total_amount, seal)


def _insert_entries(connection: psycopg.Connection[Any], relation: str, posting_run_id: int) -> None:
    """Insert the entries with their lines; what the ledger itself refuses is told in the words of a proposal."""
    try:
        connection.execute(statement(PACKAGE, "insert_entries"), {"posting_run_id": posting_run_id})
    except psycopg.errors.CheckViolation as error:
        message = error.diag.message_primary or str(error)
        if "does not balance" in message:
            raise _refusal("event_unbalanced", f"{relation}: {message}") from error
        if "closed month" in message:
            raise SettlementError(
                "month_closed", message, "book it in the first open month (关账期间不得入账)"
            ) from error
        raise


def _refuse_differences(connection: psycopg.Connection[Any], relation: str) -> None:
    """Refuse an event that the books hold with other lines: silently skipping it would hide a changed amount."""
    row = connection.execute(statement(PACKAGE, "differing_event")).fetchone()
    if row is None:
        return
    event_id, found_in, side, account, amount = row
    where = relation if found_in == "offered" else "the books"
    raise SettlementError(
        "event_differs",
        f"{event_id} is in the books with other lines than {relation} offers:"
        f" only {where} has {side} {account} {amount}",
        "what is booked stays; correct it with a reversing entry of its own (更正只能新增冲正分录)",
    )
