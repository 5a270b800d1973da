"""Tests the clients that people use for subscriptions, graphql-sse and graphql-ws, against a gateway on a real port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.required_programs import npm_install
from tests.support.streaming_gateway import SUBSCRIPTION, Served, served

CLIENTS = Path(__file__).parents[1] / "clients"


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    npm_install(CLIENTS)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("storage") / "catalog.sqlite") as gateway:
        yield gateway


async def started(
    gateway: Served, client: str, count: int, query: str, **variables: object
) -> asyncio.subprocess.Process:
    request = json.dumps({"query": query, "variables": variables})
    command = ("node", f"{client}.js", gateway.graphql, request, str(count))
    return await asyncio.create_subprocess_exec(*command, cwd=CLIENTS, stdout=asyncio.subprocess.PIPE)


async def line(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None
    return json.loads(await asyncio.wait_for(process.stdout.readline(), 30))


@pytest.mark.parametrize("client", ["sse", "ws"])
async def test_it_is_told_what_comes_and_can_leave(gateway: Served, client: str) -> None:
    since = gateway.cursor()
    process = None
    for number, title in enumerate([f"first for {client}", f"second for {client}"]):
        gateway.upstream.catalog.update_package(1599, title=title)
        await asyncio.to_thread(gateway.crawl)
        process = process or await started(gateway, client, 2, SUBSCRIPTION, since=since)
        change = gateway.changes(since)[number]
        assert change["node"]["title"] == title
        assert await line(process) == {"data": {"catalogChanged": change}}
    assert process is not None
    assert await process.wait() == 0
    await asyncio.to_thread(gateway.wait_until_idle)


@pytest.mark.parametrize("client", ["sse", "ws"])
@pytest.mark.parametrize(
    ("since", "code"), [("x", "BAD_USER_INPUT"), (None, "GRAPHQL_VALIDATION_FAILED")], ids=["cursor", "field"]
)
async def test_it_is_told_why_a_subscription_cannot_start(
    gateway: Served, client: str, since: str | None, code: str
) -> None:
    query = SUBSCRIPTION if since else "subscription { nothing }"
    process = await started(gateway, client, 1, query, since=since)
    (error,) = (await line(process))["errors"]
    assert error["extensions"] == {"code": code}
    assert await process.wait() == 0


@pytest.mark.parametrize("client", ["sse", "ws"])
async def test_it_can_ask_a_query_too(gateway: Served, client: str) -> None:
    process = await started(gateway, client, 1, '{ category(slug: "apps") { title } }')
    assert await line(process) == {"data": {"category": {"title": "Apps"}}}
    assert await process.wait() == 0
