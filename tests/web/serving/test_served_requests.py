"""A response leaves in one piece, unless something has to see it first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from tests.support.bare_connections import request
from tests.support.crawled_gateway import QUERY
from tests.support.gateway_in_process import app_over
from tests.support.listening_gateway import get
from upstream.embedded import EmbeddedUpstream
from web.serving.known_request_protocol import KnownRequestProtocol
from web.serving.uvicorn_protocols import SocketProtocol

ORIGIN = "https://ours.example"


class Pieces(asyncio.Transport):
    """A connection whose pieces are kept as they are written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


@asynccontextmanager
async def connected(
    upstream: EmbeddedUpstream, **settings: object
) -> AsyncIterator[tuple[KnownRequestProtocol, Pieces]]:
    app = app_over(upstream, **settings)
    async with app.router.lifespan_context(app) as state:
        await app.parts.source.crawl()
        config = Config(app, ws=SocketProtocol, log_config=None, access_log=False)
        protocol, pieces = KnownRequestProtocol(config, ServerState(), dict(state or {})), Pieces()
        protocol.connection_made(pieces)
        yield protocol, pieces
        protocol.connection_lost(None)


async def answered(protocol: KnownRequestProtocol, sent: bytes) -> None:
    protocol.data_received(sent)
    async with asyncio.timeout(30):
        while not protocol.cycle.response_complete:  # noqa: ASYNC110 - it has no event for others
            await asyncio.sleep(0)
    # Responses are written at the end of the turn that made them.
    await asyncio.sleep(0)


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
