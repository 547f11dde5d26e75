"""The DuckDB engine that reads and judges one batch: bounded memory, spilling to the work folder, no network.

A work folder holds what a batch delivered in clear, names and certificate numbers among it. A load that is killed
leaves its folder; the lock in it, which ends with the process, tells the next load or house keeping to remove it.
"""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from settlement.contract.limits import MIB, Limits
from settlement.errors import SettlementError
from settlement.intake import persons
from settlement.work_place import work_parent

log = logging.getLogger(__name__)

PREFIX = "settlement-load-"
LOCK = "load.lock"


@contextmanager
def work_folder(batch_id: str) -> Iterator[Path]:
    """A folder for one load (under ``SETTLEMENT_LOCAL``/work if set), removed at its end; so are those left before."""
    remove_left_folders()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{batch_id}-", dir=work_parent()))
    try:
        with (folder / f".{LOCK}").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (folder / f".{LOCK}").rename(folder / LOCK)  # seen by others once it is locked, not before
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_folders() -> int:
    """Remove the work folders on this host whose load does not run any more; returns how many."""
    left = [lock.parent for lock in sorted(work_parent().glob(f"{PREFIX}*/{LOCK}")) if _remove_if_left(lock)]
    for folder in left:
        log.warning("removed the work folder of a load that was killed: %s", folder.name)
    return len(left)


def _remove_if_left(path: Path) -> bool:
    """Remove the folder of a lock that nobody holds; somebody else's (in a shared folder) is not ours to remove."""
    try:
        with path.open("rb") as lock:
            if os.fstat(lock.fileno()).st_uid != os.getuid():
                return False
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path.parent)
    except OSError:  # its load runs, or has just removed it
        return False
    return True


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
    except duckdb.OutOfMemoryException:
        raise SettlementError(
            "engine_memory",
            f"judging the batch takes more than the {limits.duckdb_memory // MIB} MiB that the engine may use"
            " (内存上限不足)",
            "nothing was loaded; set SETTLEMENT_LIMIT_DUCKDB_MEMORY to more bytes and receive it again,"
            " or have it sent in smaller batches (请调高内存上限或拆分批次)",
        ) from None
    finally:
        engine.close()
