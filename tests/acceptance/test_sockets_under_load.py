"""Tests WebSockets with many operations, which wait like others, end with their socket, and have limits in number
and time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.support.bare_connections import Process, serve
from tests.support.gateway_processes import eventually
from tests.support.streaming_gateway import GRAPHQL_TRANSPORT_WS, received, send, subscribe

HEAVY = (
    "{ packages(first: 100) { nodes { grids { packages { a%s: title commitsOver52 repoDescription } } } } }"
)
FOREVER = "subscription { catalogChanged { slug } }"


def socket(gateway: Process) -> connect:
    return connect(gateway.graphql.replace("http", "ws"), subprotocols=[GRAPHQL_TRANSPORT_WS], max_size=None)


async def begin(websocket: ClientConnection) -> None:
    await send(websocket, type="connection_init")
    assert await received(websocket) == {"type": "connection_ack"}


async def answers(http: httpx.AsyncClient) -> float:
    """Return how many operations have been run, as the metrics tell."""
    text = (await http.get("/metrics")).text
    (line,) = [
        line for line in text.splitlines() if line.startswith('gateway_answers_made_total{from="memory"}')
    ]
    return float(line.rpartition(" ")[2])


async def state(http: httpx.AsyncClient, name: str) -> float:
    text = (await http.get("/metrics")).text
    (line,) = [line for line in text.splitlines() if line.startswith(f"gateway_{name} ")]
    return float(line.rpartition(" ")[2])


async def test_operations_of_a_socket_that_is_aborted_are_not_run() -> None:
    with serve(RESPONSE_CACHE_BYTES=0) as gateway:
        async with httpx.AsyncClient(base_url=gateway.address, timeout=30) as http:
            websocket = await socket(gateway)
            await begin(websocket)
            before = await answers(http)
            for number in range(100):
                await subscribe(websocket, str(number), HEAVY % number)
            await received(websocket)
            websocket.transport.abort()

            async def idle() -> bool:
                return not await state(http, 'operations{state="running"}')

            while not await idle():  # noqa: ASYNC110 - asked over HTTP
                await asyncio.sleep(0.05)
            assert await answers(http) - before < 50
            assert await state(http, 'operations{state="waiting"}') == 0


async def test_a_socket_on_which_nothing_is_asked_is_closed() -> None:
    with serve(SOCKET_IDLE_SECONDS=3) as gateway:
        async with socket(gateway) as idle, socket(gateway) as following:
            await begin(idle)
            await begin(following)
            await subscribe(following, "1", FOREVER)
            await idle.wait_closed()
            assert (idle.close_code, idle.close_reason) == (
                1000,
                "The connection had no operation for 3 seconds.",
            )
            # The other is older than that by now, and its subscription goes on.
            await asyncio.sleep(7)
            await send(following, type="ping")
            assert await received(following) == {"type": "pong"}


async def refused_subscription(websocket: ClientConnection, id: str) -> Any:
    await subscribe(websocket, id, FOREVER)
    return (await received(websocket))["payload"]


async def test_sockets_and_subscriptions_have_limits() -> None:
    settings = {"LIMIT_SOCKETS_PER_ADDRESS": 2, "LIMIT_SUBSCRIPTIONS": 3}
    with serve(**settings) as gateway:
        async with socket(gateway) as first, socket(gateway) as second:
            await begin(first)
            await begin(second)
            with pytest.raises(InvalidStatus, match="503"):
                await socket(gateway)
            for number in range(3):
                await subscribe(first, str(number), FOREVER)
            await eventually(lambda: gateway.metric('connections{kind="subscription"}') == 3)
            error = {
                "message": "The gateway has 3 subscriptions, which is the limit.",
                "extensions": {"code": "OVERLOADED", "retryAfter": 30},
            }
            assert await refused_subscription(second, "1") == [error]
            events = httpx.AsyncClient(timeout=30)
            async with events as http:
                answer = await http.post(
                    gateway.graphql, json={"query": FOREVER}, headers={"Accept": "text/event-stream"}
                )
                assert f"data: {json.dumps({'errors': [error]}, separators=(',', ':'))}" in answer.text
            await send(first, type="complete", id="0")
            await eventually(lambda: gateway.metric('connections{kind="subscription"}') == 2)
            await subscribe(second, "2", FOREVER)
            await eventually(lambda: gateway.metric('connections{kind="subscription"}') == 3)
        await eventually(lambda: gateway.metric('connections{kind="socket"}') == 0)
        assert gateway.metric('connections{kind="subscription"}') == 0
        async with socket(gateway) as again:
            await begin(again)


async def test_a_socket_that_does_not_answer_pings_or_read_is_no_burden_to_others() -> None:
    # All are run, however busy the machine is, and have more bytes than sockets hold.
    most = {"LIMIT_VALUES": 10**8, "LIMIT_WORK": 10**8, "LIMIT_WAITING_SECONDS": 60, "LIMIT_SECONDS": 60}
    with serve(READ_SECONDS=1, RESPONSE_CACHE_BYTES=0, **most) as gateway:
        websocket = await socket(gateway)
        await begin(websocket)
        websocket.transport.pause_reading()
        for number in range(100):
            await subscribe(websocket, str(number), HEAVY % number)
        await eventually(lambda: gateway.metric("slow_readers_total") == 1, seconds=120)
        await eventually(lambda: gateway.metric('operations{state="waiting"}') == 0)
        websocket.transport.abort()
