"""`POST /v1/batches`: deliver a batch where no storage is shared, and start its run."""

from datetime import datetime
from typing import Any

import psycopg
from fastapi import APIRouter, Depends, Request, Response, status
from fastapi.concurrency import contextmanager_in_threadpool, run_in_threadpool

from settlement.contract import Manifest
from settlement.contract.limits import Limits
from settlement.errors import SettlementError
from settlement.intake import batches
from settlement.intake.delivered import delivered_manifest
from settlement.intake.folders import MANIFEST, inbox
from settlement.user_areas import is_id_of, require_area, require_batch, require_batch_id
from settlement.user_kinds import require_kind
from settlement.warehouse import connect
from settlement.web import audit
from settlement.web.access import Caller, may_deliver
from settlement.web.answers import Delivery
from settlement.web.audit import AuditedRoute, Subject
from settlement.web.links import links_of
from settlement.web.pace import Pace, paced
from settlement.web.parts import read_parts
from settlement.web.runs import start_receiving
from settlement.web.upload import Parts, read_manifest, store
from settlement.web.upload_lock import only_upload
from settlement.web.upload_quota import QUOTA
from settlement.web.upload_slots import SLOTS

router = APIRouter(route_class=AuditedRoute, tags=["batches"])

BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["manifest", "files"],
                "properties": {
                    "manifest": {
                        "type": "string",
                        "format": "binary",
                        "description": "manifest.json; it must be the first part.",
                    },
                    "files": {
                        "type": "array",
                        "items": {"type": "string", "format": "binary"},
                        "description": "Each file of the manifest once, under its name there, in any order.",
                    },
                },
            }
        }
    },
}


@router.post(
    "/batches",
    name="deliver_batch",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[Depends(may_deliver)],
    openapi_extra={"requestBody": BODY},
    responses={200: {"model": Delivery, "description": "The batch was delivered and started before."}},
)
async def deliver_batch(request: Request, response: Response, caller: Caller) -> Delivery:
    """Deliver a batch: its files are streamed to the inbox, the manifest last, then `receive_batch` is started.

    The same batch again changes nothing and answers 200 with the run that exists. A batch that was refused may be
    delivered again, mended, under its id: then another run is started.
    """
    subject: Subject = request.state.subject
    limits = Limits.from_environment()
    with SLOTS.take(caller):
        body = paced(QUOTA.counted(caller, request.stream()), Pace.from_environment())
        parts = read_parts(request.headers.get("content-type", ""), body)
        manifest, content = await read_manifest(parts, limits)
        subject.batch_id, subject.area_code = manifest.batch_id, manifest.area_code
        require_batch_id(caller, manifest.batch_id)
        require_area(caller, manifest.area_code)
        require_kind(caller, manifest.kind)
        run_id = await _deliver_once(request, caller, manifest, content, parts, limits)
    run, is_new = await start_receiving(request, caller, manifest.batch_id, run_id)
    response.status_code = status.HTTP_202_ACCEPTED if is_new else status.HTTP_200_OK
    links = links_of(request, manifest.batch_id, run.dag_run_id)
    response.headers["Location"] = links.self
    return Delivery(batch_id=manifest.batch_id, is_new=is_new, run=run, links=links)


async def _deliver_once(
    request: Request, caller: str, manifest: Manifest, content: bytes, parts: Parts, limits: Limits
) -> str:
    """Store the batch unless it is there already, and give the id of the run that receives it.

    Rights come before the lock: nobody keeps others from an id that is not theirs. No connection is held while the body
    arrives, however slowly that may be.

    A batch that was refused loaded nothing and may come again. Its next run is named after that refusal, so that
    delivering it twice starts one run.
    """
    await run_in_threadpool(_require_rights_to_id, caller, manifest.batch_id)
    async with contextmanager_in_threadpool(only_upload(manifest.batch_id)):
        refused_at, is_delivered = await run_in_threadpool(_begin, request, caller, manifest)
        if not is_delivered:
            await store(manifest, content, parts, limits)
    return f"{manifest.batch_id}--{refused_at:%Y%m%dT%H%M%S.%f}" if refused_at else manifest.batch_id


def _begin(request: Request, caller: str, manifest: Manifest) -> tuple[datetime | None, bool]:
    """Put the delivery on record before it has an effect; give when the batch was refused, and whether it is there.

    Who delivers it is kept for whoever has it received: the schedule may be faster than the caller's own run.

    Raises:
        SettlementError: ``batch_conflict``; ``warehouse_unreachable``: what cannot be put on record is not taken.
    """
    with connect("loader", application_name="settlement delivery") as connection:
        refused_at = _refused_at(connection, manifest.batch_id)
        is_delivered = refused_at is None and _is_delivered(connection, manifest)
        if not is_delivered:
            batches.record_delivery(connection, manifest.batch_id, caller)
        audit.begin(connection, request)
    return refused_at, is_delivered


def _require_rights_to_id(caller: str, batch_id: str) -> None:
    """Let the caller use the id: what it names already, received or waiting, may be of another area or kind.

    What was refused by the gate, or waits and is another area's than its id says, keeps no rightful sender out.

    Raises:
        SettlementError: ``area_not_allowed``, ``kind_not_allowed``.
    """
    query = "select area_code, kind, status <> 'refused' from intake.batch where batch_id = %s"
    with connect("loader", application_name="settlement delivery") as connection:
        received = connection.execute(query, [batch_id]).fetchone()
    if received:
        require_batch(caller, batch_id, received[0], is_loaded=received[2])
        require_kind(caller, received[1])
    if waiting := delivered_manifest(batch_id):
        require_batch(caller, batch_id, waiting.area_code, is_loaded=False)
        require_kind(caller, waiting.kind)


def _refused_at(connection: psycopg.Connection[Any], batch_id: str) -> datetime | None:
    """When the gate refused the batch; None where it did not. A batch that a person rejected stays rejected."""
    query = """
        select received_at from intake.batch
        where batch_id = %s and status = 'refused' and error_code <> 'held_rejected'
    """
    row = connection.execute(query, [batch_id]).fetchone()
    return row[0] if row else None


def _is_delivered(connection: psycopg.Connection[Any], manifest: Manifest) -> bool:
    """Whether this very batch was received, or lies in the inbox.

    Raises:
        SettlementError: ``batch_conflict`` when another one has its id.
    """
    query = "select content_sha256 from intake.batch where batch_id = %s"
    received = connection.execute(query, [manifest.batch_id]).fetchone()
    if received:
        known = received[0]
    elif (inbox() / manifest.batch_id / MANIFEST).is_file():
        waiting = delivered_manifest(manifest.batch_id)
        if waiting and waiting.area_code != manifest.area_code and is_id_of(manifest.area_code, manifest.batch_id):
            return False  # what lies there bears an id that is not its own
        known = waiting.content_sha256 if waiting else "unreadable"
    else:
        return False
    if known != manifest.content_sha256:
        raise SettlementError(
            "batch_conflict",
            f"another batch has the id {manifest.batch_id} (批次号已被其他批次使用)",
            "send corrections as a new batch with an id of its own (更正请用新批次号)",
        )
    return True
