"""`GET /v1/payments`: instructions and their states, page by page."""

import base64
import json
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from psycopg.rows import dict_row

from settlement.errors import SettlementError
from settlement.user_areas import areas_of, require_area
from settlement.warehouse import connect
from settlement.web.access import Caller, may_read_payments
from settlement.web.answers import Payment, PaymentPage

router = APIRouter(tags=["payments"], dependencies=[Depends(may_read_payments)])

# Instructions are only ever added, so whoever follows the cursor misses none that existed when the reading began.
PAGE = """
select
    fct_payment_instructions.instruction_id::text as instruction_id,
    fct_payment_instructions.request_id::text as request_id,
    fct_payment_requests.area_code,
    fct_payment_requests.pay_date,
    fct_payment_requests.purpose,
    fct_payment_instructions.fixmedins_code,
    fct_payment_instructions.fund_pay_type,
    fct_payment_instructions.settlement_month,
    fct_payment_instructions.amount::text as amount,
    fct_payment_instructions.status,
    fct_payment_instructions.replaces_instruction_id::text as replaces_instruction_id
from marts.fct_payment_instructions
inner join marts.fct_payment_requests
    on fct_payment_instructions.request_id = fct_payment_requests.request_id
where (%(areas)s::text [] is null or fct_payment_requests.area_code = any(%(areas)s))
    and (%(pay_date)s::date is null or fct_payment_requests.pay_date = %(pay_date)s)
    and (
        %(after_date)s::date is null
        or (fct_payment_requests.pay_date, fct_payment_instructions.instruction_id)
        > (%(after_date)s, %(after_id)s::uuid)
    )
order by fct_payment_requests.pay_date, fct_payment_instructions.instruction_id
limit %(limit)s
"""


@router.get("/payments")
def read_payments(
    caller: Caller,
    area_code: Annotated[str | None, Query(pattern=r"^[0-9]{6}$", description="Empty: all the caller may see.")] = None,
    pay_date: Annotated[date | None, Query(description="Empty: every pay date.")] = None,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> PaymentPage:
    """List payment instructions by pay date."""
    require_area(caller, area_code)
    after_date, after_id = _read_cursor(cursor) if cursor else (None, None)
    parameters = {
        "areas": [area_code] if area_code else areas_of(caller),
        "pay_date": pay_date,
        "after_date": after_date,
        "after_id": after_id,
        "limit": limit + 1,
    }
    with connect("bi_reader", application_name="settlement api") as connection:
        rows = connection.cursor(row_factory=dict_row).execute(PAGE, parameters).fetchall()
    payments = [Payment(**row) for row in rows[:limit]]
    return PaymentPage(payments=payments, next_cursor=_cursor(rows[limit - 1]) if len(rows) > limit else None)


def _cursor(row: dict[str, Any]) -> str:
    place = json.dumps([row["pay_date"].isoformat(), row["instruction_id"]])
    return base64.urlsafe_b64encode(place.encode()).decode()


def _read_cursor(cursor: str) -> tuple[date, UUID]:
    try:
        day, instruction_id = json.loads(base64.urlsafe_b64decode(cursor))
        return date.fromisoformat(day), UUID(instruction_id)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise SettlementError(
            "cursor_invalid",
            f"{cursor!r} is no cursor of this API (分页游标无效)",
            "take next_cursor as it is, or begin without one (请原样使用 next_cursor, 或从头开始)",
        ) from None
