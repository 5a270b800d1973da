"""Tests health, as an operator's machines see it: alive, and ready in each state that the gateway can be in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from catalog.catalog_source import CatalogSource
from catalog.storage.sqlite_storage import Storage
from tests.support.gateway_in_process import app_of, source_of
from tests.support.made_records import category, grid, package
from tests.support.settings_for_tests import CLIENT_LIMITS, UPSTREAM_URL
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.embedded import ContentType, Dropped, Effect, EmbeddedUpstream, Fault, StatusFault

NO_CATALOG = {
    "version": None,
    "refreshedAt": None,
    "ageSeconds": None,
    "stale": False,
    "packageCount": None,
    "gridCount": None,
    "categoryCount": None,
    "syncing": False,
    "pinned": False,
}

NOT_FOLLOWING = {
    "leads": False,
    "secondsSinceSuccess": None,
    "failuresInARow": 0,
    "lastError": None,
    "refused": None,
}

Opened = Callable[[float], AbstractAsyncContextManager[httpx.AsyncClient]]


HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture
def use_engine() -> bool:
    """Use one execution only: it makes no difference here."""
    return True


@pytest.fixture
def with_catalog(embedded: EmbeddedUpstream) -> Opened:
    """Opens a gateway whose stored catalog is so old, and does not crawl."""

    @asynccontextmanager
    async def with_catalog(age: float) -> AsyncIterator[httpx.AsyncClient]:
        @asynccontextmanager
        async def stored() -> AsyncIterator[CatalogSource]:
            storage = Storage(":memory:")
            storage.save(
                version=f"{UPSTREAM_URL} whatever",
                refreshed_at=datetime.now(UTC) - timedelta(seconds=age),
                packages=[package(3), package(2)],
                grids=[grid(1)],
                categories=[category(1)],
            )
            client = Client(UPSTREAM_URL, in_process(embedded), CLIENT_LIMITS)
            async with source_of(client, storage=storage) as source:
                yield source

        app = app_of(stored())
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as http,
        ):
            yield http

    return with_catalog


async def ready(http: httpx.AsyncClient) -> tuple[int, dict[str, Any]]:
    response = await http.get("/readyz")
    assert response.headers["Content-Type"] == "application/json"
    return response.status_code, response.json()


async def test_it_is_alive_whatever_upstream_does(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.state = "down"
    for _ in range(3):
        response = await http.get("/healthz")
        assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert embedded.requests.total == 0


async def test_without_a_catalog_it_is_ready_when_upstream_answers(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    for _ in range(3):
        assert await ready(http) == (
            200,
            {
                "status": "ready",
                "answersFrom": "live",
                "upstream": "answers",
                "breaker": "closed",
                "guard": "accepts",
                "storage": "works",
                "storageError": None,
                "leader": None,
                "catalog": NO_CATALOG,
                "following": NOT_FOLLOWING,
            },
        )
    # What upstream said is remembered for a minute.
    assert embedded.requests.by_target == {"/api/v4/categories/?limit=1&offset=0": 1}


@pytest.mark.parametrize("effect", [Dropped(), StatusFault(500), StatusFault(404), ContentType()])
async def test_without_a_catalog_it_is_not_ready_when_upstream_gives_no_good_answer(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream, effect: Effect
) -> None:
    embedded.faults.add(Fault(effect))
    assert await ready(http) == (
        503,
        {
            "status": "not ready",
            "answersFrom": None,
            "upstream": "fails",
            "breaker": "closed",
            "guard": "accepts",
            "storage": "works",
            "storageError": None,
            "leader": None,
            "catalog": NO_CATALOG,
            "following": NOT_FOLLOWING,
        },
    )
    embedded.faults.clear()
    status, body = await ready(http)
    assert (status, body["status"], body["answersFrom"]) == (200, "ready", "live")
    assert embedded.requests.total == 2


async def test_an_upstream_in_maintenance_is_asked_once(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.state = "maintenance"
    for _ in range(3):
        status, body = await ready(http)
        assert (status, body["status"], body["upstream"]) == (503, "not ready", "fails")
        assert body["breaker"] == "open"
    assert embedded.requests.total == 1


async def test_an_upstream_that_is_down_is_asked_until_the_circuit_opens(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.state = "down"
    states = [(await ready(http))[1]["breaker"] for _ in range(15)]
    assert states == ["closed"] * 9 + ["open"] * 6
    assert embedded.requests.total == 10


@pytest.mark.parametrize(("age", "stale"), [(0.0, False), (7 * HOUR, True), (29 * DAY, True)])
async def test_with_a_catalog_it_is_ready_without_upstream(
    with_catalog: Opened, embedded: EmbeddedUpstream, age: float, stale: bool
) -> None:
    embedded.faults.state = "down"
    async with with_catalog(age) as http:
        status, body = await ready(http)
    assert (status, body["status"], body["answersFrom"]) == (200, "ready", "catalog")
    assert body["upstream"] == "not asked yet"
    catalog = body["catalog"]
    assert (catalog["stale"], catalog["syncing"]) == (stale, False)
    assert (catalog["packageCount"], catalog["gridCount"], catalog["categoryCount"]) == (2, 1, 1)
    assert age <= catalog["ageSeconds"] <= age + 60
    assert datetime.now(UTC) - datetime.fromisoformat(catalog["refreshedAt"]) >= timedelta(seconds=age)
    assert embedded.requests.total == 0


async def test_readiness_and_the_graph_tell_the_same_of_the_catalog(with_catalog: Opened) -> None:
    query = "{ catalog { version refreshedAt stale packageCount gridCount categoryCount syncing pinned } }"
    async with with_catalog(7 * HOUR) as http:
        _, body = await ready(http)
        told = (await http.post("/graphql", json={"query": query})).json()["data"]["catalog"]
    del body["catalog"]["ageSeconds"]
    refreshed_at = [datetime.fromisoformat(each.pop("refreshedAt")) for each in (told, body["catalog"])]
    assert refreshed_at[0] == refreshed_at[1]
    assert told == body["catalog"]


async def test_with_a_catalog_that_has_expired_it_is_ready_when_upstream_answers(
    with_catalog: Opened, embedded: EmbeddedUpstream
) -> None:
    async with with_catalog(31 * DAY) as http:
        status, body = await ready(http)
        assert (status, body["answersFrom"]) == (200, "live")
    assert embedded.requests.total == 1


async def test_with_a_catalog_that_has_expired_and_no_upstream_it_is_not_ready_and_says_how_old_that_is(
    with_catalog: Opened, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.state = "down"
    async with with_catalog(31 * DAY) as http:
        status, body = await ready(http)
    assert (status, body["status"], body["answersFrom"]) == (503, "not ready", None)
    assert body["catalog"]["ageSeconds"] >= 31 * DAY
    assert (body["catalog"]["stale"], body["catalog"]["packageCount"]) == (True, 2)
    assert embedded.requests.total == 1


async def test_a_head_request_tells_readiness_too(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.state = "down"
    response = await http.head("/readyz")
    assert (response.status_code, response.content) == (503, b"")
