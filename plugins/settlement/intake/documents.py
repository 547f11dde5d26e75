"""The careful readers: what DuckDB cannot read exactly is read line by line here and written as plain CSV.

- JSON, because numbers must keep the digits they were sent with (1.10 is not 1.1, and never a binary float);
- CSV with malformed rows, blank lines or line ends inside quotes, because every row must keep its line number.

The CSV that comes out has no header; its first columns are ``line_no`` and ``form_error``,
which says why a row is malformed and is empty for one that is not.

A row of two bytes becomes a line with a place for every column. So no more rows are written than the manifest says,
and what is written counts as bytes of the batch, expanded.
"""

import csv
import json
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from settlement.contract.limits import BatchMeter, require_columns, require_rows
from settlement.contract.manifest import DeliveredFile
from settlement.contract.tables import LIST_CHILDREN, SECTIONS, TABLES, Table
from settlement.errors import SettlementError
from settlement.intake import control
from settlement.invisible import stripped

ENVELOPE = "input"
"""Where a message of the national interface (`infno`, `msgid` …) holds its document."""


@dataclass(frozen=True)
class Part:
    """Rows of one table. `header` names the columns behind the first two; '' stands for one that no line has."""

    table: Table
    path: Path
    header: list[str]
    unknown: tuple[str, ...] = ()


def delimited(file: DeliveredFile, source: IO[str]) -> Any:
    """A csv reader for the file's format."""
    if file.format == "tsv":
        return csv.reader(source, delimiter="\t", quoting=csv.QUOTE_NONE)
    return csv.reader(source)


def delimited_to_csv(file: DeliveredFile, path: Path, target: Path, width: int, meter: BatchMeter) -> None:
    """Copy the rows of a delimited file; one whose number of fields differs from the header's is marked malformed.

    Raises:
        SettlementError: ``file_malformed``, ``control_mismatch``, ``batch_too_large``, ``disk_space_low``.
    """
    rows = 0
    with path.open(encoding="utf-8", newline="") as source, target.open("wb") as sink:
        reader, writer = delimited(file, source), _writer(sink, meter)
        next(reader)
        line_no = reader.line_num + 1
        try:
            for row in reader:
                rows += bool(row)
                if rows > file.rows:
                    continue
                if len(row) == width:
                    values = ["" if value == "null" else value for value in row] if file.format == "tsv" else row
                    writer.writerow([line_no, "", *values])
                elif row:
                    writer.writerow([line_no, _other_width(width, len(row)), *[""] * width])
                line_no = reader.line_num + 1
        except csv.Error:
            raise SettlementError(
                "file_malformed",
                f"{file.name}: the row that begins in line {line_no} has no end within the length of a line"
                f" (始于第 {line_no} 行的一行过长或没有结束)",
                "check the quotes: one is opened and not closed (请检查引号是否成对)",
            ) from None
    _require_no_more(file, rows)


def _require_no_more(file: DeliveredFile, rows: int) -> None:
    """Rows beyond the manifest's are counted and not written; a file that has less is told when all are read."""
    if rows > file.rows:
        control.check_rows(file, rows)


def _other_width(expected: int, found: int) -> str:
    return f"fields expected {expected}, found {found} 应有 {expected} 列，实有 {found} 列"


def lines_to_csv(file: DeliveredFile, path: Path, meter: BatchMeter) -> tuple[Part, ...]:
    """Turn JSON lines into rows of the file's table; what is no JSON object is marked malformed.

    Raises:
        SettlementError: ``too_many_columns``, ``control_mismatch``, ``batch_too_large``, ``disk_space_low``.
    """
    names = [column.name for column in file.table.columns]
    seen: dict[str, None] = {}
    target = path.with_suffix(".lines.csv")
    with target.open("wb") as sink:
        writer = _writer(sink, meter)
        for line_no, content in _objects(file, path):
            row, form_error = ({}, content) if isinstance(content, str) else (content, "")
            seen.update(dict.fromkeys(row))
            require_columns(file.name, len(seen), meter.limits)
            writer.writerow([line_no, form_error, *(_text(row.get(name)) for name in names)])
    return (_part(file.table, target, seen),)


def lists_to_csv(file: DeliveredFile, path: Path, meter: BatchMeter) -> tuple[Part, ...]:
    """Turn 4101 documents into lists and their children. `seq` is the position where a document leaves it out.

    A document is one line whatever it holds, so its children are counted among the rows of the batch here.

    Raises:
        SettlementError: ``too_many_rows``, ``too_many_columns``, ``control_mismatch``, ``batch_too_large``,
            ``disk_space_low``.
    """
    with ExitStack() as stack:

        def target(table: Table) -> tuple[Path, Any]:
            part = path.with_suffix(f".{table.name}.csv")
            return part, _writer(stack.enter_context(part.open("wb")), meter)

        tables = [file.table, *(TABLES[name] for name in LIST_CHILDREN)]
        targets = {table.name: target(table) for table in tables}
        seen: dict[str, dict[str, None]] = {table.name: {} for table in tables}
        for line_no, document in _objects(file, path):
            for table, rows, form_error in _parts(file.table, document):
                if table is not file.table:
                    meter.rows += len(rows)
                    require_rows(file.name, 0, meter.rows, meter.limits)
                writer = targets[table.name][1]
                names = [column.name for column in table.columns]
                for row in rows:
                    seen[table.name].update(dict.fromkeys(row))
                    require_columns(file.name, len(seen[table.name]), meter.limits)
                    writer.writerow([line_no, form_error, *(_text(row.get(name)) for name in names)])
    return tuple(_part(table, targets[table.name][0], seen[table.name]) for table in tables)


def _part(table: Table, path: Path, seen: Collection[str]) -> Part:
    """The rows of a table with its names as they were found; a file without rows lacks none."""
    names = [column.name for column in table.columns]
    header = [name if name in seen or not seen else "" for name in names]
    return Part(table, path, header, tuple(name for name in seen if name not in names))


def _parts(list_table: Table, message: dict[str, Any] | str) -> Iterator[tuple[Table, list[dict[str, Any]], str]]:
    """Split one document into the rows of each table; what has not the shape of 4101 makes its list malformed."""
    if isinstance(message, str):
        yield list_table, [{}], message
        return
    document = message.get(ENVELOPE) if "setlinfo" not in message else message
    information = document.get("setlinfo") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(information, dict):
        yield list_table, [{}], "setlinfo is no object 不是对象"
        return
    setl_id = information.get("setl_id")
    sections = {name: document.get(name) or [] for name in SECTIONS}
    for name, section in sections.items():
        if not isinstance(section, list) or not all(isinstance(row, dict) for row in section):
            yield list_table, [{}], f"{name} is no list of objects 不是对象列表"
            return
        if any(_text(row.get("setl_id") or setl_id).strip() != _text(setl_id).strip() for row in section):
            yield list_table, [{}], f"{name} names another setl_id 与清单的 setl_id 不同"
            return
    yield list_table, [information], ""
    for name, table_name in SECTIONS.items():
        table = TABLES[table_name]
        sent = ((place, row) for place, row in enumerate(sections[name], start=1) if any(row.values()))
        yield table, [_child(table, setl_id, place, row) for place, row in sent], ""


def _child(table: Table, setl_id: Any, position: int, row: dict[str, Any]) -> dict[str, Any]:
    """A row of a section as its table has it."""
    if any(column.name == "seq" for column in table.columns):
        row = row | {"seq": row.get("seq") or position}
    return row | {"setl_id": setl_id}


def _objects(file: DeliveredFile, path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Yield (line, object) for every line that is not blank; a text says why a line gives no object."""
    rows = 0
    with path.open(encoding="utf-8", newline="") as source:
        for line_no, line in enumerate(source, start=1):
            if line.strip():
                rows += 1
                if rows <= file.rows:
                    yield line_no, _object(line)
    _require_no_more(file, rows)


def _object(line: str) -> dict[str, Any] | str:
    try:
        content = json.loads(line, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_unrepeated)
        if "\\u" in line:
            json.dumps(content, ensure_ascii=False).encode()  # half of a surrogate pair is no character
    except _RepeatedNameError:
        return "a name is given twice in an object 对象中有重复的名称"
    except UnicodeEncodeError:
        return "half of a surrogate pair 字符不完整"
    except (ValueError, RecursionError):
        return "no JSON 不是 JSON"
    return content if isinstance(content, dict) else "no JSON object 不是 JSON 对象"


class _RepeatedNameError(ValueError):
    """An object has two values under one name."""


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Names in lower case, without what is invisible around them; which of two values was meant cannot be known."""
    content = {stripped(name).lower(): value for name, value in pairs}
    if len(content) != len(pairs):
        raise _RepeatedNameError
    return content


def _text(value: Any) -> str:
    """A JSON value as text; numbers arrive as the text they were sent as."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | str):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


class _Metered:
    """A file of UTF-8 whose bytes count for the batch before they are written."""

    def __init__(self, sink: BinaryIO, meter: BatchMeter) -> None:
        self._sink = sink
        self._meter = meter

    def write(self, text: str) -> int:
        content = text.encode()
        self._meter.expand(len(content))
        return self._sink.write(content)


def _writer(sink: BinaryIO, meter: BatchMeter) -> Any:
    # values may hold line ends of any kind
    return csv.writer(_Metered(sink, meter), lineterminator="\n", quoting=csv.QUOTE_ALL)
