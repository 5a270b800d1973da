"""Tests the change feed end to end: an upstream that changes, a gateway that finds it, and clients that are told."""

from __future__ import annotations

import asyncio
import signal
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.command_line import server
from tests.support.http_servers import free_port
from tests.support.processes import running_forked
from tests.support.streaming_gateway import (
    SUBSCRIPTION,
    Served,
    http_client,
    received,
    served,
    server_sent,
    socket,
    subscribe,
)

ROOT = Path(__file__).parents[2]


def change_upstream(gateway: Served) -> int:
    """Add a package, change one and remove one, and return the id of the first."""
    catalog = gateway.upstream.catalog
    added = catalog.insert_package(title="Brand new", slug="brand-new", category=1)
    catalog.update_package(1599, title="renamed")
    gone = next(
        id for id, package in catalog.packages.items() if id not in (1599, added) and not package.grids
    )
    catalog.remove_package(gone)
    return added


async def test_both_streams_tell_the_same_events_as_changes(tmp_path: Path) -> None:
    with served(tmp_path / "catalog.sqlite") as gateway:
        since = gateway.cursor()
        async with (
            http_client(gateway) as http,
            aclosing(server_sent(http, SUBSCRIPTION, since=since)) as events,
            socket(gateway) as websocket,
        ):
            await subscribe(websocket, "1", SUBSCRIPTION, since=since)
            met: dict[str, list[Any]] = {"sse": [], "ws": []}
            for title in ("renamed", "renamed again"):
                if title == "renamed":
                    added = await asyncio.to_thread(change_upstream, gateway)
                gateway.upstream.catalog.update_package(1599, title=title)
                await asyncio.to_thread(gateway.crawl)
                told = await asyncio.to_thread(gateway.changes, since)
                new = told[len(met["ws"]) :]
                assert new
                for _ in new:
                    name, body = await anext(events)
                    assert name == "next"
                    met["sse"].append(body["data"]["catalogChanged"])
                    message = await received(websocket)
                    assert message["type"] == "next"
                    met["ws"].append(message["payload"]["data"]["catalogChanged"])
                assert met["sse"][-len(new) :] == met["ws"][-len(new) :] == new
    renamed = [event for event in met["ws"] if event["databaseId"] == 1599]
    # Each event had the record of its time.
    assert [event["node"]["title"] for event in renamed] == ["renamed", "renamed again"]
    (came,) = [event for event in met["ws"] if event["databaseId"] == added]
    assert (came["action"], came["node"]["title"], came["node"]["category"]) == (
        "ADDED",
        "Brand new",
        {"slug": "apps"},
    )
    (gone,) = [event for event in met["ws"] if event["action"] == "REMOVED"]
    assert gone["node"] is None


async def test_without_a_cursor_only_what_comes_is_told(tmp_path: Path) -> None:
    with served(tmp_path / "catalog.sqlite") as gateway:
        gateway.upstream.catalog.update_package(1599, title="before")
        gateway.crawl()
        async with http_client(gateway) as http, aclosing(server_sent(http, SUBSCRIPTION)) as events:
            first = asyncio.ensure_future(anext(events))
            number = 0
            while not first.done():
                # Nobody tells when a subscription has begun, so there is change until it has.
                number += 1
                gateway.upstream.catalog.update_package(1599, title=f"title {number}")
                await asyncio.to_thread(gateway.crawl)
                await asyncio.wait([first], timeout=0.05)
            _name, body = first.result()
    fields = {each["name"]: each for each in body["data"]["catalogChanged"]["fields"]}
    assert fields["title"]["new"].startswith("title ")


@pytest.mark.parametrize("clients", [20])
async def test_many_clients_are_told_all(tmp_path: Path, clients: int) -> None:
    with served(tmp_path / "catalog.sqlite") as gateway:
        since = gateway.cursor()
        for id in sorted(gateway.upstream.catalog.packages):
            gateway.upstream.catalog.update_package(id, repo_watchers=12345)
        gateway.crawl()
        expected = [change["cursor"] for change in gateway.changes(since)]

        async def follow() -> list[str]:
            async with (
                http_client(gateway) as http,
                aclosing(server_sent(http, SUBSCRIPTION, since=since)) as events,
            ):
                return [(await anext(events))[1]["data"]["catalogChanged"]["cursor"] for _ in expected]

        assert await asyncio.gather(*(follow() for _ in range(clients))) == [expected] * clients
        gateway.wait_until_idle()


async def cursor(http: httpx.AsyncClient) -> str:
    answer = await http.post("/graphql", json={"query": "{ catalog { changesCursor } }"})
    end = answer.json()["data"]["catalog"]["changesCursor"]
    assert isinstance(end, str)
    return end


async def test_a_sync_by_hand_is_told_by_the_gateway_that_runs_and_a_stop_ends_its_streams(
    tmp_path: Path,
) -> None:
    """Run the commands of a user in three processes, one of them beside the gateway on its catalog file."""
    upstream_port, port = free_port(), free_port()
    address, gateway = f"http://127.0.0.1:{upstream_port}", f"http://127.0.0.1:{port}"
    settings = {"GATEWAY_STORAGE": str(tmp_path / "catalog.sqlite"), "GATEWAY_UPSTREAM": f"{address}/api/v4/"}
    upstream = ["server.py", "upstream", "--port", str(upstream_port), "--packages", "20"]
    serve = ["server.py", "serve", "--port", str(port)]

    def synced() -> None:
        assert server("sync", **settings).returncode == 0

    with running_forked(upstream, f"{address}/api/v4/categories/"):
        synced()
        with running_forked(serve, f"{gateway}/healthz", **settings) as serving:
            async with (
                httpx.AsyncClient(base_url=gateway, timeout=30) as http,
                aclosing(server_sent(http, SUBSCRIPTION, since=await cursor(http))) as events,
            ):
                await http.patch(f"{address}/__control__/packages/1599", json={"title": "renamed"})
                await asyncio.to_thread(synced)
                _name, body = await anext(events)
                assert body["data"]["catalogChanged"]["node"]["title"] == "renamed"
                serving.send_signal(signal.SIGTERM)
                assert await anext(events) == ("complete", None)
                assert await asyncio.to_thread(serving.wait, 30) is not None
