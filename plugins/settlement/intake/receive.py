"""Receive a batch: from its folder in the inbox to accepted rows, quarantine and a receipt, once, whatever happens.

Everything a load writes is one transaction behind a lock of the area. Before it ends, nothing has happened; after it,
the batch row says what has, and a second run only writes the receipt again.
"""

import logging
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors
from upath import UPath

from settlement.contract.limits import Limits
from settlement.contract.manifest import Manifest, parse_manifest
from settlement.errors import SettlementError
from settlement.intake import bank, batches, formats, receipts, staging
from settlement.intake.batches import Known
from settlement.intake.engine import open_engine, work_folder
from settlement.intake.folders import MANIFEST, batch_folder, complete_batches, inbox, open_inside
from settlement.intake.knowledge import Load
from settlement.intake.load import Outcome, check_totals, judge_batch, write_accepted, write_quarantine
from settlement.intake.receipts import Receipt
from settlement.intake.staging import StagedFile
from settlement.warehouse import connect, transaction_lock

log = logging.getLogger(__name__)

ATTEMPTS = 5
RETRIED = (errors.UniqueViolation, errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
"""Another area's load was faster with the same key, or two loads waited for each other: judging again settles it."""


def receive(batch_id: str, *, release_by: str | None = None, reject_by: str | None = None, reason: str = "") -> Receipt:
    """Load a batch and return its receipt, which also stands in the outbox.

    A batch that is already accepted gives its first receipt with status ``duplicate``; one with other content under
    the same id is refused as ``batch_conflict`` and changes nothing.

    Args:
        batch_id: Name of the batch folder in the inbox.
        release_by: Who releases a held batch: its good rows are loaded in spite of the rejected ones.
        reject_by: Who rejects a held batch; it becomes ``refused`` with ``held_rejected``.
        reason: What the person says about the decision.

    Raises:
        SettlementError: ``batch_id_invalid``, ``batch_not_found`` (also for a held batch whose files are no more in the
            inbox when it is released), ``batch_not_held``, or a failure that is not the
            sender's (settings, warehouse). A refused batch is no error: its receipt says why.
    """
    if reject_by:
        return _reject(batch_id, reject_by, reason)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _receive(batch_id, release_by, reason)
        except RETRIED as error:
            if attempt == ATTEMPTS:
                raise
            log.info("batch %s: %s; attempt %d of %d follows", batch_id, type(error).__name__, attempt + 1, ATTEMPTS)
            time.sleep(random.uniform(0.1, 0.5) * attempt)  # noqa: S311  # spreads loads, no secret
    raise AssertionError("the loop returns or raises")


def waiting_batches() -> list[str]:
    """Complete batches of the inbox that are to be received, oldest first.

    These are the ones that are not received yet, whose receipt is missing, or that were refused by the gate and have
    got a newer manifest since: a mended batch may come under its own id.
    """
    with connect("loader", application_name="settlement intake") as connection:
        refused_at = batches.refusals(connection)
    waiting = [
        name
        for name in complete_batches()
        if name not in refused_at or not receipts.is_published(name) or _is_mended(name, refused_at[name])
    ]
    return sorted(waiting, key=lambda name: (_created_at(name), name))


def _is_mended(batch_id: str, refused_at: datetime | None) -> bool:
    """True when the manifest, which is written last, is newer than the refusal."""
    return refused_at is not None and (inbox() / batch_id / MANIFEST).stat().st_mtime > refused_at.timestamp()


def _created_at(batch_id: str) -> datetime:
    """The manifest's time stamp; a manifest that cannot be read comes last."""
    try:
        return _read_manifest(batch_folder(batch_id), batch_id, Limits.from_environment()).created_at
    except SettlementError:
        return datetime.max.replace(tzinfo=UTC)


def _receive(batch_id: str, release_by: str | None, reason: str) -> Receipt:
    limits = Limits.from_environment()
    with connect("loader", application_name=f"settlement intake {batch_id}") as connection:
        known = batches.find_batch(connection, batch_id)
        connection.rollback()
        is_released = bool(release_by and known and known.status == "held")
        if is_released:
            _require_files(batch_id)
        elif known and not (inbox() / batch_id / MANIFEST).is_file():
            return _again(connection, known)  # the inbox has been tidied; what was received stays received
        folder = batch_folder(batch_id)
        manifest: Manifest | None = None
        try:
            manifest = _read_manifest(folder, batch_id, limits)
            if known and is_released:
                _check_same_manifest(known, manifest)  # the files are compared with it while they are staged
            elif known and known.is_final:
                _check_same_content(known, manifest, folder)
                return _again(connection, known)
            return _load(connection, manifest, folder, limits, release_by, reason)
        except SettlementError as error:
            if error.code in NOT_THE_SENDERS:
                raise
            return _refuse(connection, batch_id, manifest, error)


NOT_THE_SENDERS = (
    "person_key_missing",
    "person_key_invalid",
    "engine_memory",
    "limit_invalid",
    "suite_invalid",
    "warehouse_unreachable",
)


def _load(
    connection: psycopg.Connection[Any],
    manifest: Manifest,
    folder: UPath,
    limits: Limits,
    release_by: str | None,
    reason: str,
) -> Receipt:
    """Stage the files, then judge and write them in one transaction."""
    with work_folder(manifest.batch_id) as work:
        staged = [staging.stage(file, folder, work, limits) for file in manifest.files]
        with connection.transaction():
            transaction_lock(connection, "intake batch", manifest.batch_id)
            transaction_lock(connection, "intake", manifest.area_code)
            if manifest.kind == "reference":
                transaction_lock(connection, "intake", "reference")
            known = batches.find_batch(connection, manifest.batch_id)  # another run may have been faster
            if known and known.is_final:
                _check_same_manifest(known, manifest)
            if known and known.is_final and not (release_by and known.status == "held"):
                receipt = known.receipt
            elif manifest.kind == "bank_receipt":
                receipt = _write_bank_receipts(connection, manifest, staged, limits)
            else:
                receipt = _write_rows(connection, manifest, staged, work, limits, release_by)
            if release_by and known and known.status == "held":
                batches.record_decision(connection, manifest.batch_id, "release", release_by, reason)
    receipts.publish(connection, receipt)
    log.info("batch %s: %s", manifest.batch_id, receipt.status)
    return receipt


def _write_rows(
    connection: psycopg.Connection[Any],
    manifest: Manifest,
    staged: Sequence[StagedFile],
    work: Path,
    limits: Limits,
    release_by: str | None,
) -> Receipt:
    with open_engine(work, limits) as engine:
        load = Load(manifest, engine, connection, work)
        parts = [
            part
            for file, copy in zip(manifest.files, staged, strict=True)
            for part in formats.read(engine, file, copy, limits)
        ]
        control = check_totals(load, parts)
        with connection.transaction() as judging:
            outcome, decided = judge_batch(load, parts)
            is_held = outcome.is_held and not release_by
            if is_held:
                raise psycopg.Rollback(judging)  # of what was stored while it was judged
        for file in outcome.files:
            file.control = control[file.file.file_no]
        outcome.warnings[:0] = [warning for part in parts for warning in part.warnings]
        receipt = _receipt(manifest, outcome, "held" if is_held else "accepted")
        batches.write_batch(connection, manifest, receipt, outcome.files, decided_by=release_by)
        write_quarantine(load, parts)
        if not is_held:
            write_accepted(load, parts, decided)
    return receipt


def _write_bank_receipts(
    connection: psycopg.Connection[Any], manifest: Manifest, staged: Sequence[StagedFile], limits: Limits
) -> Receipt:
    files = [
        bank.load_file(connection, manifest, file, copy.path, limits)
        for file, copy in zip(manifest.files, staged, strict=True)
    ]
    receipt = _receipt(manifest, Outcome(files, {}, []), "accepted")
    batches.write_batch(connection, manifest, receipt, files)
    return receipt


def _receipt(manifest: Manifest, outcome: Outcome, status: str) -> Receipt:
    files = [
        {
            "name": file.file.name,
            "table": file.file.table.name,
            "read": file.read,
            **file.counts,
            "control": {column: f"{amount:f}" for column, amount in file.control.items()},
        }
        for file in outcome.files
    ]
    return Receipt.of(manifest, status, files=files, reasons=outcome.reasons, warnings=outcome.warnings)


def _refuse(
    connection: psycopg.Connection[Any], batch_id: str, manifest: Manifest | None, error: SettlementError
) -> Receipt:
    """Record and answer a refusal. A batch that is already received keeps its state and its receipt."""
    receipt = Receipt.refused(batch_id, manifest, error)
    with connection.transaction():
        transaction_lock(connection, "intake batch", batch_id)
        known = batches.find_batch(connection, batch_id)
        if not known or not known.is_final:
            batches.write_refusal(connection, receipt, manifest)
    if known and known.is_final:
        receipt = Receipt.refused(batch_id, manifest, error if error.code == "batch_conflict" else _changed(error))
        receipts.publish_later_answer(receipt)
    else:
        receipts.publish(connection, receipt)
    log.warning("batch %s: refused, %s", batch_id, error)
    return receipt


def _reject(batch_id: str, reject_by: str, reason: str) -> Receipt:
    """Refuse a held batch for good; its quarantine stays readable."""
    with connect("loader", application_name=f"settlement intake {batch_id}") as connection:
        with connection.transaction():
            transaction_lock(connection, "intake batch", batch_id)
            known = batches.find_batch(connection, batch_id)
            if known is None or (known.status != "held" and known.error_code != "held_rejected"):
                raise SettlementError(
                    "batch_not_held",
                    f"batch {batch_id} is {known.status if known else 'not received'}, not held",
                    "only a held batch can be released or rejected",
                )
            receipt = known.receipt
            if known.status == "held":
                message = f"rejected by {reject_by}" + (f": {reason}" if reason else "")
                receipt = Receipt.from_json(
                    known.receipt.as_json()
                    | {"status": "refused", "error": {"code": "held_rejected", "message": message}}
                )
                batches.write_rejection(connection, receipt, reject_by)
                batches.record_decision(connection, batch_id, "reject", reject_by, reason)
        receipts.publish(connection, receipt)
    return receipt


def _again(connection: psycopg.Connection[Any], known: Known) -> Receipt:
    """Answer a second delivery; also heals a crash between the commit and the receipt."""
    if not receipts.is_published(known.receipt.batch_id):
        receipts.publish(connection, known.receipt)
    if known.status != "accepted":
        return known.receipt
    duplicate = known.receipt.as_duplicate()
    receipts.publish_later_answer(duplicate)
    return duplicate


def _read_manifest(folder: UPath, batch_id: str, limits: Limits) -> Manifest:
    with open_inside(folder, MANIFEST) as source:
        content = source.read(limits.manifest_bytes + 1)
    if len(content) > limits.manifest_bytes:
        raise SettlementError(
            "manifest_invalid", f"manifest.json is larger than {limits.manifest_bytes} bytes", "split the batch"
        )
    return parse_manifest(content, batch_id, limits)


def _check_same_content(known: Known, manifest: Manifest, folder: UPath) -> None:
    """The same id must mean the same manifest and the same bytes.

    Raises:
        SettlementError: ``batch_conflict``.
    """
    _check_same_manifest(known, manifest)
    if any(staging.sha256_of(folder, file.name) != file.sha256 for file in manifest.files):
        raise _conflict(manifest)


def _check_same_manifest(known: Known, manifest: Manifest) -> None:
    """What a person releases must be what was held.

    Raises:
        SettlementError: ``batch_conflict``.
    """
    if known.content_sha256 != manifest.content_sha256:
        raise _conflict(manifest)


def _conflict(manifest: Manifest) -> SettlementError:
    return SettlementError(
        "batch_conflict",
        f"batch {manifest.batch_id} was received before with other content; nothing was changed",
        "send corrections under a new batch id",
    )


def _require_files(batch_id: str) -> None:
    """A held batch is loaded from its files when it is released; tidied away, it cannot be.

    Raises:
        SettlementError: ``batch_not_found``.
    """
    if not (inbox() / batch_id / MANIFEST).is_file():
        raise SettlementError(
            "batch_not_found",
            f"batch {batch_id} is held, and its folder is no more in the inbox; nothing was released",
            "put the files and the manifest back as they were delivered and release it again",
        )


def _changed(error: SettlementError) -> SettlementError:
    """What is wrong with a second delivery of a batch that has been received: it is another one."""
    return SettlementError("batch_conflict", f"received before with other content: {error.message}", error.hint)
