"""Streaming a batch to the inbox: memory stays bounded, whatever the size and however the pieces are cut."""

import asyncio
import hashlib
import json
import tracemalloc
from collections.abc import AsyncIterator, Iterator

import pytest

from settlement.contract.limits import Limits
from settlement.errors import SettlementError
from settlement.web.parts import PartEnd, PartStart, read_parts
from settlement.web.upload import read_manifest, store

TYPE = "multipart/form-data; boundary=cut"
PIECE = bytes(64 * 1024)


async def arriving(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def head(field: str, file_name: str) -> bytes:
    return f'--cut\r\nContent-Disposition: form-data; name="{field}"; filename="{file_name}"\r\n\r\n'.encode()


def test_memory_does_not_grow_with_the_size_of_a_file(warehouse):
    count = 1_600
    digest = hashlib.sha256()
    for _ in range(count):
        digest.update(PIECE)
    entry = {"name": "s.csv", "table": "settlement", "format": "csv", "rows": 1, "sha256": digest.hexdigest()}
    manifest = {
        "batch_id": "large",
        "kind": "settlement",
        "area_code": "330100",
        "business_date": "2026-03-02",
        "created_at": "2026-03-02T23:10:05+08:00",
        "files": [entry],
    }

    def body() -> Iterator[bytes]:
        yield head("manifest", "manifest.json") + json.dumps(manifest).encode() + b"\r\n" + head("files", "s.csv")
        for _ in range(count):
            yield PIECE
        yield b"\r\n--cut--\r\n"

    async def take() -> None:
        parts = read_parts(TYPE, arriving(body()))
        checked, content = await read_manifest(parts, Limits())
        await store(checked, content, parts, Limits())

    tracemalloc.start()
    asyncio.run(take())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (warehouse.inbox / "large" / "s.csv").stat().st_size == count * len(PIECE)
    assert peak < 5_000_000


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_parts_are_the_same_however_the_body_is_cut(size):
    body = (
        head("manifest", "m.json")
        + b"{}\r\n--not a boundary\r\n"
        + head("files", "明细.csv")
        + b"a,b\r\n\r\n--cut--\r\n"
    )
    pieces = (body[at : at + size] for at in range(0, len(body), size))

    async def read() -> list[tuple[str, str, bytes]]:
        found: list[tuple[str, str, bytes]] = []
        async for event in read_parts(TYPE, arriving(pieces)):
            if isinstance(event, PartStart):
                found.append((event.field, event.file_name, b""))
            elif not isinstance(event, PartEnd):
                field, name, content = found.pop()
                found.append((field, name, content + event))
        return found

    assert asyncio.run(read()) == [
        ("manifest", "m.json", b"{}\r\n--not a boundary"),
        ("files", "明细.csv", b"a,b\r\n"),
    ]


@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/form-data", "multipart/mixed; boundary=cut"])
def test_other_types_of_body_are_refused(content_type):
    async def read() -> None:
        async for _ in read_parts(content_type, arriving(iter([b"x"]))):
            pass

    with pytest.raises(SettlementError) as refused:
        asyncio.run(read())
    assert refused.value.code == "multipart_invalid"
