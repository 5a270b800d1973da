"""Reads what happened to records before the present catalog, for whoever asks, without holding the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from caching import BoundedCache
from catalog.history import Arrivals, HistoryDamaged, RecordDelta, VersionDelta
from catalog.storage.storage_port import StoragePort
from upstream.client import PACKAGE, StorageUnavailable

MOST_DIFFERENCES = 16
"""How many differences of two versions are cached. One of a year with 1,000 changes a day has about 3 MB."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Between(NamedTuple):
    """Holds what happened to packages between two versions."""

    since: datetime
    """When the older version was stored."""
    until: datetime
    """When the newer version was stored."""
    packages: tuple[RecordDelta, ...]


class HistoryReader:
    """Reads the history of one storage. A difference of two versions is read once for all who want it."""

    def __init__(self, storage: StoragePort) -> None:
        self._history = storage.history
        self._differences: BoundedCache[tuple[int, int], Between] = BoundedCache(entries=MOST_DIFFERENCES)
        self._reading = asyncio.Lock()
        """Held while a difference is read: several at once would only be slower."""
        self.arrivals = Arrivals()
        """When packages were added and removed, up to the catalog that was last announced."""

    async def announce(self) -> None:
        """Learn what the catalog that was just stored or loaded has added and removed.

        :raises StorageUnavailable: the file cannot be read.
        """
        try:
            moves = await asyncio.to_thread(self._history.moves, PACKAGE.singular)
        except HistoryDamaged as error:
            # The catalog is served all the same.
            _log.error("%s", error)
            moves = []
        self.arrivals = Arrivals.of(moves)

    async def begins(self) -> datetime | None:
        """Return from when history reaches; ``None`` before the first catalog.

        :raises StorageUnavailable: the file cannot be read.
        """
        oldest = await self._read(self._history.oldest)
        return None if oldest is None else oldest.at

    async def changes_of(
        self, kind: str, ids: Sequence[int], since: datetime | None, until: datetime | None, most: int
    ) -> list[list[VersionDelta]]:
        """Return up to ``most`` of the newest changes of each record, oldest first, those after ``until`` left out.

        :raises StorageUnavailable: the file cannot be read.
        """

        def read() -> list[list[VersionDelta]]:
            return [_before(until, self._history.changes_of(kind, id, since, most)) for id in ids]

        return await self._read(read)

    async def removed_packages(self, since: datetime | None, until: datetime | None) -> list[VersionDelta]:
        """Return which packages were removed since a moment, oldest first, those after ``until`` left out.

        :raises StorageUnavailable: the file cannot be read.
        """
        found = await self._read(lambda: self._history.arrivals_and_departures(PACKAGE.singular, since))
        return [each for each in _before(until, found) if each.delta.sort == "removed"]

    async def packages_between(self, since: datetime, until: datetime | None) -> Between:
        """Return what happened to packages between two moments; ``until`` now if it is ``None``.

        :raises VersionUnknown: history begins later, or a moment has not come yet.
        :raises StorageUnavailable: the file cannot be read.
        """
        one = await self._read(lambda: self._history.at(since))
        if until is None:
            (other,) = await self._read(lambda: self._history.versions(1))
        else:
            other = await self._read(lambda: self._history.at(until))
        key = one.number, other.number
        async with self._reading:
            found = self._differences.get(key)
            if found is None:
                deltas = await self._read(lambda: self._history.difference(*key))
                packages = tuple(each for each in deltas if each.kind == PACKAGE.singular)
                found = Between(one.at, other.at, packages)
                self._differences.put(key, found)
        return found

    async def _read(self, read: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(read)
        except HistoryDamaged as error:
            raise StorageUnavailable("with the history", str(error)) from error


def _before(until: datetime | None, changes: list[VersionDelta]) -> list[VersionDelta]:
    return changes if until is None else [each for each in changes if each.at <= until]
