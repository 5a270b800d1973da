"""Tests the loaders: together, once, and not spoiled by whoever stops waiting."""

from __future__ import annotations

import asyncio

import pytest

from catalog.catalog_source import CatalogSource
from resolvers.loading.request_loaders import Loaders
from upstream.client.upstream_errors import UpstreamUnavailable
from upstream.client.v4_records import PackageRecord
from upstream.embedded import Dropped, EmbeddedUpstream, Fault, Latency, StatusFault


def live(source: CatalogSource) -> Loaders:
    return Loaders(source.batcher, None)


@pytest.fixture
def slow(embedded: EmbeddedUpstream) -> EmbeddedUpstream:
    embedded.faults.add(Fault(Latency(0.05)))
    return embedded


async def test_equal_keys_are_asked_once(source: CatalogSource, embedded: EmbeddedUpstream) -> None:
    loader = live(source).packages
    first, second, several = await asyncio.gather(
        loader.by_id(1599), loader.by_id(1599), loader.by_ids([1599, 683, 1599])
    )
    assert first is second is several[0] is several[2]
    assert embedded.requests.total == 2


async def test_what_one_way_finds_the_others_know(source: CatalogSource, embedded: EmbeddedUpstream) -> None:
    loader = live(source).packages
    by_slug = await loader.by_slug("django-celery-email")
    page = await loader.page(limit=3, offset=0)
    assert await loader.by_id(1599) is by_slug
    assert await loader.by_id(page.records[0].id) is page.records[0]
    assert await loader.by_slug(page.records[1].slug) is page.records[1]
    assert embedded.requests.total == 2


async def test_a_failed_load_is_reported_to_everyone_and_asked_once(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(StatusFault(500), path="/api/v4/packages/1599/"))
    loader = live(source).packages
    for _ in range(2):
        failed, good = await loader.by_ids([1599, 683])
        assert isinstance(failed, UpstreamUnavailable)
        assert isinstance(good, PackageRecord)
    assert embedded.requests.total == 2


async def test_a_failed_list_of_categories_fails_every_category_and_is_asked_once(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(Dropped()))
    loader = live(source).categories
    failures = await asyncio.gather(*(loader.by_id(id) for id in (1, 2, 4)), return_exceptions=True)
    assert all(isinstance(failure, UpstreamUnavailable) for failure in failures)
    assert embedded.requests.total == 1


@pytest.mark.virtual_time
async def test_a_waiter_that_leaves_does_not_spoil_the_load_for_others(
    source: CatalogSource, slow: EmbeddedUpstream
) -> None:
    loader = live(source).packages
    leaving = asyncio.create_task(loader.by_id(1599))
    staying = asyncio.create_task(loader.by_id(1599))
    several = asyncio.create_task(loader.by_ids([1599, 683]))
    await asyncio.sleep(0.01)
    leaving.cancel()
    several.cancel()
    package = await staying
    assert package is not None
    assert await loader.by_id(1599) is package
    assert isinstance(await loader.by_id(683), PackageRecord)
    assert slow.requests.total == 2


@pytest.mark.virtual_time
async def test_a_time_limit_on_a_wait_does_not_spoil_the_load(
    source: CatalogSource, slow: EmbeddedUpstream
) -> None:
    loader = live(source).packages
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(loader.by_slug("django-celery-email"), 0.01)
    assert (await loader.by_slug("django-celery-email")) is not None
    assert slow.requests.total == 1
