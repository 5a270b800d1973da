"""Tests the change feed before the first catalog: requests wait for one, unless none can come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from catalog.catalog_source import CatalogSource
from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import asking, gateway_over, source_over
from tests.support.gateway_processes import eventually
from upstream.embedded import EmbeddedUpstream, Fault, Latency

CHANGES = "{ changes { totalCount } }"
SUBSCRIPTION = "subscription { catalogChanged { databaseId } }"
CURSOR = "{ catalog { changesCursor } }"
PATIENT: dict[str, Any] = {"crawl": "on", "crawl_wait": 60, "limit_seconds": 300}
BUSY_SECONDS = 30


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    return EmbeddedUpstream(packages=20)


@pytest.fixture
async def starting(embedded: EmbeddedUpstream) -> AsyncIterator[CatalogSource]:
    """Return what the gateway knows while its first crawl has just begun."""
    embedded.faults.add(Fault(Latency(0.05)))
    async with source_over(embedded, **PATIENT) as source:
        yield source


@pytest.mark.virtual_time
async def test_changes_wait_until_the_first_catalog_is_stored(starting: CatalogSource) -> None:
    assert await asking(starting)(CHANGES) == {"data": {"changes": {"totalCount": 0}}}


@pytest.mark.virtual_time
async def test_a_subscription_waits_until_the_first_catalog_is_stored(
    embedded: EmbeddedUpstream, starting: CatalogSource
) -> None:
    gateway = gateway_over(starting)
    events = gateway.stream(await gateway.prepare(GraphQLRequest(SUBSCRIPTION), None))
    first = asyncio.ensure_future(anext(events))
    async with asyncio.timeout(BUSY_SECONDS):
        for number in range(1_000):
            # Whether it has seen the first catalog does not show before there is a change.
            embedded.catalog.update_package(1599, title=f"title {number}")
            await starting.crawl()
            await asyncio.wait([first], timeout=0.05)
            if first.done():
                break
    assert (await first).decoded() == {"data": {"catalogChanged": {"databaseId": 1599}}}
    await events.aclose()


@pytest.mark.virtual_time
async def test_where_another_process_crawls_changes_wait_for_what_it_stores(
    embedded: EmbeddedUpstream, tmp_path: Path
) -> None:
    settings = PATIENT | {"storage": str(tmp_path / "catalog.sqlite")}
    embedded.faults.add(Fault(Latency(0.05)))
    async with source_over(embedded, **settings) as leading:
        await eventually(lambda: leading.leader.leads)
        async with source_over(embedded, **settings) as following:
            assert await asking(following)(CHANGES) == {"data": {"changes": {"totalCount": 0}}}
            assert not following.leader.leads


async def test_the_cursor_is_null_at_once(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(Latency(BUSY_SECONDS)))
    async with source_over(embedded, **PATIENT) as source:
        assert await asking(source)(CURSOR) == {"data": {"catalog": {"changesCursor": None}}}


async def test_nobody_waits_while_upstream_is_known_to_fail(embedded: EmbeddedUpstream) -> None:
    embedded.faults.state = "down"
    async with source_over(embedded, **PATIENT) as source:
        await eventually(lambda: source.refresher.last_error)
        reading = asyncio.ensure_future(source.changes(0, 0))
        await asyncio.sleep(0)
        assert reading.done()
        assert reading.exception() is not None


async def test_who_waits_is_told_when_the_first_attempt_fails(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(Latency(BUSY_SECONDS)))
    async with source_over(embedded, **PATIENT) as source:
        reading = asyncio.ensure_future(asking(source)(CHANGES))
        await asyncio.sleep(0)
        source.refresher.failed(OSError("broken"))
        (error,) = (await asyncio.wait_for(reading, BUSY_SECONDS))["errors"]
        assert error["extensions"] == {"code": "STORAGE_UNAVAILABLE"}
