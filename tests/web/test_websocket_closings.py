"""Tests what closes a WebSocket of graphql-transport-ws, with which code, and the reason that it gives."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from gateway.gateway import Gateway
from gateway.running_subscriptions import Subscriptions
from tests.support.http_servers import serving
from tests.support.settings_for_tests import CONNECTION_LIMITS, ROUTER
from tests.support.streaming_gateway import (
    GRAPHQL_TRANSPORT_WS,
    Served,
    received,
    send,
    socket,
    subscribe,
)
from web.serving.connection_and_websocket_limits import Connections
from web.websocket_endpoint import WebSocketEndpoint

TITLE = '{ category(slug: "apps") { title } }'
FOREVER = "subscription { catalogChanged { slug } }"


def bare(gateway: Served, *protocols: str) -> connect:
    """Return a WebSocket without the protocol's handshake."""
    address = gateway.graphql.replace("http", "ws")
    return connect(address, subprotocols=[Subprotocol(protocol) for protocol in protocols] or None)


async def closing(websocket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as closed:
        await received(websocket)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "WebSocket message must be valid JSON"),
        ("{", "WebSocket message must be valid JSON"),
        ("[" * 100_000, "WebSocket message must be valid JSON"),
        ("[]", 'A message is a JSON object with a "type".'),
        ("null", 'A message is a JSON object with a "type".'),
        ("{}", 'A message is a JSON object with a "type".'),
        ('{"type": 1}', 'A message is a JSON object with a "type".'),
        ('{"type": "start", "id": "1"}', "Unknown message type: start"),
        # As much of it as a close frame has room for.
        (json.dumps({"type": "é" * 5000}), f"Unknown message type: {'é' * 50}"),
        ('{"type": "\\ud800"}', "WebSocket message must be valid JSON"),
        ('{"type": "subscribe"}', 'A message of type subscribe has an "id", a string.'),
        ('{"type": "subscribe", "id": [1]}', 'A message of type subscribe has an "id", a string.'),
        ('{"type": "complete", "id": {}}', 'A message of type complete has an "id", a string.'),
        ('{"type": "ping", "payload": "x"}', 'The "payload" of a ping message is an object.'),
        ('{"type": "pong", "payload": [1]}', 'The "payload" of a pong message is an object.'),
    ]
    + [
        (f'{{"type": "subscribe", "id": "1", "payload": {payload}}}', sentence)
        for payload, sentence in [
            ("1", 'A message of type subscribe has a "payload" with a "query", a string.'),
            ("{}", 'A message of type subscribe has a "payload" with a "query", a string.'),
            ('{"query": 1}', 'The "query" of a subscribe message is a string.'),
            ('{"documentId": 1}', 'The "documentId" of a subscribe message is a string.'),
            ('{"extensions": 1}', 'The "extensions" of a subscribe message are an object.'),
            ('{"query": "{a}", "variables": []}', 'The "variables" of a subscribe message are an object.'),
            (
                '{"query": "{a}", "operationName": 1}',
                'The "operationName" of a subscribe message is a string.',
            ),
        ]
    ],
)
async def test_what_is_no_message_closes_the_connection_and_says_why(
    gateway: Served, text: str, reason: str
) -> None:
    async with socket(gateway) as websocket:
        await websocket.send(text)
        assert await closing(websocket) == (4400, reason)


async def test_a_binary_message_closes_the_connection(gateway: Served) -> None:
    async with socket(gateway) as websocket:
        await websocket.send(b'{"type": "ping"}')
        assert await closing(websocket) == (4400, "WebSocket message type must be text")


async def test_an_operation_before_the_handshake_closes_the_connection(gateway: Served) -> None:
    async with bare(gateway, GRAPHQL_TRANSPORT_WS) as websocket:
        await subscribe(websocket, "1", TITLE)
        assert (await closing(websocket))[0] == 4401


async def test_a_second_handshake_closes_the_connection(gateway: Served) -> None:
    async with socket(gateway) as websocket:
        await send(websocket, type="connection_init")
        assert (await closing(websocket))[0] == 4429


@pytest.mark.parametrize("payload", [[], "x", 1])
async def test_a_handshake_with_another_payload_than_an_object_closes_it(
    gateway: Served,
    payload: Any,
) -> None:
    async with bare(gateway, GRAPHQL_TRANSPORT_WS) as websocket:
        await send(websocket, type="connection_init", payload=payload)
        assert (await closing(websocket))[0] == 4400


async def test_an_id_that_is_in_use_closes_the_connection(gateway: Served) -> None:
    async with socket(gateway) as websocket:
        await subscribe(websocket, "1", FOREVER)
        await subscribe(websocket, "1", FOREVER)
        assert await closing(websocket) == (4409, "Subscriber for 1 already exists")


@pytest.mark.parametrize("protocols", [(), ("graphql-ws",), ("other",)])
async def test_another_protocol_is_not_spoken(gateway: Served, protocols: tuple[str, ...]) -> None:
    async with bare(gateway, *protocols) as websocket:
        assert websocket.subprotocol is None
        assert await closing(websocket) == (4406, "Subprotocol not acceptable")


async def test_who_does_not_begin_is_not_waited_for() -> None:
    # It is asked for nothing before the handshake.
    endpoint = WebSocketEndpoint(
        cast(Gateway, None),
        Connections(CONNECTION_LIMITS, Subscriptions(1, 1), [], ROUTER),
        ("*",),
        connection_init_wait_timeout=timedelta(milliseconds=1),
    )
    app = Starlette(routes=[WebSocketRoute("/graphql", endpoint)])
    with serving(app) as address:
        url = address.replace("http", "ws") + "/graphql"
        async with connect(url, subprotocols=[GRAPHQL_TRANSPORT_WS]) as websocket:
            assert await closing(websocket) == (4408, "Connection initialisation timeout")
