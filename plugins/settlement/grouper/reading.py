"""Reading a scheme's folder: every value typed, every fault named by file and line."""

import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from settlement.errors import SettlementError
from settlement.grouper.completing import complete
from settlement.grouper.layout import FILES, Column, Kind, SchemeFile
from settlement.grouper.text_files import (
    UnreadableText,
    delimiter_of,
    encoding_of,
    is_blank,
    plain_name,
    quoted,
    records,
)
from settlement.invisible import names_of, stripped

TRUE, FALSE = ("t", "true", "1", "y"), ("f", "false", "0", "n", "")
LINE = "line"
"""Under this name a row carries the line it was read from; no table has such a column."""

LARGEST = Decimal(10) ** 12
Row = dict[str, str | None]


@dataclass(frozen=True)
class ReadScheme:
    """A scheme as it lies in its folder: rows by file name, in the columns of the warehouse.

    `remarks` tell what it leaves unsaid and was read as the one thing that it can mean.
    """

    kind: Kind
    rows: dict[str, list[Row]]
    content_sha256: str
    remarks: list[str]


def read_scheme(kind: Kind, folder: Path) -> ReadScheme:
    """Read all files of a scheme.

    Raises:
        SettlementError: ``scheme_invalid``, naming files that are missing, columns that are missing, and the first
            values that cannot be read, each with its line.
    """
    rows: dict[str, list[Row]] = {}
    faults: list[str] = []
    digest = hashlib.sha256()
    for file in FILES[kind]:
        path = folder / f"{file.name}.csv"
        rows[file.name] = []
        try:
            if not path.is_file():
                if not file.optional:
                    faults.append(f"{path.name} is missing (缺少文件)")
                continue
            digest.update(file.name.encode() + b"\0" + path.read_bytes())
            rows[file.name] = list(_rows(path, file, faults))
        except UnreadableText as error:
            faults.append(f"{path.name} {error}")
        except OSError as error:
            faults.append(f"{path.name} cannot be read: {error.strerror} (文件无法读取)")
    if faults:
        raise invalid(folder, faults)
    return ReadScheme(kind, rows, digest.hexdigest(), complete(rows) if kind == "drg" else [])


def invalid(folder: Path, faults: list[str]) -> SettlementError:
    """One error that names the first faults of a scheme and counts the others."""
    shown_first = "; ".join(faults[:8])
    more = f" (and {len(faults) - 8} more 另有 {len(faults) - 8} 项)" if len(faults) > 8 else ""
    return SettlementError(
        "scheme_invalid",
        f"{folder} is no usable scheme (分组方案不可用): {shown_first}{more}",
        "nothing was imported; mend the files and import them again (未导入；请更正文件后重新导入)",
    )


def _rows(path: Path, file: SchemeFile, faults: list[str]) -> Iterator[Row]:
    encoding = encoding_of(path)
    delimiter = delimiter_of(path, encoding, {column.name for column in file.columns})
    read = records(path, encoding, delimiter)
    header = next(read, None)
    names = [plain_name(name) for name in header.values] if header else []
    if again := sorted({column.name for column in file.columns if names.count(column.name) > 1}):
        faults.append(f"{path.name} line 1: column {', '.join(again)} stands twice (列名重复)")
        return
    missing = [column.name for column in file.columns if column.name not in names and column.default is None]
    if missing:
        faults.append(f"{path.name} has no column {', '.join(missing)} (缺少列)")
        return
    for record in read:
        if any(not is_blank(value) for value in record.values[len(names) :]):
            faults.append(
                f"{path.name} line {record.line}: has {len(record.values)} values for {len(names)} columns (列数不符)"
            )
            continue
        raw = dict(zip(names, record.values, strict=False))
        row: Row = {**dict(file.constants), LINE: str(record.line)}
        for column in file.columns:
            try:
                row[column.stored_as] = _value(column, raw.get(column.name) or column.default or "")
            except ValueError as error:
                faults.append(f"{path.name} line {record.line}: {column.name} {error}")
        yield row


def _value(column: Column, raw: str) -> str | None:
    """The text PostgreSQL reads; None for an empty value. Raises ValueError."""
    text = stripped(raw if column.type == "text" else unicodedata.normalize("NFKC", raw))
    if column.type == "boolean":
        if text.lower() not in TRUE + FALSE:
            raise ValueError(f"is {quoted(text)}, neither true nor false: t or f (应为 t 或 f)")
        return "t" if text.lower() in TRUE else "f"
    if not text:
        if column.required:
            raise ValueError("is empty (不得为空)")
        return None
    if names_of(text):
        raise ValueError(f"is {quoted(text)}, with an invisible character inside (中间有不可见字符)")
    if column.type == "integer":
        return _whole(column, text)
    if column.type == "number":
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("nan")
        if not number.is_finite() or abs(number) >= LARGEST:
            raise ValueError(f"is {quoted(text)}, not a number (应为数字)")
    return text


def _whole(column: Column, text: str) -> str:
    digits = text.removeprefix("-")
    number = int(text) if digits.isdecimal() and digits.isascii() and len(digits) < 20 else None
    least = -column.most if column.least is None else column.least
    if number is None or not least <= number <= column.most:
        bounds = "" if column.least is None else f" from {column.least}"
        bounds += "" if column.most > 8 else f" to {column.most}"
        raise ValueError(f"is {quoted(text)}, not a whole number{bounds} (应为整数)")
    return str(number)
