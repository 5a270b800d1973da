"""Makes connections of the server's protocol without a network, whose pieces are kept as they are written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from tests.support.gateway_in_process import app_over
from upstream.embedded import EmbeddedUpstream
from web.serving.repeated_request_protocol import RepeatedRequestProtocol
from web.serving.uvicorn_protocols import SocketProtocol


class Pieces(asyncio.Transport):
    """Is a connection whose pieces are kept as they are written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.written.append(data)

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


@asynccontextmanager
async def connected(
    upstream: EmbeddedUpstream, **settings: object
) -> AsyncIterator[tuple[RepeatedRequestProtocol, Pieces]]:
    app = app_over(upstream, **settings)
    async with app.router.lifespan_context(app) as state:
        await app.parts.source.crawl()
        config = Config(app, ws=SocketProtocol, log_config=None, access_log=False)
        protocol, pieces = RepeatedRequestProtocol(config, ServerState(), dict(state or {})), Pieces()
        protocol.connection_made(pieces)
        yield protocol, pieces
        protocol.connection_lost(None)


async def made(protocol: RepeatedRequestProtocol, sent: bytes) -> None:
    """Send a request, and return when its response is made but not written."""
    protocol.data_received(sent)
    async with asyncio.timeout(30):
        while not protocol.cycle.response_complete:  # noqa: ASYNC110 - it has no event for others
            await asyncio.sleep(0)


async def answered(protocol: RepeatedRequestProtocol, sent: bytes) -> None:
    """Send a request, and return when its response is written."""
    await made(protocol, sent)
    # Responses are written at the end of the turn that made them.
    await asyncio.sleep(0)
