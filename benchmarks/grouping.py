"""Cases into groups, by DRG and by DIP: the models that give every case its group, on cases that lie in the warehouse.

The limit is the least that grouping must do: take the codes apart, and look up the principal diagnosis. The peer leads
one case after another through the same scheme in Python; the groups must be the same, or it is no peer.

DRG takes the scheme and the cases of SETTLEMENT_CONFORMANCE_DATA where that is set, the cases repeated under other ids;
everything else is invented.
"""

import csv
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.case_by_case import DipGrouper, DrgGrouper
from benchmarks.day import total
from benchmarks.invented_cases import Case, dip_cases, drg_cases, write_dip_catalogue, write_drg_scheme
from benchmarks.measure import Figure, clock, measure
from benchmarks.scene import Scene
from settlement.grouper.layout import Kind

VERSION = "benchmark"
PEER_CASES = 100_000
STORED = (
    *("case_set", "scheme_id", "case_id", "gender", "age_years", "age_days", "weight_g", "stay_days"),
    *("discharge_way", "dx_codes", "op_codes"),
)
LISTS = {"drg": "grouper.drg_rule_diagnosis", "dip": "grouper.dip_group_diagnosis"}
KEYS = {"drg": "dx_code = cases.dx_codes[1]", "dip": "dx_key = left(cases.dx_codes[1], 5)"}
WARM_UP = {"drg": "int_dip_cases", "dip": "int_drg_cases"}
LEAST = """
    create unlogged table public.least as
    select cases.case_no, codes.code
    from grouper.patient_case as cases
    cross join unnest(cases.dx_codes || cases.op_codes) as codes (code);
    create unlogged table public.looked_up as
    select cases.case_no, cases.case_id, lists.*
    from grouper.patient_case as cases
    inner join {lists} as lists on lists.{key}
"""
UNLIKE = """
    select count(*)
    from public.peer_group as peer
    left join intermediate.int_{kind}_case_groups as ours on peer.case_no = ours.case_no
    where ours.group_code is distinct from peer.group_code
"""


def run_drg(scene: Scene, rows: int, repeats: int) -> list[Figure]:
    """Measure DRG grouping of ``rows`` cases."""
    folder = scene.folder / "drg_scheme"
    if data := os.environ.get("SETTLEMENT_CONFORMANCE_DATA"):
        folder = Path(data) / "drg" / "chs_drg_11"
        cases = _repeated(Path(data) / "drg" / "cases_with_expected_group_10000.csv")
        print(f"  scheme and cases of {data}")
    else:
        cases = drg_cases(write_drg_scheme(folder))
        print("  scheme and cases invented, of the size of the published ones (SETTLEMENT_CONFORMANCE_DATA is not set)")
    _prepare(scene, "drg", folder)
    _store(scene, islice(cases, rows))
    return _ways(scene, "drg", folder, rows, repeats)


def run_dip(scene: Scene, rows: int, repeats: int) -> list[Figure]:
    """Measure the import of a DIP catalogue of national size, and grouping of ``rows`` cases by it."""
    folder = scene.folder / "dip_catalogue"
    catalogue = write_dip_catalogue(folder)
    imported = _prepare(scene, "dip", folder)
    _store(scene, islice(dip_cases(catalogue), rows))
    figures = _ways(scene, "dip", folder, rows, repeats)
    whole = total("import the catalogue and group the cases", "project", [imported, figures[1]], rows)
    return [figures[0], whole, imported, replace(figures[1], role="step"), *figures[2:]]


def _prepare(scene: Scene, kind: Kind, folder: Path) -> Figure:
    from settlement.warehouse import dbt

    dbt.prepare()
    arguments = {"kind": kind, "folder": str(folder)}
    return measure("import the scheme", "step", import_scheme, arguments, rows=1, server_pid=scene.server_pid)


def _ways(scene: Scene, kind: Kind, folder: Path, rows: int, repeats: int) -> list[Figure]:
    one = partial(measure, server_pid=scene.server_pid)
    dsn, peer_rows = scene.admin_dsn, min(PEER_CASES, rows)
    groups = {"kind": kind, "select": f"+int_{kind}_case_groups,tag:{kind}_grouping"}
    explanations = {"kind": kind, "select": f"int_{kind}_case_explanations"}
    scene.execute("create table public.peer_group (case_no bigint, group_code text)")
    figures = [
        one("take the codes apart, look up one", "limit", least, {"dsn": dsn, "kind": kind}, rows=rows, repeats=repeats,
            prepare=lambda: scene.execute("drop table if exists public.least, public.looked_up")),
        one("group the cases", "project", build, groups, rows=rows, repeats=repeats),
        one("explain the groups", "step", build, explanations, rows=rows, repeats=repeats),
        one("one case after another in Python", "peer", case_by_case,
            {"dsn": dsn, "kind": kind, "folder": str(folder), "rows": peer_rows}, rows=peer_rows),
    ]  # fmt: skip
    with psycopg.connect(dsn) as connection:
        unlike = connection.execute(UNLIKE.format(kind=kind).encode()).fetchone()
    if unlike != (0,):
        raise RuntimeError(f"the peer has other groups for {unlike} of {peer_rows} cases")
    scene.execute("truncate grouper.patient_case")
    idle = one("the same for no cases", "cost", build, groups, rows=0, repeats=repeats)
    return [*figures[:2], idle, *figures[2:]]


def _store(scene: Scene, cases: Iterable[Case]) -> None:
    """Put the cases into the warehouse."""
    from settlement.warehouse import connect

    with connect("loader") as connection:
        row = connection.execute("select scheme_id from grouper.scheme where version = %s", [VERSION]).fetchone()
        assert row is not None
        with (
            connection.cursor() as cursor,
            cursor.copy(f"copy grouper.patient_case ({', '.join(STORED)}) from stdin".encode()) as copy,
        ):
            for case in cases:
                copy.write_row([VERSION, row[0], *(getattr(case, name) for name in STORED[2:])])
        connection.execute("select grouper.refresh_statistics()")
    scene.execute("vacuum grouper.patient_case")


def _repeated(path: Path) -> Iterator[Case]:
    """The cases of a file over and over, every time under other ids."""
    with path.open(encoding="utf-8-sig", newline="") as source:
        rows = list(csv.DictReader(source))

    def number(text: str) -> int | None:
        return int(text) if text else None

    for count, row in enumerate(cycle(rows)):
        yield Case(
            f"{row['case_id']}-{count // len(rows)}", row["gender"] or None, number(row["age"]),
            number(row["age_days"]), number(row["weight_g"]), number(row["los"]), row["discharge_way"] or None,
            row["dx_list"].split("|"), row["op_list"].split("|") if row["op_list"] else [],
        )  # fmt: skip


def import_scheme(kind: Kind, folder: str) -> dict[str, int]:
    """Read, judge and store a scheme."""
    from settlement.grouper import schemes

    with clock:
        imported = schemes.import_scheme(
            kind, Path(folder), version=VERSION, valid_from=date(2026, 1, 1), imported_by="benchmark"
        )
    return imported.counts


def build(kind: Kind, select: str) -> int:
    """One dbt stage over the stored cases; dbt is imported and started already, by a model of the other kind."""
    from settlement.warehouse import dbt

    dbt.build(WARM_UP[kind], {"case_set": "nobody"})
    with clock:
        return dbt.build(select, {"case_set": VERSION}).node_count


def least(dsn: str, kind: str) -> None:
    """The limit: every code in a row of its own, and one look-up of the principal diagnosis."""
    with psycopg.connect(dsn, options="-c jit=off -c work_mem=64MB") as connection, clock:
        connection.execute(LEAST.format(lists=LISTS[kind], key=KEYS[kind]).encode())
        connection.commit()


def case_by_case(dsn: str, kind: str, folder: str, rows: int) -> dict[str, int]:
    """The peer: read the cases, group each by itself, and put the groups back."""
    with psycopg.connect(dsn) as connection, clock:
        grouper: Any = DrgGrouper(Path(folder)) if kind == "drg" else DipGrouper(Path(folder))
        found: dict[str, int] = {}
        with connection.cursor(name="cases") as reader, connection.cursor() as writer:
            reader.itersize = 10_000
            columns = ", ".join(STORED[2:])
            reader.execute(
                f"select case_no, {columns} from grouper.patient_case order by case_no limit {rows}".encode()
            )
            groups = [(case_no, grouper.group(Case(*values))) for case_no, *values in reader]
            with writer.copy("copy public.peer_group from stdin") as copy:
                for group in groups:
                    copy.write_row(group)
        connection.commit()
    for _, code in groups:
        found[code] = found.get(code, 0) + 1
    return {"groups": len(found)}
