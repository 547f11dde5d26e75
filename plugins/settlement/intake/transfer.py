"""Rows between DuckDB and PostgreSQL, as CSV through a pipe and COPY: typed, in one transaction, in bounded memory."""

import logging
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg import sql

log = logging.getLogger(__name__)

BLOCK = 256 * 1024
SECONDS_BETWEEN_REPORTS = 10.0


def copy_to_postgres(
    engine: duckdb.DuckDBPyConnection,
    query: str,
    connection: psycopg.Connection[Any],
    relation: str,
    columns: Sequence[str],
    expected_rows: int = 0,
) -> int:
    """COPY what `query` yields into `relation`; returns the number of rows.

    DuckDB writes into a pipe in a thread of its own while psycopg reads the other end. Whichever side fails, the
    other one ends too and the error is raised here, inside the transaction.
    """
    read_end, write_end = os.pipe()
    failures: list[BaseException] = []

    def write() -> None:
        try:
            with engine.cursor() as writer:
                writer.execute(
                    f"copy ({query}) to '/dev/fd/{write_end}' (format csv, header false, use_tmp_file false)"
                )
        except BaseException as error:
            failures.append(error)
        finally:
            os.close(write_end)

    statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
        sql.Identifier(*relation.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    writer = threading.Thread(target=write, name=f"write {relation}", daemon=True)
    progress = _Progress(relation, expected_rows)
    with connection.cursor() as cursor:
        try:
            with cursor.copy(statement) as copy:
                writer.start()
                while block := os.read(read_end, BLOCK):
                    copy.write(block)
                    progress.add(block)
                if failures:
                    raise failures[0]
        finally:
            os.close(read_end)
            if writer.ident is not None:
                writer.join()
        progress.finish(cursor.rowcount)
        return cursor.rowcount


def copy_from_postgres(
    connection: psycopg.Connection[Any],
    query: sql.Composable | sql.SQL,
    engine: duckdb.DuckDBPyConnection,
    table: str,
    columns: dict[str, str],
    work: Path,
    parameters: Sequence[Any] = (),
) -> None:
    """Create the engine's temporary `table` (name → DuckDB type) from a PostgreSQL query."""
    path = work / f"{table}.csv"
    statement = sql.SQL("copy ({}) to stdout (format csv)").format(query)
    with path.open("wb") as sink, connection.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        for block in copy:
            sink.write(block)
    engine.execute(
        f"create or replace table {table} as select * from read_csv(?, header = false, auto_detect = false, "
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

    def add(self, block: bytes) -> None:
        self._rows += block.count(b"\n")
        self._bytes += len(block)
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
