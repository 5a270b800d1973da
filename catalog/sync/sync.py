"""Follows upstream: crawls when it is time, looks for new packages in between, publishes what changed.

Of several processes that share a storage file one crawls: the one that holds the lease. The others look into
the file and load what the crawler saved; when it dies its lease runs out and another takes over.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from catalog.freshness import Snapshot
from catalog.history.change_feed import FeedEntry, FeedExcerpt, FeedReplaced
from catalog.indexed_catalog import Catalog, CatalogDifference, compare
from catalog.storage.sqlite_storage import Storage, Stored
from catalog.sync.catalog_guard import Guard
from catalog.sync.full_crawl import LastGood, crawl
from catalog.sync.list_reading import Progress
from catalog.sync.new_packages import find_new_packages, probe
from catalog.sync.refresh_attempts import Attempts, as_upstream_error, varied
from upstream.batching.batcher import Batcher
from upstream.client.api_client import Client
from upstream.client.upstream_errors import NothingStored, StorageUnavailable, UpstreamError
from upstream.client.v4_records import GRID, PACKAGE, Record

LOOKED_FOR = 1.2
"""Times the pause between looks for which what a look has shown is taken to be so: until after the next one."""

LET_GO = 100
"""Records of a replaced catalog that are freed in one turn of the event loop."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to do what, in seconds. What asks upstream is varied by a tenth: gateways do not march in step."""

    crawl: float = 6 * 3600.0
    newest: float = 300.0
    """Between looks at page one for new packages."""
    lease: float = 15.0
    """For which the lease is taken; it is renewed in a third of that. A dead crawler is replaced after so long."""
    look: float = 1.0
    """Between looks into the file for another process's catalog, or for a lease that has run out."""
    probe: float = 15.0
    """Between small requests to an upstream that does not answer: so soon its recovery is found."""
    first_retry: float = 15.0
    """After another failure; doubled each time, up to the next."""
    longest_retry: float = 900.0
    agreement: float = 24 * 3600.0
    """For which crawls must agree on a catalog that is implausible before it is accepted."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What a crawl found."""

    snapshot: Snapshot
    changes: CatalogDifference | None
    """Against the catalog before; ``None`` if there was none."""
    kept: int
    """Records that could not be read and keep their last good version."""
    stored: bool
    """Whether it is in the storage."""


class Sync:
    """Keeps ``snapshot`` up to date. ``origin`` names the upstream: another one's stored catalog is not used."""

    def __init__(
        self, client: Client, batcher: Batcher, storage: Storage, origin: str, schedule: Schedule
    ) -> None:
        self._client = client
        self._batcher = batcher
        self._storage = storage
        self._origin = origin
        self._schedule = schedule
        self._holder = f"{socket.gethostname()}-{os.getpid()}-{random.randbytes(4).hex()}"
        self._wanted = asyncio.Event()
        self._settled = asyncio.Condition()
        self._ended = 0
        """How many attempts to refresh the catalog have ended, and catalogs have come."""
        self._feed = FeedExcerpt("", (), 0, 0, 0, 0, 0)
        """The name and the end of the change feed as it was when the catalog was stored or loaded."""
        self._count: int | None = None
        """How many packages upstream had when they were last crawled or looked at."""
        self._stored: tuple[str, datetime] | None = None
        """The version and age of what this process has last stored or loaded."""
        self._unstored: Snapshot | None = None
        """What could not be stored, and is to be stored as soon as it can."""
        self._storing = asyncio.Lock()
        self.attempts = Attempts(schedule.probe, schedule.first_retry, schedule.longest_retry)
        self.guard = Guard(schedule.agreement)
        self.snapshot: Snapshot | None = None
        self.leads = False
        """Whether it is this process that refreshes the catalog."""
        self.syncing = False
        self.last_error: UpstreamError | None = None
        """Why the last attempt to refresh the catalog failed; ``None`` if it did not."""

    # What others do with it

    async def load(self) -> None:
        """Take the stored catalog, if there is one.

        :raises StorageUnavailable: the file cannot be read, or has the catalog of another upstream.
        """
        await asyncio.to_thread(self._storage.check_upstream, self._origin)
        stored = await asyncio.to_thread(self._storage.load)
        if stored is None:
            return
        snapshot = await asyncio.to_thread(_snapshot_of, stored)
        # A crawl may have ended meanwhile.
        if self.snapshot is None or self.snapshot.refreshed_at <= snapshot.refreshed_at:
            self._stored = (stored.version, stored.refreshed_at)
            self._count = stored.count
            self.guard.forget()
            await self._publish(snapshot, stored=True)
            await self._announce_feed()

    async def crawl(
        self, progress: Progress = lambda kind, read, count: None, *, accept: bool = False
    ) -> Synced:
        """Crawl now, publish and store what was found; even what is implausible, if that is to be accepted.

        :raises CatalogRefused: it is implausible; what is known stays.
        :raises UpstreamError: upstream could not be read; what is known stays.
        """
        before = self.snapshot
        last_good = LastGood() if before is None else _last_good(before.catalog)
        self.syncing = True
        try:
            crawled = await crawl(self._batcher, self._client, last_good, progress)
            refreshed_at = datetime.now(UTC)
            catalog = await asyncio.to_thread(
                Catalog.build, crawled.packages.values(), crawled.grids.values(), crawled.categories.values()
            )
            changes = None
            if before is not None:
                changes = await asyncio.to_thread(compare, before.catalog, catalog)
            self.guard.check(None if before is None else before.catalog, catalog, changes, accept=accept)
            self._count = self._batcher.positions[PACKAGE.singular].count
            # So that nothing is left of it once it is replaced.
            del before, last_good
            snapshot = Snapshot(catalog, refreshed_at)
            # Of wishes that came while it ran too.
            self._wanted.clear()
            self.last_error = None
            self._batcher.looked(LOOKED_FOR * self._schedule.newest)
            await self._publish(snapshot)
            return Synced(snapshot, changes, crawled.kept, stored=await self._store(snapshot))
        except UpstreamError as error:
            self.last_error = error
            raise
        finally:
            self.syncing = False

    async def look_for_new_packages(self) -> bool:
        """Look at page one of the packages; whether a crawl is due, because more changed than came in.

        :raises UpstreamError: there is no such page.
        """
        before = self.snapshot
        if before is None:
            return True
        newest = await find_new_packages(self._batcher, self._client, before.catalog)
        self.last_error = None
        crawl_is_due = newest.count - (self._count or 0) != len(newest.packages) or not newest.is_all
        if not crawl_is_due:
            self._batcher.looked(LOOKED_FOR * self._schedule.newest)
        # Where packages have gone a crawl finds out how many; a look is not to take from an upstream that lost its own.
        if newest.packages and newest.count >= (self._count or len(before.catalog.packages)):
            catalog = await asyncio.to_thread(
                Catalog.build,
                (newest.packages | dict(before.catalog.packages)).values(),
                (dict(before.catalog.grids) | newest.grids).values(),
                before.catalog.categories.values(),
            )
            # The rest was not looked at, so the age stays what it was. A crawl that is due stays due for whoever
            # takes over: of no count nobody can tell that it is still the same.
            snapshot = Snapshot(catalog, before.refreshed_at)
            self._count = None if crawl_is_due else newest.count
            await self._publish(snapshot)
            await self._store(snapshot)
            _log.info("found %d new packages", len(newest.packages))
        return crawl_is_due

    def want(self) -> None:
        """Ask for a crawl soon."""
        self._wanted.set()

    async def settled(self, seconds: float) -> None:
        """Wait until the next attempt to refresh the catalog has ended, well or not, or for so long."""
        ended = self._ended
        self.want()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._settled:
                await self._settled.wait_for(lambda: self._ended > ended)

    async def changes(self, after: int, limit: int) -> FeedExcerpt:
        """A part of the change feed, oldest entry first, up to the catalog that ``snapshot`` has.

        :raises StorageUnavailable: the file cannot be read, or has no catalog of this upstream yet.
        """
        known = self._feed
        if not known.feed:
            raise NothingStored
        excerpt = await asyncio.to_thread(self._storage.changes, after, limit, known.last)
        if excerpt.feed != known.feed:
            raise NothingStored  # the file has been replaced, and nothing of the new one is known here yet
        return excerpt

    async def follow_changes(self, feed: str, after: int) -> AsyncIterator[FeedEntry]:
        """The entries behind the place ``after``, and all that come, until the reader has enough.

        :raises FeedReplaced: it is no longer that feed.
        :raises StorageUnavailable: the file cannot be read, or has no catalog of this upstream yet.
        """
        while True:
            known = self._feed
            if not known.feed:
                raise NothingStored
            excerpt = await asyncio.to_thread(self._storage.changes, after, 100, known.last)
            if excerpt.feed != feed or not excerpt.complete:
                raise FeedReplaced
            for entry in excerpt.entries:
                yield entry
            after = excerpt.end
            if not excerpt.left:
                async with self._settled:
                    await self._settled.wait_for(lambda: self._feed is not known)  # noqa: B023 - awaited here

    # What it does by itself

    async def run(self) -> None:
        """Follow upstream until cancelled, whatever happens meanwhile."""
        try:
            while True:
                try:
                    if await self._leased():
                        await self._lead()
                    else:
                        await self._follow()
                except Exception as error:  # nobody would begin again
                    await self._fail(error, has_answered=True)
        finally:
            with suppress(StorageUnavailable):
                self._storage.drop_lease(self._holder)

    async def _lead(self) -> None:
        """Crawl and look for new packages, as long as the lease is ours."""
        self.leads = True
        work = asyncio.create_task(self._work())
        try:
            while not work.done() and await self._leased():
                await asyncio.wait([work], timeout=self._schedule.lease / 3)
                await self._take_newer()
                await self._store_again()
        finally:
            self.leads = False
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work

    async def _work(self) -> None:
        while True:
            has_answered = not self.attempts.failures_in_a_row
            try:
                if not has_answered:
                    await probe(self._batcher)
                    has_answered = True
                if not self._crawl_is_due() and await self.look_for_new_packages():
                    self.want()
                if self._crawl_is_due():
                    await self.crawl()
            except Exception as error:  # whatever it is, it is tried again
                await self._fail(error, has_answered=has_answered)
                continue
            self.attempts.succeeded()
            with suppress(TimeoutError):
                async with asyncio.timeout(varied(self._schedule.newest)):
                    await self._wanted.wait()

    async def _fail(self, error: Exception, *, has_answered: bool) -> None:
        """Note that an attempt has failed, and wait until the next one is due."""
        pause = self.attempts.failed(error, has_answered=has_answered)
        # Even if it was a look: nobody waits for a refresh while upstream is known to fail.
        self.last_error = as_upstream_error(error)
        await self._end_attempt()
        # Wishes are not heard: an upstream that fails is asked no more often because people want it.
        await asyncio.sleep(pause)

    def _crawl_is_due(self) -> bool:
        if self.snapshot is None or self._wanted.is_set():
            return True
        return self.snapshot.age() >= varied(self._schedule.crawl)

    async def _follow(self) -> None:
        """Take what another process saves."""
        self.attempts.postpone()
        await self._take_newer()
        await asyncio.sleep(self._schedule.look)

    async def _take_newer(self) -> None:
        """Take what another process has saved: the crawler, or a crawl by hand."""
        with _storage_troubles_logged():
            saved = await asyncio.to_thread(self._storage.saved)
            if saved is None or saved == self._stored or not self._is_ours(saved[0]):
                return
            if self.snapshot is None or self.snapshot.refreshed_at <= saved[1]:
                await self.load()

    async def _leased(self) -> bool:
        try:
            return await asyncio.to_thread(self._storage.take_lease, self._holder, self._schedule.lease)
        except StorageUnavailable as error:
            # Without a file there is nobody to share with.
            _log.warning("%s", error)
            return True

    async def _store(self, snapshot: Snapshot) -> bool:
        async with self._storing:
            return await self._save(snapshot)

    async def _store_again(self) -> None:
        """Store what could not be stored, unless there is something newer, which is about to be stored."""
        async with self._storing:
            unstored = self._unstored
            if unstored is not None and unstored is self.snapshot and await self._save(unstored):
                _log.warning("The catalog could be stored again.")

    async def _save(self, snapshot: Snapshot) -> bool:
        catalog = snapshot.catalog
        version = f"{self._origin} {catalog.version}"
        try:
            await asyncio.to_thread(
                self._storage.save,
                version=version,
                refreshed_at=snapshot.refreshed_at,
                packages=catalog.packages.values(),
                grids=catalog.grids.values(),
                categories=catalog.categories.values(),
                count=self._count,
            )
            await self._announce_feed()
        except StorageUnavailable as error:
            # The catalog is served all the same, and stored as soon as that is possible.
            if self._unstored is None:
                _log.error("%s", error)
            self._unstored = snapshot
            return False
        self._unstored = None
        self._stored = (version, snapshot.refreshed_at)
        return True

    def _is_ours(self, stored_version: str) -> bool:
        return stored_version.partition(" ")[0] == self._origin

    async def _announce_feed(self) -> None:
        feed = await asyncio.to_thread(self._storage.changes, 0, 0)
        async with self._settled:
            self._feed = feed
            self._settled.notify_all()

    async def _publish(self, snapshot: Snapshot, *, stored: bool = False) -> None:
        replaced = [] if self.snapshot is None else _records_of(self.snapshot.catalog)
        # Before anything is awaited: who sees the old one meanwhile would wish for another crawl.
        self.snapshot = snapshot
        await self._end_attempt()
        # Each of these steps is milliseconds of work, in turns of the event loop of their own.
        catalog = snapshot.catalog
        for kind, records in ((PACKAGE, catalog.packages), (GRID, catalog.grids)):
            positions = self._batcher.positions[kind.singular]
            # Rows that cannot be read are missing from the catalog; then the crawl's pages have shown more. A
            # stored catalog comes without pages, and is newer than what is known of the list's length.
            if stored or positions.count == len(records):
                positions.saw_all(list(records))
                await asyncio.sleep(0)
        self._batcher.forget()
        await asyncio.sleep(0)
        while replaced:
            # To free all of them at once takes 10 ms.
            del replaced[-LET_GO:]
            await asyncio.sleep(0)

    async def _end_attempt(self) -> None:
        async with self._settled:
            self._ended += 1
            self._settled.notify_all()


@contextmanager
def _storage_troubles_logged() -> Iterator[None]:
    try:
        yield
    except StorageUnavailable as error:
        _log.warning("%s", error)


def _snapshot_of(stored: Stored) -> Snapshot:
    return Snapshot(Catalog.build(stored.packages, stored.grids, stored.categories), stored.refreshed_at)


def _records_of(catalog: Catalog) -> list[Record]:
    return [*catalog.packages.values(), *catalog.grids.values(), *catalog.categories.values()]


def _last_good(catalog: Catalog) -> LastGood:
    return LastGood(catalog.packages, catalog.grids, catalog.categories)
