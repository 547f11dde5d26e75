"""Reading a scheme's folder: every value typed, every fault named by file and line."""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from settlement.errors import SettlementError
from settlement.grouper.layout import FILES, Column, Kind, SchemeFile

TRUE, FALSE = ("t", "true", "1", "y"), ("f", "false", "0", "n", "")
Row = dict[str, str | None]


@dataclass(frozen=True)
class ReadScheme:
    """A scheme as it lies in its folder: rows by file name, in the columns of the warehouse."""

    kind: Kind
    rows: dict[str, list[Row]]
    content_sha256: str


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
        if not path.is_file():
            if not file.optional:
                faults.append(f"{path.name} is missing")
            rows[file.name] = []
            continue
        digest.update(file.name.encode() + b"\0" + path.read_bytes())
        rows[file.name] = list(_rows(path, file, faults))
    if faults:
        raise invalid(folder, faults)
    return ReadScheme(kind, rows, digest.hexdigest())


def invalid(folder: Path, faults: list[str]) -> SettlementError:
    """One error that names the first faults of a scheme and counts the others."""
    shown = "; ".join(faults[:8])
    more = f" (and {len(faults) - 8} more)" if len(faults) > 8 else ""
    return SettlementError(
        "scheme_invalid",
        f"{folder} is no usable scheme (分组方案不可用): {shown}{more}",
        "nothing was imported; mend the files and import them again",
    )


def _rows(path: Path, file: SchemeFile, faults: list[str]) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as source:
        reader = csv.DictReader(source)
        header = [name.strip().lower() for name in reader.fieldnames or []]
        reader.fieldnames = header
        missing = [column.name for column in file.columns if column.name not in header and column.default is None]
        if missing:
            faults.append(f"{path.name} has no column {', '.join(missing)}")
            return
        for raw in reader:
            row: Row = dict(file.constants)
            for column in file.columns:
                try:
                    row[column.stored_as] = _value(column, (raw.get(column.name) or column.default or "").strip())
                except ValueError as error:
                    faults.append(f"{path.name} line {reader.line_num}: {column.name} {error}")
            yield row


def _value(column: Column, text: str) -> str | None:
    """The text PostgreSQL reads; None for an empty value. Raises ValueError."""
    if column.type == "boolean":
        if text.lower() not in TRUE + FALSE:
            raise ValueError(f"is {text!r}, neither true nor false")
        return "t" if text.lower() in TRUE else "f"
    if not text:
        if column.required:
            raise ValueError("is empty")
        return None
    if column.type == "integer" and not text.removeprefix("-").isdecimal():
        raise ValueError(f"is {text!r}, not a whole number")
    if column.type == "number":
        try:
            if not Decimal(text).is_finite():
                raise ValueError(f"is {text!r}, not a number")
        except InvalidOperation:
            raise ValueError(f"is {text!r}, not a number") from None
    return text
