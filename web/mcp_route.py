"""Takes the requests of assistants at ``/mcp``, and hands them on when their body is whole."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import REQUEST, FairUse, RateLimited, caller
from web.client_disconnects import ClientLeft
from web.content_negotiation import accept_of
from web.endpoint_refusals import later_refusal
from web.http_responses import refusal
from web.rate_limit_headers import rate_limit_headers
from web.request_body import read_body
from web.request_parsing import BadRequest


class AssistantRequests:
    """Bounds the time and the size of what arrives, which the SDK of the protocol leaves open, and takes what a request
    costs from the allowance of its client."""

    def __init__(self, answering: ASGIApp, fair_use: FairUse | None) -> None:
        """:param answering: what answers a request."""
        self._answering = answering
        self._fair_use = fair_use

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. A client that left before its body was whole gets nothing."""
        try:
            body = await read_body(receive)
            if self._fair_use is not None:
                await self._fair_use.take(caller.get().client, REQUEST)
        except BadRequest as wrong:
            answer = refusal(wrong.status, str(wrong), accept_of(scope["headers"]), wrong.headers)
            await answer(scope, receive, send)
            return
        except RateLimited as error:
            told = rate_limit_headers(self._fair_use)
            await later_refusal(error, accept_of(scope["headers"]), told)(scope, receive, send)
            return
        except ClientLeft:
            return
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def handed_on() -> Message:
            return whole.pop() if whole else await receive()

        await self._answering(scope, handed_on, send)
