"""Starting and following runs over the status API: with the caller's own rights, in the caller's name."""

import json

import pytest
from tests.fixtures.status_api import BATCH, SERVICE, deliver, manifest_of

SETTLE = {"pay_date": "2026-03-03", "area_code": "330100"}
FILES = {"settlement.csv": b"setl_id\nS1\n"}
RUNS = "/settlement/v1/runs"


def start(client, dag_id="settle_day", conf=SETTLE, account="hangzhou", **headers):
    return client.post(f"{RUNS}/{dag_id}", json=conf, headers={"X-User": account, **headers})


def code_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def duties(warehouse, monkeypatch):
    """Accounts as a server has them: senders bound to areas and kinds, a bank, the agency."""
    areas = {"hangzhou": ["330100"], "ningbo": ["330200"]}
    kinds = {"hangzhou": ["settlement"], "ningbo": ["settlement"], "bank": ["bank_receipt"], "platform": ["settlement"]}
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", json.dumps(areas))
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", json.dumps(kinds))


@pytest.mark.usefixtures("duties")
def test_a_run_is_the_service_accounts_in_the_callers_name_and_its_id_carries_the_area(client, warehouse):
    answer = start(client)
    assert answer.status_code == 202, answer.text
    run = answer.json()
    assert run["dag_run_id"].startswith("330100--")
    assert (run["is_new"], run["started_by"], run["conf"]) == (True, "hangzhou", SETTLE)
    kept = client.app.state.runs["settle_day", run["dag_run_id"]]
    assert (kept["triggering_user_name"], kept["conf"]) == (SERVICE, {**SETTLE, "on_behalf_of": "hangzhou"})
    followed = client.get(answer.headers["location"], headers={"X-User": "hangzhou"})
    assert (followed.status_code, followed.json()["state"]) == (200, "queued")
    rows = warehouse.rows(
        "select caller, action, call.area_code, outcome.http_status, outcome.code"
        " from audit.api_call as call join audit.api_outcome as outcome using (api_call_id)"
    )
    assert rows == [("hangzhou", "start_settle_day", "330100", 202, "ok")]


@pytest.mark.usefixtures("duties")
@pytest.mark.parametrize(
    ("dag_id", "conf", "account", "refused"),
    [
        ("settle_day", SETTLE, "ningbo", (403, "area_not_allowed")),
        ("settle_day", {"pay_date": "2026-03-03"}, "ningbo", (403, "area_not_allowed")),
        ("settle_day", {**SETTLE, "area_code": ""}, "ningbo", (403, "area_not_allowed")),
        ("settle_day", SETTLE, "bank", (403, "duties_not_divided")),
        ("record_receipts", {}, "hangzhou", (403, "kind_not_allowed")),
        ("receive_batch", {"batch_id": "330100-1"}, "ningbo", (403, "batch_id_not_yours")),
        ("receive_batch", {}, "ningbo", (403, "area_not_allowed")),
        ("receive_batch", {"batch_id": "330100-nowhere"}, "hangzhou", (404, "batch_not_found")),
        ("settle_day", {**SETTLE, "on_behalf_of": "admin"}, "hangzhou", (422, "parameter_invalid")),
        ("settle_day", {**SETTLE, "unknown": 1}, "hangzhou", (422, "parameter_invalid")),
        ("settle_day", {"pay_date": "tomorrow", "area_code": "330100"}, "hangzhou", (422, "parameter_invalid")),
        ("settle_day", {"area_code": ["330100"]}, "hangzhou", (422, "parameter_invalid")),
        ("settle_day", {"area_code": "330100\x00"}, "hangzhou", (422, "parameter_invalid")),
        ("receive_batch", {"batch_id": "x\x00"}, "platform", (422, "parameter_invalid")),
        ("keep_house", {}, "platform", (404, "dag_not_found")),
    ],
)
def test_what_the_caller_may_not_start_is_refused_before_anything_starts(
    client, dag_id, conf, account, refused
):  # fmt: skip
    answer = start(client, dag_id, conf, account)
    assert code_of(answer) == refused, answer.text
    assert client.app.state.runs == {}


@pytest.mark.usefixtures("duties")
def test_the_same_call_with_its_key_is_one_run_and_with_other_parameters_a_conflict(client):
    first = start(client, **{"Idempotency-Key": "monday"})
    again = start(client, **{"Idempotency-Key": "monday"})
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["dag_run_id"] == again.json()["dag_run_id"]
    assert again.json()["is_new"] is False
    other = start(client, conf={**SETTLE, "pay_date": "2026-03-04"}, **{"Idempotency-Key": "monday"})
    assert code_of(other) == (409, "run_id_taken")
    of_another = start(client, account="platform", **{"Idempotency-Key": "monday"})
    assert of_another.status_code == 202
    assert len({start(client).json()["dag_run_id"] for _ in range(3)}) == 3


@pytest.mark.usefixtures("duties")
def test_a_run_is_shown_to_accounts_of_its_area_only(client):
    run_id = start(client).json()["dag_run_id"]
    everywhere = start(client, conf={"pay_date": "2026-03-03"}, account="platform").json()["dag_run_id"]
    assert everywhere.startswith("all--")
    for account, seen, all_seen in (("hangzhou", 200, 403), ("ningbo", 403, 403), ("platform", 200, 200)):
        headers = {"X-User": account}
        assert client.get(f"{RUNS}/settle_day/{run_id}", headers=headers).status_code == seen
        assert client.get(f"{RUNS}/settle_day/{everywhere}", headers=headers).status_code == all_seen
    assert code_of(client.get(f"{RUNS}/settle_day/nothing")) == (404, "run_not_found")


@pytest.mark.usefixtures("duties")
def test_a_delivered_batch_is_received_again_by_a_run_of_its_own(client):
    deliver(client, manifest_of(FILES), FILES, headers={"X-User": "hangzhou"})
    answer = start(client, "receive_batch", {"batch_id": BATCH})
    assert answer.json()["dag_run_id"].startswith(f"{BATCH}--")
    run_id = answer.json()["dag_run_id"]
    assert client.get(f"{RUNS}/receive_batch/{run_id}", headers={"X-User": "ningbo"}).status_code == 403


@pytest.mark.usefixtures("duties")
def test_an_account_in_a_loop_starts_no_endless_runs(client, monkeypatch):
    from settlement.web import follow
    from settlement.web.rate_limit import RateLimit

    monkeypatch.setattr(follow, "RUN_STARTS", RateLimit(3))
    answers = [start(client) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert start(client, account="platform").status_code == 202
