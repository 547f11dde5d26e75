"""Inbox and outbox: any address that fsspec understands, a local folder by default.

Whoever may write into the inbox may put there what is no file: a link, a pipe, a folder that nobody else may enter.
Such an entry is a fault of its own batch, and never of the run that meets it.
"""

import errno
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import BinaryIO

from upath import UPath

from settlement.contract.manifest import BATCH_ID, OUTBOX_FOLDERS
from settlement.errors import SettlementError

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
DELIVERED_WRONGLY = (errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENXIO, errno.ENODEV, errno.ENAMETOOLONG)
"""What the system answers about an entry that its sender has to mend; other errors are of the disk or the network."""


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
            f"{batch_id!r} is not a batch id (批次号不合规)",
            "a batch id is 1 to 64 letters, digits, '_', '.' or '-', and begins with a letter or digit; "
            f"{', '.join(OUTBOX_FOLDERS)} are folders of the outbox (须为 1–64 位字母、数字、_ . -)",
        )
    folder = inbox() / batch_id
    if not has_manifest(folder):
        raise SettlementError(
            "batch_not_found",
            f"there is no {MANIFEST} in the inbox folder {batch_id} (收件箱中没有该批次的清单)",
            "the manifest is written last: wait until the sender has finished, or check the batch id (请核对批次号)",
        )
    return folder


def complete_batches() -> list[str]:
    """Ids of the batch folders that have a manifest, sorted by id; other things in the inbox are ignored.

    What cannot be looked at counts as a batch: receiving it says why it cannot be read.
    """
    folder = inbox()
    if not folder.is_dir():
        return []
    found = []
    for name in sorted(entry.name for entry in folder.iterdir()):
        if BATCH_ID.fullmatch(name):
            if has_manifest(folder / name):
                found.append(name)
        elif name.lower() in OUTBOX_FOLDERS and has_manifest(folder / name):
            log.error(
                "inbox folder %s is left alone: the outbox has a folder of this name (批次号与发件箱目录重名)", name
            )
    return found


def has_manifest(folder: UPath) -> bool:
    """True when a batch folder has a manifest of whatever form, or cannot be looked into."""
    try:
        if _is_local(folder):
            os.lstat(f"{folder.path}/{MANIFEST}")
            return True
        return bool((folder / MANIFEST).is_file())
    except (FileNotFoundError, NotADirectoryError):
        return _is_link(folder)
    except OSError:
        return True


def changed_at(folder: UPath) -> datetime | None:
    """When the manifest of a batch folder was written; None where that cannot be seen."""
    try:
        return datetime.fromtimestamp((folder / MANIFEST).stat().st_mtime, UTC)
    except OSError:
        return None


def can_be_opened(folder: UPath, name: str) -> bool:
    """True when a file of a batch folder can be opened, or is missing: that is another fault."""
    try:
        open_inside(folder, name).close()
    except SettlementError as error:
        return error.code != "file_unreadable"
    except OSError:
        return False
    return True


def open_inside(folder: UPath, name: str) -> BinaryIO:
    """Open the file `name` of a batch folder; links and anything but a plain file are refused.

    Nothing is followed and nothing is waited for: what is judged is what is open, not what its name said before.

    Raises:
        SettlementError: ``file_missing``, ``file_not_plain``, ``file_unreadable``.
    """
    with _faults_of_the_sender(name):
        if _is_local(folder):
            return _open_local(folder.path, name)
        return (folder / name).open("rb")


def _open_local(folder: str, name: str) -> BinaryIO:
    plain = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    inside = os.open(folder, plain | os.O_DIRECTORY)
    try:
        descriptor = os.open(name, plain | os.O_NONBLOCK, dir_fd=inside)  # a pipe would wait for its writer
    finally:
        os.close(inside)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _not_plain(name, "is not a plain file", "不是普通文件")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


@contextmanager
def _faults_of_the_sender(name: str) -> Iterator[None]:
    """Say as a refusal what the sender has to mend; errors of the disk or the network stay what they are."""
    try:
        yield
    except FileNotFoundError:
        raise SettlementError(
            "file_missing",
            f"the batch folder has no file {name!r} (批次目录缺少文件)",
            "send the batch again, whole (请完整重报)",
        ) from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise _not_plain(name, "or its folder is a symbolic link", "是符号链接") from None
        if error.errno in (errno.ENXIO, errno.ENODEV, errno.EISDIR):
            raise _not_plain(name, "is not a plain file", "不是普通文件") from None
        if error.errno in DELIVERED_WRONGLY:
            raise SettlementError(
                "file_unreadable",
                f"{name} cannot be read: {os.strerror(error.errno)} (文件无法读取)",
                "give the platform's account the right to read the folder and its files; the batch is then received by"
                " itself (请为平台账号开放目录与文件的读权限)",
            ) from None
        raise


def _not_plain(name: str, what: str, chinese: str) -> SettlementError:
    return SettlementError(
        "file_not_plain",
        f"{name} {what} ({chinese})",
        "send the file itself, in a folder of the inbox (请送达文件本身)",
    )


def _is_local(path: UPath) -> bool:
    return path.protocol in ("", "file")


def _is_link(path: UPath) -> bool:
    """Only a local file system has links."""
    return _is_local(path) and os.path.islink(path.path)


def _folder(variable: str) -> UPath:
    try:
        return UPath(os.environ[variable])
    except KeyError:
        raise SettlementError(
            "folder_not_configured",
            f"{variable} is not set (未设置)",
            f"set {variable} to a folder or an address like s3://… (请设为目录或 s3:// 地址)",
        ) from None
