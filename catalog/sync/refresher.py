"""Refreshes the catalog once: by a crawl of everything, or by a look at page one for new packages."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog, CatalogDifference, compare
from catalog.sync.crawl_report import CrawlReport
from catalog.sync.full_crawl import Crawled, LastGood, crawl
from catalog.sync.guard import CatalogRefused, Guard
from catalog.sync.guard_validators import Candidate
from catalog.sync.new_packages import find_new_packages
from catalog.sync.paged_list_reading import Progress
from catalog.sync.publisher import Publisher
from catalog.sync.refresh_attempts import as_upstream_error
from catalog.sync.schedule import Schedule
from upstream.batching import Batcher
from upstream.client import PACKAGE, Client, ContradictoryList, UpstreamError

LOOKED_FOR = 1.2
"""Times the pause between looks for which what a look has shown is taken to be so: until after the next one."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CrawlResult:
    """What a crawl found."""

    snapshot: Snapshot
    changes: CatalogDifference | None
    """Against the catalog before; ``None`` if there was none."""
    kept: int
    """Records that could not be read and keep their last good version."""
    stored: bool
    """Whether it is in the storage."""


class Refresher:
    """Reads upstream, lets the guard judge what came, and hands it to the publisher."""

    def __init__(
        self, client: Client, batcher: Batcher, publisher: Publisher, guard: Guard, schedule: Schedule
    ) -> None:
        self._client = client
        self._batcher = batcher
        self._publisher = publisher
        self._schedule = schedule
        self.guard = guard
        self.wanted = asyncio.Event()
        """Set while somebody wants a crawl that has not been made."""
        self.syncing = False
        """Whether a crawl is under way."""
        self.last_error: UpstreamError | None = None
        """Why the last attempt to refresh the catalog failed; ``None`` if it did not."""

    async def crawl(
        self, progress: Progress = lambda kind, read, count: None, *, accept: bool = False
    ) -> CrawlResult:
        """Crawl now, publish and store what was found; even what is implausible, if that is to be accepted.

        :raises CatalogRefused: it is implausible; what is known stays.
        :raises UpstreamError: upstream could not be read; what is known stays.
        """
        self.syncing = True
        try:
            snapshot, changes, kept = await self._read(progress, accept=accept)
            # This was what wishes that came while it ran wanted, too.
            self.wanted.clear()
            self.last_error = None
            self._batcher.looked(LOOKED_FOR * self._schedule.newest)
            count = self._batcher.positions[PACKAGE.singular].count
            stored = await self._publisher.publish(snapshot, changes, count)
            return CrawlResult(snapshot, changes, kept, stored)
        except UpstreamError as error:
            self.last_error = error
            if isinstance(error, CatalogRefused):
                await self._publisher.store_refused(error.difference)
            raise
        finally:
            self.syncing = False

    async def _read(
        self, progress: Progress, *, accept: bool
    ) -> tuple[Snapshot, CatalogDifference | None, int]:
        """Crawl, and work out the difference to what is known. Nothing is left of that once it is replaced."""
        before = None if self._publisher.snapshot is None else self._publisher.snapshot.catalog
        crawled = await self._crawled(before, progress)
        # A process that accepts what is refused, or crawls by hand, may have replaced it meanwhile.
        before = None if self._publisher.snapshot is None else self._publisher.snapshot.catalog
        refreshed_at = datetime.now(UTC)
        catalog = await asyncio.to_thread(
            Catalog.build, crawled.packages.values(), crawled.grids.values(), crawled.categories.values()
        )
        changes = None if before is None else await asyncio.to_thread(compare, before, catalog)
        candidate = Candidate(before, catalog, changes, crawled.report)
        await asyncio.to_thread(self.guard.check, candidate, accept=accept)
        return Snapshot(catalog, refreshed_at), changes, crawled.report.kept

    async def _crawled(self, before: Catalog | None, progress: Progress) -> Crawled:
        try:
            return await crawl(self._batcher, self._client, _last_good(before), progress)
        except ContradictoryList as error:
            known = 0 if before is None else len(before.packages)
            raise self.guard.refuse(error, known) from error

    async def look_for_new_packages(self) -> bool:
        """Look at page one of the packages; whether a crawl is due, because more changed than came in.

        :raises UpstreamError: there is no such page.
        """
        publisher = self._publisher
        before = publisher.snapshot
        if before is None:
            return True
        if publisher.is_rolled_back:
            return False  # the newest packages are among what was rolled back
        newest = await find_new_packages(self._batcher, self._client, before.catalog)
        self.last_error = None
        crawl_is_due = newest.count - (publisher.count or 0) != len(newest.packages) or not newest.is_all
        if not crawl_is_due:
            self._batcher.looked(LOOKED_FOR * self._schedule.newest)
        # Where packages have gone a crawl finds out how many; a look is not to take from an upstream that lost its own.
        if newest.packages and newest.count >= (publisher.count or len(before.catalog.packages)):
            catalog = await asyncio.to_thread(
                Catalog.build,
                (newest.packages | dict(before.catalog.packages)).values(),
                (dict(before.catalog.grids) | newest.grids).values(),
                before.catalog.categories.values(),
            )
            changes = await asyncio.to_thread(compare, before.catalog, catalog)
            candidate = Candidate(before.catalog, catalog, changes, CrawlReport(0, 0, 0, 0))
            if not await asyncio.to_thread(self.guard.is_plausible, candidate):
                return True
            # The rest was not looked at, so the age stays what it was. A crawl that is due stays due for whoever
            # takes over: of no count nobody can tell that it is still the same.
            snapshot = Snapshot(catalog, before.refreshed_at)
            del before
            await publisher.publish(snapshot, changes, None if crawl_is_due else newest.count)
            _log.info("found %d new packages", len(newest.packages))
        return crawl_is_due

    def note_acceptance(self) -> None:
        """Note that nothing is refused any more, if what was refused has been accepted."""
        if isinstance(self.last_error, CatalogRefused) and self.guard.refused is None:
            self.last_error = None

    def failed(self, error: Exception) -> None:
        """Note that an attempt has failed, whatever it was, and let nobody wait for it any longer."""
        self.last_error = as_upstream_error(error)
        self._publisher.settled.send()

    async def settled(self, seconds: float) -> None:
        """Wish for a crawl, and wait until the next attempt has ended, well or not, or for so many seconds."""
        seen = self._publisher.settled.sent
        self.wanted.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._publisher.settled.wait(seen)


def _last_good(catalog: Catalog | None) -> LastGood:
    return LastGood() if catalog is None else LastGood(catalog.packages, catalog.grids, catalog.categories)
