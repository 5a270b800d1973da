"""Stores catalogs, one after another, and remembers what could not be stored."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from catalog.catalog_difference import CatalogDifference
from catalog.freshness import Snapshot
from catalog.storage.storage_port import StoragePort, Stored
from catalog.sync.change_feed_fan_out import FeedReader
from catalog.sync.crawl_guard import Guard
from catalog.sync.history_reader import HistoryReader
from catalog.sync.storage_failures import StorageFailures
from catalog.sync.wake_up_signal import Signal
from upstream.client import StorageUnavailable, StoredMeanwhile

_log = logging.getLogger(__name__)


class CatalogWriter:
    """Writes to the storage, and tells the readers of the change feed and of the history.

    ``origin`` names the upstream of all that is stored.
    """

    def __init__(
        self,
        storage: StoragePort,
        origin: str,
        guard: Guard,
        feed: FeedReader,
        history: HistoryReader,
        failures: StorageFailures,
    ) -> None:
        self._storage = storage
        self._origin = origin
        self._guard = guard
        self._feed = feed
        self._history = history
        self._failures = failures
        self.turn = asyncio.Lock()
        """Held while a catalog is stored."""
        self.last: tuple[str, datetime] | None = None
        """The version and age of what this process has last stored or loaded."""
        self.unstored: Snapshot | None = None
        """What could not be stored, and is to be stored as soon as it can."""
        self.error: str | None = None
        """Says why it could not be stored, as the end of a sentence; ``None`` if all is stored."""
        self.stored = Signal()
        """Sent when a catalog was stored, and when that has failed. Others send it too: see ``Publisher.stored``."""

    def loaded(self, stored: Stored) -> None:
        """Note what was loaded. It replaces a catalog that could not be stored."""
        self._nothing_is_unstored()
        self.last = (stored.version, stored.refreshed_at)

    def lost(self, snapshot: Snapshot | None) -> None:
        """Note that the storage has no longer what this process has stored or loaded, which is to be stored again."""
        self.unstored, self.error, self.last = snapshot, "it has lost its catalog", None
        _log.error("The storage has lost its catalog; the gateway that leads stores its own again.")

    async def store(
        self,
        snapshot: Snapshot,
        count: int | None,
        difference: CatalogDifference | None = None,
        only_over: tuple[str, datetime] | None = None,
    ) -> bool:
        """Store a catalog, and return whether it could be stored. The caller holds ``turn``.

        It takes the place of ``only_over`` alone, or of anything if that is ``None``. ``count`` is how many packages
        upstream has, and ``difference`` leads to this catalog from the one before; each is ``None`` if it is unknown.
        """
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
                count=count,
                difference=difference,
                guard=self._guard.state,
                only_over=only_over,
            )
            await self.announce()
        except StoredMeanwhile:
            self._nothing_is_unstored()  # what another process has stored is taken next
            return False
        except StorageUnavailable as error:
            # The catalog is served all the same, and stored as soon as that is possible.
            self._failures.failed("storing", error)
            self.unstored, self.error = snapshot, error.reason
            return False
        finally:
            self.stored.send()
        self._nothing_is_unstored()
        self.last = (version, snapshot.refreshed_at)
        return True

    async def announce(self) -> None:
        """Tell the readers of the feed and of the history.

        :raises StorageUnavailable: the storage cannot be read.
        """
        await self._history.announce()
        await self._feed.announce()

    def _nothing_is_unstored(self) -> None:
        self.unstored = self.error = None
        self._failures.worked("storing")
