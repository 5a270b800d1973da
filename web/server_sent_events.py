"""Sends subscriptions as server-sent events: GraphQL over SSE, distinct connections mode, with one stream for each
request."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from starlette.responses import StreamingResponse
from starlette.types import Send
from strawberry.http.streaming import SSETransport, merge_stream_with_heartbeat

from gateway import Gateway, PreparedRequest
from web.cache_headers import Headers
from web.content_negotiation import Accepted


def wants_events(takes: Accepted, prepared: PreparedRequest) -> bool:
    """Return whether the answer is sent as a stream of events.

    An operation with one answer becomes a stream only for clients that take nothing else, because many clients list
    every type that they know.
    """
    return takes.events and (takes.json is None or prepared.is_subscription)


def event_stream(gateway: Gateway, prepared: PreparedRequest, headers: Headers) -> StreamingResponse:
    """Return a response that sends the answers as they come, and a comment every 15 seconds so that nobody takes the
    connection for dead."""
    transport = SSETransport()

    async def events() -> AsyncGenerator[str, None]:
        async with aclosing(gateway.stream(prepared)) as answers:
            async for answer in answers:
                yield transport.encode_event("next", answer.body.decode())
        yield transport.encode_complete()

    stream = merge_stream_with_heartbeat(
        events,
        lambda: transport.heartbeat_message(_encoded),
        interval=transport.heartbeat_interval,
        send_initial_heartbeat=transport.send_initial_heartbeat,
    )
    response = _EventStream(stream(), headers=transport.headers)
    response.raw_headers += headers
    return response


class _EventStream(StreamingResponse):
    body_iterator: AsyncGenerator[str, None]

    async def stream_response(self, send: Send) -> None:
        # A client may leave while something is being sent; then nobody else would end the subscription.
        async with aclosing(self.body_iterator):
            await super().stream_response(send)


def _encoded(body: object) -> str:
    return msgspec.json.encode(body).decode()
