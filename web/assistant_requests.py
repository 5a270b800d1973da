"""Takes the requests of assistants at ``/mcp``, and hands them on when their body is whole."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.client_connection import ClientLeft, read_body
from web.content_negotiation import accept_of
from web.http_responses import refusal
from web.request_parsing import BadRequest


class AssistantRequests:
    """Bounds the time and the size of what arrives, which the SDK of the protocol leaves open."""

    def __init__(self, answering: ASGIApp) -> None:
        """:param answering: what answers a request."""
        self._answering = answering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. A client that left before its body was whole gets nothing."""
        try:
            body = await read_body(receive)
        except BadRequest as wrong:
            answer = refusal(wrong.status, str(wrong), accept_of(scope["headers"]), wrong.headers)
            await answer(scope, receive, send)
            return
        except ClientLeft:
            return
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def handed_on() -> Message:
            return whole.pop() if whole else await receive()

        await self._answering(scope, handed_on, send)
