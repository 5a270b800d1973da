"""Provides the catalog as it was: finds the version of a moment, and rebuilds it if it is not in memory.

A rebuild takes a second or less, in a thread. Rebuilds run one after another, the last few catalogs are cached, and a
rate limit bounds how many rebuilds begin in a minute. A version in memory needs no rebuild.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

from caching import BoundedCache
from catalog.freshness import Snapshot
from catalog.history import CatalogVersion, RecordDelta
from catalog.indexed_catalog import Catalog
from catalog.storage.storage_port import StoragePort
from catalog.sync.publisher import Publisher
from catalog.sync.rebuild_rate_limit import RebuildRateLimit
from catalog.sync.version_rebuilding import rebuild

KEPT = 4
"""How many rebuilt catalogs are cached: those used last. They share equal records with the present catalog."""


class PastCatalogs:
    """Provides the catalog of any moment that history reaches, for one process."""

    def __init__(
        self, storage: StoragePort, publisher: Publisher, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._storage = storage
        self._publisher = publisher
        self._rebuilt: BoundedCache[str, asyncio.Task[Catalog]] = BoundedCache(entries=KEPT)
        self._turn = asyncio.Lock()
        self.rebuilds = RebuildRateLimit(clock)

    async def at(self, moment: datetime) -> CatalogVersion:
        """Return the version that was the newest at a moment, which is aware.

        :raises VersionUnknown: history begins later, or the moment has not come yet.
        :raises HistoryDamaged: what is stored of it cannot be read.
        :raises StorageUnavailable: the storage cannot be read.
        """
        return await asyncio.to_thread(self._storage.history.at, moment)

    async def named(self, version: str) -> CatalogVersion:
        """Return the newest version with this hash. Raises what :meth:`at` does."""
        return await asyncio.to_thread(self._storage.history.named, version)

    async def snapshot(
        self, version: CatalogVersion, moment: datetime, before_waiting: Callable[[bool], object]
    ) -> Snapshot:
        """Return the catalog of a version, for a request that is answered as of a moment.

        ``before_waiting`` is called if the catalog is not in memory, with whether its rebuild begins with this request.

        :raises TooManyRebuilds: it would have to be rebuilt, and too many were.
        :raises VersionUnknown: it is no longer kept.
        :raises HistoryDamaged: it cannot be rebuilt.
        :raises StorageUnavailable: the storage cannot be read.
        """
        for known in (self._publisher.served, self._publisher.snapshot):
            if known is not None and known.catalog.version == version.version:
                return Snapshot(known.catalog, version.at, as_of=moment)
        task = self._rebuilt.get(version.version)
        begins = task is None or (task.done() and (task.cancelled() or task.exception() is not None))
        if task is None or begins:
            self.rebuilds.spend()
            task = asyncio.create_task(self._rebuild(version))
            self._rebuilt.put(version.version, task)
        if not task.done():
            before_waiting(begins)
        # A caller that leaves does not stop the rebuild for the others.
        return Snapshot(await asyncio.shield(task), version.at, as_of=moment)

    async def difference(self, one: CatalogVersion, other: CatalogVersion) -> list[RecordDelta]:
        """Return the changes that lead from the records of ``one`` to those of ``other``. It costs a rebuild.

        :raises TooManyRebuilds: too many were asked for.
        :raises HistoryDamaged: what is stored of it cannot be read.
        :raises StorageUnavailable: the storage cannot be read.
        """
        self.rebuilds.spend()
        async with self._turn:
            return await asyncio.to_thread(self._storage.history.difference, one.number, other.number)

    async def _rebuild(self, version: CatalogVersion) -> Catalog:
        async with self._turn:
            known = self._publisher.snapshot
            catalog = None if known is None else known.catalog
            return await asyncio.to_thread(rebuild, self._storage, version, catalog)
