"""Large tables: judged slice by slice, and stored while the next slices are judged.

What is accepted goes straight to PostgreSQL and is not kept in the engine. ``outcome_<table>`` holds the other rows,
and refunds, which are decided when all settlements of the batch are known; ``stored_settlement`` says which
settlements were stored. All of it is inside the load's transaction: a batch that turns out to be held is rolled back
to where it began.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from settlement.contract.tables import Table
from settlement.intake import binary_copy, fee_sums, judging
from settlement.intake.formats import Delivered
from settlement.intake.knowledge import Load
from settlement.intake.transfer import open_copy

JUDGED_AT_ONCE = 2
PIECE_ROWS = 6_144
"""Rows of a piece: three vectors of the engine. What is judged ahead takes some ten megabytes a thousand of them."""
KEPT_OF_SETTLEMENTS = ("setl_id", "fixmedins_code", "business_date", "medfee_sumamt")


@dataclass(frozen=True)
class Piece:
    """Judged rows: those to store, encoded, with their keys; the others as they are; facts about the stored ones."""

    file_no: int
    rows: pa.Array
    keys: pa.RecordBatch
    others: pa.RecordBatch
    settlements: pa.RecordBatch | None
    sums: pa.RecordBatch | None
    warnings: list[int]


@dataclass
class Stored:
    """Rows that are written already: how many of each file, and how many break each warning rule."""

    rows: Counter[int] = field(default_factory=Counter)
    warnings: list[int] = field(default_factory=list)

    def add(self, piece: Piece) -> None:
        """Count the stored rows of `piece`."""
        self.rows[piece.file_no] += len(piece.rows)
        so_far = self.warnings or [0] * len(piece.warnings)
        self.warnings = [sum(both) for both in zip(so_far, piece.warnings, strict=True)]


def judge_and_store(load: Load, table: Table, parts: Sequence[Delivered], delivered: Collection[str]) -> Stored:
    """Judge the rows of a large table and store the accepted ones, except refunds.

    Creates ``outcome_<table>``, for settlements ``stored_settlement``, for fee lines ``fee_sum``.
    """
    stored = Stored()
    others, settlements = _Kept(load, f"outcome_{table.name}"), _Kept(load, "stored_settlement")
    sums = _Kept(load, fee_sums.TABLE)
    columns = list(stored_columns(load, table))
    expected = sum(part.file.rows for part in parts)
    with open_copy(load.connection, table.relation, columns, expected) as copy:
        for piece in _judge_all(load, table, parts, delivered, dict(zip(columns, copy.types, strict=True))):
            copy.write(_in_key_order(piece))
            stored.add(piece)
            others.add(piece.others)
            if piece.settlements is not None:
                settlements.add(piece.settlements)
            if piece.sums is not None:
                sums.add(piece.sums)
    others.flush()
    if table.name == "settlement":
        settlements.flush()
    else:
        sums.flush()
    return stored


def stored_columns(load: Load, table: Table) -> dict[str, str]:
    """Columns of the table in PostgreSQL, and what they are in SQL over the outcome."""
    columns = {column.kept_name or "": f'"{column.kept_name}"' for column in table.kept}
    if table.parent and table.name != "settlement_list":
        columns["fixmedins_code"] = "fixmedins_code"
    batch = f"'{load.manifest.batch_id}'"
    if table.kind != "reference":
        columns |= {"area_code": "batch_area_code", "accepted_batch_id": batch}
    if table.kind == "settlement" or table.name == "declaration":
        columns["business_date"] = "business_date"
    columns |= {"batch_id": batch, "file_no": "file_no", "line_no": "line_no"}
    if table.name != "settlement":
        columns["row_hash"] = "row_hash"
    return columns


def _judge_all(
    load: Load, table: Table, parts: Sequence[Delivered], delivered: Collection[str], types: dict[str, str]
) -> Iterator[Piece]:
    """Judge all rows, a few sources at once and each a piece ahead of the caller; pieces come as they are ready."""
    # What belongs to settlements is joined with all of them: two such joins at once would not fit into memory.
    at_once = 1 if table.parent else JUDGED_AT_ONCE
    sources = ((part, source, path) for part in parts for source, path in part.sources())
    with ThreadPoolExecutor(at_once, thread_name_prefix="judge") as judges:
        judged: dict[Future[Piece | None], Iterator[Piece]] = {}
        while True:
            for part, source, path in islice(sources, at_once - len(judged)):
                pieces = _judge_source(load, table, delivered, types, part, source, path)
                judged[judges.submit(next, pieces, None)] = pieces
            if not judged:
                return
            ready, _ = wait(judged, return_when=FIRST_COMPLETED)
            for future in ready:
                pieces = judged.pop(future)
                if (piece := future.result()) is not None:
                    judged[judges.submit(next, pieces, None)] = pieces
                    yield piece


def _judge_source(
    load: Load,
    table: Table,
    delivered: Collection[str],
    types: dict[str, str],
    part: Delivered,
    source: str,
    path: Path | None,
) -> Iterator[Piece]:
    """Judge the rows of one relation, a batch at a time; an empty piece first, so that there is one.

    The relation's own file is removed when its rows are read.
    """
    outcome = judging.judged(load, table, delivered, f"({judging.typed(table, part, source)})")
    added = ", ".join(
        f"{expression} as {name}"
        for name, expression in stored_columns(load, table).items()
        if name != expression.strip('"')
    )
    with load.engine.cursor() as engine:
        batches = engine.sql(f"select *, {added} from ({outcome})").to_arrow_reader(PIECE_ROWS)
        for batch in chain([pa.RecordBatch.from_pylist([], batches.schema)], batches):
            yield _piece(table, part, batch, types)
    if path is not None:
        path.unlink()


def _piece(table: Table, part: Delivered, judged: pa.RecordBatch, types: dict[str, str]) -> Piece:
    is_stored = pc.equal(judged["disposition"], "accepted")
    if table.name == "settlement":
        is_stored = pc.and_not(is_stored, pc.equal(judged["refd_setl_flag"], 1).fill_null(False))
    rules = [name for name in judged.schema.names if name.startswith(judging.WARNING)]
    added = ["det_item_fee_sumamt"] if table.name == "fee_item" else []
    accepted = judged.select([*rules, *table.key, *added]).filter(is_stored)
    rows = binary_copy.encode([judged[name] for name in types], list(types.values()))
    return Piece(
        file_no=part.file.file_no,
        rows=rows.filter(is_stored),
        keys=accepted.select(table.key),
        others=judged.filter(pc.invert(is_stored)),
        settlements=judged.select(KEPT_OF_SETTLEMENTS).filter(is_stored) if table.name == "settlement" else None,
        sums=fee_sums.add_up(accepted) if table.name == "fee_item" else None,
        warnings=[pc.sum(accepted[name]).as_py() or 0 for name in rules],
    )


def _in_key_order(piece: Piece) -> pa.Array:
    """The rows to store; a B-tree takes keys in their order for a third of what it costs to take them as they come."""
    order = pc.sort_indices(piece.keys, [(name, "ascending") for name in piece.keys.schema.names])
    return piece.rows.take(order)


class _Kept:
    """Collects rows for a table of the engine, which it creates; a piece's worth of them is inserted at a time."""

    def __init__(self, load: Load, table: str) -> None:
        self._load = load
        self._table = table
        self._waiting: list[pa.RecordBatch] = []
        self._exists = False

    def add(self, rows: pa.RecordBatch) -> None:
        self._waiting.append(rows)
        if sum(len(batch) for batch in self._waiting) >= PIECE_ROWS:
            self.flush()

    def flush(self) -> None:
        """Insert what waits. Without any rows at all the table is there as well, and empty."""
        if not self._waiting and self._exists:
            return
        engine, arrived = self._load.engine, pa.Table.from_batches(self._waiting)
        engine.register("arrived", arrived)
        head = f"insert into {self._table}" if self._exists else f"create or replace table {self._table} as"
        engine.execute(f"{head} select * from arrived")
        engine.unregister("arrived")
        self._waiting, self._exists = [], True
