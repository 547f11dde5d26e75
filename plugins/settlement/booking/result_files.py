"""What a month's booking publishes as files in `bookings/<area>/<month>/`: a case list an institution, and totals."""

import csv
import io
import logging
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from upath import UPath

from settlement.intake.folders import outbox
from settlement.spreadsheet import safe_text
from settlement.statements import statement
from settlement.warehouse import connect
from settlement.whole_files import write_whole

log = logging.getLogger(__name__)

PACKAGE = "settlement.booking"
TOTALS = ("point_values", "point_value_bridge", "case_mix", "group_statistics")


def write_results(*, month: str, area_code: str | None) -> list[str]:
    """Write the files of a month; those whose content is the same stay as they are.

    Returns:
        The addresses written now.
    """
    scope = {"month": month, "area_code": area_code}
    written: list[str] = []
    with connect("auditor") as connection:
        cases = connection.cursor("case_lists")
        cases.execute(statement(PACKAGE, "case_lists"), scope)
        header = _names(cases)
        for (area, institution), rows in groupby(cases, key=itemgetter(0, 1)):
            path = _folder(area, month) / f"{institution}.csv"
            written += _write(path, header[2:], (row[2:] for row in rows))
        cases.close()
        for name in TOTALS:
            rows = connection.execute(statement(PACKAGE, name), scope)
            header = _names(rows)
            for area, of_area in groupby(rows, key=itemgetter(0)):
                written += _write(_folder(area, month) / f"{name}.csv", header, of_area)
    return written


def _names(cursor: Any) -> list[str]:
    return [column.name for column in cursor.description or ()]


def _folder(area_code: str, month: str) -> UPath:
    return outbox() / "bookings" / area_code / month


def _write(path: UPath, header: list[str], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    """Write one file whole, with a byte order mark, by which Excel knows UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([safe_text(str(value)) if value is not None else "" for value in row] for row in rows)
    content = text.getvalue().encode("utf-8-sig")
    if path.exists() and path.read_bytes() == content:
        return
    write_whole(path, content)
    log.info("%s written", path)
    yield str(path)
