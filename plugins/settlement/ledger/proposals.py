"""Posting what dbt proposes in a payment run: accruals, then what the review deducts or restores."""

from typing import Any

import psycopg

from settlement.ledger.posting import post
from settlement.statements import statement
from settlement.warehouse import connect

EVENTS = ("accrued", "deducted", "restored")


def post_proposed_entries(*, area_code: str | None, posted_by: str) -> dict[str, int]:
    """Post the proposed entries of one area, or of all; each area commits by itself, so one failing stops no other
    that came before it.

    Returns:
        The number of new entries by event.
    """
    counts = dict.fromkeys(EVENTS, 0)
    with connect("poster") as connection:
        areas = [area_code] if area_code else _areas_with_proposals(connection)
        connection.commit()
        for area in areas:
            with connection.transaction():
                for event in EVENTS:
                    counts[event] += post(
                        connection, f"entries.entry_{event}", area_code=area, purpose=event, posted_by=posted_by
                    ).entry_count
                connection.execute(statement("settlement.ledger", "mark_batch_days_of_nothing"), {"area_code": area})
    return counts


def _areas_with_proposals(connection: psycopg.Connection[Any]) -> list[str]:
    return [area for (area,) in connection.execute(statement("settlement.ledger", "areas_with_proposals"))]
