"""A response leaves in one piece, unless something has to see it first."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.bare_connections import request
from tests.support.crawled_gateway import QUERY
from tests.support.listening_gateway import get
from tests.support.protocol_connections import answered, connected
from upstream.embedded import EmbeddedUpstream

ORIGIN = "https://ours.example"


@pytest.mark.parametrize(
    "sent",
    [request(QUERY), get(QUERY), request("{ nothing }"), request("{ catalog { version } }")],
    ids=["kept", "get", "unfit", "not kept"],
)
async def test_an_answer_leaves_in_one_piece(embedded: EmbeddedUpstream, sent: bytes) -> None:
    async with connected(embedded) as (protocol, pieces):
        for _ in range(4):
            pieces.written.clear()
            await answered(protocol, sent)
            (piece,) = pieces.written
            head, _, body = piece.partition(b"\r\n\r\n")
            assert b"\r\ncontent-length: %d\r\n" % len(body) in head


async def test_an_answer_to_head_is_its_head(embedded: EmbeddedUpstream) -> None:
    async with connected(embedded) as (protocol, pieces):
        await answered(protocol, get(QUERY, method="HEAD"))
        (piece,) = pieces.written
        assert piece.endswith(b"\r\n\r\n")
        assert b"\r\ncontent-length: 0\r\n" not in piece


async def test_the_last_answer_of_a_connection_says_so_and_closes_it(embedded: EmbeddedUpstream) -> None:
    async with connected(embedded) as (protocol, pieces):
        await answered(protocol, get(QUERY, "Connection: close"))
        (piece,) = pieces.written
        assert b"\r\nconnection: close\r\n\r\n" in piece
        assert pieces.is_closed


async def test_an_answer_that_gets_more_headers_on_its_way_gets_them(embedded: EmbeddedUpstream) -> None:
    async with connected(embedded, cors_origins=ORIGIN) as (protocol, pieces):
        await answered(protocol, get(QUERY, f"Origin: {ORIGIN}"))
        assert f"\r\naccess-control-allow-origin: {ORIGIN}\r\n".encode() in b"".join(pieces.written)


async def test_an_answer_to_a_client_that_does_not_read_waits(embedded: EmbeddedUpstream) -> None:
    async with connected(embedded) as (protocol, pieces):
        protocol.pause_writing()
        protocol.data_received(get(QUERY))
        await asyncio.sleep(0.05)
        assert pieces.written == []
        protocol.resume_writing()
        async with asyncio.timeout(30):
            while not protocol.cycle.response_complete:  # noqa: ASYNC110 - it has no event for others
                await asyncio.sleep(0)
        assert b"".join(pieces.written).startswith(b"HTTP/1.1 200 OK\r\n")
