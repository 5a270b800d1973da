"""Provides what the tests of the sync share: one over an app in this process, what it is told, and a loop to wait
in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from catalog.freshness import Snapshot
from catalog.history.change_feed import FeedExcerpt
from catalog.indexed_catalog import Catalog
from catalog.storage.sqlite_storage import Storage
from catalog.sync.change_feed_fan_out import FeedReader
from catalog.sync.crawl_guard import Guard
from catalog.sync.crawl_validators import GuardLimits
from catalog.sync.history_reader import HistoryReader
from catalog.sync.leader_loop import LeaderLoop
from catalog.sync.paged_list_reading import Progress
from catalog.sync.publisher import Publisher
from catalog.sync.refresh_backoff import Attempts
from catalog.sync.refresher import CrawlResult, Refresher
from catalog.sync.schedule import Schedule
from tests.support.crawls import App, Records, client_of, sorted_members
from tests.support.settings_for_tests import BUDGET, FRESHNESS, GUARD_LIMITS, SCHEDULE, UPSTREAM_URL
from upstream.batching.batcher import Batcher
from upstream.client.api_client import Client
from upstream.client.upstream_errors import UpstreamError

T = TypeVar("T")

QUICK = replace(SCHEDULE, crawl=3600, newest=3600, lease=30, look=0.01, first_retry=0.01, longest_retry=0.02)
"""Nothing by itself but what must be, and that at once."""


class Sync:
    """The parts that follow upstream, put together as a source does, and what tests ask of each."""

    def __init__(
        self,
        client: Client,
        batcher: Batcher,
        storage: Storage,
        origin: str,
        schedule: Schedule,
        guard: Guard | None = None,
    ) -> None:
        self.client = client
        self.guard = guard or Guard(GUARD_LIMITS)
        feed = FeedReader(storage)
        history = HistoryReader(storage)
        self.publisher = Publisher(batcher, storage, origin, self.guard, feed, history)
        self.refresher = Refresher(client, batcher, self.publisher, self.guard, schedule)
        self.leader = LeaderLoop(batcher, storage, self.publisher, self.refresher, schedule, FRESHNESS.fresh)
        self.load = self.publisher.load
        self.look = self.refresher.look
        self.want = self.refresher.wanted.set
        self.settled = self.refresher.settled
        self.run = self.leader.run
        self.changes: Callable[[int, int], Awaitable[FeedExcerpt]] = feed.changes
        self.follow_changes = feed.follow_changes

    async def crawl(
        self, progress: Progress = lambda kind, read, count: None, *, accept: bool = False
    ) -> CrawlResult:
        return await self.refresher.crawl(progress, accept=accept)

    @property
    def snapshot(self) -> Snapshot | None:
        return self.publisher.snapshot

    @property
    def attempts(self) -> Attempts:
        return self.leader.attempts

    @property
    def leads(self) -> bool:
        return self.leader.leads

    @property
    def syncing(self) -> bool:
        return self.refresher.syncing

    @property
    def last_error(self) -> UpstreamError | None:
        return self.refresher.last_error


@asynccontextmanager
async def syncing(
    app: App,
    storage: Path | str = ":memory:",
    *,
    origin: str = UPSTREAM_URL,
    schedule: Schedule = QUICK,
    guard: GuardLimits = GUARD_LIMITS,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Sync]:
    async with client_of(app) as client:
        batcher = Batcher(client, BUDGET)
        with closing(Storage(str(storage))) as opened:
            yield Sync(client, batcher, opened, origin, schedule, Guard(guard, clock))
        await batcher.aclose()


@asynccontextmanager
async def following(sync: Sync) -> AsyncIterator[None]:
    """While it follows upstream by itself."""
    task = asyncio.create_task(sync.run())
    try:
        yield
        assert not task.done(), "it does not follow any more"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(found: Callable[[], T | None]) -> T:
    """Return what ``found`` gives as soon as that is anything true."""
    async with asyncio.timeout(30):
        while not (value := found()):  # noqa: ASYNC110 - what is looked at has no event
            await asyncio.sleep(0.002)
    return value


def catalog_of(sync: Sync) -> Catalog:
    assert sync.snapshot is not None
    return sync.snapshot.catalog


def records_of(sync: Sync) -> Records:
    catalog = catalog_of(sync)
    grids = {id: sorted_members(grid) for id, grid in catalog.grids.items()}
    return Records(dict(catalog.packages), grids, dict(catalog.categories))
