"""Taking a batch from a multipart body into the inbox: files as they come, the manifest last."""

import hashlib
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from starlette.concurrency import run_in_threadpool
from upath import UPath

from settlement.contract import DeliveredFile, Manifest, parse_manifest
from settlement.contract.limits import BatchMeter, Limits
from settlement.errors import SettlementError
from settlement.intake.folders import MANIFEST, inbox
from settlement.web.batch_ids import require_form
from settlement.web.parts import PartEnd, PartStart
from settlement.whole_files import write_whole

Parts = AsyncIterator[PartStart | bytes | PartEnd]


async def read_manifest(parts: Parts, limits: Limits) -> tuple[Manifest, bytes]:
    """Read the first part, field ``manifest``, and check it as the intake does; give it and its bytes.

    It comes first so that a batch is refused before its files are sent.

    Raises:
        SettlementError: ``manifest_not_first``, ``file_too_large``, ``batch_id_invalid`` and those of
            :func:`settlement.contract.parse_manifest`.
    """
    start = await anext(parts, None)
    if not isinstance(start, PartStart) or start.field != "manifest":
        raise SettlementError(
            "manifest_not_first",
            "the first part is not the field 'manifest' (首个部分不是清单)",
            "send it first (请先发清单)",
        )
    content = b""
    async for event in parts:
        if isinstance(event, PartEnd):
            break
        content += cast(bytes, event)
        if len(content) > limits.manifest_bytes:
            raise _too_large(MANIFEST, limits.manifest_bytes)
    return parse_manifest(content, _batch_id(content), limits), content


async def store(manifest: Manifest, content: bytes, parts: Parts, limits: Limits) -> None:
    """Write the remaining parts to the inbox as the files of the manifest, then the manifest itself.

    Whatever goes wrong, nothing of the delivery stays in the inbox, and without its manifest the batch was never
    complete. Memory does not grow with the size of a file.

    Raises:
        SettlementError: ``file_unexpected``, ``file_missing``, ``file_too_large``, ``control_mismatch`` when the bytes
            of a file have another sha256 than the manifest says.
    """
    folder = inbox() / manifest.batch_id
    await run_in_threadpool(_begin, folder)
    meter = BatchMeter(limits, _disk_of(folder))
    awaited = {file.name: file for file in manifest.files}
    written: list[UPath] = []
    try:
        async for event in parts:
            file = _awaited_file(cast(PartStart, event), awaited)
            written.append(folder / file.name)
            await _write_file(folder / file.name, file, parts, meter)
        if awaited:
            raise SettlementError(
                "file_missing",
                f"no part brings {', '.join(sorted(awaited))} (缺少文件)",
                "send every file of the manifest (请发送清单中的全部文件)",
            )
        await run_in_threadpool(write_whole, folder / MANIFEST, content)
    except BaseException:
        await run_in_threadpool(_remove, folder, written)
        raise


def _batch_id(content: bytes) -> str:
    """The id the manifest gives itself: over the API no folder name says it. Malformed JSON is reported later."""
    try:
        batch_id = json.loads(content.decode("utf-8-sig")).get("batch_id")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return require_form(batch_id)


def _awaited_file(start: PartStart, awaited: dict[str, DeliveredFile]) -> DeliveredFile:
    """Only names of the checked manifest are ever opened, each once."""
    file = awaited.pop(start.file_name, None)
    if file is None:
        raise SettlementError(
            "file_unexpected",
            f"the part {start.file_name or start.field!r} is no file of the manifest, or was sent already "
            "(不在清单中或重复发送)",
            "send each file of the manifest once, under its name there (清单中每个文件按原名各发一次)",
        )
    return file


async def _write_file(path: UPath, file: DeliveredFile, parts: Parts, meter: BatchMeter) -> None:
    digest = hashlib.sha256()
    size = 0
    sink = await run_in_threadpool(_open_new, path)
    try:
        async for event in parts:
            if isinstance(event, PartEnd):
                break
            piece = cast(bytes, event)
            size += len(piece)
            if size > meter.limits.file_bytes:
                raise _too_large(file.name, meter.limits.file_bytes)
            meter.deliver(len(piece))
            digest.update(piece)
            await run_in_threadpool(sink.write, piece)
    finally:
        await run_in_threadpool(sink.close)
    if digest.hexdigest() != file.sha256:
        raise SettlementError(
            "control_mismatch",
            f"{file.name}: sha256 expected {file.sha256}, found {digest.hexdigest()} over {size} bytes (校验值不符)",
            "the file was changed or cut on its way: send the batch again (文件在传输中被改动或截断, 请重发)",
        )


def _begin(folder: UPath) -> None:
    """Make the folder; what a refused delivery left there is incomplete from now on. A link there is not followed."""
    if folder.is_symlink():
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)


def _disk_of(folder: UPath) -> Path:
    """Give a folder on the disk that the delivery is written to; an object store has none that could be full."""
    return Path(folder.path) if folder.protocol in ("", "file") else Path(tempfile.gettempdir())


def _open_new(path: UPath) -> BinaryIO:
    """Open a file that replaces what an interrupted delivery left under its name; a link there is not followed."""
    path.unlink(missing_ok=True)
    return path.open("wb")


def _remove(folder: UPath, written: list[UPath]) -> None:
    """Leave nothing of the delivery; a folder that holds anything else stays."""
    for path in written:
        path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _too_large(name: str, limit: int) -> SettlementError:
    return SettlementError(
        "file_too_large", f"{name} is larger than {limit} bytes (文件过大)", "split the batch (请拆分批次)"
    )
