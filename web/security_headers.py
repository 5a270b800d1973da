"""Tells browsers to trust the stated type of each answer, and to tell no other site the address of a page.

Each page itself says what it may load and that nobody may frame it, because pages differ in that.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.cache_headers import Headers

SECURITY_HEADERS: Headers = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
"""The headers of every answer."""


class SecurityHeaders:
    """Adds them to the answers of another app, as a middleware of Starlette."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as the other app does."""

        async def send_with_them(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = {name.lower() for name, _value in message["headers"]}
                more = [header for header in SECURITY_HEADERS if header[0] not in named]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self._app(scope, receive, send_with_them)
