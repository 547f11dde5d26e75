"""Starting and stopping the local installation: each step may run twice, and after a crash."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import psycopg
from psycopg import sql

from settlement.errors import SettlementError
from settlement.local import processes
from settlement.local.airflow_api import AirflowApi
from settlement.local.code_hash import remember_code, runs_other_code
from settlement.local.credentials import Credentials, load_or_create
from settlement.local.environment import METADATA, WAREHOUSE, local_environment
from settlement.local.installation import HOME, Installation, local_folder
from settlement.local.postgres import EmbeddedPostgres, refuse_busy_port
from settlement.warehouse import dbt
from settlement.warehouse.migrate import migrate

GIGABYTE = 1024**3
FREE_BYTES_MIN = 2 * GIGABYTE
HEALTHY_WITHIN_SECONDS = 300.0  # about 20 on an idle machine
STOPPED_WITHIN_SECONDS = 45.0

Report = Callable[[str], None]


def start(report: Report) -> Installation:
    """Bring everything up and wait until it is healthy; what runs already is left alone.

    What runs by code that has changed since is stopped first: nothing is migrated beneath running processes.

    Raises SettlementError: disk_full, permission_missing, port_in_use, postgres_failed, airflow_failed and those of
    `settlement.warehouse.migrate`.
    """
    with _only_one(local_folder()):
        running = _is_supervised(local_folder())
        installation = Installation.current() if running else Installation.configured()
        if running and not runs_other_code(installation):
            report("it runs already (已在运行)")
            credentials = _bring_up_server(installation, report)[0]
        else:
            if running:
                report("the code has changed since it was started: it is started again (代码已变更, 重新启动)")
            _stop_airflow(local_folder(), report)  # also orphans of a supervisor that was killed: they hold the port
            credentials = _bring_up_databases(installation, report)
            refuse_busy_port(installation.port_airflow, "SETTLEMENT_PORT_AIRFLOW")
            _start_supervisor(installation)
        report("Airflow …")
        api = AirflowApi(installation.airflow_url, "admin", credentials.airflow_users["admin"])
        _wait_for_airflow(installation, api)
        return installation


def start_warehouse(report: Report) -> Installation:
    """Bring up PostgreSQL with the warehouse, without Airflow; what runs already is left alone.

    Raises SettlementError: disk_full, permission_missing, port_in_use, postgres_failed and those of
    `settlement.warehouse.migrate`.
    """
    with _only_one(local_folder()):
        running = _is_supervised(local_folder())
        installation = Installation.current() if running else Installation.configured()
        if running or EmbeddedPostgres(installation.postgres).is_running():
            return installation
        _check_disk(installation.local)
        credentials = _prepare(installation)
        os.environ.update(local_environment(installation))
        server = _start_postgres(installation, credentials, report)
        migrate(installation.database_url or server.admin_dsn(WAREHOUSE), credentials.warehouse_roles)
        dbt.prepare()
        return installation


def prepare(report: Report) -> Installation:
    """Bring up PostgreSQL with both databases migrated, without Airflow, then stop it again.

    Raises SettlementError: as `start`.
    """
    with _only_one(local_folder()):
        installation = Installation.configured()
        _bring_up_databases(installation, report)
        EmbeddedPostgres(installation.postgres).stop()
        return installation


def stop(report: Report) -> None:
    """Stop Airflow, then PostgreSQL; what is not running is passed over."""
    with _only_one(local_folder()):
        _stop_airflow(local_folder(), report)
        server = EmbeddedPostgres(Installation.current().postgres)
        if server.is_running():
            report("stopping PostgreSQL (停止数据库)")
            server.stop()


def require_running() -> Installation:
    """The running installation; SettlementError not_started otherwise."""
    if not _is_supervised(local_folder()):
        raise SettlementError(
            "not_started", f"the installation in {local_folder()} is not running (尚未启动)", "start it with: make up"
        )
    return Installation.current()


def admin_api(installation: Installation) -> AirflowApi:
    """Airflow's REST API as its administrator."""
    return AirflowApi(installation.airflow_url, "admin", _credentials(installation).airflow_users["admin"])


def describe(installation: Installation) -> dict[str, str]:
    """What a program needs to drive the installation from outside."""
    return {
        "airflow_url": installation.airflow_url,
        "airflow_user": "admin",
        "airflow_password": _credentials(installation).airflow_users["admin"],
        "warehouse_dsn": local_environment(installation)["SETTLEMENT_BI_READER_DSN"],
        "inbox": installation.inbox,
        "outbox": installation.outbox,
    }


def _credentials(installation: Installation) -> Credentials:
    return load_or_create(installation.local / "secrets.json")


@contextmanager
def _only_one(local: Path) -> Iterator[None]:
    """Two starts at once wait for each other; the lock dies with its process."""
    try:
        (local / "run").mkdir(parents=True, exist_ok=True)
        handle = (local / "run" / "lock").open("w")
    except PermissionError as error:
        raise SettlementError(
            "permission_missing",
            f"{error.filename} may not be written (没有写权限)",
            "make it yours with chown, or choose another folder: SETTLEMENT_LOCAL=… make up",
        ) from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _bring_up_databases(installation: Installation, report: Report) -> Credentials:
    credentials, server = _bring_up_server(installation, report)
    _migrate(installation, credentials, server, report)
    return credentials


def _bring_up_server(installation: Installation, report: Report) -> tuple[Credentials, EmbeddedPostgres]:
    _check_disk(installation.local)
    credentials = _prepare(installation)
    os.environ.update(local_environment(installation))  # from here on this process belongs to the installation
    return credentials, _start_postgres(installation, credentials, report)


def _check_disk(local: Path) -> None:
    free = shutil.disk_usage(local).free
    if free < FREE_BYTES_MIN:
        raise SettlementError(
            "disk_full",
            f"{free / GIGABYTE:.1f} GB free for {local}, {FREE_BYTES_MIN / GIGABYTE:.0f} GB are needed (磁盘空间不足)",
            "free some space, or choose another folder: SETTLEMENT_LOCAL=… make up",
        )


def _prepare(installation: Installation) -> Credentials:
    """Create the folders and the files that Airflow reads."""
    home = installation.local / "home"
    for folder in (installation.airflow_home, installation.logs, home):
        folder.mkdir(parents=True, exist_ok=True)
    for box in (installation.inbox, installation.outbox):
        if "://" not in box:
            Path(box).mkdir(parents=True, exist_ok=True)
    for folder in (Path(installation.inbox), Path(installation.outbox), installation.logs):
        if folder.is_relative_to(installation.local):  # a folder of somebody's own keeps the rights it was given
            folder.chmod(0o700)
    credentials = _credentials(installation)
    installation.save()
    passwords = installation.airflow_home / "passwords.json"
    passwords.touch(mode=0o600)
    passwords.write_text(json.dumps(credentials.airflow_users))
    return credentials


def _start_postgres(installation: Installation, credentials: Credentials, report: Report) -> EmbeddedPostgres:
    server = EmbeddedPostgres(installation.postgres, port=installation.port_postgres)
    report("PostgreSQL …")
    server.start()
    server.ensure_database(METADATA)
    server.ensure_database(WAREHOUSE)
    with psycopg.connect(server.admin_dsn(METADATA)) as connection:
        role = sql.Identifier(METADATA)
        if not connection.execute("select from pg_roles where rolname = %s", [METADATA]).rowcount:
            connection.execute(sql.SQL("create role {} login").format(role))
        connection.execute(
            sql.SQL("alter role {} password {}").format(role, sql.Literal(credentials.metadata_password))
        )
        connection.execute(sql.SQL("alter database {} owner to {}").format(role, role))
        connection.execute(sql.SQL("grant create on schema public to {}").format(role))
    return server


def _migrate(installation: Installation, credentials: Credentials, server: EmbeddedPostgres, report: Report) -> None:
    """Airflow's metadata and the warehouse side by side: the first start waits mostly for the former."""
    metadata = _migrate_metadata(installation, server)
    try:
        report("warehouse (数据仓库) …")
        applied = migrate(installation.database_url or server.admin_dsn(WAREHOUSE), credentials.warehouse_roles)
        if applied:
            report(f"  {len(applied)} migrations applied")
        if dbt.prepare():
            report("  models created")
    finally:
        code = metadata.wait() if metadata else 0
    if metadata is not None:
        if code != 0:
            raise SettlementError(
                "airflow_failed",
                "airflow db migrate failed (元数据库升级失败)",
                f"read {installation.logs}/migrate.log",
            )
        _metadata_version_file(installation).write_text(_airflow_version())


def _migrate_metadata(installation: Installation, server: EmbeddedPostgres) -> subprocess.Popen[bytes] | None:
    """`airflow db migrate` takes about ten seconds even when there is nothing to do: once a version is enough."""
    with psycopg.connect(server.admin_dsn(METADATA)) as connection:
        exists = connection.execute("select to_regclass('alembic_version') is not null").fetchone() == (True,)
    version_file = _metadata_version_file(installation)
    if exists and version_file.exists() and version_file.read_text() == _airflow_version():
        return None
    with (installation.logs / "migrate.log").open("ab") as sink:
        return subprocess.Popen(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=HOME,
        )


def _metadata_version_file(installation: Installation) -> Path:
    return installation.airflow_home / "metadata_version"


def _airflow_version() -> str:
    return version("apache-airflow-core")


def _start_supervisor(installation: Installation) -> None:
    remember_code(installation)
    with (installation.logs / "supervisor.log").open("ab") as sink:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "settlement.local.supervisor"],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=HOME,
            start_new_session=True,
        )
    while not _is_supervised(installation.local):
        if supervisor.poll() is not None:
            raise SettlementError(
                "airflow_failed",
                "Airflow's supervisor ended at once (Airflow 启动失败)",
                f"read {installation.logs}/supervisor.log",
            )
        time.sleep(0.1)


def _is_supervised(local: Path) -> bool:
    return "supervisor" in processes.read_pid_file(local / "run" / "airflow.json")


def _stop_airflow(local: Path, report: Report) -> None:
    """The supervisor stops its four; those that outlived it are stopped one by one."""
    path = local / "run" / "airflow.json"
    living = processes.read_pid_file(path)
    if not living:
        return
    report("stopping Airflow (停止 Airflow)")
    if supervisor := living.pop("supervisor", None):
        processes.stop([supervisor], STOPPED_WITHIN_SECONDS)
    processes.stop(list(living.values()), STOPPED_WITHIN_SECONDS)
    path.unlink(missing_ok=True)


def _wait_for_airflow(installation: Installation, api: AirflowApi) -> None:
    """Wait until every component is healthy and every DAG file is known, then create the pools."""
    deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
    pools = json.loads((HOME / "deploy" / "pools.json").read_text())
    wanted = {path.name for path in (HOME / "dags").glob("*.py")}
    state = "no answer"
    while time.monotonic() < deadline:
        require_running()
        try:
            health = api.health()
            api.ensure_pools(pools)
            known, broken = api.dag_files()
            missing = wanted - known - broken.keys()
            state = f"{health}, DAG files not read yet: {sorted(missing)}"
            if set(health.values()) == {"healthy"} and not missing:
                return
        except SettlementError as error:
            state = str(error)
        time.sleep(0.5)
    raise SettlementError(
        "airflow_failed", f"Airflow is not healthy: {state} (Airflow 启动失败)", f"read the logs in {installation.logs}"
    )
