"""Calls with effect that a page of another site makes a browser send along with its session cookie (CSRF)."""

from collections.abc import Mapping

from settlement.errors import SettlementError

HARMLESS = ("GET", "HEAD", "OPTIONS")


def require_same_origin(method: str, headers: Mapping[str, str], *, has_cookie: bool) -> None:
    """Refuse a call with effect by session cookie unless it comes from a page of this server.

    A bearer token is in no browser's keeping: who sends one means it. A browser says with each such call where it comes
    from.

    Args:
        method: Of the call.
        headers: By lower-case name.
        has_cookie: Whether Airflow's session cookie came along.

    Raises:
        SettlementError: ``origin_not_allowed``.
    """
    if method in HARMLESS or not has_cookie or headers.get("authorization", "").lower().startswith("bearer "):
        return
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site == "same-origin" or (site is None and origin and origin.partition("://")[2] == headers.get("host")):
        return
    raise SettlementError(
        "origin_not_allowed",
        "a call with effect by session cookie comes from another page, or does not say from which (跨站请求)",
        "call with a bearer token, or from a page of this server (请用令牌, 或从本站页面发起)",
    )
