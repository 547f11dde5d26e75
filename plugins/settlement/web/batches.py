"""`GET /v1/batches/{batch_id}` and its refused rows: what became of a batch."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from psycopg.rows import dict_row

from settlement.errors import SettlementError
from settlement.intake.delivered import delivered_manifest
from settlement.intake.folders import batch_folder, outbox
from settlement.user_areas import require_batch
from settlement.warehouse import connect
from settlement.web.access import Caller, may_read_batches
from settlement.web.answers import Batch, Counts
from settlement.web.batch_ids import require_form
from settlement.web.links import links_of

router = APIRouter(tags=["batches"], dependencies=[Depends(may_read_batches)])

BLOCK = 64 * 1024
COUNTS = ("read", "accepted", "quarantined", "repeated", "pending")
RECEIVED = """
select
    batch.status as state,
    batch.kind,
    batch.area_code,
    batch.business_date,
    batch.received_at,
    batch.receipt,
    exists (select from intake.stopped_batch where stopped_batch.batch_id = batch.batch_id) as is_stopped
from intake.batch
where batch.batch_id = %s
"""


@router.get("/batches/{batch_id}")
def read_batch(request: Request, batch_id: str, caller: Caller) -> Batch:
    """Show a batch: its state, counts, reasons, and its receipt once it was judged."""
    found = batch_known_as(batch_id)
    require_batch(caller, batch_id, found["area_code"], is_loaded=found["state"] in ("accepted", "held"))
    receipt: dict[str, Any] = found["receipt"] or {}
    counts: Counter[str] = Counter()
    for file in receipt.get("files", []):
        counts.update({name: file[name] for name in COUNTS})
    return Batch(
        batch_id=batch_id,
        counts=Counts(**counts),
        reasons=receipt.get("reasons", {}),
        error=receipt.get("error"),
        links=links_of(request, batch_id, batch_id, has_rejected=counts["quarantined"] > 0),
        **found,
    )


@router.get("/batches/{batch_id}/rejected.csv", response_class=StreamingResponse)
def read_rejected_rows(batch_id: str, caller: Caller) -> StreamingResponse:
    """Give the refused rows with every reason, as they stand in the outbox; never a person's name or number."""
    found = batch_known_as(batch_id)
    require_batch(caller, batch_id, found["area_code"], is_loaded=found["state"] in ("accepted", "held"))
    path = outbox() / batch_id / "rejected.csv"
    if not path.is_file():
        raise SettlementError(
            "not_judged_yet",
            f"batch {batch_id} was not judged yet (批次尚未判定)",
            "follow its run first (请先跟踪其运行)",
        )
    return StreamingResponse(
        _blocks(path.open("rb")),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{batch_id}-rejected.csv"'},
    )


def batch_known_as(batch_id: str) -> dict[str, Any]:
    """Give what is known of a batch: as it was received, or as it lies in the inbox.

    Raises:
        SettlementError: ``batch_id_invalid``, ``batch_not_found``.
    """
    return _received(require_form(batch_id)) or _delivered(batch_id)


def _received(batch_id: str) -> dict[str, Any] | None:
    with connect("auditor", application_name="settlement api") as connection:
        return connection.cursor(row_factory=dict_row).execute(RECEIVED, [batch_id]).fetchone()


def _delivered(batch_id: str) -> dict[str, Any]:
    """A batch that lies in the inbox and was not judged yet; what its manifest says, where that can be read.

    Raises:
        SettlementError: ``batch_not_found``.
    """
    batch_folder(batch_id)
    found: dict[str, Any] = {"state": "delivered", "kind": None, "area_code": None, "receipt": None}
    manifest = delivered_manifest(batch_id)
    if manifest is None:
        return found  # its receipt will say what is wrong with it
    return found | {
        "kind": manifest.kind,
        "area_code": manifest.area_code,
        "business_date": manifest.business_date,
    }


def _blocks(source: BinaryIO) -> Iterator[bytes]:
    with source:
        while block := source.read(BLOCK):
            yield block
