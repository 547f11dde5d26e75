"""What every answer tells browsers and proxies: keep nothing, guess no type, show it in no foreign frame."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

EVERYWHERE = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"x-frame-options": b"SAMEORIGIN",
    b"content-security-policy": b"frame-ancestors 'self'",
}
PRIVATE = {b"cache-control": b"no-store"}
PRIVATE_PATHS = ("/settlement/", "/api/", "/auth/token", "/openapi.json")


class AnswerHeaders:
    """Adds the headers to what an application answers; one that it has set itself stays."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass the call on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = {**EVERYWHERE, **(PRIVATE if scope["path"].startswith(PRIVATE_PATHS) else {})}

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                given = {name.lower() for name, _ in headers}
                message["headers"] = headers + [(name, value) for name, value in wanted.items() if name not in given]
            await send(message)

        await self._app(scope, receive, with_headers)
