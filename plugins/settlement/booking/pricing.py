"""Grouping and pricing: one dbt build a month, from accepted lists to what each case should be booked at."""

from settlement.warehouse import dbt
from settlement.warehouse.locks import session_lock

STAGES = "tag:drg_grouping tag:dip_grouping tag:case_booking tag:booking"


def price_month(*, month: str, area_code: str | None, is_provisional: bool) -> int:
    """Group and price the inpatient cases of a month, and propose what the books still lack of it.

    Args:
        month: The settlement month, as 2026-03.
        area_code: The one area; None for every area.
        is_provisional: Case by case before the month is over, at a value set beforehand.

    Returns:
        The count of models and tests.

    Raises:
        SettlementError: ``dbt_failed``.
    """
    settings = {"booked_month": month, "booking": "provisional" if is_provisional else "month"}
    if area_code:
        settings["area_code"] = area_code
    # The models hold the cases of one run: nobody may group others by hand meanwhile.
    with session_lock("loader", "grouping"):
        return dbt.build(STAGES, settings).node_count
