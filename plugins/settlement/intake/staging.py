"""Bring one delivered file into the work folder: hashed, expanded, decoded to UTF-8, and bounded while reading.

The file is read once, from wherever the inbox is, so a sender who changes it later changes nothing. Text arrives in
the work folder as UTF-8 without BOM, and its line ends are counted.
"""

import codecs
import errno
import gzip
import hashlib
import lzma
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

from settlement.contract.limits import MIB, BatchMeter, Limits, require_ratio, require_rows
from settlement.contract.manifest import SHA256, DeliveredFile, shown
from settlement.errors import SettlementError
from settlement.intake import archives, headers
from settlement.intake.folders import open_inside

BLOCK = 1 * MIB
BEGINNING_BYTES = 64
"""Enough to tell what a file is."""
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
    OverflowError,
    ValueError,
)
"""What the libraries raise for a damaged archive."""
DAMAGE_NUMBERS = (None, errno.EINVAL)
"""Of an OSError that means damage: pyarrow and bz2 give none, and a zip may name a place before its beginning."""


@dataclass(frozen=True)
class StagedFile:
    """A file in the work folder. `size` is in bytes, expanded; `lines` counts the lines of a text.

    `has_even_ends` tells that every line ends alike, with LF or with CRLF, and no other CR stands in the text.
    """

    path: Path
    sha256: str
    size: int
    lines: int
    has_even_ends: bool


def stage(
    file: DeliveredFile, folder: UPath, work: Path, limits: Limits, meter: BatchMeter | None = None
) -> StagedFile:
    """Copy `file` from the batch folder into `work`, checking it on the way; `meter` counts for the whole batch.

    The header of a delimited file is checked before the rest is expanded.

    Raises:
        SettlementError: ``control_mismatch`` (the hash is another one than the manifest says: this is said first,
            because a damaged file breaks in many ways), ``file_missing``, ``file_not_plain``,
            ``file_unreadable``, ``file_too_large``, ``batch_too_large``, ``too_many_rows``, ``expansion_ratio``,
            ``disk_space_low``, ``archive_invalid``, ``archive_nested``, ``encoding_invalid`` with the byte offset,
            ``line_too_long``, and those of the header.
    """
    meter = meter or BatchMeter(limits, work)
    with open_inside(folder, file.name) as source:
        hashing = _HashingReader(source, meter)
        target = work / f"file_{file.file_no}"
        try:
            staged = _copy(file, hashing, target, meter)
        except SettlementError as error:
            if error.code in ("disk_space_low", "batch_too_large"):
                raise
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
    """Passes bytes on, counts and hashes them: the hash is of the file as delivered, compressed where it is."""

    def __init__(self, source: BinaryIO, meter: BatchMeter | None = None) -> None:
        self._source = source
        self._meter = meter
        self._hash = hashlib.sha256()
        self.size = 0
        self.beginning = b""

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        if self.size < BEGINNING_BYTES:
            self.beginning += data[:BEGINNING_BYTES]
        self.size += len(data)
        if self._meter:
            self._meter.deliver(len(data))
        self._hash.update(data)
        return data

    def read_beginning(self) -> bytes:
        """The first bytes of the file, read as far as they have not been."""
        while len(self.beginning) < BEGINNING_BYTES and self.read(BEGINNING_BYTES):
            pass
        return self.beginning

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


def _copy(file: DeliveredFile, source: _HashingReader, target: Path, meter: BatchMeter) -> StagedFile:
    limits = meter.limits
    is_text = file.format in ("csv", "tsv", "jsonl", "json4101")
    size = 0
    text = _Text(file, limits) if is_text else None
    with target.open("wb") as sink, _expanded(file, source, target, limits) as expanded:
        for block in _blocks(file, source, expanded):
            is_first, size = size == 0, size + len(block)
            meter.expand(len(block))
            if size > limits.file_bytes:
                raise too_large(file, limits)
            if file.compression:
                require_ratio(file.name, source.size, size, limits)
            if is_first:
                archives.refuse_hidden_archive(file, block)
            content = text.accept(block) if text else block
            sink.write(content)
            if text:
                _check_rows(file, text, meter)
            if is_first and headers.has_header(file):
                headers.check_first_block(file, content, limits)
        if text:
            sink.write(text.finish())
    source.drain()
    if not text:
        return StagedFile(target, source.sha256, size, 0, has_even_ends=False)
    meter.rows += text.lines
    return StagedFile(target, source.sha256, size, text.lines, text.has_even_ends)


def _check_rows(file: DeliveredFile, text: "_Text", meter: BatchMeter) -> None:
    """Lines stand for rows while a text is read: what has too many is not read to its end."""
    rows = max(text.lines - 1, 0)
    require_rows(file.name, rows, meter.rows + rows, meter.limits)


def _check_hash(file: DeliveredFile, found: str) -> None:
    if found != file.sha256:
        odd = "" if SHA256.fullmatch(file.sha256) else ", which is no sha256 of 64 hexadecimal digits"
        raise SettlementError(
            "control_mismatch",
            f"{file.name}: sha256 expected {shown(file.sha256)[1:-1]}{odd}, found {found} (文件校验值不一致)",
            "the file is not the one the manifest describes: send the batch again (文件与清单不符, 请重报)",
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
        try:
            _spool(file, source, spool, limits)
            with _only_member(file, source, spool) as expanded:
                yield expanded
        finally:
            spool.unlink()
    else:
        yield source  # type: ignore[misc]  # read() is all that is used


def _blocks(file: DeliveredFile, source: _HashingReader, expanded: IO[bytes]) -> Iterator[bytes]:
    """Yield the expanded bytes; what is wrong with an archive is one error, whatever library found it."""
    is_begun = False
    while True:
        try:
            block = expanded.read(BLOCK)
        except (*DAMAGE, OSError) as error:
            if file.compression is None or not _is_damage(error):
                raise  # of the disk or the network
            raise archives.damaged(file, error, source.read_beginning(), is_begun=is_begun) from None
        if not block:
            return
        is_begun = True
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
def _only_member(file: DeliveredFile, source: _HashingReader, spool: Path) -> Iterator[IO[bytes]]:
    """Open the one data file of a zip; its name is checked although it is never used as a path."""
    with ExitStack() as opened:
        try:
            archives.check_directory(file, spool)
            archive = opened.enter_context(zipfile.ZipFile(spool))
            member = opened.enter_context(archive.open(archives.only_data_file(file, archive.infolist())))
        except (*DAMAGE, OSError) as error:
            if not _is_damage(error):
                raise
            raise archives.damaged(file, error, source.read_beginning(), is_begun=False) from None
        yield member


def _is_damage(error: Exception) -> bool:
    """False for what the disk or the network did."""
    return not isinstance(error, OSError) or isinstance(error, DAMAGE) or error.errno in DAMAGE_NUMBERS


class _Text:
    """Checks and converts text block by block, and counts its lines."""

    def __init__(self, file: DeliveredFile, limits: Limits) -> None:
        self._file = file
        self._limit = limits.line_bytes
        self._decoder = codecs.getincrementaldecoder(file.encoding)(errors="strict")
        self._offset = 0
        self._line_length = 0
        self._is_start = True
        self._ends = {b"\n": 0, b"\r": 0, b"\r\n": 0}
        self._is_return_open = False
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
                f"{self._file.name}: byte {offset} does not decode as {self._file.encoding}"
                f" (第 {offset} 字节不是 {self._file.encoding} 编码)",
                "name the right encoding in the manifest, or mend the file (请在清单中填写正确编码或修正文件)",
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
            self._count_ends(content)
            self._is_line_open = not content.endswith((b"\n", b"\r"))
        return content

    @property
    def lines(self) -> int:
        """Lines by their ends, as every reader ends them: LF, CRLF or CR alone; an open last line counts."""
        feeds, returns, pairs = self._ends.values()
        return feeds + returns - pairs + self._is_line_open

    @property
    def has_even_ends(self) -> bool:
        """True when every line ends with LF, or every line with CRLF; False where any CR stands alone."""
        feeds, returns, pairs = self._ends.values()
        return feeds > 0 and returns == pairs and pairs in (0, feeds)

    def _count_ends(self, content: bytes) -> None:
        self._ends[b"\n"] += content.count(b"\n")
        if returns := content.count(b"\r"):
            self._ends[b"\r"] += returns
            self._ends[b"\r\n"] += content.count(b"\r\n")
        if self._is_return_open and content.startswith(b"\n"):
            self._ends[b"\r\n"] += 1
        self._is_return_open = content.endswith(b"\r")

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
                    f"{self._file.name}: a line is longer than {self._limit} bytes (单行过长)",
                    "check the line ends, or raise SETTLEMENT_LIMIT_LINE_BYTES (请检查换行符)",
                )
            position = line_start = line_end + 1
        last_end = max(content.rfind(b"\n", position), content.rfind(b"\r", position))
        self._line_length = len(content) - last_end - 1 if last_end >= 0 else len(content) - line_start


def too_large(file: DeliveredFile, limits: Limits) -> SettlementError:
    """The error for a file beyond the limit, expanded."""
    return SettlementError(
        "file_too_large",
        f"{file.name} is larger than {limits.file_bytes} bytes uncompressed (文件解压后过大)",
        "split it into several files, or raise SETTLEMENT_LIMIT_FILE_BYTES (请拆分文件)",
    )
