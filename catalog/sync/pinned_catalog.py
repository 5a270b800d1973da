"""Holds the catalog of the version that an operator has pinned, for as long as it is pinned."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from catalog.freshness import Snapshot
from catalog.history import HistoryDamaged, VersionUnknown
from catalog.indexed_catalog import Catalog
from catalog.storage.record_rows import StoredPin
from catalog.storage.storage_port import StoragePort
from catalog.sync.gradual_memory_release import all_records, free
from catalog.sync.version_rebuilding import rebuild
from catalog.sync.wake_up_signal import Signal

_log = logging.getLogger(__name__)


class PinnedCatalog:
    """Follows the pin in the storage.

    ``settled`` is sent when another version is pinned, or none any more.
    """

    def __init__(self, storage: StoragePort, settled: Signal) -> None:
        self._storage = storage
        self._settled = settled
        self._pin: StoredPin | None = None
        """Which version is pinned, as this process has last seen it."""
        self.snapshot: Snapshot | None = None
        """The pinned version; ``None`` if none is pinned."""

    async def follow(self, known: Callable[[], Snapshot | None]) -> bool:
        """Hold the version that is pinned now, if any, and return whether it has changed.

        ``known`` returns the snapshot that was crawled last, with which the pinned one shares its records.

        :raises StorageUnavailable: the storage cannot be read.
        """
        pin = await asyncio.to_thread(self._storage.history.pinned)
        if pin == self._pin:
            return False
        pinned: Snapshot | None = None
        if pin is not None:
            try:
                catalog = await asyncio.to_thread(self._rebuilt, pin, known)
                pinned = Snapshot(catalog, pin.refreshed_at, chosen_by="pin")
            except (VersionUnknown, HistoryDamaged) as error:
                # The catalog that is served stays in use.
                _log.error("The pinned version %s cannot be served. %s", pin.version, error)
                pinned = self.snapshot
        before = self.snapshot
        replaced = [] if before is None or before is pinned else all_records(before.catalog)
        self._pin, self.snapshot = pin, pinned
        self._settled.send()
        del before
        await free(replaced)
        return True

    def _rebuilt(self, pin: StoredPin, known: Callable[[], Snapshot | None]) -> Catalog:
        snapshot = known()
        catalog = None if snapshot is None else snapshot.catalog
        return rebuild(self._storage, self._storage.history.named(pin.version), catalog)
