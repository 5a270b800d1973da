"""Publishes a catalog: to this process, which answers from it, and by the storage to all others.

A catalog is published to the process before it is stored, and is served even where it cannot be stored.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog, CatalogDifference
from catalog.refused_crawls import RefusedDifference
from catalog.storage.storage_port import StoragePort, Stored
from catalog.sync.catalog_writer import CatalogWriter
from catalog.sync.change_feed_fan_out import FeedReader
from catalog.sync.guard import Guard
from catalog.sync.history_reader import HistoryReader
from catalog.sync.pinned_catalog import PinnedCatalog
from catalog.sync.record_freeing import all_records, free
from catalog.sync.storage_failures import StorageFailures
from catalog.sync.wake_up_signal import Signal
from upstream.batching import Batcher
from upstream.client import GRID, PACKAGE, StorageAway, StorageUnavailable

_log = logging.getLogger(__name__)


class Publisher:
    """Keeps the snapshot that is known, and is the only one that replaces it.

    ``origin`` names the upstream: a catalog that is stored of another one is refused.
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
        self._writer = CatalogWriter(storage, origin, guard, feed, history)
        self.storage_failures = StorageFailures()
        self.snapshot: Snapshot | None = None
        """What was crawled last, or rolled back to. Its age is the time since upstream was read."""
        self._rolled_back: Snapshot | None = None
        """The present snapshot with its own age, where an operator has rolled back to it."""
        self.count: int | None = None
        """How many packages upstream had when they were last crawled or looked at."""
        self.settled = Signal()
        """Sent when a catalog has come, and when an attempt to refresh it has failed."""
        self._pinned = PinnedCatalog(storage, self.settled)
        self.stored = self._writer.stored
        """Sent when a catalog was stored or loaded, and when that or an attempt to refresh it has failed."""

    @property
    def served(self) -> Snapshot | None:
        """Return what requests are answered from: what an operator has chosen, or else what was crawled last."""
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
        """Let this process answer from it, then store it; return whether it could be stored.

        ``difference`` leads to it from what was known when it was read; ``None`` if nothing was. ``count`` is how
        many packages upstream has; ``None`` if that is to be found out by a crawl. What ``is_crawl`` not is stored
        only over what this process knows: another one may have crawled.
        """
        self.count = count
        await self._replace(snapshot, came_with_pages=True)
        async with self._writer.turn:
            only_over = None if is_crawl else self._writer.last
            return await self._writer.store(snapshot, self.count, difference, only_over)

    async def begin(self) -> None:
        """Take the stored catalog, if there is one; later, if a server cannot be used now.

        :raises StorageUnavailable: the file cannot be read, or the catalog of another upstream is stored.
        """
        try:
            await self.load()
        except StorageAway as error:
            consequence = "Until it can be, answers come from upstream."
            self.storage_failures.failed("reading", error, consequence)

    async def load(self, *, gives_way: bool = False) -> None:
        """Take the stored catalog, if there is one that is not older than what is known, and what is pinned.

        Where what is known ``gives_way``, the stored one may be older.

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
        """Take what another process has stored: the crawler, a crawl by hand, or what an operator has chosen.

        In a process that ``follows`` another, what it could not store gives way to what others have stored meanwhile.
        """
        with self._reading():
            saved = await asyncio.to_thread(self._storage.saved)
            # What is just being stored is known, though it is not noted yet.
            if saved is None or self._writer.turn.locked() or saved[0].partition(" ")[0] != self._origin:
                return
            gives_way = follows and self._writer.unstored is not None
            if saved != self._writer.last and (gives_way or self._may_take(saved[1])):
                await self.load(gives_way=gives_way)
            elif await self._pinned.follow(lambda: self.snapshot):
                await self._writer.announce()

    def _may_take(self, refreshed_at: datetime) -> bool:
        """Return whether a catalog that was read then may replace what is known."""
        known = self.snapshot
        return known is None or known.refreshed_at <= refreshed_at or known.is_of_the_future()

    async def recall_guard(self, *, whole: bool = False) -> None:
        """Let the guard know what that of the process knows that leads; ``whole`` to go on in its place."""
        with self._reading():
            state = await asyncio.to_thread(self._storage.guard_state)
            difference = await asyncio.to_thread(self._storage.refused_difference) if whole else None
            self._guard.recall(state, difference)

    async def store_refused(self, difference: RefusedDifference | None) -> None:
        """Keep aside what the guard has just refused, and how that differs from what is known."""
        with self._reading():
            await asyncio.to_thread(self._storage.save_refused, self._guard.state, difference)

    async def store_again(self) -> None:
        """Store what could not be stored, unless there is something newer, which is about to be stored."""
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
        # Before anything is awaited: who sees the old one meanwhile would wish for another crawl.
        self.snapshot = snapshot
        self._rolled_back = (
            None
            if rolled_back_to is None
            else Snapshot(snapshot.catalog, rolled_back_to, chosen_by="rollback")
        )
        self.settled.send()
        # Each of these steps is milliseconds of work, in turns of the event loop of their own.
        catalog = snapshot.catalog
        for kind, records in ((PACKAGE, catalog.packages), (GRID, catalog.grids)):
            positions = self._batcher.positions[kind.singular]
            # Rows that cannot be read are missing from the catalog; then the crawl's pages have shown more. A
            # stored catalog comes without pages, and is newer than what is known of the list's length.
            if not came_with_pages or positions.count == len(records):
                positions.saw_all(list(records))
                await asyncio.sleep(0)
        self._batcher.forget()
        await asyncio.sleep(0)
        await free(replaced)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Note that the storage cannot be used, and go on without it."""
        try:
            yield
        except StorageUnavailable as error:
            self.storage_failures.failed("reading", error)
        else:
            self.storage_failures.worked("reading")


def _snapshot_of(stored: Stored) -> Snapshot:
    return Snapshot(Catalog.build(stored.packages, stored.grids, stored.categories), stored.refreshed_at)
