"""Tests answers in parts: what is deferred comes later, for those who take parts; others get all of it at once."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from catalog.catalog_source import CatalogSource
from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import gateway_over
from tests.support.streaming_gateway import Served, http_client, served
from upstream.embedded import Fault, Latency, StatusFault
from web.incremental_delivery import in_parts

PARTS = {"Accept": "multipart/mixed;incrementalSpec=v0.2,application/json"}
DEFERRED = """{ package(slug: "django-celery-email") { title
    ... @defer(label: "grids") { grids { slug } } } }"""
GRIDS = "/api/v4/grids/"
STREAMED = "{ categories @stream(initialCount: 2) { slug } }"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "catalog.sqlite") as gateway:
        yield gateway


async def parts(gateway: Served, query: str, **variables: object) -> AsyncGenerator[dict[str, Any]]:
    """Yield the parts as they arrive, read by the letter of multipart/mixed (RFC 2046, 5.1)."""
    body = {"query": query, "variables": variables}
    async with (
        http_client(gateway) as http,
        http.stream("POST", "/graphql", json=body, headers=PARTS) as response,
    ):
        assert response.status_code == 200
        assert response.headers["Content-Type"] == 'multipart/mixed; boundary="-"'
        assert response.headers["Cache-Control"] == "no-store"
        received = b""
        async for chunk in response.aiter_bytes():
            received += chunk
            *whole, received = received.split(b"\r\n---")
            for part in whole:
                if part not in (b"---", b""):
                    head, _, content = part.partition(b"\r\n\r\n")
                    assert b"Content-Type: application/json; charset=utf-8" in head
                    yield json.loads(content)
        assert received == b"--\r\n"


async def test_what_is_deferred_comes_after_the_rest(gateway: Served) -> None:
    assert [part async for part in parts(gateway, DEFERRED)] == [
        {
            "data": {"package": {"title": "django-celery-email"}},
            "pending": [{"id": "0", "path": ["package"], "label": "grids"}],
            "hasNext": True,
        },
        {
            "hasNext": False,
            "incremental": [{"id": "0", "data": {"grids": [{"slug": "email"}]}}],
            "completed": [{"id": "0"}],
        },
    ]


async def test_a_list_comes_in_two_parts(gateway: Served) -> None:
    first, *rest = [part async for part in parts(gateway, STREAMED)]
    whole = gateway.ask("{ categories { slug } }")["categories"]
    assert first["data"]["categories"] == whole[:2]
    assert [
        item for part in rest for entry in part.get("incremental", ()) for item in entry["items"]
    ] == whole[2:]
    assert not rest[-1]["hasNext"]


async def test_the_rest_does_not_wait_for_what_is_deferred(tmp_path: Path) -> None:
    with served(tmp_path / "cold.sqlite", crawled=False) as gateway:
        # As long as the whole answer would take nobody waits here.
        gateway.upstream.faults.add(Fault(Latency(4), path=GRIDS))
        arriving = parts(gateway, DEFERRED)
        first = await anext(arriving)
        assert first["data"] == {"package": {"title": "django-celery-email"}}
        assert first["hasNext"]
        # And when the client leaves, the work ends.
        await arriving.aclose()
        await asyncio.to_thread(gateway.wait_until_idle)


async def test_an_error_in_what_is_deferred_has_its_code(tmp_path: Path) -> None:
    with served(tmp_path / "cold.sqlite", crawled=False) as gateway:
        gateway.upstream.faults.add(Fault(StatusFault(503), path=GRIDS))
        _first, second = [part async for part in parts(gateway, DEFERRED)]
    (entry,) = second["incremental"]
    assert entry["data"] == {"grids": [None]}
    assert [error["extensions"]["code"] for error in entry["errors"]] == ["UPSTREAM_UNAVAILABLE"]


async def test_what_cannot_start_says_why_in_its_only_part(gateway: Served) -> None:
    query = "query($id: Int!) { package(databaseId: $id) { title ... @defer { slug } } }"
    (only,) = [part async for part in parts(gateway, query, id="x")]
    assert [error["extensions"]["code"] for error in only["errors"]] == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "*/*",
        "multipart/mixed;deferSpec=20220824,application/json",
        "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json",
        "multipart/mixed;q=0,application/json",
    ],
)
@pytest.mark.parametrize("query", [DEFERRED, STREAMED], ids=["defer", "stream"])
async def test_who_does_not_take_these_parts_gets_all_at_once(
    gateway: Served, accept: str, query: str
) -> None:
    async with http_client(gateway) as http:
        response = await http.post("/graphql", json={"query": query}, headers={"Accept": accept})
    whole = query.replace('@defer(label: "grids")', "").replace("@stream(initialCount: 2)", "")
    assert response.json() == {"data": gateway.ask(whole)}
    assert response.headers["ETag"]


async def test_without_anything_deferred_there_are_no_parts(gateway: Served) -> None:
    async with http_client(gateway) as http:
        response = await http.post("/graphql", json={"query": "{ __typename }"}, headers=PARTS)
    assert response.json() == {"data": {"__typename": "Query"}}


async def test_a_document_that_is_wrong_has_no_parts(gateway: Served) -> None:
    async with http_client(gateway) as http:
        response = await http.post("/graphql", json={"query": "{ ... @defer { nothing } }"}, headers=PARTS)
    assert response.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_client_that_leaves_between_two_parts_leaves_no_error_behind(source: CatalogSource) -> None:
    await source.crawl()
    failures: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: failures.append(context))
    sent = 0

    async def send(message: Message) -> None:
        nonlocal sent
        sent += 1
        if sent == 3:  # behind the head and the first boundary
            raise OSError("the client has left")

    async def receive() -> Message:
        return {"type": "http.request"}

    gateway = gateway_over(source)
    prepared = await gateway.prepare(GraphQLRequest(STREAMED), source.current())
    response = in_parts(gateway, prepared, [])
    del prepared
    with pytest.raises(ClientDisconnect):
        await response({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    del response
    for _ in range(10):  # turns of the loop, in which what the garbage collector ends is ended
        await asyncio.sleep(0)
    gc.collect()
    assert failures == []
