"""Running dbt: one `dbt build` a stage, one at a time, with the run's parameters as session settings."""

import hashlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import conninfo

from settlement.errors import SettlementError
from settlement.warehouse.connect import dsn_of, session_options
from settlement.warehouse.locks import session_lock

log = logging.getLogger(__name__)

FAILED = ("error", "fail", "runtime error")
NAMED_FAILURES = 5

# What of an address dbt's profile has no word for reaches libpq by its own variables.
ENCRYPTION = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}

# A stage works on whole days. Bounds such as "the days that changed" are estimated at one row, which turns joins of
# hundreds of thousands of fee lines into nested loops: minutes instead of seconds on a day of 100,000 settlements.
SET_BASED_PLANS = "-c enable_nestloop=off"

# Unit tests prove the SQL before it is released; a run has data to judge, not code.
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")


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
    return _run(["build", "--select", select, *WITHOUT_UNIT_TESTS], settings or {})


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
        "DBT_PROFILES_DIR": str(project_folder()),
        "DBT_TARGET_PATH": str(local / "target"),
        "DBT_LOG_PATH": str(local / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "PGOPTIONS": f"{session_options(dict(settings))} {SET_BASED_PLANS}",
        **{variable: str(server[name]) for name, variable in ENCRYPTION.items() if name in server},
    }


def _run(command: list[str], settings: Mapping[str, str]) -> Build:
    results_file = _local_folder() / "target" / "run_results.json"
    with session_lock("transformer", "dbt"):
        results_file.unlink(missing_ok=True)
        returncode, tail = _stream(command, settings)
        results = json.loads(results_file.read_text())["results"] if results_file.exists() else []
    if returncode:
        raise _failure(command, results, tail)
    warnings = tuple(f"{_name(result)}: {result['message']}" for result in results if result["status"] == "warn")
    return Build(len(results), warnings)


def _stream(command: list[str], settings: Mapping[str, str]) -> tuple[int, list[str]]:
    """Run dbt and pass its lines on as they come; return its exit code and last lines."""
    arguments = [sys.executable, "-m", "dbt.cli.main", *command, "--project-dir", str(project_folder())]
    arguments += ["--no-use-colors", "--no-version-check"]
    tail: list[str] = []
    with subprocess.Popen(
        arguments,
        cwd=project_folder(),
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            log.info("dbt: %s", line.rstrip())
            tail = [*tail[-20:], line.rstrip()]
    return process.returncode, tail


def _failure(command: list[str], results: list[dict[str, Any]], tail: list[str]) -> SettlementError:
    broken = [f"{_name(result)}: {result['message']}" for result in results if result["status"] in FAILED]
    found = "; ".join(broken[:NAMED_FAILURES]) or " ".join(tail[-3:])
    more = f" (and {len(broken) - NAMED_FAILURES} more)" if len(broken) > NAMED_FAILURES else ""
    return SettlementError(
        "dbt_failed",
        f"dbt {' '.join(command)}: {found}{more}",
        "the log above names the compiled SQL; nothing was posted by this step, so run it again once it is mended",
    )


def _name(result: dict[str, Any]) -> str:
    return str(result["unique_id"]).split(".")[2]


def _local_folder() -> Path:
    folder = Path(os.environ.get("SETTLEMENT_LOCAL", project_folder().parent / ".local")) / "dbt"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _fingerprint() -> str:
    """Hash the project's files and the warehouse's address: another of either must be prepared anew."""
    digest = hashlib.sha256(dsn_of("transformer").encode())
    for path in sorted(project_folder().rglob("*")):
        if path.suffix in (".sql", ".yml", ".csv") and path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
