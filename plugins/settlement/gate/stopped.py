"""Batches that Great Expectations has stopped, and those it has not seen yet."""

from settlement.statements import statement
from settlement.warehouse.connect import connect

ROLE = "loader"
PACKAGE = "settlement.gate"


def anything_unseen() -> bool:
    """Whether a batch was accepted that no run of the expectations has judged."""
    with connect(ROLE) as connection:
        row = connection.execute(statement(PACKAGE, "has_unseen_batches")).fetchone()
    return bool(row and row[0])


def stopped_batches(area_code: str | None) -> dict[str, str]:
    """Give the stopped batches of an area, or of every area, each with the rules it breaks."""
    with connect(ROLE) as connection:
        rows = connection.execute(statement(PACKAGE, "stopped_batches"), {"area_code": area_code}).fetchall()
    return {batch_id: broken_rules for batch_id, broken_rules in rows}
