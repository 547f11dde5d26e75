"""Putting what was booked by points into the books, and the point values on record."""

from typing import Any

import psycopg

from settlement.ledger.posting import post
from settlement.ledger.transactions import Failures, each_in_a_transaction
from settlement.statements import statement
from settlement.warehouse import connect

PACKAGE = "settlement.booking"


def post_bookings(*, area_code: str | None, posted_by: str, failures: Failures | None = None) -> int:
    """Post the proposed differences between booked and accrued, area by area, and record new point values.

    Returns:
        The number of new entries.

    Raises:
        SettlementError: Those of the posting, after every other area was posted.
    """
    with connect("poster") as connection:
        areas = [area_code] if area_code else _areas(connection)
        connection.commit()
        counts = each_in_a_transaction(
            connection, areas, lambda area: _post_area(connection, area, posted_by), failures
        )
    return sum(counts)


def _post_area(connection: psycopg.Connection[Any], area_code: str, posted_by: str) -> int:
    posting = post(connection, "entries.entry_booked", area_code=area_code, purpose="booked", posted_by=posted_by)
    connection.execute(statement(PACKAGE, "publish_point_values"), {"area_code": area_code, "published_by": posted_by})
    return posting.entry_count


def _areas(connection: psycopg.Connection[Any]) -> list[str]:
    return [area for (area,) in connection.execute(statement(PACKAGE, "areas_with_bookings"))]
