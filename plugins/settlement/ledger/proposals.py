"""Posting what dbt proposes in a payment run: accruals, then what the review deducts or restores."""

from collections import Counter
from typing import Any

import psycopg

from settlement.ledger.posting import post
from settlement.ledger.transactions import Failures, each_in_a_transaction
from settlement.statements import statement
from settlement.warehouse import connect

EVENTS = ("accrued", "deducted", "restored")


def post_proposed_entries(*, area_code: str | None, posted_by: str, failures: Failures | None = None) -> dict[str, int]:
    """Post the proposed entries of one area, or of all; each area commits by itself.

    Args:
        area_code: The one area to post; None for every area with proposals.
        posted_by: Who started it.
        failures: Takes what goes wrong, by area, instead of its being raised in the end.

    Returns:
        The number of new entries by event.

    Raises:
        SettlementError: Those of the posting, after every other area was posted.
    """
    with connect("poster") as connection:
        areas = [area_code] if area_code else _areas_with_proposals(connection)
        connection.commit()
        counts = each_in_a_transaction(
            connection, areas, lambda area: _post_area(connection, area, posted_by), failures
        )
    return {event: sum(count[event] for count in counts) for event in EVENTS}


def _post_area(connection: psycopg.Connection[Any], area_code: str, posted_by: str) -> Counter[str]:
    """Post the events of an area in their order; return the number of new entries of each."""
    counts: Counter[str] = Counter()
    for event in EVENTS:
        relation = f"entries.entry_{event}"
        posting = post(connection, relation, area_code=area_code, purpose=event, posted_by=posted_by)
        counts[event] = posting.entry_count
    connection.execute(statement("settlement.ledger", "mark_batch_days_of_nothing"), {"area_code": area_code})
    return counts


def _areas_with_proposals(connection: psycopg.Connection[Any]) -> list[str]:
    return [area for (area,) in connection.execute(statement("settlement.ledger", "areas_with_proposals"))]
