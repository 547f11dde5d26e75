"""Payment requests: one per area, fund and pay date, measured against the month's cash plan (请款)."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import psycopg
from psycopg.rows import class_row

from settlement.errors import SettlementError
from settlement.ledger.transactions import Failures, each_in_a_transaction, hand_on
from settlement.payments.approval import approve_by_rule
from settlement.statements import statement
from settlement.warehouse import connect, transaction_lock

log = logging.getLogger(__name__)

PACKAGE = "settlement.payments"


@dataclass(frozen=True)
class Request:
    """One request with its plan figures, in yuan, and what became of it."""

    request_id: UUID
    area_code: str
    fund_pay_type: str
    pay_date: date
    purpose: str
    line_count: int
    total_amount: Decimal
    plan_amount: Decimal
    plan_used_before_amount: Decimal
    reserve_amount: Decimal
    reserve_used_amount: Decimal
    is_over_plan: bool
    approval_threshold_amount: Decimal
    requested_by: str
    status: str
    """``undecided``, ``approved``, ``rejected`` or ``instructed``."""

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody still has to decide: a rule decides at once or never."""
        return self.status == "undecided"


def request_payments(
    *,
    pay_date: date,
    area_code: str | None,
    triggered_by: str,
    without: Collection[str] = (),
    failures: Failures | None = None,
) -> list[Request]:
    """Request what is due on `pay_date` in one area, or in every area; each area commits by itself.

    Args:
        pay_date: The day to pay on.
        area_code: The one area to request for; None for every area with books.
        triggered_by: Who started it, and therefore cannot approve it.
        without: Areas to leave alone.
        failures: Takes what goes wrong, by area, instead of its being raised in the end.

    Returns:
        All requests of that pay date, also those an earlier call made, and what is undecided from earlier pay dates.
    """
    found: Failures = {}
    with connect("poster") as connection:
        areas = [area_code] if area_code else _areas(connection)
        connection.commit()
        requested = each_in_a_transaction(
            connection,
            [area for area in areas if area not in without],
            lambda area: create_requests(connection, area_code=area, pay_date=pay_date, triggered_by=triggered_by),
            found,
        )
        approve_by_rule(requested, pay_date=pay_date, failures=found)
        made = [requests_of(connection, area_code=area, pay_date=pay_date) for area in requested]
    hand_on(found, failures)
    return [request for requests in made for request in requests]


def undecided_requests(*, pay_date: date, area_code: str | None, without: Collection[str] = ()) -> list[Request]:
    """Return what still waits for a person, up to a pay date, in one area or in every area but `without`."""
    with connect("poster") as connection:
        found = requests_of(connection, area_code=area_code, pay_date=pay_date)
    return [request for request in found if request.needs_a_person and request.area_code not in without]


def create_requests(connection: psycopg.Connection[Any], *, area_code: str, pay_date: date, triggered_by: str) -> str:
    """Write the requests of an area in the caller's transaction, unless it was paid on this date or a later one.

    The suspensions of the date are kept with them. Returns the area.

    Raises:
        SettlementError: ``proposal_outdated`` if what was proposed is not what is due now.
    """
    transaction_lock(connection, "pay", area_code)
    scope = {"area_code": area_code, "pay_date": pay_date}
    if not _is_paid_through(connection, scope):
        _refuse_outdated(connection, scope)
        connection.execute(
            "insert into ledger.payment_run (area_code, pay_date, triggered_by) values (%s, %s, %s)",
            [area_code, pay_date, triggered_by],
        )
        connection.execute(statement(PACKAGE, "insert_suspensions"), scope)
        _insert_requests(connection, scope, triggered_by)
    return area_code


def requests_of(connection: psycopg.Connection[Any], *, area_code: str | None, pay_date: date) -> list[Request]:
    """Return the requests of a pay date in one area, or in every area, and the undecided ones of earlier pay dates.

    A run that was interrupted before its questions were answered leaves those: whoever comes next asks them again.
    """
    with connection.cursor(row_factory=class_row(Request)) as cursor:
        scope = {"area_code": area_code, "pay_date": pay_date}
        return cursor.execute(statement(PACKAGE, "requests"), scope).fetchall()


def request_id(area_code: str, fund_pay_type: str, pay_date: date, purpose: str) -> UUID:
    """Return the id of the one request of its area, fund, pay date and purpose."""
    return uuid5(NAMESPACE_URL, "|".join(["request", area_code, fund_pay_type, pay_date.isoformat(), purpose]))


def _areas(connection: psycopg.Connection[Any]) -> list[str]:
    """Return every area whose settlements are in the books: each gets its pay date, also when nothing is due."""
    rows = connection.execute("select distinct area_code from ledger.posting_run order by area_code")
    return [area for (area,) in rows]


def _is_paid_through(connection: psycopg.Connection[Any], scope: dict[str, Any]) -> bool:
    """Pay dates go forward: whether the area was already paid on this date or a later one."""
    query = "select from ledger.payment_run where area_code = %(area_code)s and pay_date >= %(pay_date)s limit 1"
    if connection.execute(query, scope).fetchone() is None:
        return False
    log.info("area %(area_code)s was paid on %(pay_date)s or later: nothing new is requested", scope)
    return True


def _refuse_outdated(connection: psycopg.Connection[Any], scope: dict[str, Any]) -> None:
    connection.execute("select set_config('settlement.pay_date', %(pay_date)s::text, true)", scope)
    connection.execute("select set_config('settlement.area_code', %(area_code)s, true)", scope)
    row = connection.execute(statement(PACKAGE, "outdated_proposals"), scope).fetchone()
    if row and row[0]:
        raise SettlementError(
            "proposal_outdated",
            f"{row[0]} proposed payments of area {scope['area_code']} are not what is due on {scope['pay_date']} now",
            "nothing was requested; propose again: run this pay date again (拨付建议已过期, 请重跑)",
        )


def _insert_requests(connection: psycopg.Connection[Any], scope: dict[str, Any], requested_by: str) -> None:
    keys = connection.execute(statement(PACKAGE, "request_keys"), scope).fetchall()
    if not keys:
        return
    ids = [request_id(scope["area_code"], fund, scope["pay_date"], purpose) for fund, purpose in keys]
    funds, purposes = [fund for fund, _ in keys], [purpose for _, purpose in keys]
    connection.execute(
        statement(PACKAGE, "insert_requests"),
        {**scope, "funds": funds, "purposes": purposes, "request_ids": ids, "requested_by": requested_by},
    )
    connection.execute(statement(PACKAGE, "insert_request_lines"), scope)
