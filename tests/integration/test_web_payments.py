"""Payment instructions over the status API: what the marts say, page by page, within the caller's areas."""

from decimal import Decimal
from uuid import UUID

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from fastapi.testclient import TestClient

from settlement.web import access
from settlement.web.application import app as status_api
from settlement_plugin import StatusApi

PATH = "/settlement/v1/payments"
REQUESTS = [("330100", "2026-03-03"), ("330200", "2026-03-03"), ("330100", "2026-03-04")]
MARTS = """
create table marts.fct_payment_requests (
    request_id uuid, area_code text, fund_pay_type text, pay_date date, purpose text
);
create table marts.fct_payment_instructions (
    instruction_id uuid, request_id uuid, fixmedins_code text, fund_pay_type text, settlement_month text,
    amount numeric(18, 2), status text, replaces_instruction_id uuid
);
"""


class Platform:
    def get_name(self) -> str:
        return "platform"


@pytest.fixture
def client(warehouse):
    with warehouse.connect("transformer") as connection:
        connection.execute(MARTS)
        for number, (area, day) in enumerate(
            [("330100", "2026-03-03"), ("330200", "2026-03-03"), ("330100", "2026-03-04")]
        ):
            request = UUID(int=number)
            connection.execute(
                "insert into marts.fct_payment_requests values (%s, %s, '310100', %s, 'daily')", [request, area, day]
            )
            for line in range(3):
                connection.execute(
                    "insert into marts.fct_payment_instructions"
                    " values (%s, %s, %s, '310100', '2026-03', %s, 'instructed', null)",
                    [UUID(int=900 - 10 * number - line), request, f"H{area}0000{line}", Decimal("0.10") + line],
                )
    status_api.dependency_overrides = {get_user: Platform, access.may_read_payments: lambda: None}
    airflow = FastAPI()
    airflow.mount("/settlement", StatusApi())
    with TestClient(airflow) as client:
        yield client
    status_api.dependency_overrides = {}


def test_an_instruction_is_shown_with_its_state_and_an_exact_amount(client):
    page = client.get(PATH, params={"area_code": "330200", "pay_date": "2026-03-03"}).json()
    assert len(page["payments"]) == 3
    assert page["payments"][0] == {
        "instruction_id": str(UUID(int=888)),
        "request_id": str(UUID(int=1)),
        "area_code": "330200",
        "pay_date": "2026-03-03",
        "purpose": "daily",
        "fixmedins_code": "H33020000002",
        "fund_pay_type": "310100",
        "settlement_month": "2026-03",
        "amount": "2.10",
        "status": "instructed",
        "replaces_instruction_id": None,
    }
    assert page["next_cursor"] is None


@pytest.mark.parametrize("limit", [1, 2, 3, 9, 1000])
def test_pages_together_hold_every_instruction_once_in_order(client, limit):
    found, cursor = [], None
    while True:
        page = client.get(PATH, params={"limit": limit} | ({"cursor": cursor} if cursor else {})).json()
        found += [(payment["pay_date"], payment["instruction_id"]) for payment in page["payments"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 9
    assert found == sorted(found)


def test_an_account_bound_to_areas_sees_only_these(client, monkeypatch):
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", '{"platform": ["330200"]}')
    page = client.get(PATH).json()
    assert {payment["area_code"] for payment in page["payments"]} == {"330200"}
    assert client.get(PATH, params={"area_code": "330100"}).json()["code"] == "area_not_allowed"


@pytest.mark.parametrize(
    "parameters",
    [{"area_code": "33"}, {"pay_date": "03/03/2026"}, {"limit": 0}, {"limit": 1001}],
)
def test_malformed_parameters_are_named(client, parameters):
    answer = client.get(PATH, params=parameters)
    assert (answer.status_code, answer.json()["code"]) == (422, "parameter_invalid")
    assert next(iter(parameters)) in answer.json()["detail"]


@pytest.mark.parametrize("cursor", ["x", "e30=", "WzEsMl0=", "WyIyMDI2LTAzLTAzIiwieCJd", "é"])
def test_a_cursor_that_is_none_is_refused(client, cursor):
    answer = client.get(PATH, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")
