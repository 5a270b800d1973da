"""Publishes a catalog to this process, which answers from it, and through the storage to all others.

A catalog is published to the process before it is stored, and is served even if it cannot be stored.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from catalog.catalog_difference import CatalogDifference
from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from catalog.refused_crawls import RefusedDifference
from catalog.storage.storage_port import StoragePort, Stored
from catalog.sync.catalog_writer import CatalogWriter
from catalog.sync.change_feed_fan_out import FeedReader
from catalog.sync.crawl_guard import Guard
from catalog.sync.gradual_memory_release import all_records, free
from catalog.sync.history_reader import HistoryReader
from catalog.sync.pinned_catalog import PinnedCatalog
from catalog.sync.storage_failures import StorageFailures
from catalog.sync.wake_up_signal import Signal
from upstream.batching import Batcher
from upstream.client import GRID, PACKAGE, StorageAway, StorageUnavailable

_log = logging.getLogger(__name__)


class Publisher:
    """Holds the known snapshot, which nothing else replaces.

    ``origin`` names the upstream. A stored catalog of another upstream is refused.
    """

    def __init__(
        self,
        batcher: Batcher,
        storage: StoragePort,
        origin: str,
        guard: Guard,
        feed: FeedReader,
        history: HistoryReader,
    ) -> None:
        self._batcher = batcher
        self._storage = storage
        self._origin = origin
        self._guard = guard
        self.storage_failures = StorageFailures()
        self._writer = CatalogWriter(storage, origin, guard, feed, history, self.storage_failures)
        self.snapshot: Snapshot | None = None
        """The catalog that was crawled last or rolled back to. Its age is the time since upstream was read."""
        self._rolled_back: Snapshot | None = None
        """The present snapshot with its own age, if an operator has rolled back to it."""
        self.count: int | None = None
        """How many packages upstream had when they were last crawled or looked at."""
        self.settled = Signal()
        """Sent when a catalog has arrived, and when an attempt to refresh it has failed."""
        self._pinned = PinnedCatalog(storage, self.settled)
        self.stored = self._writer.stored
        """Sent when a catalog was stored or loaded, and when that or an attempt to refresh it has failed."""

    @property
    def served(self) -> Snapshot | None:
        """Return the snapshot that requests are answered from: the one that an operator has chosen, or else the last
        crawl."""
        return self._pinned.snapshot or self._rolled_back or self.snapshot

    @property
    def is_rolled_back(self) -> bool:
        """Return whether an operator has rolled back, and nothing was crawled since."""
        return self._rolled_back is not None

    @property
    def storage_error(self) -> str | None:
        """Return why the storage could not be used lately, as the end of a sentence; ``None`` if it could."""
        return self.storage_failures.reason or self._writer.error

    async def publish(
        self,
        snapshot: Snapshot,
        difference: CatalogDifference | None,
        count: int | None,
        *,
        is_crawl: bool = True,
    ) -> bool:
        """Let this process answer from a snapshot, store it, and return whether it could be stored.

        ``difference`` leads to it from the catalog that was known when it was read; ``None`` if there was none.
        ``count`` is the number of packages that upstream has; ``None`` if a crawl has to find that out. A snapshot that
        is not the result of a crawl (``is_crawl``) replaces only the stored catalog that this process knows, because
        another process may have crawled.
        """
        self.count = count
        await self._replace(snapshot, came_with_pages=True)
        async with self._writer.turn:
            only_over = None if is_crawl else self._writer.last
            return await self._writer.store(snapshot, self.count, difference, only_over)

    async def begin(self) -> None:
        """Load the stored catalog, if there is one. If the server is unavailable now, that happens later.

        :raises StorageUnavailable: the file cannot be read, or the catalog of another upstream is stored.
        """
        try:
            await self.load()
        except StorageAway as error:
            consequence = "Until it can be, answers come from upstream."
            self.storage_failures.failed("reading", error, consequence)

    async def load(self, *, gives_way: bool = False) -> None:
        """Load the stored catalog, unless it is older than the known one, and the pinned version.

        If ``gives_way`` is true, the stored catalog replaces the known one even if it is older.

        :raises StorageUnavailable: the storage cannot be read, or has the catalog of another upstream.
        """
        await asyncio.to_thread(self._storage.check_upstream, self._origin)
        stored = await asyncio.to_thread(self._storage.load)
        if stored is None:
            return
        snapshot = await asyncio.to_thread(_snapshot_of, stored)
        # A crawl may have ended meanwhile.
        if gives_way or self._may_take(stored.refreshed_at):
            self._writer.loaded(stored)
            self.count = stored.count
            self._guard.recall(await asyncio.to_thread(self._storage.guard_state))
            await self._replace(snapshot, came_with_pages=False, rolled_back_to=stored.rolled_back_to)
            await self._pinned.follow(lambda: self.snapshot)
            await self._writer.announce()
            self.stored.send()

    async def take_newer(self, *, follows: bool = False) -> None:
        """Load what another process has stored: a crawl by the leader or by hand, or what an operator has chosen.

        If this process ``follows`` another one, a catalog that it could not store gives way to what others have stored.
        A storage that has no catalog any more, such as a file that was deleted, gets that of the leader again.
        """
        with self._reading():
            last = self._writer.last
            saved = await asyncio.to_thread(self._storage.saved)
            # A catalog that is being stored at this moment is known, but not noted yet.
            if self._writer.turn.locked():
                return
            if saved is None:
                if last is not None and last == self._writer.last:
                    self._writer.lost(self.snapshot)
                return
            if saved[0].partition(" ")[0] != self._origin:
                return
            gives_way = follows and self._writer.unstored is not None
            if saved != self._writer.last and (gives_way or self._may_take(saved[1])):
                await self.load(gives_way=gives_way)
            elif await self._pinned.follow(lambda: self.snapshot):
                await self._writer.announce()

    def _may_take(self, refreshed_at: datetime) -> bool:
        """Return whether a catalog that was read at this time may replace the known one."""
        known = self.snapshot
        return known is None or known.refreshed_at <= refreshed_at or known.is_of_the_future()

    async def recall_guard(self, *, whole: bool = False) -> None:
        """Tell the guard what the guard of the leader knows. With ``whole``, it can continue in the leader's place."""
        with self._reading():
            state = await asyncio.to_thread(self._storage.guard_state)
            difference = await asyncio.to_thread(self._storage.refused_difference) if whole else None
            self._guard.recall(state, difference)

    async def store_refused(self, difference: RefusedDifference | None) -> None:
        """Store the crawl that the guard has just refused, as its difference from the known catalog."""
        with self._reading():
            await asyncio.to_thread(self._storage.save_refused, self._guard.state, difference)

    async def store_again(self) -> None:
        """Store the catalog that could not be stored, unless a newer one is about to be stored."""
        async with self._writer.turn:
            unstored = self._writer.unstored
            if unstored is None or unstored is not self.snapshot:
                return
            if await self._writer.store(unstored, self.count):
                _log.warning("The catalog could be stored again.")

    async def _replace(
        self, snapshot: Snapshot, *, came_with_pages: bool, rolled_back_to: datetime | None = None
    ) -> None:
        replaced = [] if self.snapshot is None else all_records(self.snapshot.catalog)
        # This comes before anything is awaited, because a request that saw the old one would ask for another crawl.
        self.snapshot = snapshot
        self._rolled_back = (
            None
            if rolled_back_to is None
            else Snapshot(snapshot.catalog, rolled_back_to, chosen_by="rollback")
        )
        self.settled.send()
        # Each of these steps takes milliseconds, and has a turn of the event loop of its own.
        catalog = snapshot.catalog
        for kind, records in ((PACKAGE, catalog.packages), (GRID, catalog.grids)):
            positions = self._batcher.positions[kind.singular]
            # If rows cannot be read, the catalog lacks them, and the pages of the crawl have shown more. A stored
            # catalog comes without pages, and is newer than the known length of the list.
            if not came_with_pages or positions.count == len(records):
                positions.saw_all(list(records))
                await asyncio.sleep(0)
        self._batcher.forget()
        await asyncio.sleep(0)
        await free(replaced)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Note that the storage cannot be used, and continue without it."""
        try:
            yield
        except StorageUnavailable as error:
            self.storage_failures.failed("reading", error)
        else:
            self.storage_failures.worked("reading")


def _snapshot_of(stored: Stored) -> Snapshot:
    return Snapshot(Catalog.build(stored.packages, stored.grids, stored.categories), stored.refreshed_at)
