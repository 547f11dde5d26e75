"""The status API inside the real api-server: accounts and rights are Airflow's own."""

import psycopg
import pytest
import requests

URL = "/settlement/v1"


@pytest.fixture(scope="module")
def session_of(installation):
    def sign_in(account: str) -> requests.Session:
        body = {"username": account, "password": installation.accounts[account]}
        answer = requests.post(f"{installation.airflow_url}/auth/token", json=body, timeout=30)
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return session

    return sign_in


def audited(installation) -> list[tuple[str, str, int, str]]:
    with psycopg.connect(installation.admin_dsn) as connection:
        return connection.execute("select caller, action, http_status, code from audit.api_call").fetchall()


@pytest.mark.parametrize("path", ["batches/x", "batches/x/rejected.csv", "payments"])
def test_nobody_reads_without_an_account(installation, path):
    answer = requests.get(f"{installation.airflow_url}{URL}/{path}", timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_nobody_delivers_without_an_account(installation):
    answer = requests.post(f"{installation.airflow_url}{URL}/batches", files={"manifest": b"{}"}, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_a_forged_token_is_refused(installation):
    headers = {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}
    answer = requests.get(f"{installation.airflow_url}{URL}/payments", headers=headers, timeout=30)
    assert answer.status_code in (401, 403)


def test_a_viewer_reads_and_may_not_deliver(installation, session_of):
    viewer = session_of("viewer")
    assert viewer.get(f"{installation.airflow_url}{URL}/payments", timeout=30).status_code == 200
    assert viewer.get(f"{installation.airflow_url}{URL}/batches/nowhere", timeout=30).status_code == 404
    answer = viewer.post(f"{installation.airflow_url}{URL}/batches", files={"manifest": b"{}"}, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert ("viewer", "deliver_batch", 403, "not_allowed") in audited(installation)


def test_airflows_session_cookie_signs_in_as_well(installation, session_of):
    token = session_of("viewer").headers["Authorization"].removeprefix("Bearer ")
    answer = requests.get(f"{installation.airflow_url}{URL}/payments", cookies={"_token": token}, timeout=30)
    assert answer.status_code == 200


def test_what_the_api_offers_it_tells_accounts_only(installation, session_of):
    address = f"{installation.airflow_url}{URL}/openapi.json"
    assert requests.get(address, timeout=30).status_code == 401
    answer = session_of("viewer").get(address, timeout=30)
    assert answer.json()["servers"] == [{"url": "/settlement"}]
