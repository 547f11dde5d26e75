"""One real installation for all end-to-end tests: PostgreSQL, Airflow and a folder of its own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.fixtures.folders import reachable_folder

from settlement.local import lifecycle
from settlement.local.airflow_api import AirflowApi
from settlement.local.environment import local_environment
from settlement.local.postgres import EmbeddedPostgres, free_port

RUN_SECONDS = 240


@dataclass(frozen=True)
class RunningInstallation:
    """A running platform, spoken to as a provincial platform and its people would."""

    airflow_url: str
    accounts: dict[str, str]
    inbox: Path
    outbox: Path
    logs: Path
    warehouse_dsn: str
    admin_dsn: str

    def api(self, user: str = "platform") -> AirflowApi:
        """The REST API as one user."""
        return AirflowApi(self.airflow_url, user, self.accounts[user])

    def run(self, dag_id: str, run_id: str, conf: dict[str, object], user: str = "platform") -> str:
        """Start a run, wait for its end, give its state."""
        api = self.api(user)
        api.trigger(dag_id, run_id, conf)
        return [run.state for run in api.follow(dag_id, run_id, seconds=RUN_SECONDS)][-1]

    def receive(self, batch_id: str) -> dict[str, Any]:
        """Receive a batch that lies in the inbox; give its receipt."""
        assert self.run("receive_batch", batch_id, {"batch_id": batch_id}) == "success"
        return self.receipt(batch_id)

    def receipt(self, batch_id: str) -> dict[str, Any]:
        """The receipt in the outbox."""
        return json.loads((self.outbox / batch_id / "receipt.json").read_text(encoding="utf-8"))

    def settle(self, pay_date: str, suffix: str = "") -> str:
        """Settle a pay date, every area; give the run's state."""
        return self.run("settle_day", f"pay-{pay_date}{suffix}", {"pay_date": pay_date})

    def note(self, dag_id: str, run_id: str) -> str:
        """The run's note."""
        return self.api().run(dag_id, run_id).note or ""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the marts, read as a BI tool reads them."""
        with psycopg.connect(self.warehouse_dsn) as connection:
            return connection.execute(query).fetchall()  # type: ignore[call-overload]


@pytest.fixture(scope="session")
def installation() -> Iterator[RunningInstallation]:
    """Start a whole installation once; stop it when the tests end."""
    with reachable_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SETTLEMENT_LOCAL", str(folder / "local"))
        patch.setenv("SETTLEMENT_PORT_AIRFLOW", str(free_port()))
        patch.setenv("SETTLEMENT_PORT_POSTGRES", str(free_port()))
        patch.setenv("SETTLEMENT_USER_AREAS", json.dumps({"operator": ["330100"]}))
        for variable in ("SETTLEMENT_INBOX", "SETTLEMENT_OUTBOX", "SETTLEMENT_DATABASE_URL"):
            patch.delenv(variable, raising=False)
        started = lifecycle.start(print)
        try:
            environment = local_environment(started)
            accounts = json.loads((started.airflow_home / "passwords.json").read_text())
            yield RunningInstallation(
                airflow_url=started.airflow_url,
                accounts=accounts,
                inbox=Path(started.inbox),
                outbox=Path(started.outbox),
                logs=started.logs,
                warehouse_dsn=environment["SETTLEMENT_BI_READER_DSN"],
                admin_dsn=EmbeddedPostgres(started.postgres).admin_dsn("settlement"),
            )
        finally:
            lifecycle.stop(print)
