"""Refreshes the catalog once: by a crawl of everything, or by what a look at the heads of the lists has shown."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from catalog.catalog_difference import CatalogDifference, compare
from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from catalog.sync.crawl_guard import CatalogRefused, Guard
from catalog.sync.crawl_progress import CrawlProgress
from catalog.sync.crawl_report import CrawlReport
from catalog.sync.crawl_validators import Candidate
from catalog.sync.full_crawl import Crawled, LastGood, crawl
from catalog.sync.new_record_detection import look_at_heads
from catalog.sync.paged_list_reading import Progress
from catalog.sync.publisher import Publisher
from catalog.sync.record_merging import ShownRecords, with_shown_records
from catalog.sync.refresh_backoff import as_upstream_error
from catalog.sync.schedule import Schedule
from telemetry import span
from upstream.batching import Batcher
from upstream.client import CATEGORY, GRID, PACKAGE, Client, ContradictoryList, UpstreamError

LOOKED_FOR = 1.2
"""How many pauses between looks the result of a look is believed for, which is until after the next look."""

ADDED_AGAIN = 3
"""How often records are added again because the catalog was replaced meanwhile."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CrawlResult:
    """Holds what a crawl has found."""

    snapshot: Snapshot
    changes: CatalogDifference | None
    """The difference from the catalog before; ``None`` if there was none."""
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
        self.progress: CrawlProgress | None = None
        """The progress of the running crawl; ``None`` if none is running."""
        self._left_out: dict[str, int] = {}
        """How many grids and categories are in upstream's lists but not in the catalog, because they cannot be read;
        by kind, as this process last saw it."""
        self.last_error: UpstreamError | None = None
        """Why the last attempt to refresh the catalog failed; ``None`` if it did not."""

    async def crawl(
        self, progress: Progress = lambda kind, read, count: None, *, accept: bool = False
    ) -> CrawlResult:
        """Crawl now, and publish and store what was found, even if it is implausible where that is to be accepted.

        :raises CatalogRefused: it is implausible; what is known stays.
        :raises UpstreamError: upstream could not be read; what is known stays.
        """
        with span("catalog crawl"):
            return await self._crawl_now(progress, accept=accept)

    async def _crawl_now(self, progress: Progress, *, accept: bool) -> CrawlResult:
        self.progress = CrawlProgress(progress)
        began = time.monotonic()
        _log.info("A crawl has begun.")
        try:
            snapshot, changes, kept = await self._read(self.progress.note, accept=accept)
            # This crawl also fulfils the requests for a crawl that came while it ran.
            self.wanted.clear()
            self.last_error = None
            self._batcher.looked(LOOKED_FOR * self._schedule.newest)
            count = self._batcher.positions[PACKAGE.singular].count
            lengths = ((GRID, len(snapshot.catalog.grids)), (CATEGORY, len(snapshot.catalog.categories)))
            self._left_out = {
                kind.singular: seen - length
                for kind, length in lengths
                if (seen := self._batcher.positions[kind.singular].count) is not None
            }
            stored = await self._publisher.publish(snapshot, changes, count)
            _log.info("A crawl is done.", extra={"fields": _told(snapshot, changes, kept, stored, began)})
            return CrawlResult(snapshot, changes, kept, stored)
        except UpstreamError as error:
            self.last_error = error
            if isinstance(error, CatalogRefused):
                await self._publisher.store_refused(error.difference)
                # The error is kept, and its difference can be as large as the catalog.
                error.difference = None
            raise
        finally:
            self.progress = None

    @property
    def syncing(self) -> bool:
        """Return whether a crawl is under way."""
        return self.progress is not None

    async def _read(
        self, progress: Progress, *, accept: bool
    ) -> tuple[Snapshot, CatalogDifference | None, int]:
        """Crawl, and work out the difference to what is known. Nothing is left of that once it is replaced."""
        before = None if self._publisher.snapshot is None else self._publisher.snapshot.catalog
        crawled = await self._crawled(before, progress)
        # A process that accepts what is refused, or crawls by hand, may have replaced it meanwhile.
        before = None if self._publisher.snapshot is None else self._publisher.snapshot.catalog
        refreshed_at = datetime.now(UTC)
        catalog, changes = await asyncio.to_thread(self._checked, before, crawled, accept=accept)
        return Snapshot(catalog, refreshed_at), changes, crawled.report.kept

    def _checked(
        self, before: Catalog | None, crawled: Crawled, *, accept: bool
    ) -> tuple[Catalog, CatalogDifference | None]:
        """Return the catalog that was crawled and its difference to the known one, in one thread.

        :raises CatalogRefused: it is implausible.
        """
        records = crawled.packages.values(), crawled.grids.values(), crawled.categories.values()
        catalog = Catalog.build(*records)
        changes = None if before is None else compare(before, catalog)
        self.guard.check(Candidate(before, catalog, changes, crawled.report), accept=accept)
        return catalog, changes

    async def _crawled(self, before: Catalog | None, progress: Progress) -> Crawled:
        try:
            return await crawl(self._batcher, self._client, _last_good(before), progress)
        except ContradictoryList as error:
            known = 0 if before is None else len(before.packages)
            raise self.guard.refuse(error, known) from error

    async def look(self) -> bool:
        """Look at the heads of the lists, and return whether a crawl is due, because more has changed than was found.

        :raises UpstreamError: a list does not answer.
        """
        publisher = self._publisher
        before = publisher.snapshot
        if before is None:
            return True
        if publisher.is_rolled_back:
            return False  # the newest records are among what was rolled back
        try:
            with span("catalog look"):
                look = await look_at_heads(self._batcher, self._client, before.catalog)
        except ContradictoryList:
            return True  # the guard judges what a crawl finds
        self.last_error = None
        known = {GRID.singular: len(before.catalog.grids), CATEGORY.singular: len(before.catalog.categories)}
        expected = {kind: known[kind] + left_out for kind, left_out in self._left_out.items()}
        expected[PACKAGE.singular] = publisher.count or 0
        grown = {kind: look.counts[kind] - count for kind, count in expected.items()}
        crawl_is_due = not look.is_all or any(look.new[kind] != number for kind, number in grown.items())
        self._left_out = {kind: look.counts[kind] - number - look.new[kind] for kind, number in known.items()}
        if not crawl_is_due:
            self._batcher.looked(LOOKED_FOR * self._schedule.newest)
        # If records are gone, a crawl finds out how many. A look must not take records from an upstream that has lost
        # some.
        has_lost = any(number < 0 for kind, number in grown.items() if kind != PACKAGE.singular)
        has_lost = has_lost or look.counts[PACKAGE.singular] < (
            publisher.count or len(before.catalog.packages)
        )
        if look.shown.records and not has_lost:
            # A crawl that is due stays due for the next leader, because an unknown count equals no other count.
            count = None if crawl_is_due else look.counts[PACKAGE.singular]
            if not await self.add(look.shown, lambda before: count):
                return True
            _log.info("found %d new or renamed records", len(look.shown.records))
        return crawl_is_due

    async def add(self, shown: ShownRecords, count: Callable[[int | None], int | None]) -> bool:
        """Publish the catalog with these records, if the result is plausible, and return whether it was.

        ``count`` returns the number of packages that upstream has now, from the number that it had.
        """
        publisher = self._publisher
        for _ in range(ADDED_AGAIN):
            before = publisher.snapshot
            if before is None:
                return False
            catalog = await asyncio.to_thread(with_shown_records, before.catalog, shown)
            changes = await asyncio.to_thread(compare, before.catalog, catalog)
            candidate = Candidate(before.catalog, catalog, changes, CrawlReport(0, 0, 0, 0))
            if not await asyncio.to_thread(self.guard.is_plausible, candidate):
                return False
            if publisher.snapshot is before:
                # The rest was not looked at, so the age stays what it was.
                snapshot = Snapshot(catalog, before.refreshed_at)
                del before, candidate
                await publisher.publish(snapshot, changes, count(publisher.count), is_crawl=False)
                return True
        return False

    def note_acceptance(self) -> bool:
        """Return whether the refused crawl has been accepted, and note that if so."""
        is_accepted = isinstance(self.last_error, CatalogRefused) and self.guard.refused is None
        if is_accepted:
            self.last_error = None
        return is_accepted

    def failed(self, error: Exception) -> None:
        """Note that an attempt of any sort has failed, and let nobody wait for it any longer."""
        self.last_error = as_upstream_error(error)
        self._publisher.settled.send()
        self._publisher.stored.send()

    async def settled(self, seconds: float) -> None:
        """Request a crawl, and wait until the next attempt has ended, or for this many seconds."""
        seen = self._publisher.settled.sent
        self.wanted.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._publisher.settled.wait(seen)


def _told(
    snapshot: Snapshot, changes: CatalogDifference | None, kept: int, stored: bool, began: float
) -> dict[str, object]:
    """Return what the log says of a crawl: what it took, what there is now, and what changed if a catalog was known."""
    catalog = snapshot.catalog
    return {
        "seconds": round(time.monotonic() - began, 1),
        "catalog": catalog.version[:16],
        "packages": len(catalog.packages),
        "grids": len(catalog.grids),
        "categories": len(catalog.categories),
        "added": None if changes is None else len(changes.added),
        "changed": None if changes is None else len(changes.changed),
        "removed": None if changes is None else len(changes.removed),
        "kept": kept,
        "stored": stored,
    }


def _last_good(catalog: Catalog | None) -> LastGood:
    return LastGood() if catalog is None else LastGood(catalog.packages, catalog.grids, catalog.categories)
