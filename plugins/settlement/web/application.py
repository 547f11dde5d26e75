"""The application that the plugin mounts at `/settlement`."""

from typing import Any

from fastapi import Depends, FastAPI, Request

from settlement.web import batches, cases, delivery, follow, payments, problems
from settlement.web.access import signed_in
from settlement.web.answer_headers import AnswerHeaders
from settlement.web.answers import Problem

DESCRIPTION = """
What became of batches and payments, delivering batches where no storage is shared, starting runs and following them.
Every call takes the token of `POST /auth/token`.

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
        openapi_url=None,  # FastAPI would show it to anybody; see below
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    app.add_middleware(AnswerHeaders)
    for router in (batches.router, delivery.router, follow.router, follow.reading, payments.router, cases.router):
        app.include_router(router, prefix="/v1")

    @app.get("/v1/openapi.json", include_in_schema=False)
    def openapi(request: Request) -> dict[str, Any]:
        return {**app.openapi(), "servers": [{"url": request.scope["root_path"]}]}

    return app


app = create_app()
