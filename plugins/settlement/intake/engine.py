"""The DuckDB engine that reads and judges one batch: bounded memory, spilling to the work folder, no network."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from settlement.contract.limits import MIB, Limits
from settlement.intake import persons


@contextmanager
def work_folder(batch_id: str) -> Iterator[Path]:
    """A folder for one load (under ``SETTLEMENT_LOCAL``/work if set), removed at its end."""
    local = os.environ.get("SETTLEMENT_LOCAL")
    parent = Path(local) / "work" if local else None
    if parent:
        parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{batch_id}-", dir=parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def open_engine(work: Path, limits: Limits) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory engine with the SQL function ``person_key``; what does not fit in memory goes to `work`."""
    secret = persons.person_secret()
    engine = duckdb.connect(
        config={
            "memory_limit": f"{limits.duckdb_memory // MIB}MiB",
            "threads": limits.duckdb_threads,
            "temp_directory": str(work / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        engine.execute("set enable_progress_bar = false")
        # What is joined to delivered rows is smaller than they are. The engine cannot know that of a file: it would
        # hash the wide rows instead, and look for filters where there are none.
        engine.execute("set disabled_optimizers = 'build_side_probe_side,join_filter_pushdown'")
        persons.register(engine, secret)
        yield engine
    finally:
        engine.close()
