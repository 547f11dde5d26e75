"""Where a local installation lives and which addresses it has."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from settlement.errors import SettlementError

HOME = Path(__file__).parents[3]


@dataclass(frozen=True)
class Installation:
    """Folders, ports and outside addresses; passwords are in `credentials`.

    `local` holds everything an installation writes. `database_url` is the administrator's address of an outside
    warehouse, empty for the embedded one.
    """

    local: Path
    port_airflow: int
    port_postgres: int
    database_url: str
    inbox: str
    outbox: str

    @classmethod
    def configured(cls) -> Self:
        """What the environment asks for: the SETTLEMENT_* variables, with their defaults."""
        local = local_folder()
        return cls(
            local=local,
            port_airflow=_port("SETTLEMENT_PORT_AIRFLOW", 8080),
            port_postgres=_port("SETTLEMENT_PORT_POSTGRES", 54320),
            database_url=os.environ.get("SETTLEMENT_DATABASE_URL", ""),
            inbox=os.environ.get("SETTLEMENT_INBOX") or str(local / "inbox"),
            outbox=os.environ.get("SETTLEMENT_OUTBOX") or str(local / "outbox"),
        )

    @classmethod
    def current(cls) -> Self:
        """What the last start used, so that another shell finds the same ports; else what is configured."""
        path = local_folder() / "installation.json"
        if not path.exists():
            return cls.configured()
        return cls(local=local_folder(), **json.loads(path.read_text()))

    def save(self) -> None:
        """Remember this installation; only its owner may read it (the outside address has a password)."""
        settings = asdict(self)
        del settings["local"]
        write_private(self.local / "installation.json", json.dumps(settings, indent=2))

    @property
    def airflow_url(self) -> str:
        """Address of Airflow's pages and REST API."""
        return f"http://127.0.0.1:{self.port_airflow}"

    @property
    def postgres(self) -> Path:
        """Folder of the embedded server."""
        return self.local / "postgres"

    @property
    def airflow_home(self) -> Path:
        """AIRFLOW_HOME."""
        return self.local / "airflow"

    @property
    def logs(self) -> Path:
        """Folder of all logs but PostgreSQL's."""
        return self.local / "logs"

    @property
    def run(self) -> Path:
        """Folder of pid files and the lock."""
        return self.local / "run"


def local_folder() -> Path:
    """`.local` of the checkout, or SETTLEMENT_LOCAL."""
    return Path(os.environ.get("SETTLEMENT_LOCAL") or HOME / ".local").absolute()


def write_private(path: Path, text: str) -> None:
    """Replace the file at once, readable by its owner only."""
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def _port(variable: str, default: int) -> int:
    value = os.environ.get(variable) or str(default)
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise SettlementError("port_invalid", f"{variable}={value} is not a port (端口号无效)", "use 1024 to 65535")
    return int(value)
