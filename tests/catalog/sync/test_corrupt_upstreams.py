"""Tests an upstream that answers in perfect form and has lost or spoilt its data, in each state of a gateway."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from catalog.freshness import Snapshot
from catalog.sync.crawl_guard import CatalogRefused
from tests.support.corruptions import CORRUPTIONS, SEEN_COLD, Corruptible, copy_of
from tests.support.crawls import truth
from tests.support.generated_upstreams import generated_upstream
from tests.support.numbers_of_examples import share_of
from tests.support.stored_catalogs import stored_in
from tests.support.sync_in_process import Sync, catalog_of, records_of, syncing
from upstream.embedded import EmbeddedUpstream

every_corruption = pytest.mark.parametrize("name", CORRUPTIONS)


@pytest.fixture
def upstream() -> Corruptible:
    """Return an upstream of two pages of packages, of which each corruption hits enough to be seen."""
    return Corruptible(generated_upstream(110))


async def refused(sync: Sync) -> str:
    """Return why a crawl is refused."""
    with pytest.raises(CatalogRefused) as error:
        await sync.crawl()
    assert sync.guard.refused is not None
    assert sync.guard.refused.reason == error.value.crawl.reason
    return error.value.crawl.reason


@every_corruption
@pytest.mark.parametrize("age", [0, 48], ids=["fresh", "stale"])
async def test_a_corrupt_state_is_not_published_over_a_known_one(
    upstream: Corruptible, path: Path, name: str, age: int
) -> None:
    async with syncing(upstream, path) as sync:
        before = (await sync.crawl()).snapshot
        before = Snapshot(before.catalog, before.refreshed_at - timedelta(hours=age))
        sync.publisher.snapshot = before
        stored, feed = stored_in(path), await sync.changes(0, 100)
        upstream.corrupt(CORRUPTIONS[name])
        for _ in range(2):
            await sync.look()
            await refused(sync)
        assert sync.snapshot is before
        assert stored_in(path) == stored
        assert await sync.changes(0, 100) == feed
        upstream.recover()
        synced = await sync.crawl()
        assert synced.snapshot.catalog.version == before.catalog.version
        assert sync.guard.refused is None


@every_corruption
async def test_a_state_that_becomes_corrupt_while_a_crawl_is_under_way_is_not_published(name: str) -> None:
    # Enough packages are on the second page alone.
    upstream = Corruptible(generated_upstream(150))
    async with syncing(upstream) as sync:
        before = (await sync.crawl()).snapshot
        feed = await sync.changes(0, 100)
        for answers in share_of(range(6)):
            upstream.recover()
            upstream.corrupt(CORRUPTIONS[name], after=answers)
            # What was read before is good, and if that is all, so is the crawl.
            with suppress(CatalogRefused):
                await sync.crawl()
            assert catalog_of(sync).version == before.catalog.version, answers
            assert await sync.changes(0, 100) == feed, answers
            await refused(sync)
            assert catalog_of(sync).version == before.catalog.version, answers


@pytest.mark.parametrize("name", sorted(SEEN_COLD))
async def test_a_first_crawl_is_refused_for_what_it_shows_by_itself(
    upstream: Corruptible, path: Path, name: str
) -> None:
    upstream.corrupt(CORRUPTIONS[name])
    async with syncing(upstream, path) as sync:
        for _ in range(2):
            await refused(sync)
        assert sync.snapshot is None
        assert stored_in(path) is None
        upstream.recover()
        await sync.crawl()
        assert records_of(sync) == await truth(upstream.good.catalog)


@pytest.mark.parametrize("name", sorted(CORRUPTIONS.keys() - SEEN_COLD))
async def test_a_first_crawl_of_a_consistent_state_passes_and_the_good_one_after_it_too(
    upstream: Corruptible, name: str
) -> None:
    upstream.corrupt(CORRUPTIONS[name])
    async with syncing(upstream) as sync:
        first = (await sync.crawl()).snapshot
        upstream.recover()
        with suppress(CatalogRefused):
            await sync.crawl()
        renumbered = name.startswith("ids")
        assert (sync.snapshot is first) is renumbered
        if not renumbered:
            assert records_of(sync) == await truth(upstream.good.catalog)


async def test_growth_and_a_deletion_of_20_packages_pass(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        await sync.crawl()
        rows = embedded.catalog
        for id in sorted(rows.packages)[100:120]:
            rows.remove_package(id)
        for _ in range(200):
            rows.insert_package()
        for id, row in list(rows.packages.items()):
            rows.update_package(id, repo_watchers=row.repo_watchers + id % 7, repo_forks=row.repo_forks + 1)
        await sync.crawl()
        assert records_of(sync) == await truth(rows)


async def test_a_nightly_update_of_every_package_passes(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        await sync.crawl()
        rows = embedded.catalog
        now = "2026-11-28T03:00:00-05:00"
        for number, (id, row) in enumerate(list(rows.packages.items())):
            shifted = (*row.commits_over_52[1:], number % 5) if row.commits_over_52 else ()
            rows.update_package(id, last_fetched=now, modified=now, commits_over_52=shifted)
        await sync.crawl()
        assert records_of(sync) == await truth(rows)


async def test_a_copy_of_the_rows_is_no_corruption(embedded: EmbeddedUpstream) -> None:
    upstream = Corruptible(embedded)
    async with syncing(upstream) as sync:
        version = (await sync.crawl()).snapshot.catalog.version
        upstream.corrupt(lambda embedded: EmbeddedUpstream(catalog=copy_of(embedded.catalog)))
        assert (await sync.crawl()).snapshot.catalog.version == version
