"""Grouping the cases of a file by hand: into a set of its own, grouped by dbt, written out, and forgotten."""

import csv
import logging
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from settlement.errors import SettlementError
from settlement.grouper.schemes import Scheme, find_scheme
from settlement.spreadsheet import safe_text
from settlement.statements import statement
from settlement.warehouse import connect, dbt
from settlement.warehouse.locks import session_lock

log = logging.getLogger(__name__)

COLUMNS = ("case_id", "mdc", "adrg", "group", "status", "explanation")
# Other names under which files carry a column.
ALIASES = {"weight": "weight_g", "birth_weight_g": "weight_g", "main_dx": "dx_list", "main_op": "op_list"}
STORED = (
    *("case_set", "case_id", "scheme_id", "gender", "age_years", "age_days", "weight_g", "stay_days"),
    *("discharge_way", "dx_codes", "op_codes"),
)
INTEGERS = {"age": "age_years", "age_days": "age_days", "weight_g": "weight_g", "los": "stay_days"}


@dataclass(frozen=True)
class Grouped:
    """How many cases were grouped, by status."""

    counts: dict[str, int]


def group_file(version: str, cases: Path, out: Path) -> Grouped:
    """Group the cases of a CSV by a scheme, and write the groups as CSV in the order of the cases.

    Columns read: case_id, gender, age, age_days, weight_g (or weight), los, discharge_way, dx_list and op_list, codes
    in order and divided by `|`, the main one first. Columns written: case_id, mdc, adrg, group, status, explanation.

    Raises:
        SettlementError: ``scheme_unknown``, ``cases_unreadable``.
    """
    scheme = find_scheme(version)
    case_set = f"by hand {secrets.token_hex(8)}"
    try:
        with connect("loader") as connection:
            _load(connection, scheme, case_set, cases)
            connection.execute("select grouper.refresh_statistics()")
        # The models hold one set at a time: nobody may group another before this one is written.
        with session_lock("loader", "grouping"):
            dbt.build(f"tag:{scheme.kind}_grouping", {"case_set": case_set})
            with connect("auditor") as connection:
                return _write(connection, scheme, case_set, out)
    finally:
        with connect("loader") as connection:
            connection.execute("delete from grouper.patient_case where case_set = %s", [case_set])


def _load(connection: psycopg.Connection[Any], scheme: Scheme, case_set: str, path: Path) -> None:
    with (
        path.open(encoding="utf-8-sig", newline="") as source,
        connection.cursor() as cursor,
        cursor.copy(f"copy grouper.patient_case ({', '.join(STORED)}) from stdin") as copy,
    ):
        reader = csv.DictReader(source)
        given = {ALIASES.get(name, name) for name in reader.fieldnames or []}
        if missing := sorted({"case_id", "dx_list"} - given):
            raise SettlementError(
                "cases_unreadable",
                f"{path} has no column {', '.join(missing)} (缺少列)",
                "see: settlement group --help",
            )
        for row in reader:
            row = _named(row)
            numbers = {target: _number(path, reader.line_num, name, row) for name, target in INTEGERS.items()}
            copy.write_row(
                [
                    case_set,
                    row["case_id"],
                    scheme.scheme_id,
                    row.get("gender") or None,
                    *(numbers[name] for name in ("age_years", "age_days", "weight_g", "stay_days")),
                    row.get("discharge_way") or None,
                    _codes(row.get("dx_list")),
                    _codes(row.get("op_list")),
                ]
            )


def _named(row: dict[str, str]) -> dict[str, str]:
    """The row under the names used here; operations given as related to the main one follow it."""
    named = {ALIASES.get(name, name): value for name, value in row.items()}
    if related := (row.get("related_ops") or "").replace("+", "|"):
        named["op_list"] = f"{named.get('op_list') or ''}|{related}"
    return named


def _number(path: Path, line: int, name: str, row: dict[str, str]) -> int | None:
    text = (row.get(name) or "").strip()
    if text and not text.isdecimal():
        raise SettlementError(
            "cases_unreadable", f"{path} line {line}: {name} is {text!r}, not a whole number", "mend the file"
        )
    return int(text) if text else None


def _codes(text: str | None) -> list[str]:
    return [code.strip() for code in (text or "").split("|") if code.strip()]


def _write(connection: psycopg.Connection[Any], scheme: Scheme, case_set: str, out: Path) -> Grouped:
    rows = connection.execute(statement("settlement.grouper", f"{scheme.kind}_groups_of_set"), {"case_set": case_set})
    counts: dict[str, int] = {}
    with out.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([safe_text(value) if isinstance(value, str) else value for value in row])
            counts[row[4]] = counts.get(row[4], 0) + 1
    return Grouped(counts)
