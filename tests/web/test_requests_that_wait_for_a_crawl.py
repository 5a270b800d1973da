"""Tests requests whose catalog is too old to be served before a crawl was tried: what is done before they wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import copy
from typing import Any, TypeVar

import httpx
import pytest

from catalog import Catalog
from catalog.catalog_source import CatalogSource
from catalog.storage.sqlite_storage import Storage
from tests.support.crawled_gateway import QUERY
from tests.support.gateway_in_process import app_of, app_over, client_of, source_of
from tests.support.settings_for_tests import CLIENT_LIMITS, FRESHNESS, UPSTREAM_URL
from tests.support.versioned_catalogs import keep
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.embedded import EmbeddedUpstream, Fault, Latency
from web.app import GatewayApp
from web.graphql_endpoint import CLIENT_LEFT

T = TypeVar("T")

SECONDS = 60.0
"""The time that a crawl takes here, and that a request would wait for it: longer than any test."""


def old_source(embedded: EmbeddedUpstream, storage: Path) -> AbstractAsyncContextManager[CatalogSource]:
    limits = replace(CLIENT_LIMITS, exchange=2 * SECONDS, total=2 * SECONDS)
    return source_of(
        Client(UPSTREAM_URL, in_process(embedded), limits),
        storage=Storage(str(storage)),
        follow=True,
        freshness=replace(FRESHNESS, fresh=0.0, while_revalidate=0.0),
        crawl_wait=SECONDS,
    )


@pytest.fixture(scope="module")
def stored(_crawled: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of what a crawl finds, which tests copy."""
    path = tmp_path_factory.mktemp("stored") / "catalog.sqlite"
    with closing(Storage(str(path))) as storage:
        keep(storage, _crawled, datetime.now(UTC))
    return path


@pytest.fixture
async def app(embedded: EmbeddedUpstream, stored: Path, tmp_path: Path) -> AsyncIterator[GatewayApp]:
    """Return a gateway whose catalog is old, and whose upstream does not answer."""
    embedded.faults.add(Fault(Latency(SECONDS)))
    app = app_of(old_source(embedded, Path(copy(stored, tmp_path))), batch_limit=2)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def http(app: GatewayApp) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://gateway.test"
    ) as client:
        yield client


async def soon(work: Awaitable[T]) -> T:
    """Return what comes of work that does not wait for the crawl: a quarter of its time is far more than that
    takes."""
    return await asyncio.wait_for(work, SECONDS / 4)


async def test_the_page_for_a_browser_does_not_wait(http: httpx.AsyncClient) -> None:
    response = await soon(http.get("/graphql", headers={"Accept": "text/html"}))
    assert response.status_code == 200
    assert "GraphiQL" in response.text


async def test_a_request_that_cannot_be_read_is_refused_before_anybody_waits(http: httpx.AsyncClient) -> None:
    response = await soon(http.post("/graphql", content="{", headers={"Content-Type": "application/json"}))
    assert response.status_code == 400


def tasks_of_requests() -> set[asyncio.Task[Any]]:
    """Return the tasks but those that crawl, which come and go by themselves."""
    return {task for task in asyncio.all_tasks() if "/sync/" not in repr(task)}


DEFERRED = b'{"query": "{ categories { slug ... @defer { title } } }"}'
ONE = b'{"query": "{ categories { slug } }"}'


@pytest.mark.parametrize(
    ("body", "accept", "status"),
    [
        (ONE, b"application/json", CLIENT_LEFT),
        (b"[%b, %b]" % (ONE, ONE), b"application/json", CLIENT_LEFT),
        (DEFERRED, b"multipart/mixed", 200),
        (ONE, b"text/event-stream", 200),
    ],
    ids=["one answer", "an array", "parts", "events"],
)
async def test_the_work_for_a_client_that_leaves_while_it_waits_ends(
    app: GatewayApp, body: bytes, accept: bytes, status: int
) -> None:
    received: list[dict[str, object]] = [
        {"type": "http.request", "body": body, "more_body": False},
        {"type": "http.disconnect"},
    ]
    sent: list[dict[str, object]] = []
    before = tasks_of_requests()

    async def receive() -> dict[str, object]:
        return received.pop(0)

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    headers = [(b"host", b"gateway.test"), (b"content-type", b"application/json"), (b"accept", accept)]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": headers,
    }
    await soon(app(scope, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == status
    assert received == []
    assert tasks_of_requests() == before


async def test_who_stays_waits(http: httpx.AsyncClient, app: GatewayApp) -> None:
    asked = asyncio.create_task(http.get("/graphql", params={"query": QUERY}))
    # More turns of the loop than the answer would need.
    for _ in range(100):
        await asyncio.sleep(0)
    assert not asked.done()
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)


@pytest.mark.virtual_time
async def test_who_needs_everything_is_told_so_before_its_own_time_is_over(
    embedded: EmbeddedUpstream,
) -> None:
    embedded.faults.add(Fault(Latency(SECONDS)))
    app = app_over(embedded, crawl="on", storage=":memory:", crawl_wait=300, limit_seconds=5)
    async with client_of(app) as http:
        answer = (await http.get("/graphql", params={"query": "{ stats { packageCount } }"})).json()
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"
    assert error["extensions"]["retryAfter"] == 5
    assert "still being read" in error["message"]
