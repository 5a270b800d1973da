"""Shows Django Packages to the rest of the gateway: what is known of it, and how to ask for the rest."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Literal

from catalog.freshness import Freshness, Snapshot, SnapshotStatus
from catalog.history.change_feed import FeedEntry, FeedExcerpt
from catalog.indexed_catalog import Catalog
from catalog.source_health import FollowingHealth, SourceHealth
from catalog.storage.storage_port import StoragePort
from catalog.sync.catalog_for_requests import CatalogForRequests
from catalog.sync.change_feed_fan_out import FeedReader
from catalog.sync.crawl_guard import Guard
from catalog.sync.crawl_validators import GuardLimits
from catalog.sync.history_reader import HistoryReader
from catalog.sync.leader_loop import LeaderLoop
from catalog.sync.live_answer_records import LiveRecords
from catalog.sync.paged_list_reading import Progress
from catalog.sync.past_catalogs import PastCatalogs
from catalog.sync.publisher import Publisher
from catalog.sync.refresher import CrawlResult, Refresher
from catalog.sync.schedule import Schedule
from catalog.sync.upstream_probe import UpstreamProbe
from upstream.batching import Batcher
from upstream.client import Client, NothingStored, Record, note_waiting

_log = logging.getLogger(__name__)


class CatalogSource:
    """Gives the rest of the gateway the catalog, its history and upstream. Open it before use, inside the running loop.
    ``follow`` is whether it crawls by itself.

    ``crawl_wait`` is the seconds that a request waits for a crawl when there is no catalog, or it is too old to be
    served before a crawl was tried. ``search_wait`` is the seconds that a search waits for upstream's, when the catalog
    could answer too. ``news`` waits up to so many seconds for something new in the storage.
    ``embedded`` is whether upstream is the embedded one, whose data are a demo. Client, batcher and storage are open,
    and stay so when it is closed.
    """

    def __init__(
        self,
        client: Client,
        batcher: Batcher,
        storage: StoragePort,
        *,
        origin: str,
        embedded: bool = False,
        follow: bool,
        schedule: Schedule,
        guard: GuardLimits,
        freshness: Freshness,
        crawl_wait: float,
        search_wait: float,
        news: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client = client
        self.batcher = batcher
        self.embedded = embedded
        self.guard = Guard(guard, clock)
        self._feed = FeedReader(storage)
        self.history = HistoryReader(storage)
        self.publisher = Publisher(batcher, storage, origin, self.guard, self._feed, self.history)
        self.refresher = Refresher(client, batcher, self.publisher, self.guard, schedule)
        self._live_records = LiveRecords(client, self.publisher, self.refresher, self.guard)
        self.leader = LeaderLoop(
            batcher, storage, self.publisher, self.refresher, schedule, freshness.fresh, news
        )
        self.older = PastCatalogs(storage, self.publisher)
        self._follow = follow
        self.freshness = freshness
        self._crawl_wait = crawl_wait
        self.search_wait = search_wait
        self.telling = asyncio.Lock()
        """Held while a subscriber is told of a change."""
        self._for_requests = CatalogForRequests(
            self.publisher, self.refresher, freshness, follow=follow, crawl_wait=crawl_wait
        )
        self._probe = UpstreamProbe(client, clock)
        self._following: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Take the stored catalog, and begin to follow upstream, or what others store.

        :raises StorageUnavailable: the file cannot be read.
        """
        await self.publisher.begin()
        work = self.leader.run() if self._follow else self.leader.watch()
        self._following = asyncio.create_task(work)
        self._following.add_done_callback(_report)

    async def aclose(self) -> None:
        """Stop following."""
        await self._live_records.aclose()
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    @property
    def latest(self) -> Snapshot | None:
        """Return the catalog that is served now, whatever its age."""
        return self.publisher.served

    @property
    def crawled(self) -> Snapshot | None:
        """Return the catalog that was crawled last, whether or not it is the one that is served."""
        return self.publisher.snapshot

    def current(self) -> Snapshot | None:
        """Return the catalog that a request may be answered from at once; see :class:`CatalogForRequests`."""
        return self._for_requests.current()

    async def refreshed(self) -> Snapshot | None:
        """Return the catalog for a request to which :meth:`current` gave none, after a wait where a crawl may help."""
        return await self._for_requests.refreshed()

    async def first_catalog(self) -> Catalog:
        """Return the catalog, for a request that began when there was none and cannot do without.

        :raises UpstreamUnavailable: there is none yet, or it is too old to be served.
        """
        return await self._for_requests.first()

    def status(self, snapshot: Snapshot | None) -> SnapshotStatus:
        """Return the state of a request that is answered from this snapshot."""
        if snapshot is None:
            syncing, refused = self.refresher.syncing, self.guard.refused
            return SnapshotStatus(None, None, None, False, None, None, None, syncing, refused)
        catalog, age = snapshot.catalog, snapshot.age()
        return SnapshotStatus(
            version=catalog.version,
            refreshed_at=snapshot.refreshed_at,
            age_seconds=int(age),
            # What was asked for as of a moment is as it was then.
            stale=snapshot.as_of is None and self.freshness.stage(age) != "fresh",
            package_count=len(catalog.packages),
            grid_count=len(catalog.grids),
            category_count=len(catalog.categories),
            syncing=snapshot.as_of is None and self.refresher.syncing,
            refused=self.guard.refused if snapshot.as_of is None else None,
            pinned=snapshot.chosen_by == "pin",
        )

    def health(self) -> SourceHealth:
        """Return the present state of all parts."""
        attempts, error = self.leader.attempts, self.refresher.last_error
        following = FollowingHealth(
            follows=self._follow,
            leads=self.leader.leads,
            outcomes=dict(attempts.outcomes),
            failures_in_a_row=attempts.failures_in_a_row,
            seconds_since_success=attempts.seconds_since_success if self.leader.leads else None,
            last_error=None if error is None else str(error),
            refused=self.guard.refused,
        )
        return SourceHealth(
            self.status(self.latest), following, self.client.health(), self.publisher.storage_error
        )

    async def changes(self, after: int, limit: int) -> FeedExcerpt:
        """Return up to ``limit`` entries of the feed behind the place ``after``, up to the catalog that is known.

        It waits until the first catalog is stored, as long as a request waits for any crawl.

        :raises StorageUnavailable: the file cannot be read, or has no catalog of this upstream yet.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(self._crawl_wait):
                while self._feed_is_to_begin():
                    note_waiting()
                    await self.publisher.stored.wait(self.publisher.stored.sent)
        return await self._feed.changes(after, limit)

    def _feed_is_to_begin(self) -> bool:
        """Return whether the first catalog is being read, stored or loaded, and nothing is known to prevent it."""
        prevented = self.refresher.last_error is not None or self.publisher.storage_error is not None
        return self._follow and not self._feed.has_begun and not prevented

    async def newest_change(self) -> FeedExcerpt | None:
        """Return the end of the feed, without entries; at once ``None`` if no catalog has been stored yet.

        :raises StorageUnavailable: the file cannot be read.
        """
        try:
            return await self._feed.changes(0, 0)
        except NothingStored:
            return None

    def follow_changes(self, feed: str, after: int) -> AsyncIterator[FeedEntry]:
        """Yield the entries behind the place ``after``, and all that come, until the reader has enough.

        :raises FeedReplaced: it is no longer that feed.
        :raises StorageUnavailable: the file cannot be read, or has no catalog of this upstream yet.
        """
        return self._feed.follow_changes(feed, after)

    @property
    def upstream_answers(self) -> bool:
        """Return whether upstream is not known to fail: by the last attempt to refresh, and by the last requests."""
        return self.refresher.last_error is None and self.client.exchanger.breaker.state == "closed"

    async def take(self, found: Sequence[Record]) -> Snapshot | None:
        """Take records that a live answer has shown into the next catalog; that, if they are in it, else ``None``."""
        if not self._follow or not found:
            return None
        return self.current() if await self._live_records.take(found) else None

    async def crawl(
        self, progress: Progress = lambda kind, read, count: None, *, accept: bool = False
    ) -> CrawlResult:
        """Crawl now; see :meth:`Refresher.crawl`."""
        return await self.refresher.crawl(progress, accept=accept)

    async def ready(self) -> Literal["catalog", "live"] | None:
        """Return where an answer would come from now; ``None`` if none can be given.

        Without a catalog upstream is asked whether it answers; see :class:`UpstreamProbe`.
        """
        snapshot = self.latest
        if snapshot is not None and self.freshness.stage_of(snapshot) != "expired":
            return "catalog"
        return "live" if await self._probe.answers(follow=self._follow) else None


def _report(following: asyncio.Task[None]) -> None:
    if not following.cancelled() and following.exception() is not None:
        _log.critical("the gateway no longer follows upstream", exc_info=following.exception())
