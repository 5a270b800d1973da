"""Requests for a WebSocket that the library cannot read are refused. Otherwise their connections would stay open."""

from __future__ import annotations

import pytest

from tests.support.listening_gateway import Listening, Wire, gateway, wire
from web.serving.uvicorn_protocols import NO_HANDSHAKE

__all__ = ["gateway", "wire"]


@pytest.mark.parametrize(
    ("method", "header"),
    [
        ("GET", "Content-Length: 2"),
        ("GET", "Transfer-Encoding: chunked"),
        ("POST", "Content-Length: 2"),
        ("GET", f"X: {'x' * 9_000}"),
    ],
)
async def test_a_handshake_that_cannot_be_read_is_refused(
    gateway: Listening, wire: Wire, method: str, header: str
) -> None:
    head = [
        f"{method} /graphql HTTP/1.1",
        "Host: gateway",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        header,
    ]
    wire.writer.write("\r\n".join([*head, "", ""]).encode())
    answer = await wire.rest()
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert NO_HANDSHAKE.encode() in answer
    connections = gateway.app.parts.connections
    assert (connections.sockets.taken, connections.open.taken) == (0, 0)
