"""Who calls and what they may do: Airflow's own accounts and rights. The only module that knows Airflow's web side.

Airflow gives a mounted application neither authentication nor authorisation, so each is asked for here. What is used
is internal to Airflow; when it changes, this module and the auth manager beside it change and no other.
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Literal

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.auth.tokens import JWTValidator
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag, resolve_user_from_token
from airflow.api_fastapi.execution_api.app import _jwt_validator
from airflow.configuration import conf
from fastapi import Depends, HTTPException, Request
from jwt import InvalidTokenError

from settlement.errors import SettlementError
from settlement.web.rate_limit import LIMIT
from settlement.web.same_origin import require_same_origin

RECEIVE_BATCH = "receive_batch"
RECORD_RECEIPTS = "record_receipts"
SETTLE_DAY = "settle_day"
BOOK_MONTH = "book_month"
STARTED_DAGS = (RECEIVE_BATCH, RECORD_RECEIPTS, SETTLE_DAY, BOOK_MONTH)

Right = Callable[[Request, BaseUser], None]


def _may(method: Literal["GET", "POST"], dag_id: str) -> Right:
    """Make a dependency: the caller has this right to the runs of the DAG, over all of Airflow or over this API alone.

    It raises HTTPException: 403 without.
    """
    in_airflow = requires_access_dag(method, DagAccessEntity.RUN, dag_id)

    def inner(request: Request, user: GetUserDep) -> None:
        over_this_api = getattr(get_auth_manager(), "may_over_status_api", None)
        if not (over_this_api and over_this_api(method=method, dag_id=dag_id, user=user)):
            in_airflow(request, user)

    return inner


# Who may see the runs of a DAG may see what they brought about; who may start them may deliver.
may_read_batches = _may("GET", RECEIVE_BATCH)
may_deliver = _may("POST", RECEIVE_BATCH)
may_read_payments = _may("GET", SETTLE_DAY)
may_read_bookings = _may("GET", BOOK_MONTH)
_READING = {dag_id: _may("GET", dag_id) for dag_id in STARTED_DAGS}
_STARTING = {dag_id: _may("POST", dag_id) for dag_id in STARTED_DAGS}


def known_dag(request: Request) -> None:
    """Let the DAG in the path be one whose runs are started and shown here. Raises SettlementError: dag_not_found."""
    if request.path_params["dag_id"] not in STARTED_DAGS:
        raise SettlementError(
            "dag_not_found",
            f"no runs of {request.path_params['dag_id'][:100]!r} are started or shown here (未提供该流程)",
            f"there are {', '.join(STARTED_DAGS)} (可用流程见左)",
        )


def may_read_run(request: Request, user: GetUserDep) -> None:
    """Let a caller read runs of the DAG in the path. Raises HTTPException: 403."""
    _READING[request.path_params["dag_id"]](request, user)


def may_start_run(request: Request, user: GetUserDep) -> None:
    """Let a caller start runs of the DAG in the path. Raises HTTPException: 403."""
    _STARTING[request.path_params["dag_id"]](request, user)


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


async def account_of(token: str | None) -> str:
    """Give the account of a token. Raises HTTPException: 401 or 403 where it is none, or is over."""
    return str((await resolve_user_from_token(token)).get_name())


async def is_account(token: str | None) -> bool:
    """Whether the token is one of an account."""
    try:
        await account_of(token)
    except HTTPException:
        return False
    return True


async def is_task(token: str | None) -> bool:
    """Whether the token is one that Airflow gave to a task of its own."""
    try:
        await task_tokens().avalidated_claims(token or "")
    except InvalidTokenError:
        return False
    return True


@cache
def task_tokens() -> JWTValidator:
    """Give what tokens of tasks are held against, as Airflow's own execution API has it."""
    return _jwt_validator()


def server_secret() -> bytes:
    """The key that all api-servers of an installation share."""
    return str(conf.get("api", "secret_key")).encode()
