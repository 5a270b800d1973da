"""Tests the sync by itself: when it crawls, what it does when that fails, and how processes share one file."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from catalog.freshness import Snapshot
from tests.support.batcher_with_held_answers import settle
from tests.support.crawls import Changing, asked
from tests.support.generated_upstreams import generated_upstream
from tests.support.settings_for_tests import SCHEDULE
from tests.support.sync_in_process import catalog_of, following, syncing, until
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

pytestmark = pytest.mark.virtual_time

CRAWL = 7
"""Requests of a crawl of 110 packages."""

NEWEST = "packages/?limit=20&offset=0"
LOOK = [NEWEST, "grids/?limit=20&offset=0", "categories/?limit=20&offset=0"]
LOOKING = replace(SCHEDULE, crawl=3600, newest=0.005, first_retry=0.005, longest_retry=0.01)
DOWN_FOR_7_SECONDS = Fault(StatusFault(503, retry_after="7"))


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream with two pages of packages."""
    return generated_upstream(110)


async def test_without_a_catalog_it_crawls_at_once_and_once(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync, following(sync):
        await until(lambda: sync.snapshot)
        await settle()
        assert embedded.requests.total == CRAWL


async def test_with_a_fresh_stored_catalog_a_start_is_one_look(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    async with syncing(embedded, path) as sync:
        await sync.crawl()
    embedded.requests.reset()
    async with syncing(embedded, path) as sync:
        await sync.load()
        async with following(sync):
            await until(lambda: len(asked(embedded)) >= 3)
            await settle()
            assert asked(embedded) == LOOK


async def test_a_start_crawls_when_its_look_shows_that_a_package_is_gone(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    async with syncing(embedded, path) as sync:
        await sync.crawl()
    gone = min(embedded.catalog.packages)
    embedded.catalog.remove_package(gone)
    embedded.requests.reset()
    async with syncing(embedded, path) as sync:
        await sync.load()
        async with following(sync):
            await until(lambda: gone not in catalog_of(sync).packages)
            assert asked(embedded)[:3] == LOOK
            assert embedded.requests.total == 3 + CRAWL


async def test_a_crawl_that_a_look_asked_for_is_due_for_whoever_takes_over(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    gone = min(embedded.catalog.packages)
    async with syncing(embedded, path) as sync:
        await sync.crawl()
        # As many came as went, so that the length of the list tells nothing afterwards.
        embedded.catalog.remove_package(gone)
        new = embedded.catalog.insert_package()
        assert await sync.look()
    async with syncing(embedded, path) as sync:
        await sync.load()
        assert {gone, new} <= catalog_of(sync).packages.keys()
        async with following(sync):
            await until(lambda: gone not in catalog_of(sync).packages)


async def test_it_looks_for_new_packages_in_between(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded, schedule=LOOKING) as sync, following(sync):
        await until(lambda: sync.snapshot)
        new = embedded.catalog.insert_package()
        await until(lambda: new in catalog_of(sync).packages)
        counts = Counter(asked(embedded))
        looks = [counts.pop(target) for target in LOOK]
        assert min(looks) >= 1
        assert counts.total() == CRAWL


async def test_it_crawls_when_a_look_shows_that_more_has_changed(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded, schedule=LOOKING) as sync, following(sync):
        await until(lambda: sync.snapshot)
        gone = min(embedded.catalog.packages)
        embedded.catalog.remove_package(gone)
        await until(lambda: gone not in catalog_of(sync).packages)
        await until(lambda: Counter(asked(embedded))[NEWEST] >= 5)
        assert Counter(asked(embedded))["categories/?limit=100&offset=0"] == 2


async def test_it_crawls_when_the_catalog_is_old(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded, schedule=LOOKING) as sync, following(sync):
        await until(lambda: sync.attempts.outcomes["succeeded"])
        fresh = await until(lambda: sync.snapshot)
        old = Snapshot(fresh.catalog, fresh.refreshed_at - timedelta(seconds=2 * LOOKING.crawl))
        sync.publisher.snapshot = old
        await until(lambda: sync.snapshot is not old)
        assert Counter(asked(embedded))["categories/?limit=100&offset=0"] == 2


async def test_it_crawls_when_that_is_wanted(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync, following(sync):
        first = await until(lambda: sync.snapshot)
        sync.want()
        await until(lambda: sync.snapshot is not first)
        await settle()
        assert embedded.requests.total == 2 * CRAWL


async def test_wishes_during_a_crawl_are_fulfilled_by_it(embedded: EmbeddedUpstream) -> None:
    async with AsyncExitStack() as stack:
        upstream = Changing(embedded, {moment: lambda _: sync.want() for moment in range(1, CRAWL + 1)})
        sync = await stack.enter_async_context(syncing(upstream))
        await stack.enter_async_context(following(sync))
        await until(lambda: sync.snapshot)
        await until(lambda: not sync.syncing)
        await settle()
        assert embedded.requests.total == CRAWL


# When upstream fails


async def test_a_crawl_that_fails_is_tried_again_until_it_does_not(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(503), pattern="grids", times=3))
    async with syncing(embedded) as sync, following(sync):
        await until(lambda: sync.snapshot)
        assert Counter(asked(embedded))["grids/?limit=100&offset=0"] == 4
        assert sync.last_error is None


async def test_a_catalog_is_kept_while_crawls_fail(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync, following(sync):
        first = await until(lambda: sync.snapshot)
        embedded.faults.add(Fault(StatusFault(503), path="/api/v4/categories/"))
        sync.want()
        await until(lambda: Counter(asked(embedded))["categories/?limit=100&offset=0"] >= 4)
        assert sync.snapshot is first
        assert sync.last_error is not None
        embedded.faults.clear()
        await until(lambda: sync.snapshot is not first)


async def test_a_crawl_that_a_look_asked_for_is_tried_again_too(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded, schedule=LOOKING) as sync, following(sync):
        await until(lambda: sync.snapshot)
        gone = min(embedded.catalog.packages)
        embedded.faults.add(Fault(StatusFault(503), path="/api/v4/categories/", times=2))
        embedded.catalog.remove_package(gone)
        new = [embedded.catalog.insert_package() for _ in range(2)]
        await until(lambda: gone not in catalog_of(sync).packages)
        assert set(new) <= catalog_of(sync).packages.keys()


async def test_it_waits_as_long_as_upstream_asks_for_whoever_wants_what(
    embedded: EmbeddedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    embedded.faults.add(DOWN_FOR_7_SECONDS)
    async with syncing(embedded) as sync, following(sync):
        await until(lambda: caplog.messages)
        sync.want()
        await settle()
        assert embedded.requests.total == 1
        assert caplog.messages == [
            "the catalog could not be refreshed, next try in 7 s: "
            "Upstream answered /packages/ with status 503.",
        ]


# Waiting for it


async def test_settled_waits_for_a_crawl_whether_it_succeeds_or_fails(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync, following(sync):
        await sync.settled(30)
        first = sync.snapshot
        assert first is not None
        await sync.settled(30)
        assert sync.snapshot is not first
        embedded.faults.add(DOWN_FOR_7_SECONDS)
        await sync.settled(30)
        assert sync.last_error is not None


async def test_settled_waits_no_longer_than_it_is_told_to(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:  # which nobody runs
        await sync.settled(0.001)
        assert sync.snapshot is None


# Several processes


async def test_one_crawls_and_the_others_take_what_it_saves(embedded: EmbeddedUpstream, path: Path) -> None:
    unasked = EmbeddedUpstream(catalog=embedded.catalog)
    async with syncing(embedded, path) as leader, following(leader):
        await until(lambda: leader.snapshot)
        async with syncing(unasked, path) as follower, following(follower):
            first = await until(lambda: follower.snapshot)
            assert first.catalog.version == catalog_of(leader).version
            new = embedded.catalog.insert_package()
            leader.want()
            await until(lambda: new in catalog_of(follower).packages)
            # A look keeps the age, and yet its find is taken.
            new = embedded.catalog.insert_package()
            await leader.look()
            await until(lambda: new in catalog_of(follower).packages)
            assert unasked.requests.total == 0


async def test_another_takes_over_when_the_crawler_ends(embedded: EmbeddedUpstream, path: Path) -> None:
    other = EmbeddedUpstream(catalog=embedded.catalog)
    async with syncing(other, path) as follower, AsyncExitStack() as crawler:
        leader = await crawler.enter_async_context(syncing(embedded, path))
        await crawler.enter_async_context(following(leader))
        await until(lambda: leader.snapshot)
        async with following(follower):
            await until(lambda: follower.snapshot)
            assert other.requests.total == 0
            await crawler.aclose()
            new = embedded.catalog.insert_package()
            await until(lambda: new in catalog_of(follower).packages)
            assert other.requests.total > 0


async def test_the_crawler_takes_what_a_crawl_by_hand_has_saved(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    often = replace(SCHEDULE, lease=0.03)  # the file is looked at in a third of that
    async with AsyncExitStack() as stack:
        leader = await stack.enter_async_context(syncing(embedded, path, schedule=often))
        by_hand = await stack.enter_async_context(syncing(embedded, path))
        await stack.enter_async_context(following(leader))
        # What the leader has crawled is known before it is stored, and takes the place of what is stored then.
        await until(lambda: leader.attempts.outcomes["succeeded"])
        embedded.catalog.update_package(1599, title="renamed")
        saved = (await by_hand.crawl()).snapshot
        await until(lambda: catalog_of(leader).packages[1599].title == "renamed")
        assert leader.snapshot is not None
        assert leader.snapshot.refreshed_at == saved.refreshed_at
        assert embedded.requests.total == 2 * CRAWL


async def test_of_two_upstreams_on_one_file_the_second_is_not_stored_and_the_first_stays(
    embedded: EmbeddedUpstream, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Both have started while nothing was stored, so neither could be refused at its start."""
    async with (
        syncing(embedded, path, origin="https://one.test/") as one,
        syncing(embedded, path, origin="https://two.test/") as two,
    ):
        stored = (await one.crawl()).snapshot
        assert not (await two.crawl()).stored
        assert two.snapshot is not None
    assert "it has the catalog of another upstream" in caplog.messages[-1]
    async with syncing(embedded, path, origin="https://one.test/") as one:
        await one.load()
        assert one.snapshot is not None
        assert one.snapshot.refreshed_at == stored.refreshed_at
