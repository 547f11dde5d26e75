"""In whose name a run runs: nobody but the service account may say that it is somebody else's."""

from types import SimpleNamespace

import pytest

from settlement.callers import started_by
from settlement.errors import SettlementError
from settlement.tasks import parameters


@pytest.fixture(autouse=True)
def service_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_AIRFLOW_USER", "service")


@pytest.mark.parametrize(
    ("account", "conf", "caller"),
    [
        ("service", {"on_behalf_of": "hangzhou"}, "hangzhou"),
        ("service", {}, "service"),
        ("service", None, "service"),
        ("service", {"on_behalf_of": ""}, "service"),
        ("service", {"on_behalf_of": ["admin"]}, "service"),
        ("hangzhou", {"on_behalf_of": "admin"}, "hangzhou"),
        ("Service", {"on_behalf_of": "admin"}, "Service"),
        (None, {"on_behalf_of": "admin"}, "scheduler"),
        (None, None, "scheduler"),
    ],
)
def test_the_name_in_a_conf_counts_only_where_the_service_account_triggered_the_run(account, conf, caller):
    assert started_by(account, conf) == caller


def test_without_a_service_account_nobody_speaks_for_another(monkeypatch):
    monkeypatch.delenv("SETTLEMENT_AIRFLOW_USER")
    assert started_by("service", {"on_behalf_of": "admin"}) == "service"
    assert started_by(None, {"on_behalf_of": "admin"}) == "scheduler"
    monkeypatch.setenv("SETTLEMENT_AIRFLOW_USER", "")
    assert started_by("", {"on_behalf_of": "admin"}) == "scheduler"


def in_a_run_of(monkeypatch: pytest.MonkeyPatch, account: str) -> None:
    run = SimpleNamespace(triggering_user_name=account, conf={"batch_id": "b", "on_behalf_of": "admin"})
    monkeypatch.setattr(parameters, "get_current_context", lambda: {"dag_run": run})


def test_a_run_that_claims_another_caller_is_refused_at_its_first_step(monkeypatch):
    in_a_run_of(monkeypatch, "hangzhou")
    with pytest.raises(SettlementError, match="conf holds on_behalf_of"):
        parameters.refuse_unknown_keys(["batch_id"])
    assert parameters.triggered_by() == "hangzhou"


def test_a_run_that_the_service_account_started_for_a_caller_is_the_callers(monkeypatch):
    in_a_run_of(monkeypatch, "service")
    parameters.refuse_unknown_keys(["batch_id"])
    assert parameters.triggered_by() == "admin"
