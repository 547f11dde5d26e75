"""The application that the plugin mounts at `/settlement`."""

from typing import Any

from fastapi import Depends, FastAPI

from settlement.web import batches, cases, delivery, payments, problems
from settlement.web.access import signed_in
from settlement.web.answers import Problem

DESCRIPTION = """
What became of batches and payments, and delivering batches where no storage is shared.
Starting and following runs is Airflow's own REST API, `/api/v2`. Both take the token of `POST /auth/token`.

Every error is a problem (RFC 9457) with a stable `code`.
"""
ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "description": "What the caller can mend.",
        "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
    },
}


def create_app() -> FastAPI:
    """Build the application: whatever is added to it needs an account, unless it says otherwise."""
    app = FastAPI(
        title="Settlement status API",
        version="1",
        description=DESCRIPTION,
        dependencies=[Depends(signed_in)],
        responses=ERRORS,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    for router in (batches.router, delivery.router, payments.router, cases.router):
        app.include_router(router, prefix="/v1")
    return app


app = create_app()
