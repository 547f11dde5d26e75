"""Errors as RFC 9457 problem details, each with a stable `code` that programs can decide on.

What people read is English and Chinese. Of a fault on this side they read nothing of its inside: the log has it.
"""

import logging
from http import HTTPStatus

import psycopg
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from settlement.errors import SettlementError
from settlement.web.answers import Problem
from settlement.web.rate_limit import RetryLater
from settlement.web.same_origin import HARMLESS

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"

# What a caller can mend answers 4xx; every other code of the platform is a fault on this side.
STATUSES = {
    "area_not_allowed": HTTPStatus.FORBIDDEN,
    "batch_conflict": HTTPStatus.CONFLICT,
    "batch_id_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "batch_id_not_yours": HTTPStatus.FORBIDDEN,
    "batch_not_found": HTTPStatus.NOT_FOUND,
    "batch_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "body_too_slow": HTTPStatus.REQUEST_TIMEOUT,
    "case_not_found": HTTPStatus.NOT_FOUND,
    "control_mismatch": HTTPStatus.UNPROCESSABLE_ENTITY,
    "cursor_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "dag_not_found": HTTPStatus.NOT_FOUND,
    "delivery_in_progress": HTTPStatus.CONFLICT,
    "disk_space_low": HTTPStatus.INSUFFICIENT_STORAGE,
    "duties_not_divided": HTTPStatus.FORBIDDEN,
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
    "origin_not_allowed": HTTPStatus.FORBIDDEN,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "run_id_taken": HTTPStatus.CONFLICT,
    "run_not_found": HTTPStatus.NOT_FOUND,
    "run_not_started": HTTPStatus.SERVICE_UNAVAILABLE,
    "sign_in_paused": HTTPStatus.TOO_MANY_REQUESTS,
    "too_many_files": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too_many_rows": HTTPStatus.UNPROCESSABLE_ENTITY,
    "too_many_uploads": HTTPStatus.TOO_MANY_REQUESTS,
    "upload_quota_used": HTTPStatus.TOO_MANY_REQUESTS,
    "upload_too_slow": HTTPStatus.REQUEST_TIMEOUT,
    "uploads_busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "warehouse_unreachable": HTTPStatus.SERVICE_UNAVAILABLE,
}
CODES = {
    HTTPStatus.UNAUTHORIZED: "not_signed_in",
    HTTPStatus.FORBIDDEN: "not_allowed",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
}

# In Chinese, for what is found and said where only English is spoken: the contract, Airflow, the web framework.
CHINESE = {
    "area_not_allowed": "该账号无权办理此统筹区",
    "batch_conflict": "批次号已被其他批次使用",
    "batch_id_invalid": "批次号不合规范",
    "batch_id_not_yours": "批次号须以本统筹区代码开头",
    "batch_too_large": "批次总字节数超限",
    "batch_not_found": "未找到该批次",
    "body_too_large": "请求正文过大",
    "body_too_slow": "请求正文发送过慢",
    "case_not_found": "未找到该病例",
    "control_mismatch": "校验值不符",
    "cursor_invalid": "分页游标无效",
    "dag_not_found": "未提供该流程",
    "delivery_in_progress": "该批次正在上传",
    "disk_space_low": "磁盘剩余空间不足",
    "duties_not_divided": "回单送达与拨付发起须分岗",
    "encoding_unknown": "未知编码",
    "file_missing": "缺少文件",
    "file_name_unsafe": "文件名不安全",
    "file_too_large": "文件过大",
    "file_unexpected": "文件不在清单中或重复发送",
    "kind_not_allowed": "该账号不得报送此类批次",
    "manifest_invalid": "清单内容不合规范",
    "manifest_not_first": "首个部分不是清单",
    "manifest_unreadable": "清单无法读取",
    "method_not_allowed": "不支持该方法",
    "multipart_invalid": "正文格式有误",
    "not_allowed": "该账号的角色无此权限",
    "not_found": "未找到",
    "not_judged_yet": "批次尚未判定",
    "not_signed_in": "未登录或令牌无效",
    "origin_not_allowed": "跨站请求",
    "parameter_invalid": "参数不合规范",
    "rate_limited": "超过每分钟上限",
    "refused": "请求被拒绝",
    "run_id_taken": "幂等键已用于其他参数",
    "run_not_found": "未找到该运行",
    "run_not_started": "运行未能启动",
    "sign_in_paused": "登录失败次数过多, 暂停登录",
    "too_many_files": "文件过多",
    "too_many_rows": "行数超限",
    "too_many_uploads": "该账号同时上传数已达上限",
    "unforeseen": "服务器故障",
    "upload_quota_used": "该账号当日报送字节数已达上限",
    "upload_too_slow": "上传过慢",
    "uploads_busy": "服务器同时上传数已达上限",
    "warehouse_unreachable": "数据仓库暂时无法访问",
}
HINTS = {
    "not_allowed": "ask an administrator for the right (请向管理员申请权限)",
    "not_found": "see /settlement/v1/openapi.json (请查阅接口文档)",
    "not_signed_in": "get a token at POST /auth/token (请先取得令牌)",
    "parameter_invalid": "mend the parameter and send it again (请修正后重发)",
    "run_not_started": "send it again; a batch that was stored is received within 10 minutes all the same "
    "(请重试; 已存入的批次10分钟内自动接收)",
    "warehouse_unreachable": "send it again a little later; nothing was done (请稍后重试; 未做任何处理)",
}
OURS = {
    "disk_space_low": "too little of the disk is free to take a batch (磁盘剩余空间不足)",
    "run_not_started": "Airflow did not start the run (运行未能启动)",
    "warehouse_unreachable": "the warehouse does not answer at the moment (数据仓库暂时无法访问)",
}
OUR_FAULT = "the call failed on this side; the server's log says why (服务器故障, 原因见服务器日志)"


def describe(error: Exception, path: str) -> Problem:
    """Put an error in the words of RFC 9457; of a fault on this side say its code, and nothing of its inside."""
    if isinstance(error, psycopg.OperationalError):
        error = SettlementError("warehouse_unreachable", str(error))
    if isinstance(error, SettlementError):
        status = STATUSES.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, RetryLater):
            return _problem(status, error.code, OURS.get(error.code, OUR_FAULT), path)
        return _problem(status, error.code, error.message, path, error.hint)
    if isinstance(error, RequestValidationError):
        found = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors())
        return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "parameter_invalid", found, path)
    if isinstance(error, StarletteHTTPException):
        status = HTTPStatus(error.status_code)
        return _problem(status, CODES.get(status, "refused"), str(error.detail), path)
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "unforeseen", OUR_FAULT, path)


def install(app: FastAPI) -> None:
    """Answer every error of `app` as a problem."""
    for kind in (SettlementError, RequestValidationError, HTTPException, StarletteHTTPException, Exception):
        app.add_exception_handler(kind, _answer)


def headers_of(error: Exception, problem: Problem, method: str) -> dict[str, str]:
    """Give what a client needs beside the problem: how to sign in, when to come again.

    The line is closed where a body may still be arriving: nobody reads it any more.
    """
    headers = {} if method in HARMLESS else {"Connection": "close"}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RetryLater):
        headers["Retry-After"] = str(error.seconds)
    return headers


def _answer(request: Request, error: Exception) -> Response:
    problem = describe(error, request.url.path)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        problem.status,
        headers_of(error, problem, request.method),
        media_type=PROBLEM,
    )


def _problem(status: HTTPStatus, code: str, detail: str, path: str, hint: str = "") -> Problem:
    return Problem(
        type=f"urn:settlement:problem:{code}",
        title=status.phrase,
        status=status.value,
        detail=_in_both(detail or status.phrase, code),
        instance=path,
        code=code,
        hint=hint or HINTS.get(code),
    )


def _in_both(text: str, code: str) -> str:
    """Add the Chinese words of a code to a text that has none."""
    if any("\u4e00" <= letter <= "\u9fff" for letter in text):
        return text
    return f"{text} ({CHINESE.get(code, CHINESE['refused'])})"
