"""Delimited text as people send it: its encoding found, its lines bounded, every fault named with its line.

UTF-8, UTF-16 and GB18030 are read, with or without a mark at the beginning; what is none of them, or no text at all, is
refused. Nothing is held in memory beyond a line.
"""

import codecs
import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from settlement.invisible import shown, stripped

LONGEST_LINE = 1_000_000
"""Characters; a longer line is no row of a table, and would fill the memory."""

CHUNK = 1 << 20
SHOWN = 60
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
NO_TEXT = (
    (b"PK\x03\x04", "a spreadsheet or zip archive (电子表格或 zip 压缩包)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file (旧版 Excel 文件)"),
    (b"\x1f\x8b", "gzip (gzip 压缩文件)"),
)


class UnreadableText(ValueError):
    """What is wrong with a text, in words that follow the file's name: ``line 3: …``."""


@dataclass(frozen=True)
class Record:
    """The values of one row, and the line on which it begins, counted from 1."""

    line: int
    values: list[str]


def encoding_of(path: Path) -> str:
    """The encoding that the whole file can be read in.

    Raises:
        UnreadableText: The file is no text, or in none of the encodings.
    """
    with path.open("rb") as source:
        head = source.read(CHUNK)
        for magic, what in NO_TEXT:
            if head.startswith(magic):
                raise UnreadableText(f"is {what}, not text: save it as CSV (请另存为 CSV)")
        for mark, encoding in MARKS:
            if head.startswith(mark):
                return encoding
        if half := _half_of_zeros(head):
            return half
        for encoding in ("utf-8", "gb18030"):
            source.seek(0)
            line = _line_not_in(source, encoding)
            if line is None:
                return encoding
    raise UnreadableText(f"line {line}: is not in UTF-8, GB18030 or UTF-16 (编码无法识别)")


def _half_of_zeros(head: bytes) -> str | None:
    """UTF-16 without a mark: of the Latin letters of a header every other byte is zero."""
    pairs = len(head) // 2
    if not pairs:
        return None
    even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if odd > pairs / 4 and even < odd / 4:
        return "utf-16-le"
    return "utf-16-be" if even > pairs / 4 and odd < even / 4 else None


def _line_not_in(source: BinaryIO, encoding: str) -> int | None:
    """The first line that cannot be read in an encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    while True:
        chunk = source.read(CHUNK)
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return line + error.object[: error.start].count(b"\n")
        if not chunk:
            return None
        line += chunk.count(b"\n")


def delimiter_of(path: Path, encoding: str, names: set[str]) -> str:
    """The character between the values: that which finds most of the known names in the first line, else a comma."""
    with path.open(encoding=encoding, newline="") as source:
        try:
            first = source.readline(LONGEST_LINE)
        except UnicodeError:
            return ","

    def found(delimiter: str) -> int:
        return len({plain_name(name) for name in first.split(delimiter)} & names)

    return max(",;\t，；", key=found)


def records(path: Path, encoding: str, delimiter: str) -> Iterator[Record]:
    """The rows of the file, the header among them; rows without any value are left out.

    Raises:
        UnreadableText: A line is too long, cannot be decoded, or its quotation marks do not close.
    """
    with path.open(encoding=encoding, newline="") as source:
        reader = csv.reader(_bounded(source), delimiter=delimiter, strict=True)
        begins = 1
        while True:
            try:
                values = next(reader, None)
            except csv.Error as error:
                raise UnreadableText(f"line {begins}: cannot be read as CSV: {error} (引号或分隔有误)") from error
            except UnicodeError as error:
                raise UnreadableText(f"line {begins}: is not in {encoding} (编码有误)") from error
            if values is None:
                return
            if any(not is_blank(value) for value in values):
                yield Record(begins, values)
            begins = reader.line_num + 1


def _bounded(source: TextIO) -> Iterator[str]:
    while line := source.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise csv.Error(f"longer than {LONGEST_LINE:,} characters")
        yield line


def plain_name(text: str) -> str:
    """The name of a column as it was meant: without quotes, spaces at its ends, full width or capitals."""
    return stripped(unicodedata.normalize("NFKC", text)).strip('"').strip().lower()


def is_blank(text: str) -> bool:
    """Whether there is nothing to see in a text."""
    return not stripped(text)


def quoted(text: str) -> str:
    """A value for a message: short, and with invisible characters named."""
    return f"'{shown(text if len(text) <= SHOWN else f'{text[:SHOWN]}…')}'"
