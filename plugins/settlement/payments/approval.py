"""The one decision on a request, by a rule or by a person, recorded as the role that does nothing else.

The database itself refuses whoever triggered the run (发起人不得审批), and a rule what only a person may approve.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

import psycopg

from settlement.errors import SettlementError
from settlement.ledger.transactions import Failures, each_in_a_transaction
from settlement.statements import statement
from settlement.warehouse import connect, transaction_lock

DECISIONS = ("approved", "rejected")


def approve_by_rule(areas: Iterable[str], *, pay_date: date, failures: Failures) -> None:
    """Approve what a rule may approve of the undecided requests of a pay date; each area commits by itself.

    Requests are made by another role, in another transaction: those that a killed run left undecided are taken as well.
    """
    with connect("decider") as connection:
        each_in_a_transaction(
            connection,
            areas,
            lambda area: connection.execute(
                statement("settlement.payments", "approve_by_rule"), {"area_code": area, "pay_date": pay_date}
            ),
            failures,
        )


def decide_request(request_id: UUID | str, *, decision: str, decided_by: str, reason: str) -> None:
    """Record a decision in a transaction of its own; see :func:`decide`."""
    with connect("decider") as connection:
        decide(connection, request_id, decision=decision, decided_by=decided_by, reason=reason)


def decide(
    connection: psycopg.Connection[Any], request_id: UUID | str, *, decision: str, decided_by: str, reason: str
) -> None:
    """Record that `decided_by` approves or rejects a request; the same answer by the same person again is ignored.

    Raises:
        SettlementError: ``request_unknown``; ``decision_invalid``; ``reason_missing`` for a rejection without one;
            ``already_decided`` by somebody else or otherwise; ``four_eyes`` for whoever triggered the run;
            ``request_differs`` where the request is not the sum of its lines.
    """
    if decision not in DECISIONS:
        raise SettlementError("decision_invalid", f"{decision!r} is no decision", f"use one of {', '.join(DECISIONS)}")
    if decision == "rejected" and not reason.strip():
        raise SettlementError(
            "reason_missing",
            f"request {request_id} is rejected without a reason",
            "say why: the reason stays with the request (退回须填写理由)",
        )
    transaction_lock(connection, "decide", str(request_id))
    if _is_repeated(connection, request_id, decision, decided_by):
        return
    try:
        with connection.transaction():
            connection.execute(
                "insert into ledger.payment_decision (request_id, decision, decided_by, is_by_rule, reason)"
                " values (%s, %s, %s, false, %s)",
                [request_id, decision, decided_by, reason.strip() or None],
            )
    except psycopg.errors.InsufficientPrivilege as error:
        raise SettlementError(
            "four_eyes",
            error.diag.message_primary or str(error),
            "another person must answer (发起人不得审批)",
        ) from error
    except psycopg.errors.CheckViolation as error:
        raise SettlementError(
            "request_differs",
            error.diag.message_primary or str(error),
            "reject it: its money is requested again with the next pay date (请款单与明细不符)",
        ) from error


def _is_repeated(connection: psycopg.Connection[Any], request_id: UUID | str, decision: str, decided_by: str) -> bool:
    """Whether this very answer is already recorded; any other earlier answer is an error."""
    row = connection.execute(
        "select decision, decided_by, is_by_rule from ledger.payment_request"
        " left join ledger.payment_decision using (request_id) where request_id = %s",
        [request_id],
    ).fetchone()
    if row is None:
        raise SettlementError("request_unknown", f"there is no payment request {request_id}", "check the request id")
    earlier, earlier_by, is_by_rule = row
    if earlier is None:
        return False
    if (earlier, earlier_by, is_by_rule) == (decision, decided_by, False):
        return True
    raise SettlementError(
        "already_decided",
        f"request {request_id} was already {earlier} by {earlier_by}",
        "the first decision counts; money of a rejected request is requested again with the next pay date",
    )
