"""An account has so many runs open and no more; the schedule's runs are not counted, and older ones go first."""

import httpx
import pytest
from tests.fixtures.runs import run_as

from settlement.errors import SettlementError
from settlement.tasks import open_runs


class Listing:
    """Airflow's listing of open runs, in pages, oldest first."""

    def __init__(self, *callers: str) -> None:
        self.runs = [
            {"dag_run_id": f"run-{number}", "triggering_user_name": caller or None, "conf": {}}
            for number, caller in enumerate(callers, 1)
        ]

    def client(self) -> httpx.Client:
        def answer(request: httpx.Request) -> httpx.Response:
            assert request.url.params.get_list("state") == ["queued", "running"]
            offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
            return httpx.Response(200, json={"dag_runs": self.runs[offset : offset + limit]})

        return httpx.Client(base_url="http://airflow", transport=httpx.MockTransport(answer))


def start(patch: pytest.MonkeyPatch, *open_before: str, account: str | None = "hangzhou", allowed: str = "2") -> None:
    patch.setenv("SETTLEMENT_OPEN_RUNS", allowed)
    patch.setattr(open_runs, "service_client", Listing(*open_before, account or "").client)
    run_as(patch, account=account).run_id = f"run-{len(open_before) + 1}"
    open_runs.refuse_too_many_runs()


def test_one_run_too_many_of_an_account_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    start(monkeypatch, "hangzhou", "ningbo", "ningbo", "")
    with pytest.raises(SettlementError, match="hangzhou has 2 runs of settle_day open, and may have 2"):
        start(monkeypatch, "hangzhou", "ningbo", "hangzhou")


def test_runs_that_come_after_it_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLEMENT_OPEN_RUNS", "1")
    monkeypatch.setattr(open_runs, "service_client", Listing("hangzhou", "hangzhou", "hangzhou").client)
    run_as(monkeypatch, account="hangzhou").run_id = "run-1"
    open_runs.refuse_too_many_runs()


def test_older_ones_are_found_behind_many_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettlementError, match="too_many_runs"):
        start(monkeypatch, *["ningbo"] * 250, "hangzhou", "hangzhou")


def test_the_schedule_is_never_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    start(monkeypatch, "", "", "", account=None)


def test_while_airflow_cannot_be_asked_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> httpx.Client:
        raise httpx.ConnectError("away")

    monkeypatch.setattr(open_runs, "service_client", away)
    run_as(monkeypatch)
    open_runs.refuse_too_many_runs()


@pytest.mark.parametrize("setting", ["many", "0", "-1", "²"])
def test_a_setting_that_counts_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    with pytest.raises(SettlementError, match="setting_invalid"):
        start(monkeypatch, allowed=setting)
