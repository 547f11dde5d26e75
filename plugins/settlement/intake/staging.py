"""Bring one delivered file into the work folder: hashed, expanded, decoded to UTF-8, and bounded while reading.

The file is read once, from wherever the inbox is, so a sender who changes it later changes nothing. Text arrives in
the work folder as UTF-8 without BOM, and its line ends are counted.
"""

import codecs
import gzip
import hashlib
import lzma
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

import pyarrow
from upath import UPath

from settlement.contract.limits import MIB, Limits
from settlement.contract.manifest import DeliveredFile
from settlement.errors import SettlementError
from settlement.intake.folders import open_inside

BLOCK = 1 * MIB
DAMAGE = (
    EOFError,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    pyarrow.ArrowException,
    NotImplementedError,
    RuntimeError,
    MemoryError,  # what a damaged LZMA header asks for
    ValueError,
)
"""What the libraries raise for a damaged archive; pyarrow and bz2 also raise an OSError that has no number."""
ARCHIVE_MAGIC = (b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


@dataclass(frozen=True)
class StagedFile:
    """A file in the work folder. `size` is in bytes, expanded; `lines` counts the lines of a text.

    `has_line_feeds` tells that they end with LF or CRLF; a text without any has ends of CR, or a single line.
    """

    path: Path
    sha256: str
    size: int
    lines: int
    has_line_feeds: bool


def stage(file: DeliveredFile, folder: UPath, work: Path, limits: Limits) -> StagedFile:
    """Copy `file` from the batch folder into `work`, checking it on the way.

    Raises:
        SettlementError: ``control_mismatch`` (the hash is another one than the manifest says: this is said first,
            because a damaged file breaks in many ways), ``file_missing``, ``file_not_plain``, ``file_too_large``,
            ``archive_invalid``, ``archive_nested``, ``encoding_invalid`` with the byte offset, ``line_too_long``.
    """
    with open_inside(folder, file.name) as source:
        hashing = _HashingReader(source)
        target = work / f"file_{file.file_no}"
        try:
            staged = _copy(file, hashing, target, limits)
        except SettlementError:
            hashing.drain()
            _check_hash(file, hashing.sha256)
            raise
    _check_hash(file, staged.sha256)
    return staged


def sha256_of(folder: UPath, name: str) -> str:
    """Hash a delivered file as it lies in the inbox."""
    with open_inside(folder, name) as source:
        hashing = _HashingReader(source)
        hashing.drain()
    return hashing.sha256


class _HashingReader:
    """Passes bytes on and hashes them: the hash is of the file as delivered, compressed where it is."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._hash.update(data)
        return data

    def drain(self) -> None:
        while self.read(BLOCK):
            pass

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    # pyarrow and gzip ask these of a file object.
    closed = False

    def close(self) -> None:
        """Leave the source open: its hash is not finished."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def writable(self) -> bool:
        return False


def _copy(file: DeliveredFile, source: _HashingReader, target: Path, limits: Limits) -> StagedFile:
    is_text = file.format in ("csv", "tsv", "jsonl", "json4101")
    size = 0
    text = _Text(file, limits) if is_text else None
    with target.open("wb") as sink, _expanded(file, source, target, limits) as expanded:
        for block in _blocks(file, expanded):
            size += len(block)
            if size > limits.file_bytes:
                raise too_large(file, limits)
            if file.compression and size == len(block) and block.startswith(ARCHIVE_MAGIC):
                raise SettlementError(
                    "archive_nested", f"{file.name} holds another archive", "compress the data file itself, once"
                )
            sink.write(text.accept(block) if text else block)
        if text:
            sink.write(text.finish())
    source.drain()
    lines, has_line_feeds = (text.lines, text.has_line_feeds) if text else (0, False)
    return StagedFile(target, source.sha256, size, lines, has_line_feeds)


def _check_hash(file: DeliveredFile, found: str) -> None:
    if found != file.sha256:
        raise SettlementError(
            "control_mismatch",
            f"{file.name}: sha256 expected {file.sha256}, found {found}",
            "the file is not the one the manifest describes: send the batch again",
        )


@contextmanager
def _expanded(file: DeliveredFile, source: _HashingReader, target: Path, limits: Limits) -> Iterator[IO[bytes]]:
    """Open the bytes inside the compression; a zip is spooled first, because its directory stands at its end."""
    if file.compression == "gz":
        with gzip.GzipFile(fileobj=source) as expanded:  # type: ignore[call-overload]  # read() is all it needs
            yield expanded
    elif file.compression == "zst":
        with pyarrow.input_stream(pyarrow.PythonFile(source, mode="r"), compression="zstd") as expanded:
            yield expanded
    elif file.compression == "zip":
        spool = target.with_suffix(".zip")
        _spool(file, source, spool, limits)
        try:
            with _only_member(file, spool) as expanded:
                yield expanded
        finally:
            spool.unlink()
    else:
        yield source  # type: ignore[misc]  # read() is all that is used


def _blocks(file: DeliveredFile, expanded: IO[bytes]) -> Iterator[bytes]:
    """Yield the expanded bytes; what is wrong with an archive is one error, whatever library found it."""
    while True:
        try:
            block = expanded.read(BLOCK)
        except DAMAGE as error:
            if file.compression is None:
                raise
            raise _bad_archive(file, str(error)) from None
        except OSError as error:
            if file.compression is None or error.errno is not None:
                raise  # of the disk or the network
            raise _bad_archive(file, str(error)) from None
        if not block:
            return
        yield block


def _spool(file: DeliveredFile, source: _HashingReader, spool: Path, limits: Limits) -> None:
    size = 0
    with spool.open("wb") as sink:
        while block := source.read(BLOCK):
            size += len(block)
            if size > limits.file_bytes:
                raise too_large(file, limits)
            sink.write(block)


@contextmanager
def _only_member(file: DeliveredFile, spool: Path) -> Iterator[IO[bytes]]:
    """Open the one member of a zip; its name is checked although it is never used as a path."""
    with ExitStack() as opened:
        try:
            archive = opened.enter_context(zipfile.ZipFile(spool))
            members = archive.infolist()
            if len(members) != 1 or members[0].is_dir():
                raise _bad_archive(file, f"it has {len(members)} members; exactly one file is allowed")
            name = members[0].filename
            if "/" in name or "\\" in name or ".." in name:
                raise _bad_archive(file, f"the member's name {name!r} is a path")
            member = opened.enter_context(archive.open(members[0]))
        except DAMAGE as error:
            raise _bad_archive(file, str(error)) from None
        yield member


class _Text:
    """Checks and converts text block by block, and counts its lines."""

    def __init__(self, file: DeliveredFile, limits: Limits) -> None:
        self._file = file
        self._limit = limits.line_bytes
        self._decoder = codecs.getincrementaldecoder(file.encoding)(errors="strict")
        self._offset = 0
        self._line_length = 0
        self._is_start = True
        self._ends = {b"\n": 0, b"\r": 0}
        self._is_line_open = False

    def accept(self, block: bytes, final: bool = False) -> bytes:
        """Return the block as UTF-8; an unfinished character is kept back for the next one."""
        kept, _ = self._decoder.getstate()
        try:
            text = self._decoder.decode(block, final)
        except UnicodeDecodeError as error:
            offset = self._offset - len(kept) + error.start
            raise SettlementError(
                "encoding_invalid",
                f"{self._file.name}: byte {offset} does not decode as {self._file.encoding}",
                "name the right encoding in the manifest, or mend the file",
            ) from None
        self._offset += len(block)
        if self._file.encoding == "utf-8":  # as it was sent, but for what is kept back now
            unfinished, _ = self._decoder.getstate()
            content = (kept + block).removesuffix(unfinished)
        else:
            content = text.encode()
        if self._is_start and content:
            content = content.removeprefix(codecs.BOM_UTF8)
            self._is_start = False
        self._check_lines(content)
        if content:
            for end in self._ends:
                self._ends[end] += content.count(end)
            self._is_line_open = not content.endswith((b"\n", b"\r"))
        return content

    @property
    def lines(self) -> int:
        """Lines by their ends: LF or CRLF, or CR where there is no LF at all; an open last line counts."""
        return (self._ends[b"\n"] or self._ends[b"\r"]) + self._is_line_open

    @property
    def has_line_feeds(self) -> bool:
        """False where every line end is a lone CR."""
        return self._ends[b"\n"] > 0

    def finish(self) -> bytes:
        """Return what is left; a character cut off at the end of the file is an error."""
        return self.accept(b"", final=True)

    def _check_lines(self, content: bytes) -> None:
        """Refuse a line over the limit, jumping from line end to line end as far apart as the limit allows."""
        position = 0
        line_start = -self._line_length
        while len(content) - line_start > self._limit:
            window_end = max(line_start + self._limit + 1, 0)
            line_end = content.rfind(b"\n", position, window_end)
            if line_end < 0:
                line_end = content.rfind(b"\r", position, window_end)
            if line_end < 0:
                raise SettlementError(
                    "line_too_long",
                    f"{self._file.name}: a line is longer than {self._limit} bytes",
                    "check the line ends, or raise SETTLEMENT_LIMIT_LINE_BYTES",
                )
            position = line_start = line_end + 1
        last_end = max(content.rfind(b"\n", position), content.rfind(b"\r", position))
        self._line_length = len(content) - last_end - 1 if last_end >= 0 else len(content) - line_start


def too_large(file: DeliveredFile, limits: Limits) -> SettlementError:
    """The error for a file beyond the limit, expanded."""
    return SettlementError(
        "file_too_large",
        f"{file.name} is larger than {limits.file_bytes} bytes uncompressed",
        "split it into several files, or raise SETTLEMENT_LIMIT_FILE_BYTES",
    )


def _bad_archive(file: DeliveredFile, reason: str) -> SettlementError:
    return SettlementError("archive_invalid", f"{file.name}: {reason}", "compress the file again and send it")


def remove(work: Path) -> None:
    """Remove the work folder of a batch and what is in it."""
    shutil.rmtree(work, ignore_errors=True)
