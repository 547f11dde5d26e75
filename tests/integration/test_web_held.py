"""What callers tried in vain, kept in vain: ids, parts, headers and methods that mean something else."""

import json
from collections.abc import Iterable

import pytest
from tests.fixtures.status_api import BATCH, deliver, manifest_of

SECRET = "of another area"
FILES = {"settlement.csv": b"setl_id\nS1\n"}
BATCHES = "/settlement/v1/batches"


def send(client, parts: Iterable[tuple[str, bytes]]):
    """Send a body of parts, each the words behind `form-data` and its content, as they are."""
    body = b"".join(
        b"--b\r\nContent-Disposition: form-data; " + words.encode() + b"\r\n\r\n" + content + b"\r\n"
        for words, content in parts
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    return client.post(BATCHES, content=body + b"--b--\r\n", headers=headers)


def written_outside(warehouse) -> list[str]:
    """Files beside the inbox and the outbox."""
    root = warehouse.inbox.parent
    return [str(path) for path in root.rglob("*") if path.is_file() and warehouse.inbox not in path.parents]


@pytest.mark.parametrize(
    "batch_id",
    [
        "..%2foutside", "%2e%2e/outside", "%2e%2e%2foutside", "x%2f..%2f..%2foutside", "..", "outside%00", "outside%0a",
        "outside;x", "outside%20", "outside.", "%ff", "'outside'", "%22outside%22", "*", "outside%2frejected.csv",
    ],
)  # fmt: skip
def test_no_id_leads_out_of_the_outbox(client, warehouse, batch_id):
    outside = warehouse.outbox.parent / "outside"
    outside.mkdir()
    (outside / "rejected.csv").write_text(SECRET)
    for path in (f"{BATCHES}/{batch_id}/rejected.csv", f"{BATCHES}/{batch_id}"):
        answer = client.get(path)
        assert answer.status_code in (404, 422), answer.text
        assert SECRET not in answer.text


@pytest.mark.parametrize(
    "name",
    [
        'filename="../settlement.csv"',
        'filename="/tmp/settlement.csv"',
        'filename="settlement.csv/../../x"',
        "filename*=UTF-8''..%2fsettlement.csv",
        'filename="x.csv"; filename="../settlement.csv"',
        'filename="manifest.json"',
    ],
)
def test_a_part_is_written_under_no_name_that_the_manifest_does_not_give_it(client, warehouse, name):
    before = written_outside(warehouse)
    answer = send(
        client,
        [('name="manifest"; filename="m"', manifest_of(FILES)), (f'name="files"; {name}', FILES["settlement.csv"])],
    )
    assert answer.status_code in (400, 422), answer.text
    assert list(warehouse.inbox.iterdir()) == []
    assert written_outside(warehouse) == before


def test_parts_in_another_order_or_number_than_said_are_refused_and_leave_nothing(client, warehouse):
    manifest = ('name="manifest"; filename="m"', manifest_of(FILES))
    other = ('name="manifest"; filename="m"', manifest_of(FILES, "330100-other"))
    file = ('name="files"; filename="settlement.csv"', FILES["settlement.csv"])
    for parts in ([manifest, manifest, file], [manifest, other, file], [manifest, file, file], [file, manifest]):
        answer = send(client, parts)
        assert answer.status_code == 422, answer.text
        assert list(warehouse.inbox.iterdir()) == []


def test_a_manifest_names_no_file_of_its_own_name(client, warehouse):
    files = {"manifest.json": b"{}"}
    answer = deliver(client, manifest_of(files), files)
    assert answer.status_code == 422, answer.text
    assert list(warehouse.inbox.iterdir()) == []


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/mixed; boundary=b", "multipart/form-data", ""]
)
def test_a_body_of_another_type_is_no_delivery(client, content_type):
    answer = client.post(BATCHES, content=b"--b--\r\n", headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["code"]) == (400, "multipart_invalid")


def test_headers_that_proxies_write_change_neither_the_record_nor_the_links(client, warehouse):
    forged = {
        "X-Forwarded-For": "10.9.9.9",
        "Forwarded": "for=10.9.9.9;host=evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Real-IP": "10.9.9.9",
        "Host": "evil.example",
    }
    answer = deliver(client, manifest_of(FILES), FILES, headers=forged)
    assert answer.status_code == 202
    assert "evil.example" not in answer.text + str(answer.headers)
    assert warehouse.rows("select client_address from audit.api_call") == [("testclient",)]


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_call_is_of_the_method_it_comes_with(client, warehouse, header):
    assert client.get(BATCHES, headers={header: "POST"}).status_code == 405
    assert client.post(f"{BATCHES}/{BATCH}", headers={header: "GET"}).status_code == 405
    assert warehouse.rows("select count(*) from audit.api_call") == [(0,)]


def test_no_page_of_another_origin_reads_an_answer(client):
    for method in ("GET", "OPTIONS"):
        headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
        answer = client.request(method, BATCHES, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_what_callers_write_breaks_no_line_of_the_log(client, caplog):
    forged = json.loads(manifest_of(FILES)) | {"batch_id": "330100-x\n2026-03-02 [info] deliver_batch by admin"}
    deliver(client, json.dumps(forged).encode(), FILES)
    deliver(client, manifest_of(FILES), FILES, headers={"X-User": "platform"})
    assert all("\n" not in record.getMessage() for record in caplog.records)


def test_every_call_that_was_refused_is_on_record(client, warehouse, monkeypatch):
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", '{"hangzhou": ["330200"]}')
    monkeypatch.setenv("SETTLEMENT_USER_KINDS", '{"hangzhou": ["review"], "platform": ["settlement"]}')
    send(client, [('name="files"; filename="a"', b"")])
    deliver(client, manifest_of(FILES), FILES, headers={"X-User": "hangzhou"})
    of_its_own = manifest_of(FILES, "330200-1", area_code="330200")
    deliver(client, of_its_own, FILES, headers={"X-User": "hangzhou"})
    changed = {"settlement.csv": b"setl_id\nS2\n"}
    deliver(client, manifest_of(FILES), changed)
    rows = warehouse.rows(
        "select caller, coalesce(call.code, outcome.code) from audit.api_call as call"
        " left join audit.api_outcome as outcome using (api_call_id) order by api_call_id"
    )
    assert rows == [
        ("platform", "manifest_not_first"),
        ("hangzhou", "batch_id_not_yours"),
        ("hangzhou", "kind_not_allowed"),
        ("platform", "control_mismatch"),
    ]
