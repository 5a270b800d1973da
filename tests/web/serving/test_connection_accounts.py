"""What is taken for a connection is given back to the same address, whenever its client leaves."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from gateway.running_subscriptions import Subscriptions
from tests.support.settings_for_tests import ROUTER
from web.serving.connection_and_websocket_limits import ConnectionLimits, Connections
from web.serving.uvicorn_protocols import HttpProtocol, SocketProtocol

ADDRESS = "192.0.2.1"
UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class LeavingClient(asyncio.Transport):
    """The connection of a client that is gone once its address has been asked for."""

    protocol: Any = None
    asked = 0

    def get_extra_info(self, name: str, default: object = None) -> Any:
        return self if name == "socket" else default

    def getpeername(self) -> tuple[str, int]:
        self.asked += 1
        if self.asked > 1:
            raise OSError("The other side has gone.")
        return ADDRESS, 50_000

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 8000

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def get_protocol(self) -> Any:
        return self.protocol

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False

    def write(self, data: Any) -> None:
        """Nobody reads it."""

    def close(self) -> None:
        """It is gone already."""


async def app(scope: Any, receive: Any, send: Any) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def test_a_client_that_leaves_while_it_becomes_a_websocket_leaves_no_account_behind() -> None:
    limits = ConnectionLimits(10, 1, 10, 1, 10.0, 10.0, 10.0, 1_000, 1_000)
    connections, client = Connections(limits, Subscriptions(1, 1), [], ROUTER), LeavingClient()
    config = Config(app, http=HttpProtocol, ws=SocketProtocol, log_config=None)
    http = HttpProtocol(config, ServerState(), {"connections": connections})
    http.connection_made(client)
    http.data_received(UPGRADE)
    assert isinstance(client.protocol, SocketProtocol)
    assert (connections.open.taken, connections.sockets.taken) == (1, 1)
    client.protocol.connection_lost(None)
    for _ in range(5):
        await asyncio.sleep(0)
    assert (connections.open.taken, connections.sockets.taken) == (0, 0)
    assert connections.open.take(ADDRESS) is None
    assert connections.sockets.take(ADDRESS) is None
