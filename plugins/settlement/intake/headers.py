"""The header of a table: columns are found by name, in any order."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from settlement.contract.limits import Limits, require_columns
from settlement.contract.manifest import DeliveredFile
from settlement.contract.tables import Table
from settlement.errors import SettlementError
from settlement.intake import documents
from settlement.intake.identities import heading
from settlement.invisible import stripped


def has_header(file: DeliveredFile) -> bool:
    """True for the formats whose first record names the columns."""
    return file.format in ("csv", "tsv")


def check_first_block(file: DeliveredFile, content: bytes, limits: Limits) -> None:
    """Check the header as soon as it has arrived, before the rest of the file is expanded.

    Raises:
        SettlementError: as :func:`check`.
    """
    if b"\n" in content or b"\r" in content:
        check(file, file.table, _names(file, io.StringIO(content.decode(), newline=""), limits), limits)


def read(file: DeliveredFile, path: Path, limits: Limits) -> list[str]:
    """Give the names of a delimited file's columns, in lower case.

    Raises:
        SettlementError: ``file_malformed``.
    """
    with path.open(encoding="utf-8", newline="") as source:
        return _names(file, source, limits)


def plain(name: str) -> str:
    """A column's name without what cannot be seen around it, in lower case."""
    return stripped(name).lower()


def check(file: DeliveredFile, table: Table, header: Sequence[str], limits: Limits) -> None:
    """Compare a header with the table's columns.

    Raises:
        SettlementError: ``too_many_columns``, ``column_duplicate``, ``column_missing``; each names file and column.
    """
    require_columns(file.name, len(header), limits)
    known = {column.name for column in table.columns}
    for name in known:
        if header.count(name) > 1:
            raise SettlementError(
                "column_duplicate",
                f"{file.name}: the column {name} stands twice in the header (表头列名重复)",
                "leave one of the two out (请删除其中一列)",
            )
    missing = [name for name in table.required if name not in header]
    if missing:
        raise SettlementError(
            "column_missing",
            f"{file.name}: required columns of {table.name} are missing: {', '.join(missing)} (缺少必填列);"
            f" found are {_listed(header)}",
            "check the header line; columns are found by name, in any order (请检查表头)",
        )


def _listed(header: Sequence[str]) -> str:
    if not any(header):
        return "none"
    return ", ".join(heading(name) for name in header[:10]) + (" …" if len(header) > 10 else "")


def _names(file: DeliveredFile, source: IO[str], limits: Limits) -> list[str]:
    csv.field_size_limit(limits.line_bytes)
    try:
        names: list[str] = next(documents.delimited(file, source), [])
    except csv.Error:
        raise SettlementError(
            "file_malformed",
            f"{file.name}: the header has no end within the length of a line (表头过长或没有结束)",
            "check the quotes of the first line (请检查首行引号)",
        ) from None
    return [plain(name) for name in names]
