"""Provides a gateway that listens with the protocols of its own server, in the loop of the test, and bare connections
to it."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from tests.support.bare_connections import request
from tests.support.crawled_gateway import QUERY
from tests.support.gateway_in_process import app_over
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp
from web.serving.repeated_request_protocol import RepeatedRequestProtocol
from web.serving.uvicorn_protocols import SocketProtocol

DATE = b"Sat, 28 Nov 2026 12:00:00 GMT"


@dataclass
class Wire:
    """A connection on which requests are sent as bytes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, request: bytes) -> bytes:
        """Send a request in one piece, and return the answer to it."""
        self.writer.write(request)
        return await self.answer()

    async def answer(self) -> bytes:
        """Return the next answer, which has a length or no body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: (\d+)\r\n", head)
        return head + (await self.reader.readexactly(int(length[1])) if length else b"")

    async def rest(self) -> bytes:
        """Return all that comes until the other side closes."""
        return await self.reader.read()


@dataclass
class Listening:
    """The gateway, and what its server would do each second and at its end."""

    app: GatewayApp
    port: int
    state: ServerState
    parsed: int = 0
    """How many requests the app got from the server, which had parsed them."""

    @asynccontextmanager
    async def connect(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
        """Return a connection, whose answers come within a generous time."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=tls, limit=2**24)
        connected: Any = writer.get_extra_info("socket")
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            async with asyncio.timeout(30):
                yield Wire(reader, writer)
        finally:
            writer.close()

    def second(self, date: bytes) -> None:
        """Let another second begin."""
        self.state.default_headers = [(b"date", date), (b"server", b"uvicorn")]

    @property
    def unparsed(self) -> int:
        """Return how many requests were answered before they were parsed."""
        return self.app.parts.responses.found_unparsed


@asynccontextmanager
async def listening(
    app: GatewayApp, *, tls: ssl.SSLContext | None = None, keep_alive: int = 30, **config: Any
) -> AsyncIterator[Listening]:
    """Open an app, let it crawl, and listen. ``config`` is Uvicorn's."""
    loop = asyncio.get_running_loop()
    async with app.router.lifespan_context(app) as state:
        await app.parts.source.crawl()
        ours = Listening(app, 0, ServerState())

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            ours.parsed += 1
            await app(scope, receive, send)

        configured = Config(
            counted,
            log_config=None,
            ws=SocketProtocol,
            timeout_keep_alive=keep_alive,
            **{"access_log": False} | config,
        )
        server = await loop.create_server(
            lambda: RepeatedRequestProtocol(configured, ours.state, dict(state or {}), loop),
            "127.0.0.1",
            0,
            ssl=tls,
        )
        ours.port = server.sockets[0].getsockname()[1]
        ours.second(DATE)
        try:
            yield ours
        finally:
            server.close()
            for connection in list(ours.state.connections):
                connection.transport.abort()
            await server.wait_closed()


POST = request(QUERY)
TIMES = 3
"""How often a request has to come before it is known: it is run, found by its bytes, and found once more."""


def get(query: str, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    """Return a GET as bytes."""
    head = [f"{method} /graphql?query={quote(query)} HTTP/{version}", "Host: gateway", *headers]
    return "\r\n".join([*head, "", ""]).encode()


def timeless(answer: bytes) -> bytes:
    """Return an answer without what the clock decides."""
    return re.sub(rb"(age|max-age|revalidate|stale-if-error)([=:] ?)\d+", rb"\1\2", answer)


async def learnt(gateway: Listening, wire: Wire, sent: bytes = POST) -> bytes:
    """Send a request until it is known; return the answer of the ordinary way."""
    answers = [await wire.ask(sent) for _ in range(TIMES)]
    assert gateway.unparsed == 0
    assert len(gateway.app.parts.repeated_requests) == 1
    return answers[-1]


@pytest.fixture
async def gateway(embedded: EmbeddedUpstream) -> AsyncIterator[Listening]:
    async with listening(app_over(embedded)) as gateway:
        yield gateway


@pytest.fixture
async def wire(gateway: Listening) -> AsyncIterator[Wire]:
    async with gateway.connect() as wire:
        yield wire
