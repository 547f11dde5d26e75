"""`POST /v1/runs/{dag_id}`, `GET /v1/runs/{dag_id}/{run_id}`: start runs with the caller's own rights, follow them."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Request, Response, status
from fastapi.concurrency import run_in_threadpool

from settlement.errors import SettlementError
from settlement.user_areas import require_area, require_batch, require_batch_id, require_every_area
from settlement.user_kinds import require_divided_duties, require_kind
from settlement.warehouse import connect
from settlement.web import audit
from settlement.web.access import (
    RECORD_RECEIPTS,
    SETTLE_DAY,
    STARTED_DAGS,
    Caller,
    known_dag,
    may_read_run,
    may_start_run,
)
from settlement.web.answers import FollowedRun
from settlement.web.audit import AuditedRoute, Subject
from settlement.web.batch_ids import require_form
from settlement.web.batches import batch_known_as
from settlement.web.rate_limit import RUN_STARTS
from settlement.web.runs import check_parameters, conf_of, digest, find, shown, start

router = APIRouter(route_class=AuditedRoute, tags=["runs"])
reading = APIRouter(tags=["runs"])

DagId = Annotated[str, Path(description=f"One of {', '.join(STARTED_DAGS)}.")]
RunId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:+~-]{1,250}$")]
Conf = Annotated[dict[str, Any], Body(description="The DAG's parameters, e.g. `pay_date`, `area_code`, `batch_id`.")]
Key = Annotated[
    str | None, Header(pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="Makes a repeated call the same one.")
]


@router.post(
    "/runs/{dag_id}",
    name="start_run",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[Depends(known_dag), Depends(may_start_run)],
    responses={200: {"model": FollowedRun, "description": "The same call came before: nothing was started."}},
)
async def start_run(
    request: Request, response: Response, caller: Caller, dag_id: DagId, conf: Conf, idempotency_key: Key = None
) -> FollowedRun:
    """Start a run in the caller's name; its id is made here and begins with the batch, the area, or `all`.

    With an `Idempotency-Key` the same call again gives the run that exists.
    """
    RUN_STARTS.take(caller)
    subject: Subject = request.state.subject
    subject.action = f"start_{dag_id}"
    await check_parameters(request, dag_id, conf)
    subject.batch_id, subject.area_code = await run_in_threadpool(_require_rights_to_start, caller, dag_id, conf)
    about = subject.batch_id or subject.area_code or "all"
    tail = digest(dag_id, caller, idempotency_key) if idempotency_key else secrets.token_hex(8)
    run_id = f"{about}--{tail}"
    await run_in_threadpool(_begin, request)
    run, is_new = await start(request, caller, dag_id, run_id, conf)
    if conf_of(run) != conf:
        raise SettlementError(
            "run_id_taken",
            f"the Idempotency-Key {idempotency_key!r} was sent with other parameters before (幂等键已用于其他参数)",
            "send another key (请换一个幂等键)",
        )
    response.status_code = status.HTTP_202_ACCEPTED if is_new else status.HTTP_200_OK
    response.headers["Location"] = f"{request.scope['root_path']}/v1/runs/{dag_id}/{run_id}"
    return shown(run, is_new=is_new)


@reading.get("/runs/{dag_id}/{run_id}", dependencies=[Depends(known_dag), Depends(may_read_run)])
async def read_run(request: Request, caller: Caller, dag_id: DagId, run_id: RunId) -> FollowedRun:
    """Show a run: its state, what it was started for, and its outcome once it has ended."""
    run = await find(request, dag_id, run_id)
    await run_in_threadpool(_require_rights_to, caller, conf_of(run))
    return shown(run)


def _require_rights_to_start(caller: str, dag_id: str, conf: dict[str, Any]) -> tuple[str | None, str | None]:
    """Let the caller start the run, as its steps will judge once more; give the batch and the area it is about.

    Raises:
        SettlementError: ``duties_not_divided``, ``kind_not_allowed``, and those of ``_require_rights_to``.
    """
    if dag_id == SETTLE_DAY:
        require_divided_duties(caller)
    if dag_id == RECORD_RECEIPTS:
        require_kind(caller, "bank_receipt")
    if batch_id := conf.get("batch_id"):
        require_batch_id(caller, require_form(batch_id))
        batch = batch_known_as(batch_id)
        require_kind(caller, batch["kind"])
        _require_rights_to(caller, conf)
        return batch_id, batch["area_code"]
    _require_rights_to(caller, conf)
    return None, conf.get("area_code") or None


def _require_rights_to(caller: str, conf: dict[str, Any]) -> None:
    """Let the caller act on what the parameters of a run name: a batch, an area, or every area.

    Raises:
        SettlementError: ``area_not_allowed``, ``batch_id_invalid``, ``batch_not_found``.
    """
    if batch_id := conf.get("batch_id"):
        batch = batch_known_as(batch_id)
        require_batch(caller, batch_id, batch["area_code"], is_loaded=batch["state"] in ("accepted", "held"))
    elif area_code := conf.get("area_code"):
        require_area(caller, area_code)
    else:
        require_every_area(caller)


def _begin(request: Request) -> None:
    with connect("loader", application_name="settlement api") as connection:
        audit.begin(connection, request)
