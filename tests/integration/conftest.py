"""The status API as integration tests call it."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def client(warehouse, monkeypatch) -> Iterator[Any]:
    """The status API on a warehouse of its own, called by `platform`."""
    from fastapi.testclient import TestClient
    from tests.fixtures.status_api import SERVICE, airflow_stand_in, rights_of_anybody

    # an API server on a server has none of them
    for variable in (
        "SETTLEMENT_DECIDER_DSN",
        "SETTLEMENT_POSTER_DSN",
        "SETTLEMENT_TRANSFORMER_DSN",
        "SETTLEMENT_PERSON_KEY",
    ):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("SETTLEMENT_AIRFLOW_USER", SERVICE)
    monkeypatch.setenv("SETTLEMENT_AIRFLOW_PASSWORD", "any")
    with rights_of_anybody(), TestClient(airflow_stand_in(), headers={"X-User": "platform"}) as client:
        yield client
