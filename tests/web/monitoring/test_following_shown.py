"""Tests what an operator's machines see of following: in ``/readyz`` and ``/metrics``, in each state that it can be
in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from catalog.catalog_source import CatalogSource
from catalog.storage.sqlite_storage import Storage
from catalog.sync.schedule import Schedule
from tests.support.corruptions import Corruptible, copy_of, gone
from tests.support.gateway_in_process import app_of, client_of, source_of
from tests.support.generated_upstreams import generated_upstream
from tests.support.settings_for_tests import CLIENT_LIMITS, SCHEDULE, UPSTREAM_URL
from tests.support.sync_in_process import until
from upstream.client.api_client import Client
from upstream.client.api_client_limits import ClientLimits
from upstream.client.in_process_transport import in_process
from upstream.client.v4_records import PACKAGE
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream, Fault, StatusFault

QUICK = replace(SCHEDULE, crawl=3600, newest=3600, probe=0.01, first_retry=0.01, longest_retry=0.02)
SELDOM = replace(SCHEDULE, crawl=3600, newest=3600, probe=3600, first_retry=3600, longest_retry=3600)


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream that can lose most of its packages, as the sentences of the guard count them."""
    return generated_upstream(300)


@asynccontextmanager
async def gateway(
    upstream: Callable[..., Any],
    *,
    follow: bool,
    schedule: Schedule = QUICK,
    limits: ClientLimits | None = None,
) -> AsyncIterator[tuple[httpx.AsyncClient, CatalogSource]]:
    client = Client(UPSTREAM_URL, in_process(upstream), limits or CLIENT_LIMITS)
    app = app_of(source_of(client, follow=follow, schedule=schedule))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as http,
    ):
        yield http, app.parts.source


async def following(http: httpx.AsyncClient) -> tuple[int, dict[str, Any]]:
    """Return the status of ``/readyz``, and what it says of following."""
    response = await http.get("/readyz")
    told: dict[str, Any] = response.json()["following"]
    return response.status_code, told


async def words(http: httpx.AsyncClient) -> tuple[str, str, str, str, str | None]:
    """Return what ``/readyz`` says of upstream, the circuit breaker, the guard, the storage and the leader."""
    body = (await http.get("/readyz")).json()
    return body["upstream"], body["breaker"], body["guard"], body["storage"], body["leader"]


async def metric(http: httpx.AsyncClient, name: str) -> float | None:
    lines = [line for line in (await http.get("/metrics")).text.splitlines() if line.startswith(f"{name} ")]
    return float(lines[0].rpartition(" ")[2]) if lines else None


async def test_a_gateway_that_follows_well_says_how_long_ago_it_last_did(embedded: EmbeddedUpstream) -> None:
    async with gateway(embedded, follow=True) as (http, source):
        await until(lambda: source.leader.attempts.outcomes["succeeded"])
        assert await words(http) == ("answers", "closed", "accepts", "works", "this process")
        status, told = await following(http)
        assert status == 200
        assert 0 <= told.pop("secondsSinceSuccess") < 60
        assert told == {"leads": True, "failuresInARow": 0, "lastError": None, "refused": None}
        assert await metric(http, 'gateway_refreshes_total{outcome="succeeded"}') == 1
        assert await metric(http, "gateway_refresh_leads") == 1
        seconds = await metric(http, "gateway_refresh_seconds_since_success")
        assert seconds is not None
        assert 0 <= seconds < 60


async def test_a_gateway_that_follows_in_vain_says_why_and_is_ready(embedded: EmbeddedUpstream) -> None:
    async with gateway(embedded, follow=True, schedule=SELDOM) as (http, source):
        await until(lambda: source.latest)
        embedded.faults.add(Fault(StatusFault(503), path="/api/v4/categories/"))
        source.refresher.wanted.set()
        await until(lambda: source.leader.attempts.failures_in_a_row)
        status, told = await following(http)
        failed = await metric(http, 'gateway_refreshes_total{outcome="UPSTREAM_UNAVAILABLE"}')
        assert await words(http) == ("fails", "closed", "accepts", "works", "this process")
    assert status == 200
    assert told["failuresInARow"] == failed == 1
    assert told["lastError"] == "Upstream answered /categories/ with status 503."


async def test_a_gateway_that_cannot_store_says_so_and_that_another_process_leads(
    embedded: EmbeddedUpstream,
) -> None:
    storage = Storage(":memory:")
    storage.take_lease("another", 3600)
    client = Client(UPSTREAM_URL, in_process(embedded), CLIENT_LIMITS)
    app = app_of(source_of(client, storage=storage, follow=True, schedule=replace(SELDOM, look=0.01)))
    async with client_of(app) as http:
        assert await words(http) == ("answers", "closed", "accepts", "works", "another process")
        storage.close()
        await until(lambda: app.parts.source.publisher.storage_error)
        assert (await words(http))[3] == "fails"


async def test_a_refused_catalog_is_shown_with_its_numbers_and_the_gateway_is_ready(
    embedded: EmbeddedUpstream,
) -> None:
    rows = embedded.catalog
    lost = copy_of(rows)
    for id in list(rows.packages)[:200]:
        lost.remove_package(id)
    upstreams = [embedded]

    async def upstream(*exchange: Any) -> None:
        await upstreams[-1](*exchange)

    async with gateway(upstream, follow=True, schedule=SELDOM) as (http, source):
        await until(lambda: source.latest)
        upstreams.append(EmbeddedUpstream(catalog=lost))
        source.refresher.wanted.set()
        await until(lambda: source.guard.refused)
        await until(lambda: source.leader.attempts.failures_in_a_row)
        assert await words(http) == ("answers", "closed", "refuses", "works", "this process")
        response = await http.get("/readyz")
        refused = await metric(http, 'gateway_refreshes_total{outcome="refused"}')
        assert await metric(http, "gateway_catalog_refused") == 1
    body = response.json()
    assert (response.status_code, body["status"], body["answersFrom"]) == (200, "ready", "catalog")
    assert body["catalog"]["packageCount"] == 300
    told = body["following"]
    assert 0 <= told["refused"].pop("agreedSeconds") < 60
    assert told["refused"].pop("at").endswith("Z")
    assert told["refused"] == {
        "reason": "Upstream has lost 200 of 300 packages since the last crawl.",
        "found": {"packages removed": 200},
        "knownPackages": 300,
        "readPackages": 100,
        "added": 0,
        "changed": 23,
        "removed": 200,
    }
    assert told["lastError"] == (
        "Upstream has lost 200 of 300 packages since the last crawl. The crawl is refused, and the previous "
        "catalog stays."
    )
    assert refused == 1


async def test_a_refused_crawl_is_shown_by_the_graph_and_the_home_page(embedded: EmbeddedUpstream) -> None:
    upstream = Corruptible(embedded)
    query = {"query": "{ catalog { packageCount refused { at reason removed changed } } }"}
    async with gateway(upstream, follow=True, schedule=SELDOM) as (http, source):
        await until(lambda: source.latest)
        assert (await http.post("/graphql", json=query)).json()["data"]["catalog"]["refused"] is None
        assert (await http.get("/")).json()["refused"] is None
        upstream.corrupt(gone(0.9))
        source.refresher.wanted.set()
        await until(lambda: source.leader.attempts.failures_in_a_row)
        answer = (await http.post("/graphql", json=query)).json()
        facts = (await http.get("/")).json()
        page = (await http.get("/", headers={"Accept": "text/html"})).text
        readiness = (await http.get("/readyz")).json()
    sentence = "Upstream has lost 270 of 300 packages since the last crawl."
    catalog = answer["data"]["catalog"]
    assert catalog["packageCount"] == 300
    assert datetime.now(UTC) - datetime.fromisoformat(catalog["refused"].pop("at")) < timedelta(minutes=1)
    assert catalog["refused"] == {"reason": sentence, "removed": 270, "changed": 23}
    assert facts["refused"] == readiness["following"]["refused"]
    assert facts["refused"]["reason"] == sentence
    assert f"was refused: {sentence}" in page


async def test_an_empty_upstream_leaves_a_new_gateway_live_and_ready(embedded: EmbeddedUpstream) -> None:
    rows = embedded.catalog
    empty = EmbeddedUpstream(catalog=EmbeddedCatalog(rows.packages.values(), rows.grids.values(), []))
    async with gateway(empty, follow=True, schedule=SELDOM) as (http, source):
        await until(lambda: source.leader.attempts.failures_in_a_row)
        response = await http.get("/readyz")
        query = {"query": '{ package(slug: "django-celery-email") { title } }'}
        answer = (await http.post("/graphql", json=query)).json()
    assert (response.status_code, response.json()["answersFrom"]) == (200, "live")
    assert response.json()["following"]["refused"]["found"] == {
        "no categories": 1,
        "contradictions": 300,
    }
    assert answer["data"] == {"package": {"title": "django-celery-email"}}


# Who may probe


@pytest.mark.parametrize("follow", [True, False])
async def test_polls_of_readiness_never_probe_an_upstream_that_is_left_alone(
    embedded: EmbeddedUpstream, follow: bool
) -> None:
    limits = replace(CLIENT_LIMITS, attempts=1, breaker_failures=1, breaker_rest=0.02)
    embedded.faults.state = "down"
    async with gateway(embedded, follow=follow, schedule=SELDOM, limits=limits) as (http, source):
        breaker = source.client.exchanger.breaker
        if follow:
            await until(lambda: source.leader.attempts.failures_in_a_row)
        else:
            assert (await http.get("/readyz")).status_code == 503
        await until(lambda: breaker.state == "half-open")
        embedded.faults.clear()
        embedded.requests.reset()
        statuses = [(await http.get("/readyz")).status_code for _ in range(10)]
        # Where nobody follows, the next request of a user is the probe, and has to come here for that.
        assert statuses == [503 if follow else 200] * 10
        assert embedded.requests.total == 0
        assert breaker.state == "half-open"
        await source.client.detail(PACKAGE, 1599)
        assert (await http.get("/readyz")).status_code == 200
