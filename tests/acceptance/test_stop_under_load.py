"""Tests a gateway that is told to stop under load. It breaks no answer that it has begun, and nothing holds it up."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.support.bare_connections import serve
from tests.support.gateway_processes import eventually
from tests.support.steady_clients import asking
from tests.support.streaming_gateway import GRAPHQL_TRANSPORT_WS, events_of
from web.serving.uvicorn_protocols import LONGEST_STOP

SUBSCRIPTION = "subscription { catalogChanged { slug } }"


@pytest.mark.parametrize("workers", [1, 3])
async def test_no_answer_is_broken_under_load(workers: int) -> None:
    outcomes = Counter[str]()
    with serve(workers=workers) as gateway:
        asked = [
            asyncio.create_task(asking(gateway.address, outcomes, number, anew=number % 2 == 0))
            for number in range(16)
        ]
        await eventually(lambda: outcomes["200"] >= 300)
        gateway.process.send_signal(signal.SIGTERM)
        await asyncio.gather(*asked)
        said = await asyncio.to_thread(gateway.ended)
    assert "Traceback" not in said
    assert outcomes.keys() - {"closed"} == {"200", "refused"}
    assert outcomes["refused"] == 16
    assert outcomes["closed"] <= 8


@pytest.mark.parametrize("workers", [1, 3])
async def test_streams_end_with_complete_and_sockets_with_1001(workers: int) -> None:
    with serve(workers=workers) as gateway:

        async def stream() -> list[tuple[str, object]]:
            headers = {"Accept": "text/event-stream"}
            async with (
                httpx.AsyncClient(timeout=30) as http,
                http.stream(
                    "POST", gateway.graphql, json={"query": SUBSCRIPTION}, headers=headers
                ) as response,
            ):
                began.release()
                return [event async for event in events_of(response)]

        async def socket() -> tuple[list[object], int | None, str | None]:
            address = gateway.graphql.replace("http", "ws")
            async with connect(address, subprotocols=[GRAPHQL_TRANSPORT_WS]) as websocket:
                await websocket.send(json.dumps({"type": "connection_init"}))
                await websocket.recv()
                payload = {"query": SUBSCRIPTION}
                await websocket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
                await websocket.send(json.dumps({"type": "ping"}))
                await websocket.recv()
                began.release()
                messages = [json.loads(message) async for message in websocket]
                return messages, websocket.close_code, websocket.close_reason

        began = asyncio.Semaphore(0)
        streams = [asyncio.create_task(stream()) for _ in range(3)]
        sockets = [asyncio.create_task(socket()) for _ in range(3)]
        for _ in range(6):
            await began.acquire()
        gateway.process.send_signal(signal.SIGTERM)
        stopped = time.monotonic()
        assert await asyncio.gather(*streams) == [[("complete", None)]] * 3
        complete = [{"id": "1", "type": "complete"}]
        assert await asyncio.gather(*sockets) == [(complete, 1001, "The gateway is stopping.")] * 3
        # It takes a part of a second on a quiet machine. Connections that do not end by themselves are cut off later
        # than this.
        assert time.monotonic() - stopped < LONGEST_STOP
        said = await asyncio.to_thread(gateway.ended)
    assert "Traceback" not in said


async def test_an_operation_that_waits_in_the_queue_is_answered_at_a_stop() -> None:
    with serve(LIMIT_RUNNING=1) as gateway:
        async with httpx.AsyncClient(timeout=30) as http:
            asked = [
                asyncio.create_task(
                    http.post(
                        gateway.graphql,
                        json={"query": f"{{ packages(first: 100) {{ nodes {{ a{n}: title }} }} }}"},
                    )
                )
                for n in range(20)
            ]
            await asyncio.sleep(0.05)
            gateway.process.send_signal(signal.SIGTERM)
            outcomes = await asyncio.gather(*asked, return_exceptions=True)
        said = await asyncio.to_thread(gateway.ended)
    assert "Traceback" not in said
    for outcome in outcomes:
        assert isinstance(outcome, httpx.ConnectError) or (
            isinstance(outcome, httpx.Response) and outcome.json()["data"]
        )
