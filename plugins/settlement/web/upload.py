"""Taking a batch from a multipart body into the inbox: files as they come, the manifest last."""

import hashlib
import json
from collections.abc import AsyncIterator
from typing import BinaryIO, cast

from starlette.concurrency import run_in_threadpool
from upath import UPath

from settlement.contract import BATCH_ID, DeliveredFile, Manifest, parse_manifest
from settlement.contract.limits import Limits
from settlement.errors import SettlementError
from settlement.intake.folders import MANIFEST, inbox
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
        raise SettlementError("manifest_not_first", "the first part is not the field 'manifest'", "send it first")
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
    awaited = {file.name: file for file in manifest.files}
    written: list[UPath] = []
    try:
        async for event in parts:
            file = _awaited_file(cast(PartStart, event), awaited)
            written.append(folder / file.name)
            await _write_file(folder / file.name, file, parts, limits)
        if awaited:
            raise SettlementError("file_missing", f"no part brings {', '.join(sorted(awaited))}", "send every file")
        await run_in_threadpool(write_whole, folder / MANIFEST, content)
    except BaseException:
        await run_in_threadpool(_remove, written)
        raise


def _batch_id(content: bytes) -> str:
    """The id the manifest gives itself: over the API no folder name says it. Malformed JSON is reported later."""
    try:
        batch_id = json.loads(content.decode("utf-8-sig")).get("batch_id")
    except (ValueError, AttributeError, RecursionError):
        return ""
    if not isinstance(batch_id, str) or not BATCH_ID.fullmatch(batch_id):
        raise SettlementError(
            "batch_id_invalid",
            f"batch_id is {batch_id!r}",
            "a batch id is 1 to 64 letters, digits, '_', '.' or '-', and begins with a letter or digit",
        )
    return batch_id


def _awaited_file(start: PartStart, awaited: dict[str, DeliveredFile]) -> DeliveredFile:
    """Only names of the checked manifest are ever opened, each once."""
    file = awaited.pop(start.file_name, None)
    if file is None:
        raise SettlementError(
            "file_unexpected",
            f"the part {start.file_name or start.field!r} is no file of the manifest, or was sent already",
            "send each file of the manifest once, under its name there",
        )
    return file


async def _write_file(path: UPath, file: DeliveredFile, parts: Parts, limits: Limits) -> None:
    digest = hashlib.sha256()
    size = 0
    sink = await run_in_threadpool(_open_new, path)
    try:
        async for event in parts:
            if isinstance(event, PartEnd):
                break
            piece = cast(bytes, event)
            size += len(piece)
            if size > limits.file_bytes:
                raise _too_large(file.name, limits.file_bytes)
            digest.update(piece)
            await run_in_threadpool(sink.write, piece)
    finally:
        await run_in_threadpool(sink.close)
    if digest.hexdigest() != file.sha256:
        raise SettlementError(
            "control_mismatch",
            f"{file.name}: sha256 expected {file.sha256}, found {digest.hexdigest()} over {size} bytes",
            "the file was changed or cut on its way: send the batch again",
        )


def _begin(folder: UPath) -> None:
    """Make the folder; what a refused delivery left there is incomplete from now on."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)


def _open_new(path: UPath) -> BinaryIO:
    """Open a file that replaces what an interrupted delivery left under its name; a link there is not followed."""
    path.unlink(missing_ok=True)
    return path.open("wb")


def _remove(paths: list[UPath]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _too_large(name: str, limit: int) -> SettlementError:
    return SettlementError("file_too_large", f"{name} is larger than {limit} bytes", "split the batch")
