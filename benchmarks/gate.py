"""From a delivered file to checked, typed, stored rows; the limit is a raw COPY of the same rows without any check."""

import subprocess
from functools import partial

import pandas as pd
import sqlalchemy

from benchmarks.measure import Figure, clock, measure
from benchmarks.scene import Scene, deliver_day, raw_copies

PEER_ROWS = 10_000


def run(scene: Scene, rows: int, repeats: int) -> list[Figure]:
    """Measure the gate on one settlement file of ``rows`` rows."""
    summary = deliver_day(scene, rows)
    reference, day = summary.batch_ids
    receive(reference)
    copies = raw_copies(scene, day)
    scene.keep("before_the_day")
    one = partial(measure, server_pid=scene.server_pid, prepare=lambda: scene.put_back("before_the_day"))
    dsn = scene.admin_dsn
    return [
        one("psql \\copy into a typed table", "limit", copy_files,
            {"psql": str(scene.psql), "dsn": dsn, "copies": copies}, rows=rows, repeats=repeats),
        one("receive the batch", "project", receive, {"batch_id": day}, rows=rows, repeats=repeats),
        one("pandas.to_sql, no checks", "peer", to_sql,
            {"dsn": dsn, "path": next(iter(copies.values())), "rows": PEER_ROWS}, rows=min(PEER_ROWS, rows)),
    ]  # fmt: skip


def receive(batch_id: str) -> dict[str, int]:
    """The project: receive one batch; imports are done before the clock starts."""
    from settlement.intake import receive as receive_batch

    with clock:
        receipt = receive_batch(batch_id)
    if receipt.status != "accepted":
        raise RuntimeError(f"{batch_id} was {receipt.status}: {receipt.error}")
    return {name: sum(file[name] for file in receipt.files) for name in ("read", "accepted", "quarantined")}


def copy_files(psql: str, dsn: str, copies: dict[str, str]) -> None:
    """The limit: the same rows, already known to be good, into empty typed tables without keys."""
    with clock:
        for table, path in copies.items():
            command = f"\\copy {table} from '{path}' with (format csv, header)"
            subprocess.run([psql, "--quiet", "--set=ON_ERROR_STOP=1", "--command", command, dsn], check=True)


def to_sql(dsn: str, path: str, rows: int) -> None:
    """The peer: what a data frame user writes first."""
    engine = sqlalchemy.create_engine(dsn.replace("postgresql://", "postgresql+psycopg2://"))
    with clock:
        frame = pd.read_csv(path, dtype=str, nrows=rows)
        frame.to_sql("to_sql_copy", engine, schema="public", index=False, if_exists="replace")
