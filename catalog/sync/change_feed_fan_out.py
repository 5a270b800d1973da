"""Reads the change feed for everyone in this process who wants to know what changed.

When a catalog is published, its changes are read once, however many readers follow the feed. A reader that is further
behind reads older parts, and readers at the same position share a part.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from caching import BoundedCache
from catalog.history.change_feed import FeedEntry, FeedExcerpt, FeedReplaced
from catalog.storage.storage_port import StoragePort
from catalog.sync.wake_up_signal import Signal
from upstream.client import NothingStored

AT_ONCE = 100
"""The most entries that are read at once."""
MAX_SHARED = 20
"""Parts of the feed that are cached for those who come to the same place: 2,000 entries at most."""


class FeedReader:
    """Reads the feed up to the catalog that was last announced, even where the file knows of a newer one."""

    def __init__(self, storage: StoragePort) -> None:
        self._storage = storage
        self._known = FeedExcerpt("", (), 0, 0, 0, 0, 0)
        """The name and the end of the feed at the last announcement."""
        self._announced = Signal()
        self._shared: BoundedCache[tuple[str, int, int], asyncio.Task[FeedExcerpt]] = BoundedCache(
            entries=MAX_SHARED
        )
        """The parts by the feed's name, the position before them, and the end of the feed as it was known."""

    @property
    def has_begun(self) -> bool:
        """Return whether a catalog has been announced, so that there is a feed."""
        return bool(self._known.feed)

    async def announce(self) -> None:
        """Read what a catalog that was just stored or loaded has changed, and let all readers continue.

        :raises StorageUnavailable: the file cannot be read.
        """
        before = self._known
        read = asyncio.create_task(asyncio.to_thread(self._storage.changes, before.last, AT_ONCE))
        self._known = known = await read
        self._share((known.feed, before.last, known.last), read)
        self._announced.send()

    async def changes(self, after: int, limit: int) -> FeedExcerpt:
        """Return up to ``limit`` entries behind the position ``after``, oldest first.

        :raises StorageUnavailable: the file cannot be read, or has no catalog of this upstream yet.
        """
        known = self._known_feed()
        excerpt = await asyncio.to_thread(self._storage.changes, after, limit, known.last)
        if excerpt.feed != known.feed:
            raise NothingStored  # the file has been replaced, and nothing of the new one is known here yet
        return excerpt

    async def follow_changes(self, feed: str, after: int) -> AsyncIterator[FeedEntry]:
        """Yield the entries behind the position ``after``, and all that come, until the reader has enough.

        :raises FeedReplaced: it is no longer that feed.
        :raises StorageUnavailable: the file cannot be read, or has no catalog of this upstream yet.
        """
        while True:
            announced = self._announced.sent
            excerpt = await self._part(self._known_feed(), after)
            if excerpt.feed != feed or not excerpt.complete:
                raise FeedReplaced
            for entry in excerpt.entries:
                yield entry
            after = excerpt.end
            if not excerpt.left:
                await self._announced.wait(announced)

    def _known_feed(self) -> FeedExcerpt:
        if not self.has_begun:
            raise NothingStored
        return self._known

    async def _part(self, known: FeedExcerpt, after: int) -> FeedExcerpt:
        """Read up to :data:`AT_ONCE` entries behind a position, once for all readers that are there."""
        key = (known.feed, after, known.last)
        read = self._shared.get(key)
        if read is None:
            read = asyncio.create_task(asyncio.to_thread(self._storage.changes, after, AT_ONCE, known.last))
            self._share(key, read)
        # A reader that leaves does not stop the read for the others.
        return await asyncio.shield(read)

    def _share(self, key: tuple[str, int, int], read: asyncio.Task[FeedExcerpt]) -> None:
        def drop_if_failed(read: asyncio.Task[FeedExcerpt]) -> None:
            if (read.cancelled() or read.exception() is not None) and self._shared.peek(key) is read:
                self._shared.pop(key)

        self._shared.put(key, read)
        read.add_done_callback(drop_if_failed)
