"""Takes records that live answers have shown into the next snapshot.

What upstream shows to one request is known to all later requests, with everything that it proves. So answers from one
version of the catalog do not contradict one another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from catalog.freshness import Snapshot
from catalog.sync.crawl_guard import Guard
from catalog.sync.new_record_detection import complete
from catalog.sync.publisher import Publisher
from catalog.sync.record_merging import ShownRecords, is_news
from catalog.sync.refresher import Refresher
from upstream.client import Client, Record

MAX_UNTAKEN = 1000
"""Records that are remembered because what they say is not plausible."""

_log = logging.getLogger(__name__)


class LiveRecords:
    """Takes the records of one request after another, in tasks that continue when a request ends early."""

    def __init__(self, client: Client, publisher: Publisher, refresher: Refresher, guard: Guard) -> None:
        self._client = client
        self._publisher = publisher
        self._refresher = refresher
        self._guard = guard
        self._taking = asyncio.Lock()
        self._tasks: set[asyncio.Task[bool]] = set()
        self._untaken: set[tuple[type, int, str]] = set()
        self._untaken_of: Snapshot | None = None
        """The snapshot that could not take these records."""

    async def take(self, found: Sequence[Record]) -> bool:
        """Take records into the next snapshot, and return whether they are in it now.

        No record is taken while an operator has chosen the version, or while the last crawl is refused.
        """
        # The caller may leave, and half of a snapshot must not be published.
        task = asyncio.create_task(self._take(found))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Cancel what is being taken."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, found: Sequence[Record]) -> bool:
        publisher = self._publisher
        await publisher.take_newer()
        async with self._taking:
            before = publisher.snapshot
            if before is None or publisher.served is not before or self._guard.refused is not None:
                return False
            shown = ShownRecords()
            for record in found:
                if is_news(before.catalog, record):
                    shown.add(record)
            if not shown.records:
                return True
            keys = {(type(record), record.id, record.slug) for record in shown.records}
            if self._untaken_of is not before:
                self._untaken_of, self._untaken = before, set()
            if keys <= self._untaken:
                return False
            if await self._add(before, shown):
                _log.info("took %d records that live answers have shown", len(keys))
                return True
            if len(self._untaken) < MAX_UNTAKEN:
                self._untaken |= keys
            return False

    async def _add(self, before: Snapshot, shown: ShownRecords) -> bool:
        new = len(shown.packages.keys() - before.catalog.packages.keys())
        is_all = await complete(self._client, before.catalog, shown)

        def count(before: int | None) -> int | None:
            # If a record is missing, a crawl has to find it.
            return before + new if before is not None and is_all else None

        return await self._refresher.add(shown, count)
