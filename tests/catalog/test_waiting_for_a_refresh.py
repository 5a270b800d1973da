"""Tests a catalog that is too old to be served at once: requests wait for a refresh, but not where none can come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.catalog_source import CatalogSource
from catalog.storage.sqlite_storage import Storage
from tests.support.gateway_in_process import source_of
from tests.support.gateway_processes import eventually
from tests.support.generated_upstreams import generated_upstream
from tests.support.settings_for_tests import CLIENT_LIMITS, FRESHNESS, UPSTREAM_URL
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.client.upstream_errors import UpstreamUnavailable
from upstream.embedded import EmbeddedUpstream, Fault, Latency

pytestmark = pytest.mark.virtual_time

OLD_AT_ONCE = replace(FRESHNESS, fresh=0.0, while_revalidate=0.0)


@asynccontextmanager
async def opened(
    embedded: EmbeddedUpstream, storage: Path, *, follow: bool = True, crawl_wait: float = 30.0
) -> AsyncIterator[CatalogSource]:
    async with source_of(
        Client(UPSTREAM_URL, in_process(embedded), CLIENT_LIMITS),
        storage=Storage(str(storage)),
        follow=follow,
        freshness=OLD_AT_ONCE,
        crawl_wait=crawl_wait,
    ) as source:
        yield source


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream with two pages of packages."""
    return generated_upstream(110)


@pytest.fixture
async def storage(embedded: EmbeddedUpstream, tmp_path: Path) -> Path:
    """Return the file of a catalog, of which upstream is down now."""
    path = tmp_path / "catalog.sqlite"
    async with opened(embedded, path, follow=False) as source:
        await source.crawl()
    embedded.faults.state = "down"
    embedded.requests.reset()
    return path


async def answers_at_once(source: CatalogSource) -> bool:
    asked = asyncio.create_task(source.refreshed())
    await asyncio.sleep(0)
    try:
        return asked.done()
    finally:
        asked.cancel()


async def test_a_look_that_fails_is_the_last_error_until_one_succeeds(
    embedded: EmbeddedUpstream, storage: Path
) -> None:
    async with opened(embedded, storage) as source:
        # Nobody wants a crawl, so it only looks.
        error = await eventually(lambda: source.refresher.last_error)
        assert error.code == "UPSTREAM_UNAVAILABLE"
        assert list(embedded.requests.by_target) == ["/api/v4/packages/?limit=20&offset=0"]
        embedded.faults.state = "up"
        await source.refresher.look()
        assert source.refresher.last_error is None


async def test_a_request_waits_for_a_refresh_and_not_when_that_has_failed(
    embedded: EmbeddedUpstream, storage: Path
) -> None:
    async with opened(embedded, storage) as source:
        assert not await answers_at_once(source)
        await eventually(lambda: source.refresher.last_error)
        assert await answers_at_once(source)


async def test_where_another_process_crawls_a_request_waits_once_for_each_catalog(
    embedded: EmbeddedUpstream, storage: Path
) -> None:
    async with AsyncExitStack() as processes:
        crawling = await processes.enter_async_context(opened(embedded, storage))
        await eventually(lambda: crawling.refresher.last_error)
        source = await processes.enter_async_context(opened(embedded, storage, crawl_wait=0.01))
        assert not await answers_at_once(source)
        known = await source.refreshed()
        assert source.refresher.last_error is None
        assert await answers_at_once(source)

        embedded.faults.state = "up"
        await crawling.crawl()
        await eventually(lambda: source.latest is not known)
        assert not await answers_at_once(source)


async def test_nobody_waits_for_a_first_catalog_while_upstream_is_known_to_fail(
    embedded: EmbeddedUpstream, tmp_path: Path
) -> None:
    embedded.faults.state = "down"
    async with opened(embedded, tmp_path / "none.sqlite") as source:
        await eventually(lambda: source.refresher.last_error)
        asked = asyncio.create_task(source.first_catalog())
        await asyncio.sleep(0)
        assert asked.done()
        with pytest.raises(UpstreamUnavailable, match="which could not be read yet"):
            await asked


async def test_the_first_catalog_is_waited_for_no_longer_than_any_other(
    embedded: EmbeddedUpstream, tmp_path: Path
) -> None:
    embedded.faults.add(Fault(Latency(60)))
    async with (
        opened(embedded, tmp_path / "catalog.sqlite", crawl_wait=0.01) as source,
        asyncio.timeout(30),  # half of what the crawl takes
    ):
        with pytest.raises(UpstreamUnavailable, match="which is still being read") as error:
            await source.first_catalog()
        assert error.value.retry_after == 5  # no page has come that could tell


async def test_who_waits_in_vain_is_told_how_far_the_crawl_is(
    embedded: EmbeddedUpstream, tmp_path: Path
) -> None:
    embedded.faults.add(Fault(Latency(60), pattern="/grids/"))
    async with opened(embedded, tmp_path / "catalog.sqlite", crawl_wait=0.01) as source:
        await eventually(lambda: str(source.refresher.progress).startswith("110 of"))
        with pytest.raises(UpstreamUnavailable, match="110 of 110 packages so far") as error:
            await source.first_catalog()
        told = error.value.retry_after
        assert told is not None
        assert 1 <= told <= 300
        assert str(error.value).endswith(f"Try again in {told} s.")
