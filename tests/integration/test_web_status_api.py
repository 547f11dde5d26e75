"""The status API mounted in a stand-in for Airflow's api-server: who calls is a header, everything else is real.

What the real api-server adds (accounts, rights, runs) is tested in tests/end_to_end/test_status_api.py.
"""

import hashlib
import json
import os
from typing import Any

import pytest
from tests.fixtures.status_api import BATCH, SERVICE, deliver, manifest_of

from settlement.web.upload_lock import only_upload

RECEIVED = """
insert into intake.batch (
    batch_id, kind, area_code, business_date, created_at, manifest, content_sha256, status, error_code, receipt
) values (%s, 'settlement', %s, '2026-03-02', '2026-03-02 23:10+08', '{}', 'c0ffee', %s, %s, %s)
"""


def receipt(quarantined: int = 0, reasons: dict[str, int] | None = None) -> str:
    file = {"name": "s.csv", "table": "settlement", "read": 10, "accepted": 10 - quarantined}
    return json.dumps(
        {
            "batch_id": BATCH,
            "status": "accepted",
            "files": [file | {"quarantined": quarantined, "repeated": 0, "pending": 0}],
            "reasons": reasons or {},
        }
    )


def receive(warehouse, *, area_code="330100", status="accepted", error_code=None, **of_receipt) -> None:
    with warehouse.connect("loader") as connection:
        connection.execute(RECEIVED, [BATCH, area_code, status, error_code, receipt(**of_receipt)])


def audited(warehouse) -> list[tuple[Any, ...]]:
    return warehouse.rows(
        "select caller, action, call.batch_id, call.area_code, coalesce(call.http_status, outcome.http_status),"
        " coalesce(call.code, outcome.code)"
        " from audit.api_call as call left join audit.api_outcome as outcome using (api_call_id) order by api_call_id"
    )


def assert_problem(answer, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["instance"].startswith("/settlement/v1/")


FILES = {"settlement.csv": b"setl_id\nS1\n", "明细.csv": b"setl_id\nS2\n"}


def test_a_delivered_batch_lies_complete_in_the_inbox_and_its_run_is_started(client, warehouse):
    manifest = manifest_of(FILES)
    answer = deliver(client, manifest, FILES)

    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/settlement/v1/batches/{BATCH}"
    assert answer.json()["is_new"] is True
    assert answer.json()["run"] == {"dag_id": "receive_batch", "dag_run_id": BATCH, "state": "queued"}
    folder = warehouse.inbox / BATCH
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES | {"manifest.json": manifest}
    assert audited(warehouse) == [("platform", "deliver_batch", BATCH, "330100", 202, "ok")]
    assert client.get(f"/settlement/v1/batches/{BATCH}").json()["state"] == "delivered"


def test_the_same_batch_again_gives_the_run_that_exists_and_changes_nothing(client, warehouse):
    first = manifest_of(FILES)
    deliver(client, first, FILES)
    again = deliver(client, manifest_of(FILES, created_at="2026-03-03T08:00:00+08:00"), FILES)

    assert (again.status_code, again.json()["is_new"]) == (200, False)
    assert (warehouse.inbox / BATCH / "manifest.json").read_bytes() == first


def test_another_batch_under_the_same_id_is_a_conflict(client, warehouse):
    deliver(client, manifest_of(FILES), FILES)
    others = {"settlement.csv": b"setl_id\nS9\n"}

    assert_problem(deliver(client, manifest_of(others), others), 409, "batch_conflict")
    assert (warehouse.inbox / BATCH / "settlement.csv").read_bytes() == FILES["settlement.csv"]


def test_a_batch_that_was_received_under_this_id_is_known_even_without_its_folder(client, warehouse):
    receive(warehouse)
    assert_problem(deliver(client, manifest_of(FILES), FILES), 409, "batch_conflict")
    assert not (warehouse.inbox / BATCH).exists()


def test_a_refused_batch_may_come_again_mended_and_gets_a_run_of_its_own(client, warehouse):
    deliver(client, manifest_of(FILES), FILES)
    receive(warehouse, status="refused", error_code="control_mismatch")
    mended = {"settlement.csv": b"setl_id\nS9\n"}
    answer = deliver(client, manifest_of(mended), mended)
    again = deliver(client, manifest_of(mended), mended)

    assert (answer.status_code, again.status_code) == (202, 200)
    assert answer.json()["run"]["dag_run_id"].startswith(f"{BATCH}--20")
    assert again.json()["run"] == answer.json()["run"]
    assert (warehouse.inbox / BATCH / "settlement.csv").read_bytes() == mended["settlement.csv"]


def test_a_batch_that_a_person_rejected_stays_rejected(client, warehouse):
    receive(warehouse, status="refused", error_code="held_rejected")
    assert_problem(deliver(client, manifest_of(FILES), FILES), 409, "batch_conflict")


@pytest.mark.parametrize("name", ["../escape.csv", "a/b.csv", "..", "manifest.json", "c:\\x.csv"])
def test_names_that_are_no_file_names_are_refused_before_anything_is_written(client, warehouse, name):
    files = {name: b"x"}
    assert_problem(deliver(client, manifest_of(files), files), 422, "file_name_unsafe")
    assert list(warehouse.inbox.iterdir()) == []


@pytest.mark.parametrize("batch_id", ["../escape", "", "a/b", ".hidden", "x" * 65, None, 7])
def test_ids_that_are_no_folder_names_are_refused(client, warehouse, batch_id):
    assert_problem(deliver(client, manifest_of(FILES, batch_id), FILES), 422, "batch_id_invalid")
    assert list(warehouse.inbox.iterdir()) == []


def test_a_file_the_manifest_does_not_name_is_refused_and_nothing_stays(client, warehouse):
    sent = FILES | {"extra.csv": b"x"}
    assert_problem(deliver(client, manifest_of(FILES), sent), 422, "file_unexpected")
    assert list(warehouse.inbox.iterdir()) == []


def test_a_missing_file_is_named_and_nothing_stays(client, warehouse):
    answer = deliver(client, manifest_of(FILES), {"settlement.csv": FILES["settlement.csv"]})
    assert_problem(answer, 422, "file_missing")
    assert "明细.csv" in answer.json()["detail"]
    assert list(warehouse.inbox.iterdir()) == []


def test_a_file_changed_on_its_way_is_refused_with_expected_and_found(client, warehouse):
    answer = deliver(client, manifest_of(FILES), FILES | {"settlement.csv": b"setl_id\nS1"})
    assert_problem(answer, 422, "control_mismatch")
    for content in (FILES["settlement.csv"], b"setl_id\nS1"):
        assert hashlib.sha256(content).hexdigest() in answer.json()["detail"]
    assert list(warehouse.inbox.iterdir()) == []
    assert deliver(client, manifest_of(FILES), FILES).status_code == 202


def test_a_body_that_ends_early_leaves_nothing(client, warehouse):
    manifest = manifest_of(FILES).decode()
    body = (
        f'--b\r\nContent-Disposition: form-data; name="manifest"; filename="m"\r\n\r\n{manifest}\r\n'
        '--b\r\nContent-Disposition: form-data; name="files"; filename="settlement.csv"\r\n\r\nsetl_'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = client.post("/settlement/v1/batches", content=body, headers=headers)
    assert_problem(answer, 400, "multipart_invalid")
    assert list(warehouse.inbox.iterdir()) == []


def test_a_body_that_is_no_multipart_is_refused(client):
    assert_problem(client.post("/settlement/v1/batches", json={}), 400, "multipart_invalid")


def test_the_manifest_comes_first(client):
    parts = [("files", ("settlement.csv", b"x")), ("manifest", ("manifest.json", manifest_of(FILES)))]
    assert_problem(client.post("/settlement/v1/batches", files=parts), 422, "manifest_not_first")


def test_a_manifest_that_is_no_json_is_refused(client):
    assert_problem(deliver(client, b"{", FILES), 422, "manifest_unreadable")


def test_a_file_over_the_limit_is_refused_while_it_is_read(client, warehouse, monkeypatch):
    monkeypatch.setenv("SETTLEMENT_LIMIT_FILE_BYTES", "100000")
    files = {"settlement.csv": b"x" * 100_001}
    assert_problem(deliver(client, manifest_of(files), files), 413, "file_too_large")
    assert list(warehouse.inbox.iterdir()) == []


def test_two_deliveries_of_one_batch_at_once_do_not_mix(client, warehouse):
    with only_upload(BATCH):
        assert_problem(deliver(client, manifest_of(FILES), FILES), 409, "delivery_in_progress")
    assert list(warehouse.inbox.iterdir()) == []
    assert deliver(client, manifest_of(FILES), FILES).status_code == 202


def trigger(client, account: str, run_id: str, conf: dict[str, Any]) -> None:
    """Start a run over Airflow's own API, past the status API."""
    body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
    client.post(
        "/api/v2/dags/receive_batch/dagRuns", json=body, headers={"Authorization": f"Bearer {account}"}
    ).raise_for_status()


@pytest.mark.parametrize("conf", [{"batch_id": "another"}, {"batch_id": BATCH, "on_behalf_of": "platform"}])
def test_a_run_that_a_stranger_put_under_the_id_keeps_no_sender_out(client, conf):
    trigger(client, "stranger", BATCH, conf)
    client.app.state.runs["receive_batch", BATCH]["state"] = "failed"
    first, again = (deliver(client, manifest_of(FILES), FILES) for _ in range(2))

    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["run"] == again.json()["run"]
    assert first.json()["run"]["dag_run_id"].startswith(f"{BATCH}--")
    assert first.json()["links"]["run"].endswith(first.json()["run"]["dag_run_id"])


def test_a_run_of_this_very_batch_is_found_whoever_started_it(client):
    trigger(client, "operator", BATCH, {"batch_id": BATCH})
    answer = deliver(client, manifest_of(FILES), FILES)
    assert (answer.status_code, answer.json()["run"]["dag_run_id"]) == (200, BATCH)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_lies_in_place_of_the_lock_is_neither_followed_nor_waited_for(client, warehouse, kind):
    elsewhere = warehouse.inbox.parent / "elsewhere"
    place = warehouse.inbox / f".{BATCH}.lock"
    {"link": lambda: place.symlink_to(elsewhere), "pipe": lambda: os.mkfifo(place), "folder": place.mkdir}[kind]()
    assert_problem(deliver(client, manifest_of(FILES), FILES), 409, "delivery_in_progress")
    assert not elsewhere.exists()


def test_a_link_in_place_of_the_batch_folder_leads_nowhere(client, warehouse):
    elsewhere = warehouse.inbox.parent / "elsewhere"
    elsewhere.mkdir()
    (warehouse.inbox / BATCH).symlink_to(elsewhere)
    assert deliver(client, manifest_of(FILES), FILES).status_code == 202
    assert list(elsewhere.iterdir()) == []
    assert (warehouse.inbox / BATCH / "settlement.csv").read_bytes() == FILES["settlement.csv"]


def test_the_run_of_a_delivery_is_the_service_accounts_in_the_senders_name(client):
    deliver(client, manifest_of(FILES), FILES)
    run = client.app.state.runs["receive_batch", BATCH]
    assert (run["triggering_user_name"], run["conf"]) == (SERVICE, {"batch_id": BATCH, "on_behalf_of": "platform"})


def test_an_account_bound_to_areas_delivers_and_reads_only_these(client, warehouse, monkeypatch):
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", '{"platform": ["330200"]}')
    receive(warehouse)
    assert_problem(deliver(client, manifest_of(FILES, "330200-other"), FILES), 403, "area_not_allowed")
    assert_problem(client.get(f"/settlement/v1/batches/{BATCH}"), 403, "area_not_allowed")
    assert_problem(client.get(f"/settlement/v1/batches/{BATCH}/rejected.csv"), 403, "area_not_allowed")
    assert_problem(client.get("/settlement/v1/payments?area_code=330100"), 403, "area_not_allowed")
    assert audited(warehouse) == [("platform", "deliver_batch", "330200-other", "330100", 403, "area_not_allowed")]
    assert client.get(f"/settlement/v1/batches/{BATCH}", headers={"X-User": "province"}).status_code == 200


def test_an_account_bound_to_areas_takes_no_id_of_a_batch_loaded_for_another(client, warehouse, monkeypatch):
    deliver(client, manifest_of(FILES, area_code="330200"), FILES)
    receive(warehouse, area_code="330200")
    folder = warehouse.inbox / BATCH
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", '{"platform": ["330100"]}')

    assert_problem(deliver(client, manifest_of(FILES), FILES), 403, "area_not_allowed")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("state", ["waits", "refused"])
def test_an_id_that_another_area_has_used_is_still_the_rightful_senders(client, warehouse, monkeypatch, state):
    deliver(client, manifest_of(FILES, area_code="330200"), FILES)
    if state == "refused":
        receive(warehouse, area_code="330200", status="refused", error_code="control_mismatch")
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", '{"platform": ["330100"]}')
    files = {"settlement.csv": b"setl_id\nS9\n"}
    answer = deliver(client, manifest_of(files), files)

    assert answer.status_code in (200, 202), answer.text
    assert (warehouse.inbox / BATCH / "settlement.csv").read_bytes() == files["settlement.csv"]
    assert client.get(f"/settlement/v1/batches/{BATCH}").status_code == 200


def test_an_account_bound_to_areas_delivers_under_no_id_of_another_area(client, warehouse, monkeypatch):
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", '{"platform": ["330200"]}')
    with only_upload(BATCH):  # whoever may not use the id does not even ask for its lock
        answer = deliver(client, manifest_of(FILES, area_code="330200"), FILES)
    assert_problem(answer, 403, "batch_id_not_yours")
    assert list(warehouse.inbox.iterdir()) == []


def test_an_account_bound_to_kinds_delivers_only_these(client, warehouse, monkeypatch):
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", '{"platform": ["declaration"], "province": ["settlement"]}')
    assert_problem(deliver(client, manifest_of(FILES), FILES), 403, "kind_not_allowed")
    assert not (warehouse.inbox / BATCH).exists()
    assert audited(warehouse) == [("platform", "deliver_batch", BATCH, "330100", 403, "kind_not_allowed")]
    assert deliver(client, manifest_of(FILES), FILES, headers={"X-User": "province"}).status_code == 202


@pytest.mark.parametrize("state", ["waiting", "refused"])
def test_an_account_bound_to_kinds_takes_no_batch_id_of_another_kind(client, warehouse, monkeypatch, state):
    deliver(client, manifest_of(FILES), FILES)
    if state == "refused":
        receive(warehouse, status="refused", error_code="control_mismatch")
    folder = warehouse.inbox / BATCH
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", '{"platform": ["review"]}')
    review = json.loads(manifest_of(FILES, kind="review"))
    for file in review["files"]:
        file["table"] = "review"

    assert_problem(deliver(client, json.dumps(review).encode(), FILES), 403, "kind_not_allowed")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("setting", ["[", '{"platform": "settlement"}', '{"platform": ["settlements"]}'])
def test_a_malformed_setting_of_kinds_lets_nobody_of_it_deliver(client, warehouse, monkeypatch, setting):
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", setting)
    assert_problem(deliver(client, manifest_of(FILES), FILES), 500, "setting_invalid")


@pytest.mark.parametrize("setting", ["[", '{"platform": "330100"}', "[1]"])
def test_a_malformed_area_setting_lets_nobody_in(client, warehouse, monkeypatch, setting):
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", setting)
    receive(warehouse)
    assert_problem(client.get(f"/settlement/v1/batches/{BATCH}"), 500, "setting_invalid")


def test_a_received_batch_shows_its_receipt_counts_and_reasons(client, warehouse):
    receive(warehouse, quarantined=2, reasons={"R_SUM_FUND": 2})
    batch = client.get(f"/settlement/v1/batches/{BATCH}").json()

    assert (batch["state"], batch["area_code"], batch["business_date"]) == ("accepted", "330100", "2026-03-02")
    assert batch["counts"] == {"read": 10, "accepted": 8, "quarantined": 2, "repeated": 0, "pending": 0}
    assert batch["reasons"] == {"R_SUM_FUND": 2}
    assert batch["receipt"]["status"] == "accepted"
    assert batch["links"] == {
        "self": f"/settlement/v1/batches/{BATCH}",
        "run": f"/api/v2/dags/receive_batch/dagRuns/{BATCH}",
        "rejected": f"/settlement/v1/batches/{BATCH}/rejected.csv",
    }


def test_refused_rows_are_given_as_they_stand_in_the_outbox(client, warehouse):
    receive(warehouse, quarantined=1)
    content = "file,line_no,reason\nsettlement.csv,7,R_SUM_FUND\n"
    (warehouse.outbox / BATCH).mkdir()
    (warehouse.outbox / BATCH / "rejected.csv").write_text(content)
    answer = client.get(f"/settlement/v1/batches/{BATCH}/rejected.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text == content


def test_a_batch_that_was_not_judged_has_no_refused_rows_yet(client):
    deliver(client, manifest_of(FILES), FILES)
    assert_problem(client.get(f"/settlement/v1/batches/{BATCH}/rejected.csv"), 404, "not_judged_yet")


def test_an_unknown_batch_is_not_found(client):
    assert_problem(client.get("/settlement/v1/batches/nowhere"), 404, "batch_not_found")
    assert_problem(client.get("/settlement/v1/batches/.hidden"), 422, "batch_id_invalid")


def test_without_an_account_nothing_is_answered(client, warehouse):
    del client.headers["X-User"]
    for method, path in (
        ("GET", f"batches/{BATCH}"),
        ("GET", f"batches/{BATCH}/rejected.csv"),
        ("GET", "payments"),
        ("GET", "runs/settle_day/x"),
        ("GET", "openapi.json"),
        ("POST", "batches"),
        ("POST", "runs/settle_day"),
    ):
        answer = client.request(method, f"/settlement/v1/{path}")
        assert_problem(answer, 401, "not_signed_in")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert audited(warehouse) == []


def test_the_warehouse_away_is_an_outage_not_a_fault_of_the_caller(client, monkeypatch):
    monkeypatch.setenv("SETTLEMENT_AUDITOR_DSN", "postgresql://nobody@127.0.0.1:1/none")
    assert_problem(client.get(f"/settlement/v1/batches/{BATCH}"), 503, "warehouse_unreachable")


def test_the_openapi_document_names_every_call_and_the_problem(client):
    document = client.get("/settlement/v1/openapi.json").json()
    assert set(document["paths"]) == {
        "/v1/batches",
        "/v1/batches/{batch_id}",
        "/v1/batches/{batch_id}/rejected.csv",
        "/v1/cases/{setl_id}/grouping",
        "/v1/payments",
        "/v1/runs/{dag_id}",
        "/v1/runs/{dag_id}/{run_id}",
    }
    assert document["servers"] == [{"url": "/settlement"}]
    for path in document["paths"].values():
        for operation in path.values():
            assert "application/problem+json" in operation["responses"]["4XX"]["content"]
    assert "multipart/form-data" in document["paths"]["/v1/batches"]["post"]["requestBody"]["content"]
