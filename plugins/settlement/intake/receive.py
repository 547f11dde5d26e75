"""Receive a batch: from its folder in the inbox to accepted rows, quarantine and a receipt, once, whatever happens.

Everything a load writes is one transaction behind a lock of the area. Before it ends, nothing has happened; after it,
the batch row says what has, and a second run only writes the receipt again.
"""

import logging
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors
from upath import UPath

from settlement.contract.limits import BatchMeter, Limits
from settlement.contract.manifest import DeliveredFile, Manifest
from settlement.errors import SettlementError
from settlement.gate import owner
from settlement.intake import attempts, bank, batches, formats, master_data, receipts, staging
from settlement.intake.batches import Bringer, Held, Known, Received
from settlement.intake.delivered import check_clock, created_at, is_readable, read_manifest
from settlement.intake.engine import open_engine, work_folder
from settlement.intake.faults import as_refusals
from settlement.intake.folders import batch_folder, changed_at, complete_batches, has_manifest, inbox
from settlement.intake.formats import Delivered
from settlement.intake.knowledge import Load
from settlement.intake.load import FileOutcome, Outcome, check_totals, judge_batch, write_accepted, write_quarantine
from settlement.intake.receipts import Receipt
from settlement.intake.staging import StagedFile
from settlement.warehouse import connect, transaction_lock

log = logging.getLogger(__name__)

ATTEMPTS = 5
RETRIED = (errors.UniqueViolation, errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
"""Another area's load was faster with the same key, or two loads waited for each other: judging again settles it."""


def receive(
    batch_id: str,
    *,
    received_by: str | None = None,
    release_by: str | None = None,
    reject_by: str | None = None,
    reason: str = "",
) -> Receipt:
    """Load a batch and return its receipt, which also stands in the outbox.

    A batch that is already accepted gives its first receipt with status ``duplicate``; one with other content under
    the same id is refused as ``batch_conflict`` and changes nothing.

    Args:
        batch_id: Name of the batch folder in the inbox.
        received_by: The account that has it received, None for the schedule: rows of areas that it is not bound to are
            refused. A held batch stays with whom it came from.
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
            return _receive(batch_id, received_by, release_by, reason)
        except RETRIED as error:
            if attempt == ATTEMPTS:
                raise
            log.info("batch %s: %s; attempt %d of %d follows", batch_id, type(error).__name__, attempt + 1, ATTEMPTS)
            time.sleep(random.uniform(0.1, 0.5) * attempt)  # noqa: S311  # spreads loads, no secret
    raise AssertionError("the loop returns or raises")


def waiting_batches() -> list[str]:
    """Complete batches of the inbox that are to be received, oldest first.

    These are the ones that are not received yet, whose receipt is missing, or that were refused by the gate and have
    got a newer manifest since: a mended batch may come under its own id. One that could not be read waits again as soon
    as it can.
    """
    with connect("loader", application_name="settlement intake") as connection:
        received = batches.received(connection)
    waiting = [batch_id for batch_id in complete_batches() if _waits(batch_id, received.get(batch_id))]
    return sorted(waiting, key=lambda batch_id: (created_at(batch_id), batch_id))


def _waits(batch_id: str, received: Received | None) -> bool:
    if received is None or not receipts.is_published(batch_id):
        return True
    if received.refused_at is None:
        return False
    if received.error_code == "file_unreadable":  # rights to read are given without a change of the manifest
        return is_readable(batch_id)
    written = changed_at(inbox() / batch_id)  # the manifest is written last
    return written is not None and written > received.refused_at


def _receive(batch_id: str, received_by: str | None, release_by: str | None, reason: str) -> Receipt:
    limits = Limits.from_environment()
    with connect("loader", application_name=f"settlement intake {batch_id}") as connection:
        known = batches.find_batch(connection, batch_id)
        delivered_by = batches.delivered_by(connection, batch_id)
        connection.rollback()
        is_released = bool(release_by and known and known.status == "held")
        bringer = Bringer.of(known.received_by if known and is_released else delivered_by or received_by)
        if is_released:
            _require_files(batch_id)
        elif known and not has_manifest(inbox() / batch_id):
            return _again(connection, known)  # the inbox has been tidied; what was received stays received
        folder = batch_folder(batch_id)
        manifest: Manifest | None = None
        try:
            manifest = read_manifest(batch_id, limits)
            _require_own_tables(manifest, bringer)
            if known and is_released:
                _check_same_manifest(known, manifest)  # the files are compared with it while they are staged
            elif known and known.is_final:
                _check_same_content(known, manifest, folder)
            else:
                check_clock(manifest, datetime.now(UTC), limits)
            with attempts.counted(connection, manifest):
                if known and known.is_final and not is_released:
                    return _again(connection, known)
                return _load(connection, manifest, folder, limits, bringer, release_by, reason)
        except SettlementError as error:
            if error.code in NOT_THE_SENDERS or _is_set_aside_again(known, error):
                raise
            return _refuse(connection, batch_id, manifest, bringer, error)


def _require_own_tables(manifest: Manifest, bringer: Bringer) -> None:
    """Take tables that belong to no area, such as the national catalogue, from accounts that are bound to none.

    Raises:
        SettlementError: ``area_not_allowed``.
    """
    shared = sorted(
        {file.table.name for file in manifest.files if manifest.kind == "reference" and not owner(file.table)}
    )
    if shared and bringer.areas is not None:
        raise SettlementError(
            "area_not_allowed",
            f"{', '.join(shared)} holds for every area, and {bringer.account} is bound to"
            f" {', '.join(sorted(bringer.areas)) or 'none'} (该表适用于全部统筹区)",
            "leave these tables to an account that is bound to no area (请由不限统筹区的账号报送)",
        )


NOT_THE_SENDERS = (
    "person_key_missing",
    "person_key_invalid",
    "disk_space_low",
    "engine_memory",
    "limit_invalid",
    "suite_invalid",
    "warehouse_unreachable",
)


OF_ITSELF = ("batch_conflict", "reference_overlap")
"""What a second look at a received batch may meet although its content is the same: a release comes late."""


def _is_set_aside_again(known: Known | None, error: SettlementError) -> bool:
    """True for a batch that was received, and whose receipt kills the process: what it is does not change."""
    return bool(error.code == attempts.KILLED_TWICE and known and known.is_final)


def _load(
    connection: psycopg.Connection[Any],
    manifest: Manifest,
    folder: UPath,
    limits: Limits,
    bringer: Bringer,
    release_by: str | None,
    reason: str,
) -> Receipt:
    """Read the files, then judge and write them in one transaction."""
    with work_folder(manifest.batch_id) as work, open_engine(work, limits) as engine, as_refusals(manifest):
        meter = BatchMeter(limits, work)
        reader = _reader(manifest, folder, work, meter)
        is_bank = manifest.kind == "bank_receipt"
        parts = [] if is_bank else [part for file in reader for part in formats.read(engine, *file, limits, meter)]
        with connection.transaction():
            transaction_lock(connection, "intake batch", manifest.batch_id)
            transaction_lock(connection, "intake", manifest.area_code)
            if manifest.kind == "reference":
                transaction_lock(connection, "intake", "reference")
            known = batches.find_batch(connection, manifest.batch_id)  # another run may have been faster
            if known and known.is_final:
                _check_same_manifest(known, manifest)
            released_by = release_by if known and known.status == "held" else None
            if known and known.is_final and not released_by:
                receipt = known.receipt
            elif is_bank:
                receipt = _write_bank_receipts(connection, manifest, reader, limits, bringer)
            else:
                load = Load(manifest, engine, connection, work, bound_to=bringer.areas)
                asked = known.held if known and released_by else None
                receipt = _write_rows(load, parts, limits, bringer, released_by, asked)
            if released_by and receipt.status != "held":
                batches.record_decision(connection, manifest.batch_id, "release", released_by, reason)
    receipts.publish(connection, receipt)
    log.info("batch %s: %s", manifest.batch_id, receipt.status)
    return receipt


def _reader(
    manifest: Manifest, folder: UPath, work: Path, meter: BatchMeter
) -> Iterator[tuple[DeliveredFile, StagedFile]]:
    """Bring one file after the other into the work folder, each when the one before it has been read."""
    for file in manifest.files:
        yield file, staging.stage(file, folder, work, meter.limits, meter)


def _write_rows(
    load: Load,
    parts: Sequence[Delivered],
    limits: Limits,
    bringer: Bringer,
    released_by: str | None,
    asked: Held | None,
) -> Receipt:
    """Judge the rows and write what they come to. What was released is judged again, and held again where it has
    become something else than what was `asked` about."""
    control = check_totals(load, parts)
    with load.connection.transaction() as judging:
        outcome, decided = judge_batch(load, parts)
        held = _held(load, parts, outcome)
        is_held = bool(held.reasons) and not (asked and asked.covers(held))
        if is_held:
            raise psycopg.Rollback(judging)  # of what was stored while it was judged
    for file in outcome.files:
        file.control = control[file.file.file_no]
    ignored = [warning for part in parts for warning in part.warnings]
    outcome.warnings = receipts.with_columns_ignored(outcome.warnings, ignored)
    receipt = _receipt(load.manifest, outcome, "held" if is_held else "accepted")
    if is_held:
        receipt = _with_unlisted(replace(receipt, held_for=held.reasons), limits)
        released_by = None
    kept = held if is_held else asked or held
    batches.write_batch(load.connection, load.manifest, receipt, outcome.files, bringer, released_by, kept)
    write_quarantine(load, parts, limits.quarantined_rows if is_held else None)
    if not is_held:
        write_accepted(load, parts, decided)
    return receipt


def _held(load: Load, parts: Sequence[Delivered], outcome: Outcome) -> Held:
    """Why people are asked about a batch before it takes effect, and what it would change."""
    changes = master_data.changes(load, parts) if master_data.has_releasers() else []
    reasons = {"rejections": outcome.is_held, "master_data": bool(changes)}
    return Held(tuple(reason for reason, holds in reasons.items() if holds), tuple(changes))


def _with_unlisted(receipt: Receipt, limits: Limits) -> Receipt:
    """Say of each file of a held batch how many of its refused rows are counted only, and not listed with reasons."""
    room = limits.quarantined_rows
    files = []
    for file in receipt.files:
        listed = min(file["quarantined"], room)
        room -= listed
        unlisted = file["quarantined"] - listed
        files.append(file | ({"unlisted": unlisted} if unlisted else {}))
    return replace(receipt, files=files)


def _write_bank_receipts(
    connection: psycopg.Connection[Any],
    manifest: Manifest,
    reader: Iterator[tuple[DeliveredFile, StagedFile]],
    limits: Limits,
    bringer: Bringer,
) -> Receipt:
    files: list[FileOutcome] = []
    for file, copy in reader:
        files.append(bank.load_file(connection, manifest, file, copy.path, limits))
        copy.path.unlink()
    receipt = _receipt(manifest, Outcome(files, {}, []), "accepted")
    batches.write_batch(connection, manifest, receipt, files, bringer)
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
    return Receipt.of(
        manifest,
        status,
        files=files,
        reasons=outcome.reasons,
        reason_texts=outcome.reason_texts,
        warnings=outcome.warnings,
    )


def _refuse(
    connection: psycopg.Connection[Any],
    batch_id: str,
    manifest: Manifest | None,
    bringer: Bringer,
    error: SettlementError,
) -> Receipt:
    """Record and answer a refusal. A batch that is already received keeps its state and its receipt."""
    receipt = Receipt.refused(batch_id, manifest, error)
    with connection.transaction():
        transaction_lock(connection, "intake batch", batch_id)
        known = batches.find_batch(connection, batch_id)
        if not known or not known.is_final:
            batches.write_refusal(connection, receipt, manifest, bringer)
    if known and known.is_final:
        receipt = Receipt.refused(batch_id, manifest, error if error.code in OF_ITSELF else _changed(error))
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
                    f"batch {batch_id} is {known.status if known else 'not received'}, not held (批次并非挂起)",
                    "only a held batch can be released or rejected (只有挂起批次可放行或退回)",
                )
            receipt = known.receipt
            if known.status == "held":
                message = f"rejected by {reject_by} (人工退回)" + (f": {reason}" if reason else "")
                hint = "correct the export and send it under a new batch id (请更正后用新批次号重报)"
                error = {"code": "held_rejected", "message": message, "hint": hint}
                receipt = Receipt.from_json(known.receipt.as_json() | {"status": "refused", "error": error})
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
        f"batch {manifest.batch_id} was received before with other content; nothing was changed"
        " (同一批次号内容不同, 未作任何更改)",
        "send corrections under a new batch id (更正请用新批次号)",
    )


def _require_files(batch_id: str) -> None:
    """A held batch is loaded from its files when it is released; tidied away, it cannot be.

    Raises:
        SettlementError: ``batch_not_found``.
    """
    if not has_manifest(inbox() / batch_id):
        raise SettlementError(
            "batch_not_found",
            f"batch {batch_id} is held, and its folder is no more in the inbox; nothing was released"
            " (原始文件已不在收件箱)",
            "put the files and the manifest back as they were delivered and release it again (请放回原文件后再放行)",
        )


def _changed(error: SettlementError) -> SettlementError:
    """What is wrong with a second delivery of a batch that has been received: it is another one."""
    return SettlementError(
        "batch_conflict", f"received before with other content (同一批次号内容不同): {error.message}", error.hint
    )
