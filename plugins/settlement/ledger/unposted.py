"""Which areas offer entries that the books do not hold: what is due there is not known yet, so nothing is paid."""

from settlement.statements import statement
from settlement.warehouse import connect


def areas_with_unposted_entries(area_code: str | None) -> list[str]:
    """Give the areas, of all or of the one, with a proposed entry that is not in the books."""
    with connect("poster") as connection:
        rows = connection.execute(
            statement("settlement.ledger", "areas_with_unposted_entries"), {"area_code": area_code}
        ).fetchall()
    return [area for (area,) in rows]
