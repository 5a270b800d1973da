"""The changes of a publish are worked out once and read once, however many want to know them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from catalog.catalog_difference import CatalogDifference
from catalog.history.change_feed import FeedEntry, FeedExcerpt
from catalog.storage.sqlite_storage import Storage
from tests.support.batcher_with_held_answers import settle
from tests.support.crawls import client_of
from tests.support.generated_upstreams import generated_upstream
from tests.support.settings_for_tests import BUDGET, UPSTREAM_URL
from tests.support.stored_catalogs import change
from tests.support.sync_in_process import QUICK, Sync
from upstream.batching.batcher import Batcher
from upstream.embedded import EmbeddedUpstream

SUBSCRIBERS = 50


class CountingStorage(Storage):
    """Counts the reads of the feed, and remembers the differences that it is given."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.reads = 0
        self.differences: list[CatalogDifference | None] = []

    def changes(self, after: int, limit: int, until: int | None = None) -> FeedExcerpt:
        self.reads += 1
        return super().changes(after, limit, until)

    def save(self, *, difference: CatalogDifference | None = None, **catalog: Any) -> None:
        self.differences.append(difference)
        super().save(difference=difference, **catalog)


class Followers:
    """Subscribers of the feed, and what each was told."""

    def __init__(self, sync: Sync, feed: str, after: int, number: int) -> None:
        self.told: list[list[FeedEntry]] = [[] for _ in range(number)]
        self._tasks = [
            asyncio.create_task(self._follow(sync.follow_changes(feed, after), told)) for told in self.told
        ]

    async def _follow(self, entries: AsyncIterator[FeedEntry], told: list[FeedEntry]) -> None:
        async for entry in entries:
            told.append(entry)

    async def told_of(self, number: int) -> None:
        """Wait until each was told so many entries."""
        async with asyncio.timeout(30):
            while any(len(told) < number for told in self.told):  # noqa: ASYNC110 - nobody sends a signal
                await asyncio.sleep(0.002)
        await settle()

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream with two pages of packages."""
    return generated_upstream(110)


async def test_a_publish_is_read_once_for_all_subscribers(embedded: EmbeddedUpstream, path: Path) -> None:
    async with client_of(embedded) as client:
        batcher = Batcher(client, BUDGET)
        with closing(CountingStorage(str(path))) as storage:
            sync = Sync(client, batcher, storage, UPSTREAM_URL, QUICK)
            await sync.crawl()
            feed = await sync.changes(0, 0)
            followers = Followers(sync, feed.feed, feed.newest, SUBSCRIBERS)
            await settle()
            for publish in (1, 2):
                storage.reads = 0
                embedded.catalog.update_package(1599, repo_watchers=publish)
                await sync.crawl()
                await followers.told_of(publish)
                assert storage.reads == 1
            await followers.leave()
            assert all(told == followers.told[0] for told in followers.told)
        await batcher.aclose()


async def test_subscribers_that_are_behind_share_what_is_read(path: Path) -> None:
    embedded = generated_upstream(300)
    async with client_of(embedded) as client:
        batcher = Batcher(client, BUDGET)
        with closing(CountingStorage(str(path))) as storage:
            sync = Sync(client, batcher, storage, UPSTREAM_URL, QUICK)
            await sync.crawl()
            for id in list(embedded.catalog.packages)[:250]:
                embedded.catalog.update_package(id, title=f"new {id}")
            await sync.crawl()
            feed = (await sync.changes(0, 0)).feed
            storage.reads = 0
            followers = Followers(sync, feed, 0, SUBSCRIBERS)
            await followers.told_of(250)
            # The first hundred were read when they were published.
            assert storage.reads == 2
            assert [entry.place for entry in followers.told[0]] == list(range(1, 251))
            await followers.leave()
        await batcher.aclose()


async def test_a_subscriber_that_leaves_does_not_end_the_read_of_the_others(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    async with client_of(embedded) as client:
        batcher = Batcher(client, BUDGET)
        with closing(CountingStorage(str(path))) as storage:
            sync = Sync(client, batcher, storage, UPSTREAM_URL, QUICK)
            await sync.crawl()
            for id in list(embedded.catalog.packages)[:3]:
                embedded.catalog.update_package(id, title="new")
            await sync.crawl()
            feed = (await sync.changes(0, 0)).feed
            leaving, staying = (Followers(sync, feed, 1, number) for number in (1, 2))
            await asyncio.sleep(0)  # the read is under way
            await leaving.leave()
            await staying.told_of(2)
            await staying.leave()
        await batcher.aclose()


async def test_the_difference_of_a_crawl_is_worked_out_once_and_handed_on(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    async with client_of(embedded) as client:
        batcher = Batcher(client, BUDGET)
        with closing(CountingStorage(str(path))) as storage:
            sync = Sync(client, batcher, storage, UPSTREAM_URL, QUICK)
            first = await sync.crawl()
            untouched, changed = list(embedded.catalog.packages)[:2]
            # A second comparison would find that this row is not that of the catalog.
            change(
                path,
                'UPDATE records SET body = CAST(replace(body, \'"title":"\', \'"title":"odd \') AS BLOB)'
                " WHERE kind = 'package' AND id = ?",
                untouched,
            )
            embedded.catalog.update_package(changed, title="new")
            synced = await sync.crawl()
            assert first.changes is None
            assert storage.differences == [None, synced.changes]
            assert storage.differences[1] is synced.changes
            told = (await sync.changes(0, 100)).entries
            assert [(entry.change.id, entry.change.sort) for entry in told] == [(changed, "changed")]
        await batcher.aclose()


async def test_a_difference_to_another_catalog_than_the_stored_one_is_not_taken(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    async with client_of(embedded) as client:
        batcher = Batcher(client, BUDGET)
        with closing(CountingStorage(str(path))) as storage:
            one, other = (Sync(client, batcher, storage, UPSTREAM_URL, QUICK) for _ in range(2))
            await one.crawl()
            await other.load()
            first, second = list(embedded.catalog.packages)[:2]
            embedded.catalog.update_package(first, title="new")
            await other.crawl()
            embedded.catalog.update_package(second, title="new")
            synced = await one.crawl()  # to it both have changed, and the file has one of them already
            assert synced.changes is not None
            assert {each.id for each in synced.changes.changed} >= {first, second}
            told = (await one.changes(0, 100)).entries
            packages = [entry.change.id for entry in told if entry.change.kind == "package"]
            assert packages == [first, second]
        await batcher.aclose()
