"""`GET /v1/cases/{setl_id}/grouping`: how a case was grouped and booked, in words and as data."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from psycopg.rows import dict_row

from settlement.errors import SettlementError
from settlement.user_areas import require_area
from settlement.warehouse import connect
from settlement.web.access import Caller, may_read_bookings
from settlement.web.answers import CaseGrouping

router = APIRouter(tags=["cases"], dependencies=[Depends(may_read_bookings)])

BOOKING = """
select
    bookings.setl_id,
    bookings.fixmedins_code,
    bookings.area_code,
    bookings.settlement_month,
    bookings.fund_pay_type,
    bookings.method,
    bookings.scheme_version,
    bookings.case_status,
    bookings.mdc,
    bookings.adrg,
    bookings.group_code,
    bookings.group_name,
    bookings.deviation_type,
    bookings.points::text as points,
    point_values.published_point_value::text as point_value,
    bookings.booked_amount::text as booked_amount,
    bookings.accrued_amount::text as accrued_amount,
    bookings.is_provisional,
    bookings.explanation,
    bookings.explanation_en,
    bookings.explanation_data as path
from marts.fct_case_bookings as bookings
left join marts.fct_point_values as point_values
    on bookings.area_code = point_values.area
    and bookings.settlement_month = point_values.month
    and bookings.fund_pay_type = point_values.fund_pay_type
    and bookings.scheme_version = point_values.scheme
where bookings.setl_id = %(setl_id)s
"""


@router.get("/cases/{setl_id}/grouping")
def read_grouping(caller: Caller, setl_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,30}$")]) -> CaseGrouping:
    """Say why a case is in its group, and why it is booked at its amount."""
    with connect("bi_reader", application_name="settlement api") as connection:
        row = connection.cursor(row_factory=dict_row).execute(BOOKING, {"setl_id": setl_id}).fetchone()
    if row is None:
        raise SettlementError(
            "case_not_found",
            f"{setl_id} is no inpatient settlement of a month that was booked (未找到该病例)",
            "check the id, and that book_month has booked its month (请核对编号, 并确认该月已记账)",
        )
    require_area(caller, row["area_code"])
    return CaseGrouping(**row)
