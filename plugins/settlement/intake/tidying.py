"""Delivered files that nobody needs any more leave the inbox; what waits for anything stays (docs/decisions/0034)."""

import logging
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
from upath import UPath

from settlement.contract.limits import Limits
from settlement.contract.manifest import BATCH_ID
from settlement.intake import receipts
from settlement.intake.folders import MANIFEST, changed_at, has_manifest, inbox
from settlement.warehouse import connect, transaction_lock

log = logging.getLogger(__name__)

UNTOUCHED_SECONDS = 24 * 3_600
"""A folder in which something was written since is being delivered, and stays."""
TO_LEAVE = """
select received_at
from intake.batch
where batch_id = %(batch_id)s
    and kind is distinct from 'bank_receipt'
    and (
        status = 'accepted' and received_at < clock_timestamp() - %(accepted)s
        or status = 'refused' and received_at < clock_timestamp() - %(refused)s
    )
"""


def tidy_inbox() -> int:
    """Remove the folders of batches that were accepted or refused long ago, and of deliveries that broke off.

    A batch that is held, that has not been received, whose receipt is missing, or that came again since its refusal
    stays; so do bank messages, which are vouchers. Returns how many folders were removed.
    """
    limits = Limits.from_environment()
    removed = 0
    with connect("loader", application_name="settlement housekeeping") as connection:
        for folder in _folders():
            try:
                with connection.transaction():
                    transaction_lock(connection, "intake batch", folder.name)
                    if _may_go(connection, folder, limits):
                        _remove(folder)
                        removed += 1
            except OSError as error:
                log.warning("inbox folder %s stays: %s (目录无法清理)", folder.name, error.strerror)
    return removed


def _folders() -> Iterator[UPath]:
    folder = inbox()
    if folder.is_dir():
        yield from sorted(
            (entry for entry in folder.iterdir() if _is_batch_folder(entry)), key=lambda entry: entry.name
        )


def _is_batch_folder(entry: UPath) -> bool:
    try:
        return bool(BATCH_ID.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink())
    except (OSError, NotImplementedError):
        return False


def _may_go(connection: psycopg.Connection[Any], folder: UPath, limits: Limits) -> bool:
    age = time.time() - _last_change(folder)
    if not has_manifest(folder):
        broke_off = timedelta(days=limits.kept_refused_days).total_seconds()
        return age > (broke_off if any(folder.iterdir()) else UNTOUCHED_SECONDS)
    days = {name: timedelta(days=getattr(limits, f"kept_{name}_days")) for name in ("accepted", "refused")}
    row = connection.execute(TO_LEAVE, {"batch_id": folder.name, **days}).fetchone()
    written = changed_at(folder)
    return bool(
        row
        and age > UNTOUCHED_SECONDS
        and written
        and (written < row[0])  # it did not come again since
        and receipts.is_published(folder.name)
    )


def _last_change(folder: UPath) -> float:
    return max(float(path.stat().st_mtime) for path in [folder, *folder.iterdir()])


def _remove(folder: UPath) -> None:
    """The manifest first: without it what is left of an interrupted removal is no batch."""
    (folder / MANIFEST).unlink(missing_ok=True)
    if folder.protocol in ("", "file"):
        shutil.rmtree(folder.path)
    else:
        folder.fs.rm(folder.path, recursive=True)
    log.info("inbox folder %s removed (已清理)", folder.name)
