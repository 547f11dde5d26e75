"""Read a staged file into the engine: one VARCHAR per contract column, with the line it came from.

What every reader makes is a relation ``(line_no BIGINT, form_error VARCHAR, <contract columns> VARCHAR…)``; the
``form_error`` of a row that is well formed is NULL. Columns are found by header name; names and values of a sender
never become SQL text.

A well-formed delimited file of a large table is not kept in the engine: its relation holds the columns that must be
seen together (keys and control columns), and its rows are read again slice by slice.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from settlement.contract.limits import BatchMeter, Limits, require_ratio, require_rows
from settlement.contract.manifest import DeliveredFile
from settlement.contract.standard_names import NOT_KEPT
from settlement.contract.tables import Column, Table
from settlement.errors import SettlementError
from settlement.intake import control, documents, headers, parquet_types
from settlement.intake.faults import OF_THIS_MACHINE
from settlement.intake.identities import heading
from settlement.intake.slices import Slice, cut
from settlement.intake.staging import StagedFile, too_large
from settlement.invisible import stripped_in_engine
from settlement.sql_text import literal, quoted

log = logging.getLogger(__name__)

WELL_FORMED = "null::VARCHAR as form_error"


@dataclass(frozen=True)
class Layout:
    """Where the rows of a delimited file lie, and how they are read."""

    path: Path
    table: Table
    header: tuple[str, ...]
    is_tab_separated: bool

    def read_csv(self, path: Path, skip: int) -> str:
        """The engine's reader for `path`, its columns named c0, c1 …"""
        quote = "" if self.is_tab_separated else '"'
        delimiter = "\\t" if self.is_tab_separated else ","
        nulls = ["", "null"] if self.is_tab_separated else [""]
        names = {f"c{index}": "VARCHAR" for index in range(len(self.header))}
        return (
            f"read_csv({literal(str(path))}, auto_detect = false, header = false, skip = {skip}, "
            f"delim = '{delimiter}', quote = '{quote}', escape = '{quote}', nullstr = {nulls!r}, columns = {names!r}, "
            "buffer_size = 8388608)"
        )

    def rows_of(self, piece: Slice) -> str:
        """Select the rows of a slice, numbered in their order."""
        return (
            f"select row_number() over () + {piece.first_line - 1} as line_no, {WELL_FORMED}, "
            f"{_select(self.table.columns, self.header)} from {self.read_csv(piece.path, skip=0)}"
        )


@dataclass(frozen=True)
class Delivered:
    """The rows of one table from one file, as the engine's `relation`."""

    file: DeliveredFile
    table: Table
    relation: str
    warnings: tuple[str, ...] = ()
    layout: "Layout | None" = None

    def sources(self) -> Iterator[tuple[str, Path | None]]:
        """Yield relations that hold all rows with all columns between them, as SQL after ``from``.

        With each comes the file it reads, if that is one of its own: it may be removed when the rows are read. The file
        that is cut is removed when its last piece is cut.
        """
        if self.layout is None:
            yield self.relation, None
            return
        for piece in cut(self.layout.path):
            yield f"({self.layout.rows_of(piece)})", piece.path
        self.layout.path.unlink()

    @property
    def is_part_of_document(self) -> bool:
        """True for the children of a json4101 document: the document is what is counted."""
        return self.table is not self.file.table

    @property
    def row_no(self) -> str:
        """What tells the rows of the file apart, in their order: the children of a document share its line."""
        return "rowid" if self.is_part_of_document else "line_no"


def read(
    engine: duckdb.DuckDBPyConnection,
    file: DeliveredFile,
    staged: StagedFile,
    limits: Limits,
    meter: BatchMeter | None = None,
) -> tuple[Delivered, ...]:
    """Read a staged file of any table format; a json4101 file gives a list and its children.

    `meter` counts for the whole batch.

    Raises:
        SettlementError: ``column_missing``, ``column_duplicate``, ``too_many_columns``, ``file_malformed``,
            ``file_too_large``, ``control_mismatch``, ``too_many_rows``; each names the file. ``batch_too_large``,
            ``disk_space_low``.
    """
    meter = meter or BatchMeter(limits, staged.path.parent)
    relation = f"delivered_{file.file_no}"
    if file.format == "parquet":
        try:
            return (_read_parquet(engine, file, staged.path, relation, limits),)
        except duckdb.Error as error:  # of every kind: a damaged length asks for memory that nobody has
            raise _malformed(file, error, _unreadable_columns(engine, file, staged.path)) from None
    try:
        return _read_text(engine, file, staged, relation, meter)
    except OF_THIS_MACHINE:
        raise
    except duckdb.Error as error:
        raise _malformed(file, error) from None


def _read_text(
    engine: duckdb.DuckDBPyConnection, file: DeliveredFile, staged: StagedFile, relation: str, meter: BatchMeter
) -> tuple[Delivered, ...]:
    if file.format in ("csv", "tsv"):
        return (_read_delimited(engine, file, staged, relation, meter),)
    read_documents = documents.lines_to_csv if file.format == "jsonl" else documents.lists_to_csv
    found = []
    parts = read_documents(file, staged.path, meter)
    staged.path.unlink()
    for part in parts:
        headers.check(file, part.table, part.header, meter.limits)
        part_relation = f"{relation}_{part.table.name}"
        _load_careful(engine, part_relation, part.path, part.table, part.header)
        found.append(Delivered(file, part.table, part_relation, _unknown(file, part.table, part.unknown)))
    return tuple(found)


def _read_delimited(
    engine: duckdb.DuckDBPyConnection, file: DeliveredFile, staged: StagedFile, relation: str, meter: BatchMeter
) -> Delivered:
    header = headers.read(file, staged.path, meter.limits)
    headers.check(file, file.table, header, meter.limits)
    layout = Layout(staged.path, file.table, tuple(header), file.format == "tsv")
    is_sliced = file.table.is_large and staged.has_even_ends
    unknown = _unknown(file, file.table, header)
    if staged.has_even_ends and _load_fast(engine, relation, file, staged, layout, is_sliced):
        if not is_sliced:
            staged.path.unlink()
        return Delivered(file, file.table, relation, unknown, layout if is_sliced else None)
    path = staged.path.with_suffix(".careful.csv")
    documents.delimited_to_csv(file, staged.path, path, len(header), meter)
    staged.path.unlink()
    _load_careful(engine, relation, path, file.table, header)
    return Delivered(file, file.table, relation, unknown)


def _load_fast(
    engine: duckdb.DuckDBPyConnection,
    relation: str,
    file: DeliveredFile,
    staged: StagedFile,
    layout: Layout,
    is_sliced: bool,
) -> bool:
    """Load with DuckDB's own reader; False when a row is malformed or is not one line."""
    columns = file.table.columns
    if is_sliced:
        columns = tuple(column for column in columns if column.name in {*file.table.key, *file.control})
    try:
        engine.execute(
            f"create or replace table {relation}_text as "
            f"select {_select(columns, layout.header)} from {layout.read_csv(staged.path, skip=1)}"
        )
    except OF_THIS_MACHINE:
        raise
    except duckdb.Error as error:
        log.info("%s: read again with care (%s)", file.name, type(error).__name__)
        return False
    (rows,) = engine.execute(f"select count(*) from {relation}_text").fetchone() or (0,)
    if rows + 1 != staged.lines:
        engine.execute(f"drop table {relation}_text")
        return False
    engine.execute(
        f"create or replace view {relation} as select rowid + 2 as line_no, {WELL_FORMED}, * from {relation}_text"
    )
    return True


def _load_careful(
    engine: duckdb.DuckDBPyConnection, relation: str, path: Path, table: Table, header: Sequence[str]
) -> None:
    """Load what Python has read: every row carries its line and whether it was well formed."""
    names: dict[str, str] = {"line_no": "BIGINT", "form_error": "VARCHAR"} | {
        f"c{n}": "VARCHAR" for n in range(len(header))
    }
    engine.execute(
        f"create or replace table {relation} as select line_no, form_error, {_select(table.columns, header)} "
        f"from read_csv(?, auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"', "
        f"nullstr = '', columns = {names!r}, max_line_size = 16777216, new_line = '\\n')",
        [str(path)],
    )
    path.unlink()


def _read_parquet(
    engine: duckdb.DuckDBPyConnection, file: DeliveredFile, path: Path, relation: str, limits: Limits
) -> Delivered:
    """A view: DuckDB reads Parquet group by group whenever the rows are asked for.

    Every value of the contract is read once here, so that a damaged page is the file's fault and not a failed load, and
    so that what the file expands to is known: a million equal rows take no more bytes than one.
    """
    size, rows = engine.execute(
        "select (select sum(total_uncompressed_size) from parquet_metadata($1)),"
        " (select num_rows from parquet_file_metadata($1))",
        [str(path)],
    ).fetchone() or (0, 0)
    described = engine.execute("describe select * from read_parquet(?)", [str(path)]).fetchall()
    if size and size > limits.file_bytes:
        raise too_large(file, limits)
    require_rows(file.name, rows, rows, limits)
    control.check_rows(file, rows)
    header = _parquet_header(engine, path)
    headers.check(file, file.table, header, limits)
    items = []
    for column in file.table.columns:
        if column.name in header:
            name, type_name, *_ = described[header.index(column.name)]
            if not parquet_types.carries(column, type_name) and _has_values(engine, path, name):
                raise parquet_types.inexact(file, column, type_name)
            items.append(f"{parquet_types.as_text(quoted(name), type_name, column)} as {quoted(column.name)}")
        else:
            items.append(f"null::VARCHAR as {quoted(column.name)}")
    engine.execute(
        f"create or replace view {relation} as select file_row_number + 1 as line_no, {WELL_FORMED}, "
        f"{', '.join(items)} from read_parquet({literal(str(path))}, file_row_number = true)"
    )
    names = ", ".join(quoted(column.name) for column in file.table.columns)
    lengths = " + ".join(f"coalesce(strlen({quoted(column.name)}), 0)" for column in file.table.columns)
    _, expanded = engine.execute(f"select bit_xor(hash({names})), sum({lengths}) from {relation}").fetchone() or (0, 0)
    require_ratio(file.name, path.stat().st_size, int(expanded or 0), limits)
    return Delivered(file, file.table, relation, _unknown(file, file.table, header))


def _has_values(engine: duckdb.DuckDBPyConnection, path: Path, name: str) -> bool:
    """False for a column of nothing but NULL and NaN, whose type its writer had to guess."""
    query = f"select 1 from read_parquet(?) where {quoted(name)} is not null and not isnan({quoted(name)}) limit 1"
    return engine.execute(query, [str(path)]).fetchone() is not None


def _parquet_header(engine: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """The columns' names as the file has them: the engine's own are made unique, and a column given twice hides."""
    nodes = engine.execute("select name, num_children from parquet_schema(?)", [str(path)]).fetchall()
    header = []
    inside = 0
    for name, children in nodes[1:]:  # the first is the root; the children of a nested column follow it
        if inside == 0:
            header.append(headers.plain(name))
        inside = max(inside - 1, 0) + (children or 0)
    return header


def _unreadable_columns(engine: duckdb.DuckDBPyConnection, file: DeliveredFile, path: Path) -> list[str]:
    """The columns of the contract whose values cannot be read; none where that is true of the file as a whole."""
    found: list[str] = []
    try:
        described = engine.execute("describe select * from read_parquet(?)", [str(path)]).fetchall()
    except duckdb.Error:
        return found
    for name, type_name, *_ in described:
        for column in file.table.columns:
            if column.name == headers.plain(name):
                text = parquet_types.as_text(quoted(name), type_name, column)
                try:
                    engine.execute(f"select bit_xor(hash({text})) from read_parquet(?)", [str(path)]).fetchone()
                except duckdb.Error:
                    found.append(column.name)
    return found


def _malformed(file: DeliveredFile, error: duckdb.Error, columns: Sequence[str] = ()) -> SettlementError:
    """The error in words of this project: the engine's own repeat delivered values and paths of this machine."""
    log.info("%s: cannot be read as %s (%s)", file.name, file.format, type(error).__name__)
    if columns:
        named = ", ".join(columns)
        return SettlementError(
            "file_malformed",
            f"{file.name}: the values of {named} cannot be read: they are damaged, or text that is not UTF-8"
            f" ({named} 列内容无法读取: 已损坏或不是 UTF-8 文本)",
            "write the file again from its source, its text in UTF-8 (请重新导出, 文本须为 UTF-8 编码)",
        )
    return SettlementError(
        "file_malformed",
        f"{file.name} cannot be read as {file.format}: it is damaged, or something else"
        f" (文件无法按 {file.format} 读取: 已损坏或并非该格式)",
        "write the file again from its source, its text in UTF-8 (请重新导出, 文本须为 UTF-8 编码)",
    )


def _unknown(file: DeliveredFile, table: Table, header: Sequence[str]) -> tuple[str, ...]:
    known = {column.name for column in table.columns} | NOT_KEPT.get(table.name, frozenset())
    return tuple(
        f"{file.name}: column {heading(name)} is not in the contract; ignored (契约中无此列, 已忽略)"
        for name in header
        if name not in known
    )


def _select(columns: Sequence[Column], header: Sequence[str]) -> str:
    """Contract columns from the file's ones by position, NULL where it has none.

    What is invisible around a value is taken off, but for names, of which nothing is kept.
    """
    items = []
    for column in columns:
        value = f"c{header.index(column.name)}" if column.name in header else "null::VARCHAR"
        if column.name in header and not column.is_dropped:
            value = stripped_in_engine(value)
        items.append(f"{value} as {quoted(column.name)}")
    return ", ".join(items)
