"""What comes from outside is never a fault of the server, and a fault of the server tells nothing of its inside."""

import base64
import json
import random
import re

import pytest
from psycopg import conninfo
from starlette.exceptions import HTTPException
from tests.fixtures.status_api import BATCH, deliver, manifest_of

from settlement.web import audit, delivery
from settlement.web.problems import CHINESE, CODES, STATUSES, describe
from settlement.web.rate_limit import RateLimit
from settlement.web.upload_quota import UploadQuota

FILES = {"settlement.csv": b"setl_id\nS1\n"}
SEED = 20260302
TRIES = 250
PIECES = [
    "%00", "%0a", "%0d", "..%2f", "%2e%2e", ";", "'", '"', "%25", "%ff", "%c3%28", "%ed%a0%80", "x" * 300, "～",
    "%e2%80%ae", "0", "-1", "1e999", "9" * 40, "[", "{", "\\", "null", "%7B%7B", "=", "&", "#", " ",
]  # fmt: skip


@pytest.fixture(autouse=True)
def unlimited(monkeypatch):
    from settlement.web import access, follow

    monkeypatch.setattr(access, "LIMIT", RateLimit(100_000))
    monkeypatch.setattr(follow, "RUN_STARTS", RateLimit(100_000))


def assert_mendable(answer, sent) -> None:
    assert answer.status_code < 500, (sent, answer.text)
    if answer.status_code >= 400 and "%0a" not in str(sent):  # a mounted application gets no path with a line feed
        assert answer.headers["content-type"] == "application/problem+json", sent
        assert re.search("[\u4e00-\u9fff]", answer.json()["detail"]), sent


@pytest.mark.parametrize(
    "path",
    [
        "batches/x%00", "batches/x%00/rejected.csv", "cases/x%00/grouping", "runs/settle_day/x%00", "runs/x%00/y",
        "payments?area_code=%00", "payments?pay_date=%00", "payments?pay_date=99999-01-01", "payments?cursor=%00",
        "payments?cursor=" + base64.urlsafe_b64encode(b"[" * 40_000).decode(), "payments?cursor=W10=",
        "payments?cursor=" + base64.urlsafe_b64encode(b"[" * 140).decode(), "payments?cursor=WzEsMl0=",
        "payments?limit=99999999999999999999999", "batches/payments", "batches/bookings",
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_a_problem_of_the_caller(client, path):
    answer = client.get(f"/settlement/v1/{path}")
    assert answer.status_code in (404, 422), answer.text
    assert_mendable(answer, path)


@pytest.mark.parametrize("boundary", ["x" * 300, "", "\x7f", "a b", '"', "ä"])
def test_a_boundary_of_any_form_is_a_problem_of_the_caller(client, boundary):
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}".encode("latin-1")}
    answer = client.post("/settlement/v1/batches", content=b"--x\r\n\r\n", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "multipart_invalid")


@pytest.mark.parametrize("batch_id", ["payments", "bookings", "Payments"])
def test_a_batch_bears_no_name_of_a_folder_of_the_outbox(client, warehouse, batch_id):
    answer = deliver(client, manifest_of(FILES, batch_id), FILES)
    assert (answer.status_code, answer.json()["code"]) == (422, "batch_id_invalid")
    assert list(warehouse.inbox.iterdir()) == []


def test_calls_made_of_odd_pieces_are_never_a_fault_of_the_server(client, warehouse):
    with warehouse.admin() as connection:
        connection.execute(
            "create table marts.fct_payment_requests (request_id uuid, area_code text, pay_date date, purpose text)"
        )
        connection.execute(
            "create table marts.fct_payment_instructions (instruction_id uuid, request_id uuid, fixmedins_code text,"
            " fund_pay_type text, settlement_month text, amount numeric, status text, replaces_instruction_id uuid);"
            "grant select on all tables in schema marts to bi_reader"
        )
    chance = random.Random(SEED)

    def piece() -> str:
        return "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 4)))

    for _ in range(TRIES):
        path = chance.choice(
            [
                f"batches/{piece()}", f"batches/{piece()}/rejected.csv", f"payments?{piece()}={piece()}",
                f"payments?area_code={piece()}&limit={piece()}", f"payments?cursor={piece()}&pay_date={piece()}",
                f"runs/settle_day/{piece()}", f"runs/{piece()}/{piece()}", piece(),
            ]
        )  # fmt: skip
        path = path.replace("#", "%23").replace(" ", "%20")
        assert_mendable(client.get(f"/settlement/v1/{path}"), path)
        odd = chance.choice([piece(), None, 1, [piece()], {piece(): piece()}, True, 1.5, "\x00", "330100\n"])
        for body in ({chance.choice(["pay_date", "area_code", piece()]): odd}, odd):
            dag_id = chance.choice(["settle_day", "receive_batch"])
            assert_mendable(client.post(f"/settlement/v1/runs/{dag_id}", json=body), (dag_id, body))
        manifest = json.loads(manifest_of(FILES))
        manifest[chance.choice([*manifest, piece()])] = odd
        assert_mendable(deliver(client, json.dumps(manifest).encode(), FILES), manifest)


def test_what_the_warehouse_says_stays_in_the_log(client, monkeypatch, caplog):
    secret = "postgresql://loader:hunter2@127.0.0.1:1/settlement"
    for role in ("LOADER", "AUDITOR", "BI_READER"):
        monkeypatch.setenv(f"SETTLEMENT_{role}_DSN", secret)
    for answer in (
        client.get(f"/settlement/v1/batches/{BATCH}"),
        client.get("/settlement/v1/payments"),
        deliver(client, manifest_of(FILES), FILES),
    ):
        assert (answer.status_code, answer.json()["code"]) == (503, "warehouse_unreachable")
        assert not re.search(r"127\.0\.0\.1|loader|auditor|bi_reader|port|settlement\"", answer.json()["detail"])
    assert "127.0.0.1" in caplog.text


def test_a_delivery_that_cannot_be_put_on_record_is_not_taken(client, warehouse, monkeypatch):
    real = audit.begin

    def used_up(connection, request):
        """All connections of the role are taken in the moment before the effect."""
        with warehouse.admin() as admin:
            admin.execute("revoke insert on audit.api_call from loader")
            admin.execute("select pg_terminate_backend(%s)", [connection.info.backend_pid])
        real(connection, request)

    monkeypatch.setattr(delivery.audit, "begin", used_up)
    answer = deliver(client, manifest_of(FILES), FILES)
    assert (answer.status_code, answer.json()["code"]) == (503, "warehouse_unreachable")
    assert list(warehouse.inbox.iterdir()) == []
    assert client.app.state.runs == {}


def test_with_the_loaders_connections_used_up_there_is_no_effect_without_a_trace(
    client, warehouse, monkeypatch
):  # fmt: skip
    with warehouse.admin() as admin:
        admin.execute("alter role loader connection limit 0")
    try:
        answer = deliver(client, manifest_of(FILES), FILES)
    finally:
        with warehouse.admin() as admin:
            admin.execute("alter role loader connection limit -1")
    assert (answer.status_code, answer.json()["code"]) == (503, "warehouse_unreachable")
    assert list(warehouse.inbox.iterdir()) == []
    assert client.app.state.runs == {}


def test_a_delivery_whose_outcome_cannot_be_kept_is_on_record_as_begun(client, warehouse, monkeypatch):
    async def start_and_cut_the_line(*arguments):
        started = await start_receiving(*arguments)
        address = conninfo.make_conninfo(warehouse.admin_dsn, user="loader", password="wrong", dbname="nowhere")
        monkeypatch.setenv("SETTLEMENT_LOADER_DSN", address)
        return started

    start_receiving = delivery.start_receiving
    monkeypatch.setattr(delivery, "start_receiving", start_and_cut_the_line)
    answer = deliver(client, manifest_of(FILES), FILES)
    assert answer.status_code == 202
    assert warehouse.rows("select caller, action, batch_id, http_status from audit.api_call") == [
        ("platform", "deliver_batch", BATCH, None)
    ]


def test_an_account_delivers_so_many_bytes_a_day_and_others_do_not_notice(client, warehouse, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(delivery, "QUOTA", UploadQuota(50_000, clock=lambda: now[0]))
    files = {"settlement.csv": b"x" * 40_000}
    assert deliver(client, manifest_of(files, "330100-1"), files).status_code == 202
    used = deliver(client, manifest_of(files, "330100-2"), files)
    assert (used.status_code, used.json()["code"]) == (429, "upload_quota_used")
    assert int(used.headers["retry-after"]) > 1
    assert deliver(client, manifest_of(files, "330100-3"), files, headers={"X-User": "province"}).status_code == 202
    assert sorted(path.name for path in warehouse.inbox.iterdir()) == ["330100-1", "330100-3"]
    begun_and_not_ended = "select 1 from audit.api_call left join audit.api_outcome as o using (api_call_id) where"
    assert warehouse.rows(f"{begun_and_not_ended} api_call.code is null and o.code is null") == []
    now[0] = 2 * 24 * 3600.0
    assert deliver(client, manifest_of(files, "330100-2"), files).status_code == 202


def test_a_session_cookie_delivers_only_from_a_page_of_this_server(client, warehouse):
    client.cookies.set("_token", "platform")
    for headers in ({}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "same-site"}):
        answer = deliver(client, manifest_of(FILES), FILES, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
    assert list(warehouse.inbox.iterdir()) == []
    assert client.get(f"/settlement/v1/batches/{BATCH}").status_code == 404
    answer = deliver(client, manifest_of(FILES), FILES, headers={"Origin": "http://testserver"})
    assert answer.status_code == 202


def test_answers_are_kept_nowhere_and_shown_in_no_foreign_frame(client):
    for answer in (client.get("/settlement/v1/payments?limit=0"), client.get("/settlement/v1/openapi.json")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "frame-ancestors 'self'"


def test_every_code_has_its_words_in_both_languages():
    assert (set(STATUSES) | set(CODES.values())) - set(CHINESE) == set()
    for status in CODES:
        problem = describe(HTTPException(status), "/settlement/v1/x")
        assert re.search("[\u4e00-\u9fff]", problem.detail)
        assert re.search("[A-Za-z]", problem.detail)
