"""A client may send requests without waiting for their answers. What the server holds of them is bounded."""

from __future__ import annotations

import asyncio

from tests.support.protocol_connections import connected
from tests.support.repeated_request_heads import body, post
from upstream.embedded import EmbeddedUpstream
from web.serving.pipelined_requests import MAX_PIPELINE


async def test_no_more_is_read_while_requests_wait_behind_one_another(embedded: EmbeddedUpstream) -> None:
    async with connected(embedded) as (protocol, pieces):
        protocol.data_received(b"".join(post(body(id=-number)) for number in range(20)))
        assert len(protocol.pipeline) == 19
        async with asyncio.timeout(30):
            while protocol.pipeline:
                assert protocol.flow.read_paused
                await asyncio.sleep(0)
            while not protocol.cycle.response_complete:  # noqa: ASYNC110 - it has no event for others
                await asyncio.sleep(0)
        assert not protocol.flow.read_paused
        await asyncio.sleep(0)
        assert b"".join(pieces.written).count(b"HTTP/1.1 200 OK\r\n") == 20


async def test_the_request_that_is_answered_hears_that_its_client_has_left(
    embedded: EmbeddedUpstream,
) -> None:
    async with connected(embedded) as (protocol, pieces):
        protocol.data_received(b"".join(post(body(id=-number)) for number in range(3)))
        first = protocol._running
        assert first is not None
        assert first is not protocol.cycle
        pieces.close()
        protocol.connection_lost(None)
        assert first.disconnected
        assert first.message_event.is_set()


async def test_a_connection_with_too_many_requests_at_once_is_closed(embedded: EmbeddedUpstream) -> None:
    request = b"GET / HTTP/1.1\r\nHost:a\r\n\r\n"
    async with connected(embedded) as (protocol, pieces):
        protocol.data_received(request * (MAX_PIPELINE + 1))
        assert len(protocol.pipeline) == MAX_PIPELINE
        assert not pieces.is_closed
        protocol.data_received(request * MAX_PIPELINE)
        assert len(protocol.pipeline) == MAX_PIPELINE
        assert pieces.is_closed
