"""Tests very many subscriptions over sockets: what is beyond the limit is refused at little cost, and in turns."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from engine.event_loop_yielding import SLICE
from tests.support.gateway_in_process import gateway_over, source_over
from tests.support.generated_upstreams import generated_upstream
from tests.support.impatient_clients import until
from tests.support.numbers_of_examples import share_of
from tests.support.settings_for_tests import CONNECTION_LIMITS, ROUTER
from tests.support.streaming_gateway import received, served, socket, subscribe
from web.serving.connection_and_websocket_limits import Connections
from web.websocket_endpoint import WebSocketEndpoint

FOREVER = "subscription { catalogChanged { slug } }"
SENTENCE = "The gateway has 1 subscriptions, which is the limit."
REFUSED = {"message": SENTENCE, "extensions": {"code": "OVERLOADED", "retryAfter": 30}}
MESSAGES = len(share_of(range(20)))


async def test_a_subscription_beyond_the_limit_is_refused_before_it_takes_a_place(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"limit_running": 1, "limit_waiting": 1, "limit_subscriptions": 1}
    with served(tmp_path / "catalog.sqlite", **settings) as gateway:
        async with socket(gateway) as first, socket(gateway) as second:
            await subscribe(first, "1", FOREVER)
            await until(lambda: gateway.gateway.subscriptions.quota.taken == 1)
            with gateway.busy():
                await subscribe(second, "2", FOREVER)
                assert await received(second) == {"id": "2", "type": "error", "payload": [REFUSED]}
            assert gateway.gateway.admission.refused == 0
            assert gateway.gateway.subscriptions.quota.refused == 1


async def test_of_messages_that_came_together_a_turn_of_the_loop_reads_no_more_than_its_slice() -> None:
    async with source_over(generated_upstream(20)) as source:
        await source.crawl()
        gateway = gateway_over(source, limit_subscriptions=1)
        assert not gateway.documents.read(FOREVER).errors
        endpoint = WebSocketEndpoint(
            gateway, Connections(CONNECTION_LIMITS, gateway.subscriptions, [], ROUTER), ("*",)
        )
        turn, answered_in = 0, Counter[int]()
        all_answered = asyncio.Event()
        waiting: list[str] = [
            json.dumps({"id": str(number), "type": "subscribe", "payload": {"query": FOREVER}})
            for number in range(MESSAGES)
        ]
        waiting += ['{"type":"connection_init"}']

        async def receive() -> dict[str, Any]:
            """Give the next message without a pause, as a server does that has read many."""
            if not answered_in and len(waiting) == MESSAGES + 1:
                answered_in[turn] += 0
                return {"type": "websocket.connect"}
            if waiting:
                return {"type": "websocket.receive", "text": waiting.pop()}
            await all_answered.wait()
            return {"type": "websocket.disconnect", "code": 1000}

        async def send(message: dict[str, Any]) -> None:
            """Take a whole slice for each refusal."""
            if "error" in message.get("text", ""):
                until = time.perf_counter() + SLICE
                while time.perf_counter() < until:
                    pass
                answered_in[turn] += 1
                if answered_in.total() == MESSAGES:
                    all_answered.set()

        async def count_turns() -> None:
            nonlocal turn
            while True:
                turn += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count_turns())
        async with asyncio.timeout(60):
            with gateway.subscriptions.one_more():
                await endpoint(SCOPE, receive, send)  # type: ignore[arg-type]
        counting.cancel()
        assert answered_in.total() == MESSAGES
        assert max(answered_in.values()) == 1


SCOPE = {
    "type": "websocket",
    "path": "/graphql",
    "headers": [(b"host", b"gateway.test")],
    "subprotocols": ["graphql-transport-ws"],
    "client": ("192.0.2.1", 1),
    "server": ("gateway.test", 80),
    "scheme": "ws",
    "query_string": b"",
}
