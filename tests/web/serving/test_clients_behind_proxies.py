"""Limits for each client count the clients that a trusted proxy names, and not the proxy."""

from __future__ import annotations

from tests.support.gateway_in_process import app_over
from tests.support.listening_gateway import POST, Wire, listening
from upstream.embedded import EmbeddedUpstream


async def upgraded(wire: Wire, client: str) -> bytes:
    """Ask for a WebSocket in the name of a client, and return the status line of the answer."""
    wire.writer.write(
        b"GET /graphql HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Protocol: graphql-transport-ws\r\nX-Forwarded-For: %b\r\n\r\n" % client.encode()
    )
    return (await wire.reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0]


async def test_a_trusted_proxy_has_as_many_connections_as_it_likes(embedded: EmbeddedUpstream) -> None:
    app = app_over(embedded, limit_connections_per_address=1, trusted_proxies="127.0.0.1/32")
    async with listening(app) as gateway, gateway.connect() as one, gateway.connect() as other:
        for wire in (one, other):
            assert (await wire.ask(POST)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_each_client_of_a_proxy_has_its_own_websockets(embedded: EmbeddedUpstream) -> None:
    app = app_over(embedded, limit_sockets_per_address=1, trusted_proxies="127.0.0.1/32")
    async with (
        listening(app) as gateway,
        gateway.connect() as one,
        gateway.connect() as two,
        gateway.connect() as three,
    ):
        assert await upgraded(one, "2001:db8:1:2::1") == b"HTTP/1.1 101 Switching Protocols"
        assert await upgraded(two, "2001:db8:1:2::2") == b"HTTP/1.1 503 Service Unavailable"
        assert await upgraded(three, "2001:db8:1:3::1") == b"HTTP/1.1 101 Switching Protocols"
        assert app.parts.connections.sockets.taken == 2


async def test_others_cannot_name_a_client(embedded: EmbeddedUpstream) -> None:
    app = app_over(embedded, limit_sockets_per_address=1, trusted_proxies="192.0.2.0/24")
    async with listening(app) as gateway, gateway.connect() as one, gateway.connect() as other:
        assert await upgraded(one, "198.51.100.1") == b"HTTP/1.1 101 Switching Protocols"
        assert await upgraded(other, "198.51.100.2") == b"HTTP/1.1 503 Service Unavailable"
