"""Inbox and outbox: any address that fsspec understands, a local folder by default."""

import os
from typing import BinaryIO

from upath import UPath

from settlement.contract.manifest import BATCH_ID
from settlement.errors import SettlementError

MANIFEST = "manifest.json"


def inbox() -> UPath:
    """The folder that senders deliver batches to (``SETTLEMENT_INBOX``)."""
    return _folder("SETTLEMENT_INBOX")


def outbox() -> UPath:
    """The folder that receipts are written to (``SETTLEMENT_OUTBOX``)."""
    return _folder("SETTLEMENT_OUTBOX")


def batch_folder(batch_id: str) -> UPath:
    """Return the inbox folder of a batch.

    Raises:
        SettlementError: ``batch_id_invalid`` when the id could not be a folder name of the contract,
            ``batch_not_found`` when the folder has no manifest.
    """
    if not BATCH_ID.fullmatch(batch_id):
        raise SettlementError(
            "batch_id_invalid",
            f"{batch_id!r} is not a batch id",
            "a batch id is 1 to 64 letters, digits, '_', '.' or '-', and begins with a letter or digit",
        )
    folder = inbox() / batch_id
    if not (folder / MANIFEST).is_file():
        raise SettlementError(
            "batch_not_found",
            f"there is no {MANIFEST} in the inbox folder {batch_id}",
            "the manifest is written last: wait until the sender has finished, or check the batch id",
        )
    return folder


def complete_batches() -> list[str]:
    """Ids of the batch folders that have a manifest, sorted by id; other things in the inbox are ignored."""
    folder = inbox()
    if not folder.is_dir():
        return []
    names = (entry.name for entry in folder.iterdir())
    return sorted(name for name in names if BATCH_ID.fullmatch(name) and (folder / name / MANIFEST).is_file())


def open_inside(folder: UPath, name: str) -> BinaryIO:
    """Open the file `name` of a batch folder; links and anything but a plain file are refused.

    Raises:
        SettlementError: ``file_missing``, ``file_not_plain``.
    """
    path = folder / name
    if _is_link(folder) or _is_link(path):
        raise SettlementError("file_not_plain", f"{name} is a symbolic link", "send the file itself")
    if not path.exists():
        raise SettlementError("file_missing", f"the batch folder has no file {name!r}", "send the batch again, whole")
    if not path.is_file():
        raise SettlementError("file_not_plain", f"{name} is not a plain file", "send the file itself")
    return path.open("rb")


def _is_link(path: UPath) -> bool:
    """Only a local file system has links; O_NOFOLLOW would not see a linked folder."""
    return path.protocol in ("", "file") and os.path.islink(path.path)


def _folder(variable: str) -> UPath:
    try:
        return UPath(os.environ[variable])
    except KeyError:
        raise SettlementError(
            "folder_not_configured", f"{variable} is not set", f"set {variable} to a folder or an address like s3://…"
        ) from None
