"""Running dbt: one `dbt build` a stage, one at a time, with the run's parameters as session settings.

dbt runs in the caller's process: a task that is killed takes its dbt along, and nothing is started twice. Nearly all
of a stage's cost used to be dbt's start, so the parsed project is kept and handed over (see ``_parsed_project``).
"""

import hashlib
import logging
import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import psycopg
from psycopg import conninfo
from upath import UPath

from settlement.errors import SettlementError
from settlement.warehouse import model_runs
from settlement.warehouse.connect import dsn_of, session_options
from settlement.warehouse.locks import session_lock
from settlement.whole_files import write_whole

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

log = logging.getLogger(__name__)

FAILED = ("error", "fail", "runtime error")
NAMED_FAILURES = 5
LEVELS = {"info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}

# dbt's lines reach the log as events, and its results as objects: it need not print or write them once more.
QUIETLY = ("--log-level", "none", "--no-write-json", "--no-use-colors", "--no-version-check")

# What of an address dbt's profile has no word for reaches libpq by its own variables.
ENCRYPTION = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}

# A stage works on whole days. Bounds such as "the days that changed" are estimated at one row, which turns joins of
# hundreds of thousands of fee lines into nested loops: minutes instead of seconds on a day of 100,000 settlements.
SET_BASED_PLANS = "-c enable_nestloop=off -c work_mem=64MB"

# Unit tests prove the SQL before it is released; a run has data to judge, not code.
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")

# A stage runs the tests that carry its tag, and not every test of a model it builds: those of `audit` read all history.
OWN_TESTS = ("--indirect-selection", "empty")


@dataclass(frozen=True)
class Build:
    """What one `dbt build` did: the count of nodes by status, and warnings by node."""

    node_count: int
    warnings: tuple[str, ...]


def project_folder() -> Path:
    """Return ``dbt_project/`` of the checkout."""
    home = os.environ.get("SETTLEMENT_HOME")
    return (Path(home) if home else Path(__file__).parents[3]) / "dbt_project"


def build(select: str, settings: Mapping[str, str] | None = None) -> Build:
    """Run ``dbt build --select <select>``; each setting reaches the models as session setting ``settlement.<name>``.

    Runs wait for each other: two builds would replace the same tables.

    Raises:
        SettlementError: ``dbt_failed``, naming the models or tests that failed.
    """
    return _run(["build", "--select", select, *OWN_TESTS, *WITHOUT_UNIT_TESTS], settings or {})


def prepare() -> bool:
    """Create every model once, so that each stage finds what it reads; skipped while the project is unchanged.

    Returns:
        Whether dbt had to run.
    """
    marker = _local_folder() / f"prepared-{_fingerprint()}"
    if marker.exists():
        return False
    _run(["build", *WITHOUT_UNIT_TESTS], {})
    for old in marker.parent.glob("prepared-*"):
        old.unlink()
    marker.touch()
    return True


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Give dbt's environment: the transformer's address, folders outside the project, and run parameters.

    Parameters travel in libpq's PGOPTIONS rather than in ``--vars``, which would make dbt parse the project anew.
    """
    server = conninfo.conninfo_to_dict(dsn_of("transformer"))
    local = _local_folder()
    return {
        **os.environ,
        "DBT_HOST": str(server.get("host", "127.0.0.1")),
        "DBT_PORT": str(server.get("port", "5432")),
        "DBT_USER": str(server["user"]),
        "DBT_PASSWORD": str(server.get("password", "")),
        "DBT_DBNAME": str(server["dbname"]),
        "DBT_PROJECT_DIR": str(project_folder()),
        "DBT_PROFILES_DIR": str(project_folder()),
        "DBT_TARGET_PATH": str(local / "target"),
        "DBT_LOG_PATH": str(local / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "PGOPTIONS": f"{session_options(dict(settings))} {SET_BASED_PLANS}",
        **{variable: str(server[name]) for name, variable in ENCRYPTION.items() if name in server},
    }


def _run(command: list[str], settings: Mapping[str, str]) -> Build:
    with session_lock("transformer", "dbt"), _in_environment(environment(settings)):
        outcome = _invoke(command, _parsed_project())
    results: Sequence[Any] = getattr(outcome.result, "results", ())
    _record(_stage(command), settings, results)
    if not outcome.success:
        raise _failure(command, results, outcome.exception) from outcome.exception
    warnings = tuple(f"{result.node.name}: {result.message}" for result in results if result.status == "warn")
    return Build(len(results), warnings)


def _record(stage: str, settings: Mapping[str, str], results: Sequence[Any]) -> None:
    """Keep what the stage did; that it cannot be kept fails no stage and hides no failure."""
    try:
        model_runs.record(stage, settings, results)
    except (SettlementError, psycopg.Error) as error:
        log.warning("what the stage %s did was not kept in audit.model_run: %s", stage, error)


def _stage(command: Sequence[str]) -> str:
    """Name the stage by what is selected: ``proposal`` for ``tag:proposal``, ``everything`` without a selection."""
    return command[command.index("--select") + 1].removeprefix("tag:") if "--select" in command else "everything"


def _invoke(command: Sequence[str], project: "Manifest | None" = None) -> "dbtRunnerResult":
    """Run one dbt command in this process and pass its lines on as they come."""
    from dbt.cli.main import dbtRunner  # takes seconds to import, which only those who run dbt should pay

    outcome = dbtRunner(project, [_pass_on]).invoke([*command, *QUIETLY])
    if outcome.exception is not None and not isinstance(outcome.exception, Exception):
        raise outcome.exception  # the process is asked to end: no fault of a model
    return outcome


def _pass_on(event: Any) -> None:
    """Write a line of dbt into the log; what it says for its own debugging stays in its log file."""
    if event.info.level in LEVELS:
        log.log(LEVELS[event.info.level], "dbt: %s", event.info.msg)


def _parsed_project() -> "Manifest":
    """Return the parsed project: parsed once, then read from a file until the project or the address changes.

    dbt's own partial parsing takes a second longer, because it reads a portable format and looks for changed files.
    """
    kept = _local_folder() / f"parsed-{_fingerprint()}.pickle"
    if kept.exists():
        project: Manifest = pickle.loads(kept.read_bytes())  # noqa: S301  written below, by ourselves
        return project
    outcome = _invoke(["parse"])
    if not outcome.success:
        raise _failure(["parse"], [], outcome.exception) from outcome.exception
    for old in kept.parent.glob("parsed-*"):
        old.unlink()
    write_whole(UPath(kept), pickle.dumps(outcome.result))
    return cast("Manifest", outcome.result)


@contextmanager
def _in_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Let dbt and libpq find these variables while the block runs."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _failure(command: list[str], results: Sequence[Any], exception: BaseException | None) -> SettlementError:
    broken = [f"{result.node.name}: {result.message}" for result in results if result.status in FAILED]
    found = "; ".join(broken[:NAMED_FAILURES]) or str(exception)
    more = f" (and {len(broken) - NAMED_FAILURES} more)" if len(broken) > NAMED_FAILURES else ""
    return SettlementError(
        "dbt_failed",
        f"dbt {' '.join(command)}: {found}{more}",
        "the log above names the compiled SQL; nothing was posted by this step, so run it again once it is mended",
    )


def _local_folder() -> Path:
    folder = Path(os.environ.get("SETTLEMENT_LOCAL", project_folder().parent / ".local")) / "dbt"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def project_hash() -> str:
    """Hash dbt's version and the project's files: what the models are made of."""
    digest = hashlib.sha256(f"{version('dbt-core')} {version('dbt-postgres')}".encode())
    for path in sorted(project_folder().rglob("*")):
        if path.suffix in (".sql", ".yml", ".csv") and path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _fingerprint() -> str:
    """Hash the project with the warehouse's address: another of them must be prepared anew."""
    return hashlib.sha256(f"{project_hash()} {dsn_of('transformer')}".encode()).hexdigest()[:16]
