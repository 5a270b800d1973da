"""Tests the loaders of a request that has a catalog: what that knows costs nothing, the rest is asked once, live."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from catalog.catalog_source import CatalogSource
from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from resolvers.loading.request_loaders import Loaders
from tests.support.made_records import catalog_of, category, grid, package
from upstream.client.exchange_receipt import Receipt, recording
from upstream.client.upstream_errors import UpstreamUnavailable
from upstream.client.v4_records import PackageRecord
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

KNOWN = catalog_of(
    package(7, slug="seven", category=1, grids=(15,)),
    package(4567, slug="1599", category=2),
    grid(3, slug="three"),
    category(1, slug="apps"),
    category(2, slug="frameworks"),
    category(3, slug="apps"),
)


def snapshot(catalog: Catalog = KNOWN) -> Snapshot:
    return Snapshot(catalog, datetime.now(UTC))


def knowing(source: CatalogSource, catalog: Catalog = KNOWN) -> Loaders:
    return Loaders(source.batcher, snapshot(catalog))


# Known


async def test_what_the_catalog_knows_costs_no_request(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.state = "down"
    loaders = knowing(source)
    seven = KNOWN.packages[7]
    assert await loaders.packages.by_id(7) is seven
    assert await loaders.packages.by_slug("seven") is seven
    assert await loaders.packages.by_ids([4567, 7, 7]) == [KNOWN.packages[4567], seven, seven]
    assert await loaders.grids.by_slug("three") is KNOWN.grids[3]
    assert [each.id for each in await loaders.categories.all()] == [1, 2, 3]
    assert await loaders.categories.by_id(2) is KNOWN.categories[2]
    assert await loaders.categories.by_slug("apps") is KNOWN.categories[1]
    assert embedded.requests.total == 0


async def test_the_lists_are_those_of_the_catalog(source: CatalogSource, embedded: EmbeddedUpstream) -> None:
    loader = knowing(source).packages
    page = await loader.page(limit=1, offset=0)
    assert (page.count, page.results) == (2, (KNOWN.packages[4567],))
    assert (await loader.page(limit=10, offset=1)).results == (KNOWN.packages[7],)
    assert (await loader.page(limit=10, offset=9)).results == ()
    assert embedded.requests.total == 0


async def test_known_records_are_on_the_receipt_as_from_memory(source: CatalogSource) -> None:
    loaders, receipt = knowing(source), Receipt()
    with recording(receipt):
        await loaders.packages.by_id(7)
        await loaders.packages.by_slug("seven")
        await loaders.packages.by_ids([7, 4567])
        await loaders.packages.page(limit=10, offset=0)
        await loaders.categories.by_id(1)
        await loaders.categories.all()
    assert receipt.exchanges == []
    assert receipt.from_memory == 1 + 1 + 2 + 2 + 1 + 3


# Not known


async def test_what_the_catalog_does_not_know_is_tried_live_once(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    loader, receipt = knowing(source).packages, Receipt()
    with recording(receipt):
        found = await loader.by_ids([7, 683, 999999, 683])
        assert found[0] is KNOWN.packages[7]
        assert isinstance(found[1], PackageRecord)
        assert found[2] is None
        assert found[3] is found[1]
        for _ in range(2):
            assert await loader.by_id(683) is found[1]
            assert await loader.by_id(999999) is None
            assert await loader.by_slug("nope") is None
    assert embedded.requests.by_target == {
        "/api/v4/packages/683/": 1,
        "/api/v4/packages/999999/": 1,
        "/api/v4/packages/nope/": 1,
    }
    assert len(receipt.exchanges) == 3
    # Another request does not ask for them either.
    other = knowing(source).packages
    assert await other.by_ids([683, 999999]) == [found[1], None]
    assert await other.by_slug("nope") is None
    assert embedded.requests.total == 3


async def test_a_package_that_was_published_a_minute_ago_is_found(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    id = embedded.catalog.insert_package(slug="brand-new")
    found = await knowing(source).packages.by_slug("brand-new")
    assert found is not None
    assert found.id == id


async def test_a_category_that_the_catalog_does_not_know_is_tried_live_once(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    loader = knowing(source).categories
    assert [await loader.by_id(8), await loader.by_id(99), await loader.by_slug("nope")] == [
        await loader.by_id(8),
        None,
        None,
    ]
    assert embedded.requests.total == 1


async def test_an_unknown_record_that_fails_live_fails_alone(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(StatusFault(500)))
    known, failed = await knowing(source).packages.by_ids([7, 683])
    assert known is KNOWN.packages[7]
    assert isinstance(failed, UpstreamUnavailable)


# Slugs of digits (contract section 1, "Lookup traps")


async def test_a_slug_of_digits_is_found_in_the_catalog_or_not_at_all(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    loader = knowing(source).packages
    found = await loader.by_slug("1599")
    assert found is not None
    assert found.id == 4567
    assert await loader.by_slug("683") is None
    assert embedded.requests.total == 0


async def test_without_a_catalog_a_slug_of_digits_is_an_error(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    loader = Loaders(source.batcher, None).packages
    with pytest.raises(UpstreamUnavailable, match="reads digits as an id"):
        await loader.by_slug("1599")
    assert embedded.requests.total == 0


# One version


async def test_a_request_sees_one_catalog_from_start_to_end(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    await source.crawl()
    loaders = Loaders(source.batcher, await source.refreshed())
    first = await loaders.packages.by_id(1599)
    assert first is not None
    embedded.catalog.update_package(1599, title="renamed")
    embedded.catalog.remove_package(683)
    await source.crawl()
    assert await loaders.packages.by_id(1599) is first
    assert await loaders.packages.by_slug("django-celery-email") is first
    assert isinstance(await loaders.packages.by_id(683), PackageRecord)
    assert (await loaders.packages.page(limit=1000, offset=0)).count == 300
    later = Loaders(source.batcher, await source.refreshed())
    renamed = await later.packages.by_id(1599)
    assert renamed is not None
    assert renamed.title == "renamed"
    assert (await later.packages.page(limit=1000, offset=0)).count == 299
