"""Grouping the cases of a file by hand: into a set of its own, grouped by dbt, written out, and forgotten."""

import csv
import logging
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import psycopg

from settlement.errors import SettlementError
from settlement.grouper.case_files import HINT, CaseFile, usual_spelling
from settlement.grouper.schemes import Scheme, find_scheme
from settlement.spreadsheet import safe_text
from settlement.statements import statement
from settlement.warehouse import connect, dbt
from settlement.warehouse.locks import session_lock

log = logging.getLogger(__name__)

COLUMNS = ("case_id", "mdc", "adrg", "group", "status", "explanation")
STORED = (
    *("case_set", "scheme_id", "case_id", "gender", "age_years", "age_days", "weight_g", "stay_days"),
    *("discharge_way", "dx_codes", "op_codes"),
)


@dataclass(frozen=True)
class Grouped:
    """How many cases were grouped, by status, and what was read otherwise than it is written."""

    counts: dict[str, int]
    notes: list[str]


def group_file(version: str, cases: Path, out: Path) -> Grouped:
    """Group the cases of a file by a scheme, and write the groups as CSV in the order of the cases.

    Columns read: case_id, gender, age (years), age_days, weight_g (or weight; grams), los (days), discharge_way,
    dx_list and op_list, codes in order and divided by `|`, the main one first; or main_dx and main_op beside them, and
    related_ops. Columns written: case_id, mdc, adrg, group, status, explanation.

    Raises:
        SettlementError: ``scheme_unknown``, ``cases_unreadable``, ``groups_unwritable``.
    """
    scheme = find_scheme(version)
    if out.exists() and out.samefile(cases):
        raise SettlementError(
            "groups_unwritable",
            f"{out} is the file of the cases (结果文件与病例文件相同)",
            "name another file by --out",
        )
    case_set = f"by hand {secrets.token_hex(8)}"
    with _replaced(out) as sink:
        try:
            with connect("loader") as connection:
                file = CaseFile(cases, _own_spellings(connection, scheme))
                _load(connection, scheme, case_set, file)
                connection.execute("select grouper.refresh_statistics()")
            # The models hold one set at a time: nobody may group another before this one is written.
            with session_lock("loader", "grouping"):
                dbt.build(f"tag:{scheme.kind}_grouping", {"case_set": case_set})
                with connect("auditor") as connection:
                    counts = _write(connection, scheme, case_set, sink)
        finally:
            with connect("loader") as connection:
                connection.execute("delete from grouper.patient_case where case_set = %s", [case_set])
    return Grouped(counts, file.notes.told())


@contextmanager
def _replaced(path: Path) -> Iterator[TextIO]:
    """A file that is written beside `path` and takes its place once it is whole; it is tried before the work begins."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.draft")
    try:
        with draft.open("x", encoding="utf-8", newline="") as sink:
            yield sink
        os.replace(draft, path)
    except OSError as error:
        raise SettlementError(
            "groups_unwritable",
            f"{path} cannot be written: {error.strerror} (结果文件无法写入)",
            "name a folder that can",
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _own_spellings(connection: psycopg.Connection[Any], scheme: Scheme) -> dict[str, str]:
    """Codes that the scheme writes otherwise than usual, by their usual spelling."""
    codes = connection.execute(statement("settlement.grouper", f"{scheme.kind}_codes"), {"scheme_id": scheme.scheme_id})
    return {usual: code for (code,) in codes if (usual := usual_spelling(code)) != code}


def _load(connection: psycopg.Connection[Any], scheme: Scheme, case_set: str, file: CaseFile) -> None:
    try:
        with (
            connection.cursor() as cursor,
            cursor.copy(f"copy grouper.patient_case ({', '.join(STORED)}) from stdin") as copy,
        ):
            for case in file.cases():
                copy.write_row(
                    [
                        *(case_set, scheme.scheme_id, case.case_id, case.gender, case.age, case.age_days),
                        *(case.weight_g, case.los, case.discharge_way, case.dx_codes, case.op_codes),
                    ]
                )
    except psycopg.errors.UniqueViolation as error:
        raise _repeated(file, case_set, error) from error


def _repeated(file: CaseFile, case_set: str, error: psycopg.errors.UniqueViolation) -> SettlementError:
    """Say which case stands twice, and where: the database names the id, the file its lines."""
    detail = error.diag.message_detail or ""
    found = re.search(rf"=\({re.escape(case_set)}, (.*)\)", detail, re.DOTALL)
    case_id = found[1] if found else ""
    lines = ", ".join(map(str, file.lines_of(case_id)))
    return SettlementError(
        "cases_unreadable",
        f"{file.path} lines {lines}: case_id is {case_id!r} each time (病例标识重复，第 {lines} 行)",
        HINT,
    )


def _write(connection: psycopg.Connection[Any], scheme: Scheme, case_set: str, sink: TextIO) -> dict[str, int]:
    rows = connection.execute(statement("settlement.grouper", f"{scheme.kind}_groups_of_set"), {"case_set": case_set})
    counts: dict[str, int] = {}
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([safe_text(value) if isinstance(value, str) else value for value in row])
        counts[row[4]] = counts.get(row[4], 0) + 1
    return counts
