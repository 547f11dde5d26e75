"""A case's group and money over the status API: in words and as data, within the caller's areas."""

from decimal import Decimal

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.pricing import add_case, price, set_scheme

from settlement.web import access
from settlement.web.application import app as status_api
from settlement_plugin import StatusApi

pytestmark = pytest.mark.slow


class Hospital:
    def get_name(self) -> str:
        return "hospital"


@pytest.fixture
def client(prepared: PreparedWarehouse):  # noqa: F811
    set_scheme(prepared, "drg", budget="120000")
    add_case(
        prepared, "S1", "H01", method="drg", group_code="HC25", weight=Decimal("1.5"), total_cost_amount=12000,
        accrued_amount=8000, explanation_zh="入组 HC25", explanation_en="group HC25", explanation='{"group": "HC25"}',
    )  # fmt: skip
    price(prepared)
    status_api.dependency_overrides = {get_user: Hospital, access.may_read_bookings: lambda: None}
    airflow = FastAPI()
    airflow.mount("/settlement", StatusApi())
    with TestClient(airflow) as client:
        yield client
    status_api.dependency_overrides = {}


def test_a_case_says_its_group_its_money_and_why(client, monkeypatch):
    found = client.get("/settlement/v1/cases/S1/grouping").json()
    assert (found["group_code"], found["points"], found["booked_amount"]) == ("HC25", "150.0000", "10000.00")
    assert found["point_value"] == "100.0000"
    assert found["explanation"].startswith("入组 HC25；")
    assert found["explanation_en"].endswith("booked 10000.00, accrued 8000.00")
    assert found["path"] == {"group": "HC25"}

    missing = client.get("/settlement/v1/cases/S2/grouping")
    assert (missing.status_code, missing.json()["code"]) == (404, "case_not_found")

    monkeypatch.setenv("SETTLEMENT_USER_AREAS", '{"hospital": ["350200"]}')
    refused = client.get("/settlement/v1/cases/S1/grouping")
    assert (refused.status_code, refused.json()["code"]) == (403, "area_not_allowed")
