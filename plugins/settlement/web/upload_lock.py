"""One delivery of a batch at a time, held by a locked file: the kernel frees it with the process, however that ends.

A connection of the database would do so too, but each slow sender would hold one.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upath import UPath

from settlement.errors import SettlementError
from settlement.intake.folders import inbox


@contextmanager
def only_upload(batch_id: str) -> Iterator[None]:
    """Hold the lock on delivering this batch.

    Raises:
        SettlementError: ``delivery_in_progress``.
    """
    path = _folder() / f".{batch_id}.lock"  # no batch id begins with a dot
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        if not _is_taken(file.fileno(), path):
            raise SettlementError(
                "delivery_in_progress",
                f"batch {batch_id} is being delivered by another call (该批次正在上传)",
                "wait for its end (请待其结束)",
            )
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _is_taken(descriptor: int, path: Path) -> bool:
    """Lock the file; False where another call holds it, or has just removed the one that was opened."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _folder() -> Path:
    """Give the inbox, which all api-servers of an installation share, or where it is an object store a local folder.

    There two servers may take the same batch at once: what they wrote is compared with the manifest when it is loaded.
    """
    place: UPath = inbox()
    return Path(place.path) if place.protocol in ("", "file") else Path(tempfile.gettempdir()) / "settlement-deliveries"
