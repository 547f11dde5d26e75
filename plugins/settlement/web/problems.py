"""Errors as RFC 9457 problem details, each with a stable `code` that programs can decide on."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from settlement.errors import SettlementError
from settlement.web.answers import Problem
from settlement.web.rate_limit import RateLimited

log = logging.getLogger(__name__)

# What a caller can mend answers 4xx; every other code of the platform is a fault on this side.
STATUSES = {
    "area_not_allowed": HTTPStatus.FORBIDDEN,
    "batch_conflict": HTTPStatus.CONFLICT,
    "batch_id_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "batch_not_found": HTTPStatus.NOT_FOUND,
    "case_not_found": HTTPStatus.NOT_FOUND,
    "control_mismatch": HTTPStatus.UNPROCESSABLE_ENTITY,
    "cursor_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "delivery_in_progress": HTTPStatus.CONFLICT,
    "encoding_unknown": HTTPStatus.UNPROCESSABLE_ENTITY,
    "file_missing": HTTPStatus.UNPROCESSABLE_ENTITY,
    "file_name_unsafe": HTTPStatus.UNPROCESSABLE_ENTITY,
    "file_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "file_unexpected": HTTPStatus.UNPROCESSABLE_ENTITY,
    "kind_not_allowed": HTTPStatus.FORBIDDEN,
    "manifest_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "manifest_not_first": HTTPStatus.UNPROCESSABLE_ENTITY,
    "manifest_unreadable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "multipart_invalid": HTTPStatus.BAD_REQUEST,
    "not_judged_yet": HTTPStatus.NOT_FOUND,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "run_id_taken": HTTPStatus.CONFLICT,
    "run_not_started": HTTPStatus.SERVICE_UNAVAILABLE,
    "too_many_files": HTTPStatus.UNPROCESSABLE_ENTITY,
    "warehouse_unreachable": HTTPStatus.SERVICE_UNAVAILABLE,
}
CODES = {
    HTTPStatus.UNAUTHORIZED: "not_signed_in",
    HTTPStatus.FORBIDDEN: "not_allowed",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
}


def describe(error: Exception, path: str) -> Problem:
    """Put an error in the words of RFC 9457; what is not foreseen says nothing of its inside."""
    if isinstance(error, SettlementError):
        status = STATUSES.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
        return _problem(status, error.code, error.message, path, error.hint)
    if isinstance(error, RequestValidationError):
        found = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors())
        return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "parameter_invalid", found, path)
    if isinstance(error, StarletteHTTPException):
        status = HTTPStatus(error.status_code)
        return _problem(status, CODES.get(status, "refused"), str(error.detail), path)
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "unforeseen", "the call failed; the server's log says why", path)


def install(app: FastAPI) -> None:
    """Answer every error of `app` as a problem."""
    for kind in (SettlementError, RequestValidationError, HTTPException, StarletteHTTPException, Exception):
        app.add_exception_handler(kind, _answer)


def _answer(request: Request, error: Exception) -> Response:
    problem = describe(error, request.url.path)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
    headers = {}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(error.seconds)
    return JSONResponse(
        problem.model_dump(exclude_none=True), problem.status, headers, media_type="application/problem+json"
    )


def _problem(status: HTTPStatus, code: str, detail: str, path: str, hint: str = "") -> Problem:
    return Problem(
        type=f"urn:settlement:problem:{code}",
        title=status.phrase,
        status=status.value,
        detail=detail,
        instance=path,
        code=code,
        hint=hint or None,
    )
