"""Airflow's own REST API, called inside the same process with the service account.

Senders need no right in Airflow for what is done here in their name: the status API has judged theirs before. A run is
checked, recorded and shown like any other.
"""

import os
from http import HTTPStatus
from typing import Any

import httpx
from fastapi import Request

from settlement.errors import SettlementError

# The plugin notes here which application it is mounted in.
AIRFLOW = "settlement.airflow"


class Airflow:
    """Calls as the service account; a token is fetched at the first call and again when it has expired."""

    _token = ""  # one for all calls: fetching it costs a check of the password

    def __init__(self, request: Request) -> None:
        inside = httpx.ASGITransport(request.scope[AIRFLOW], raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=inside, base_url="http://inside")

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Send a call below `/api/v2`.

        Raises:
            SettlementError: ``run_not_started`` where Airflow refuses the service account.
        """
        answer = await self._send(method, path, body)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            Airflow._token = await self._signed_in()
            answer = await self._send(method, path, body)
        return answer

    async def _send(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {Airflow._token}"}
        return await self._client.request(method, f"/api/v2{path}", json=body, headers=headers)

    async def _signed_in(self) -> str:
        account = {
            "username": os.environ.get("SETTLEMENT_AIRFLOW_USER", ""),
            "password": os.environ.get("SETTLEMENT_AIRFLOW_PASSWORD", ""),
        }
        answer = await self._client.post("/auth/token", json=account)
        if answer.status_code != HTTPStatus.CREATED:
            raise SettlementError(
                "run_not_started",
                f"Airflow refuses the service account: {answer.status_code}",
                "set SETTLEMENT_AIRFLOW_USER and SETTLEMENT_AIRFLOW_PASSWORD to an account with the role Service",
            )
        return str(answer.json()["access_token"])
