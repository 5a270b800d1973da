"""Responses are written together at the end of a turn of the loop, and never out of order or lost."""

from __future__ import annotations

import asyncio

from tests.support.bare_connections import request
from tests.support.crawled_gateway import QUERY
from tests.support.protocol_connections import Pieces, connected, made
from upstream.embedded import EmbeddedUpstream
from web.serving.coalesced_writes import CoalescedWrites


async def test_responses_of_one_turn_are_written_at_its_end() -> None:
    writes, one, other = CoalescedWrites(), Pieces(), Pieces()
    writes.add(one, b"1")
    writes.add(other, b"2")
    assert (one.written, other.written) == ([], [])
    await asyncio.sleep(0)
    assert (one.written, other.written) == ([b"1"], [b"2"])


async def test_responses_to_one_connection_keep_their_order() -> None:
    writes, pieces = CoalescedWrites(), Pieces()
    writes.add(pieces, b"1")
    writes.add(pieces, b"2")
    await asyncio.sleep(0)
    assert pieces.written == [b"12"]


async def test_what_is_written_early_is_not_written_again() -> None:
    writes, pieces = CoalescedWrites(), Pieces()
    writes.add(pieces, b"1")
    writes.write_of(pieces)
    assert pieces.written == [b"1"]
    writes.add(pieces, b"2")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert pieces.written == [b"1", b"2"]


async def test_nothing_is_written_to_a_connection_that_has_closed() -> None:
    writes, pieces = CoalescedWrites(), Pieces()
    writes.add(pieces, b"1")
    pieces.close()
    await asyncio.sleep(0)
    assert pieces.written == []


async def test_a_repeated_request_is_answered_after_the_one_before_it(embedded: EmbeddedUpstream) -> None:
    async with connected(embedded) as (protocol, pieces):
        known = request(QUERY)
        for _ in range(3):
            await made(protocol, known)
            await asyncio.sleep(0)
        pieces.written.clear()
        # The next request comes before the response to this one is written, as a client may pipeline it.
        await made(protocol, request("{ packages(first: 1) { nodes { slug } } }"))
        assert pieces.written == []
        protocol.data_received(known)
        first, second = pieces.written
        assert b"nodes" in first
        assert b"nodes" not in second


async def test_a_response_is_written_before_its_connection_closes(embedded: EmbeddedUpstream) -> None:
    async with connected(embedded) as (protocol, pieces):
        await made(protocol, request(QUERY))
        assert pieces.written == []
        protocol.eof_received()
        assert len(pieces.written) == 1

    async with connected(embedded) as (protocol, pieces):
        await made(protocol, request(QUERY))
        protocol.data_received(b"no HTTP\r\n\r\n")
        response, refusal = pieces.written
        assert response.startswith(b"HTTP/1.1 200")
        assert refusal.startswith(b"HTTP/1.1 400")
        assert pieces.is_closed
