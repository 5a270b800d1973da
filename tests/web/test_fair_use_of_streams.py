"""An allowance that is used up is told over WebSockets and to assistants too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from gateway.prepared_request import GraphQLRequest
from tests.support.streaming_gateway import http_client, received, served, server_sent, socket, subscribe

CHEAP = "{ __typename }"
"""A query of one unit."""


async def test_over_a_websocket_the_operation_has_an_error_and_the_socket_stays(tmp_path: Path) -> None:
    with served(tmp_path / "catalog.sqlite", crawled=False, fair_use="3") as gateway:
        gateway.gateway.documents.read(CHEAP)
        async with socket(gateway) as websocket:
            answered = []
            for number in range(5):
                await subscribe(websocket, str(number), CHEAP)
                answered.append(await received(websocket))
                if number < 3:
                    assert await received(websocket) == {"id": str(number), "type": "complete"}
            assert [each["type"] for each in answered] == ["next"] * 3 + ["error"] * 2
            (error,) = answered[3]["payload"]
            assert error["extensions"]["code"] == "RATE_LIMITED"
            assert 0 < error["extensions"]["retryAfter"] <= 20
        assert gateway.gateway.fair_use is not None
        assert gateway.gateway.fair_use.refused == 2


async def test_an_operation_that_is_too_dear_for_what_is_left_has_an_error_too(tmp_path: Path) -> None:
    with served(tmp_path / "catalog.sqlite", crawled=False, fair_use="3") as gateway:
        async with socket(gateway) as websocket:
            # To be read, it needs more than the unit that the next one leaves.
            gateway.gateway.documents.read(CHEAP)
            await subscribe(websocket, "1", CHEAP)
            assert [(await received(websocket))["type"] for _ in range(2)] == ["next", "complete"]
            await subscribe(websocket, "2", "{ stats { packageCount } }")
            refused = await received(websocket)
            assert (refused["type"], refused["id"]) == ("error", "2")
            assert refused["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


def test_assistants_have_an_allowance_too(tmp_path: Path) -> None:
    def call(arguments: dict[str, Any]) -> httpx.Response:
        request = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "run_query", "arguments": arguments},
        }
        return httpx.post(
            f"{gateway.address}/mcp",
            json=request,
            headers={"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"},
            timeout=60,
        )

    with served(tmp_path / "catalog.sqlite", fair_use="6", mcp="on") as gateway:
        gateway.gateway.documents.read(CHEAP)
        answered = call({"query": CHEAP}).json()["result"]["structuredContent"]
        assert answered == {"data": {"__typename": "Query"}}
        # The rest is too little to have another document read.
        told = call({"query": "{ stats { packageCount gridCount } categories { title slug } }"}).json()
        (error,) = told["result"]["structuredContent"]["errors"]
        assert error["extensions"]["code"] == "RATE_LIMITED"
        # A unit comes back every ten seconds.
        last = next(each for _ in range(30) if (each := call({"query": CHEAP})).status_code != 200)
        assert last.status_code == 429
        assert last.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert int(last.headers["Retry-After"]) > 0


async def test_each_event_of_a_subscription_costs_and_the_last_one_says_why_it_ends(tmp_path: Path) -> None:
    events = "subscription($since: String) { catalogChanged(since: $since) { slug } }"
    cursor = "{ catalog { changesCursor } }"
    with served(tmp_path / "catalog.sqlite", fair_use="4") as gateway:
        for query in (events, cursor):
            gateway.gateway.documents.read(query)
        told = gateway.run(gateway.gateway.execute(GraphQLRequest(cursor))).decoded()
        since = told["data"]["catalog"]["changesCursor"]
        for id in list(gateway.upstream.catalog.packages)[:6]:
            gateway.upstream.catalog.update_package(id, title=f"renamed {id}")
        gateway.crawl()
        async with http_client(gateway) as http:
            came = [each async for each in server_sent(http, events, since=since)]
    # A unit for the request, and one for each event.
    assert [sorted(body) for name, body in came if name == "next"] == [["data"]] * 3 + [["errors"]]
    assert came[3][1]["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert came[-1] == ("complete", None)
