"""One delivery of a batch at a time, held by a locked file: the kernel frees it with the process, however that ends.

A connection of the database would do so too, but each slow sender would hold one.
"""

import errno
import fcntl
import os
import stat
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
    descriptor = _taken(path)
    if descriptor is None:
        raise SettlementError(
            "delivery_in_progress",
            f"batch {batch_id} is being delivered by another call (该批次正在上传)",
            "wait for its end (请待其结束)",
        )
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _taken(path: Path) -> int | None:
    """Lock the file; None where another call holds it, has just removed it, or what lies there is no file.

    Whoever may write to the inbox may put a link or a pipe there: neither is followed or waited for.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            return None
        raise
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and os.path.samestat(found, path.lstat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _folder() -> Path:
    """Give the inbox, which all api-servers of an installation share, or where it is an object store a local folder.

    There two servers may take the same batch at once: what they wrote is compared with the manifest when it is loaded.
    """
    place: UPath = inbox()
    return Path(place.path) if place.protocol in ("", "file") else Path(tempfile.gettempdir()) / "settlement-deliveries"
