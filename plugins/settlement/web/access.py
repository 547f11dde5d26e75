"""Who calls and what they may do: Airflow's own accounts and rights. The only module that knows Airflow's web side.

Airflow gives a mounted application neither authentication nor authorisation, so each is asked for here. What is used
is internal to Airflow; when it changes, this module changes and no other.
"""

from typing import Annotated

from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends, Request

from settlement.web.rate_limit import LIMIT
from settlement.web.same_origin import require_same_origin

RECEIVE_BATCH = "receive_batch"
SETTLE_DAY = "settle_day"
BOOK_MONTH = "book_month"

# Who may see the runs of a DAG may see what they brought about; who may start them may deliver.
may_read_batches = requires_access_dag("GET", DagAccessEntity.RUN, RECEIVE_BATCH)
may_deliver = requires_access_dag("POST", DagAccessEntity.RUN, RECEIVE_BATCH)
may_read_payments = requires_access_dag("GET", DagAccessEntity.RUN, SETTLE_DAY)
may_read_bookings = requires_access_dag("GET", DagAccessEntity.RUN, BOOK_MONTH)


async def signed_in(request: Request, user: GetUserDep) -> str:
    """Give the caller's account name, known from a bearer token or Airflow's session cookie.

    Raises:
        HTTPException: 401 without either.
        SettlementError: ``rate_limited``; ``origin_not_allowed``.
    """
    name = user.get_name()
    LIMIT.take(name)
    request.state.caller = name
    require_same_origin(request.method, request.headers, has_cookie=COOKIE_NAME_JWT_TOKEN in request.cookies)
    return name


Caller = Annotated[str, Depends(signed_in)]


def credential(request: Request) -> dict[str, str]:
    """The caller's own credential as headers, for calling Airflow's API in the caller's name."""
    authorization = request.headers.get("authorization")
    return {"Authorization": authorization or f"Bearer {request.cookies.get(COOKIE_NAME_JWT_TOKEN, '')}"}
