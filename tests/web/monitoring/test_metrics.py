"""The metrics, read as Prometheus reads them: exact counts of what was asked of upstream, and what is known of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest

from catalog.catalog_source import CatalogSource
from tests.support.impatient_clients import until
from tests.support.read_metrics import families, samples, value
from upstream.client.v4_records import GRID, PACKAGE
from upstream.embedded import BadField, ContentType, Effect, EmbeddedUpstream, Fault, Latency, StatusFault
from web.app import GatewayApp


async def ask(http: httpx.AsyncClient, query: str) -> None:
    response = await http.post("/graphql", json={"query": query})
    assert "data" in response.json()


def source_of(app: GatewayApp) -> CatalogSource:
    source: CatalogSource = app.parts.gateway.source
    return source


async def requests_by_outcome(http: httpx.AsyncClient) -> dict[str, int]:
    """Return how many requests upstream got, as their durations count them."""
    family = (await families(http))["gateway_upstream_request_duration_seconds"]
    counts: Counter[str] = Counter()
    for sample in family.samples:
        if sample.name.endswith("_count"):
            counts[sample.labels["outcome"]] += int(sample.value)
    return dict(counts)


async def stage(http: httpx.AsyncClient) -> str:
    """Return the stage of the catalog."""
    (present,) = [name for name, value in (await samples(http, "catalog_freshness")).items() if value]
    return present


async def test_before_anything_was_asked_all_counts_are_none(http: httpx.AsyncClient) -> None:
    assert await requests_by_outcome(http) == {}
    assert await value(http, "upstream_received_bytes") == 0
    assert await value(http, "upstream_requests_in_flight") == 0
    assert await value(http, "upstream_concurrency_limit") == 4
    assert await value(http, "upstream_bad_records") == 0


async def test_requests_are_counted_by_what_came_of_them(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    effects: dict[int, Effect] = {683: StatusFault(500), 1442: StatusFault(429), 1686: ContentType()}
    for id, effect in effects.items():
        embedded.faults.add(Fault(effect, path=f"/api/v4/packages/{id}/"))
    for id in [1599, 2674, 999_998, 999_999, *effects]:
        await ask(http, f"{{ package(databaseId: {id}) {{ title }} }}")
    assert await requests_by_outcome(http) == {
        "answered": 2,
        "missing": 2,
        "UPSTREAM_UNAVAILABLE": 1,
        "UPSTREAM_RATE_LIMITED": 1,
        "UPSTREAM_BAD_DATA": 1,
    }
    assert embedded.requests.total == 7
    assert await value(http, "upstream_received_bytes") == embedded.requests.bytes


async def test_what_is_known_already_is_not_counted(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    for _ in range(3):
        await ask(http, "{ package(databaseId: 1599) { title category { title } } }")
    assert await requests_by_outcome(http) == {"answered": 2}
    assert embedded.requests.total == 2


@pytest.mark.virtual_time
async def test_requests_under_way_are_seen(
    http: httpx.AsyncClient, app: GatewayApp, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(Latency(1.5)))
    asked = asyncio.create_task(
        ask(http, "{ a: package(databaseId: 1599) { id } b: grid(databaseId: 15) { id } }")
    )
    await until(lambda: embedded.requests.total == 2)
    assert await value(http, "upstream_requests_in_flight") == 2
    await asked
    assert await value(http, "upstream_requests_in_flight") == 0


@pytest.mark.parametrize("state", ["closed", "open"])
async def test_the_state_of_the_breaker_is_the_one_that_is_1(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream, state: str
) -> None:
    if state == "open":
        embedded.faults.add(Fault(StatusFault(503, retry_after="3600")))
    await ask(http, "{ package(databaseId: 1599) { title } }")
    states = {each: float(each == state) for each in ("closed", "open", "half-open")}
    assert await samples(http, "upstream_breaker") == states


async def test_a_breaker_that_would_let_a_probe_out_is_half_open(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(StatusFault(503, retry_after="0"), times=1))
    await ask(http, "{ package(databaseId: 1599) { title } }")
    assert await samples(http, "upstream_breaker") == {"closed": 0, "open": 0, "half-open": 1}


async def test_a_limit_that_has_shrunk_is_seen(http: httpx.AsyncClient, embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(503), times=1))
    await ask(http, "{ package(databaseId: 1599) { title } }")
    assert await value(http, "upstream_concurrency_limit") == 2


async def test_the_costs_are_those_of_the_contract_and_then_the_measured_ones(
    http: httpx.AsyncClient, app: GatewayApp
) -> None:
    assert await samples(http, "upstream_cost_seconds") == pytest.approx(
        {
            "package detail": 0.017,
            "package page": 0.012,
            "package record": 0.00035,
            "package skipped": 0.000008,
            "grid detail": 0.017,
            "grid page": 0.012,
            "grid record": 0.0013,
            "grid skipped": 0.000008,
            "category detail": 0.017,
            "category page": 0.012,
            "category record": 0.0003,
            "category skipped": 0.000008,
        }
    )
    before = await samples(http, "upstream_cost_seconds")
    await ask(http, "{ package(databaseId: 1599) { title } }")
    await ask(http, "{ categories { title } }")
    after = await samples(http, "upstream_cost_seconds")
    changed = {name for name in after if after[name] != before[name]}
    assert {"package detail", "category page"} <= changed
    assert {name.partition(" ")[0] for name in changed} == {"package", "category"}


async def test_a_record_that_does_not_fit_is_counted_each_time_that_it_comes(
    http: httpx.AsyncClient, app: GatewayApp, embedded: EmbeddedUpstream
) -> None:
    newest = max(embedded.catalog.packages)
    embedded.faults.add(Fault(BadField(id=newest, field="title", value=7)))
    embedded.faults.add(Fault(BadField(id=15, field="packages", value=None, kind="grids")))
    client = source_of(app).client
    for n in range(1, 4):
        assert len((await client.page(PACKAGE, limit=10)).records) == 9
        assert await value(http, "upstream_bad_records") == n
    assert len((await client.page(GRID, limit=100)).records) == len(embedded.catalog.grids) - 1
    assert await value(http, "upstream_bad_records") == 4


async def test_a_catalog_is_seen_once_there_is_one(
    http: httpx.AsyncClient, app: GatewayApp, embedded: EmbeddedUpstream
) -> None:
    assert await samples(http, "catalog_records") == {}
    assert await stage(http) == "none"
    await source_of(app).crawl()
    embedded.requests.reset()
    assert await samples(http, "catalog_records") == {
        "package": len(embedded.catalog.packages),
        "grid": len(embedded.catalog.grids),
        "category": len(embedded.catalog.categories),
    }
    assert await stage(http) == "fresh"
    assert await value(http, "catalog_syncing") == 0
    assert 0 <= await value(http, "catalog_age_seconds") < 60
    assert embedded.requests.total == 0


@pytest.mark.virtual_time
async def test_a_crawl_under_way_is_seen(
    http: httpx.AsyncClient, app: GatewayApp, embedded: EmbeddedUpstream
) -> None:
    embedded.latency = 0.2
    crawl = asyncio.create_task(source_of(app).crawl())
    await until(lambda: embedded.requests.total == 1)
    assert await value(http, "catalog_syncing") == 1
    await crawl
    assert await value(http, "catalog_syncing") == 0


async def test_answers_are_counted_by_whether_upstream_was_asked(http: httpx.AsyncClient) -> None:
    assert await samples(http, "answers_made") == {"memory": 0, "upstream": 0}
    await ask(http, "{ package(databaseId: 1599) { title } }")
    await ask(http, "{ __typename }")
    assert await samples(http, "answers_made") == {"memory": 1, "upstream": 1}


async def test_a_request_that_ends_in_an_unexpected_error_is_counted_by_its_code(
    http: httpx.AsyncClient,
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        raise LookupError("This happens while the request is read.")

    response = await http.post("/graphql", content=body())
    assert response.status_code == 500
    (counted,) = (await families(http))["graphql_errors"].samples
    assert (counted.labels, counted.value) == ({"code": "INTERNAL_SERVER_ERROR"}, 1)
