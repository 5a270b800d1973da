"""Tests the crawl of an upstream that stands still: what it finds, what it asks for, and how many at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from catalog.sync.full_crawl import LastGood, crawl
from tests.support.crawls import Changing, asked, client_of, crawled, found, truth
from tests.support.generated_upstreams import generated_upstream
from tests.support.settings_for_tests import BUDGET, CLIENT_LIMITS
from upstream.batching.batcher import Batcher
from upstream.client.upstream_errors import UpstreamBadData
from upstream.client.v4_records import CATEGORY, GRID, PACKAGE
from upstream.embedded import ContentType, EmbeddedCatalog, EmbeddedUpstream, Fault, Latency


async def test_the_whole_catalog_is_54_pages_of_packages_and_6_of_the_rest(
    whole_embedded_catalog: EmbeddedCatalog,
) -> None:
    embedded = EmbeddedUpstream(catalog=whole_embedded_catalog)
    found_now = await crawled(embedded)
    assert found(found_now) == await truth(whole_embedded_catalog)
    assert found_now.report.kept == 0
    pages = [f"packages/?limit=100&offset={offset}" for offset in range(0, 5400, 100)]
    pages += [f"grids/?limit=100&offset={offset}" for offset in range(0, 440, 100)]
    pages += ["categories/?limit=100&offset=0"]
    looks = [f"{plural}/?limit=2&offset=0" for plural in ("packages", "grids", "categories")]
    assert asked(embedded) == pages + looks


async def test_an_upstream_without_records_is_an_empty_catalog() -> None:
    embedded = EmbeddedUpstream(catalog=EmbeddedCatalog())
    now = await crawled(embedded)
    assert (now.packages, now.grids, now.categories, now.report.kept) == ({}, {}, {}, 0)
    assert Counter(asked(embedded)) == {
        f"{plural}/?limit={limit}&offset=0": 1
        for plural in ("packages", "grids", "categories")
        for limit in (100, 2)
    }


@pytest.mark.parametrize(("packages", "pages"), [(5, 1), (99, 1), (100, 1), (101, 2), (200, 2), (201, 3)])
async def test_no_page_is_asked_for_beyond_the_end(packages: int, pages: int) -> None:
    embedded = generated_upstream(packages)
    assert found(await crawled(embedded)) == await truth(embedded.catalog)
    offsets = [f"packages/?limit=100&offset={page * 100}" for page in range(pages)]
    assert [target for target in asked(embedded) if target.startswith("packages/?limit=100&")] == offsets


@pytest.mark.virtual_time
async def test_the_other_pages_come_together_as_far_as_the_limiter_lets_them() -> None:
    embedded = generated_upstream(1000, latency=0.002)
    asked_by_then: list[int] = []
    upstream = Changing(embedded, {1: lambda _: asked_by_then.append(embedded.requests.total)})
    await crawled(upstream, limits=replace(CLIENT_LIMITS, lowest_in_flight=3, highest_in_flight=3))
    assert asked_by_then == [1]  # which says how many there are
    assert embedded.requests.max_concurrency == 3


@pytest.mark.virtual_time
async def test_few_pages_wait_for_their_turn_at_a_time() -> None:
    embedded = generated_upstream(1000, latency=0.002)
    await crawled(embedded, limits=replace(CLIENT_LIMITS, lowest_in_flight=32, highest_in_flight=32))
    assert embedded.requests.max_concurrency == 8


@pytest.mark.virtual_time
async def test_requests_of_users_go_first() -> None:
    embedded = generated_upstream(1000, latency=0.01)
    two_pages_are_read = asyncio.Event()

    def progress(kind: str, read: int, count: int) -> None:
        if read == 200:
            two_pages_are_read.set()

    async with client_of(embedded, replace(CLIENT_LIMITS, attempts=1, highest_in_flight=1)) as client:
        batcher = Batcher(client, BUDGET)
        crawling = asyncio.create_task(crawl(batcher, client, LastGood(), progress))
        await two_pages_are_read.wait()
        # One page is under way, which may not have been counted yet, and others are waiting for their turn.
        by_then = embedded.requests.total
        await batcher.page(CATEGORY, limit=7, offset=0)
        await crawling
        await batcher.aclose()
    assert by_then < 10
    assert asked(embedded).index("categories/?limit=7&offset=0") <= by_then + 1


async def test_progress_tells_after_each_page_how_much_of_each_list_is_read() -> None:
    embedded = generated_upstream(250)
    told: list[tuple[str, int, int]] = []
    await crawled(embedded, progress=lambda kind, read, count: told.append((kind, read, count)))
    grids, categories = len(embedded.catalog.grids), len(embedded.catalog.categories)
    assert told == [
        ("packages", 100, 250),
        ("packages", 200, 250),
        ("packages", 250, 250),
        ("grids", grids, grids),
        ("categories", categories, categories),
        ("packages", 250, 250),
        ("grids", grids, grids),
        ("categories", categories, categories),
    ]


async def test_the_batcher_learns_the_places_of_all_records(embedded: EmbeddedUpstream) -> None:
    async with client_of(embedded) as client:
        batcher = Batcher(client, BUDGET)
        await crawl(batcher, client, LastGood())
    newest_first = sorted(embedded.catalog.packages, reverse=True)
    bounds = [batcher.positions[PACKAGE.singular].bounds(id) for id in newest_first]
    assert bounds == [(place, place) for place in range(300)]
    assert batcher.positions[GRID.singular].count == len(embedded.catalog.grids)


async def test_the_first_error_ends_the_crawl_and_its_other_pages() -> None:
    embedded = generated_upstream(2000)
    embedded.faults.add(Fault(ContentType(), pattern="offset=300$"))
    embedded.faults.add(Fault(Latency(60), pattern="offset=(?!0$|300$)"))
    with pytest.raises(UpstreamBadData) as error:
        await crawled(embedded)
    assert str(error.value) == "Upstream answered /packages/ with 200 and text/html, not JSON."
    # Page one, four in flight, and the one that took the turn of the failed one.
    assert embedded.requests.total == 6
