"""Rows between DuckDB and PostgreSQL by COPY: typed, in one transaction, a batch at a time."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
from psycopg import sql

from settlement.intake import binary_copy

log = logging.getLogger(__name__)

BATCH_ROWS = 50_000
"""Rows that are under way between the two at a time."""
SECONDS_BETWEEN_REPORTS = 10.0


class BinaryCopy:
    """An open COPY into a table. `types` are PostgreSQL's types of its columns."""

    def __init__(self, copy: psycopg.Copy, types: list[str], progress: "_Progress") -> None:
        self.types = types
        self._copy = copy
        self._progress = progress

    def write(self, rows: pa.Array) -> None:
        """Send encoded rows; the server reads them while the caller goes on."""
        content = binary_copy.content(rows)
        self._copy.write(content)
        self._progress.add(len(rows), len(content))


@contextmanager
def open_copy(
    connection: psycopg.Connection[Any], relation: str, columns: Sequence[str], expected_rows: int = 0
) -> Iterator[BinaryCopy]:
    """COPY what is written inside the block into `relation`; an error inside undoes it with the transaction."""
    types = _types(connection, relation, columns)
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(*relation.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    progress = _Progress(relation, expected_rows)
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            copy.write(binary_copy.HEADER)
            yield BinaryCopy(copy, types, progress)
            copy.write(binary_copy.TRAILER)
        progress.finish(cursor.rowcount)


def copy_to_postgres(
    engine: duckdb.DuckDBPyConnection,
    query: str,
    connection: psycopg.Connection[Any],
    relation: str,
    columns: Sequence[str],
    expected_rows: int = 0,
) -> None:
    """COPY what `query` yields into `relation`, a batch at a time."""
    with engine.cursor() as reader, open_copy(connection, relation, columns, expected_rows) as copy:
        for batch in reader.sql(query).to_arrow_reader(BATCH_ROWS):
            copy.write(binary_copy.encode(batch.columns, copy.types))


def _types(connection: psycopg.Connection[Any], relation: str, columns: Sequence[str]) -> list[str]:
    """PostgreSQL's names of the columns' types."""
    found = dict(
        connection.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = to_regclass(%s) and attnum > 0",
            [relation],
        ).fetchall()
    )
    return [found[name] for name in columns]


def copy_from_postgres(
    connection: psycopg.Connection[Any],
    query: sql.Composable | sql.SQL,
    engine: duckdb.DuckDBPyConnection,
    table: str,
    columns: dict[str, str],
    work: Path,
    *,
    items: str = "*",
) -> None:
    """Create the engine's `table` from a PostgreSQL query with `columns` (name → DuckDB type), selecting `items`."""
    path = work / f"{table}.csv"
    statement = sql.SQL("copy ({}) to stdout (format csv)").format(query)
    with path.open("wb") as sink, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            sink.write(block)
    engine.execute(
        f"create or replace table {table} as select {items} from read_csv(?, header = false, auto_detect = false, "
        f"delim = ',', quote = '\"', escape = '\"', columns = {columns!r})",
        [str(path)],
    )
    path.unlink()


class _Progress:
    """Says now and then how far a long COPY is: rows, megabytes, rate, time left."""

    def __init__(self, relation: str, expected_rows: int) -> None:
        self._relation = relation
        self._expected = expected_rows
        self._rows = 0
        self._bytes = 0
        self._began = self._reported = time.monotonic()

    def add(self, rows: int, size: int) -> None:
        self._rows += rows
        self._bytes += size
        now = time.monotonic()
        if now - self._reported >= SECONDS_BETWEEN_REPORTS:
            self._reported = now
            rate = self._rows / (now - self._began)
            left = max(self._expected - self._rows, 0) / rate if rate else 0.0
            log.info(
                "%s: %d of %d rows, %.0f MB, %.0f rows/s, %.0f s left",
                *(self._relation, self._rows, self._expected, self._bytes / 1e6, rate, left),
            )

    def finish(self, rows: int) -> None:
        log.info(
            "%s: %d rows, %.1f MB, %.1f s", self._relation, rows, self._bytes / 1e6, time.monotonic() - self._began
        )
