"""Reads what happened to records before the present catalog, without blocking the event loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias, TypeVar

from caching import BoundedCache
from catalog.history import (
    AddedAndRemoved,
    CatalogVersion,
    ChangeFilter,
    HistoryDamaged,
    RecordDelta,
    VersionDelta,
)
from catalog.storage.storage_port import StoragePort
from catalog.sync.rebuild_rate_limit import RebuildRateLimit
from upstream.client import PACKAGE, StorageUnavailable

MAX_DIFFERENCES = 16
"""How many differences of two versions are cached. One of a year with 1,000 changes a day has about 3 MB."""

CatalogPlace: TypeAlias = tuple[int, datetime]
"""The number and the time of a version. The time is needed because a file that replaces another one begins at 1."""

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
    """Reads the history of one storage. A difference of two versions is read once for all who want it.

    Reads that may be long come one after another, in one thread: several at once would only be slower, and would keep
    the threads that others need. A read that has begun continues when its caller leaves. A rate limit bounds how many
    versions are compared in a minute.
    """

    def __init__(self, storage: StoragePort, clock: Callable[[], float] = time.monotonic) -> None:
        self._history = storage.history
        self.comparisons = RebuildRateLimit(clock)
        self._differences: BoundedCache[tuple[CatalogPlace, CatalogPlace], asyncio.Task[Between]] = (
            BoundedCache(entries=MAX_DIFFERENCES)
        )
        self._turn = asyncio.Lock()
        self.added_and_removed = AddedAndRemoved()
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
        self.added_and_removed = AddedAndRemoved.of(moves)

    async def begins(self) -> datetime | None:
        """Return when history begins; ``None`` before the first catalog.

        :raises StorageUnavailable: the file cannot be read.
        """
        oldest = await self._read(self._history.oldest)
        return None if oldest is None else oldest.at

    async def versions(self, limit: int, before: int | None = None) -> list[CatalogVersion]:
        """Return up to ``limit`` versions, newest first, of those before the number ``before``.

        :raises StorageUnavailable: the file cannot be read.
        """
        return await self._read(lambda: self._history.versions(limit, before))

    async def changes_of(
        self, kind: str, ids: Sequence[int], wanted: ChangeFilter
    ) -> list[list[VersionDelta]]:
        """Return the changes of each record, oldest first.

        :raises StorageUnavailable: the file cannot be read.
        """

        def read() -> list[list[VersionDelta]]:
            return [self._history.changes_of(kind, id, wanted) for id in ids]

        return await self._read_in_turn(read)

    async def removed_packages(self, since: datetime | None, until: datetime | None) -> list[VersionDelta]:
        """Return which packages were removed between a moment and ``until``, oldest first.

        :raises StorageUnavailable: the file cannot be read.
        """
        found = await self._read_in_turn(
            lambda: self._history.arrivals_and_departures(PACKAGE.singular, since)
        )
        return [
            each for each in found if each.delta.sort == "removed" and (until is None or each.at <= until)
        ]

    async def packages_between(self, since: datetime, until: datetime | None) -> Between:
        """Return what happened to packages between two moments; ``until`` now if it is ``None``.

        :raises TooManyRebuilds: their versions would have to be compared, and too many were.
        :raises VersionUnknown: history begins later, or a moment has not come yet.
        :raises StorageUnavailable: the file cannot be read.
        """
        one = await self._read(lambda: self._history.at(since))
        if until is None:
            newest = await self._read(lambda: self._history.versions(1))
            if not newest:
                raise StorageUnavailable("with the history", "its newest version is damaged")
            other = newest[0]
        else:
            other = await self._read(lambda: self._history.at(until))
        key = _place(one), _place(other)

        def read() -> Between:
            deltas = self._history.difference(one.number, other.number)
            packages = tuple(each for each in deltas if each.kind == PACKAGE.singular)
            return Between(one.at, other.at, packages)

        task = self._differences.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            self.comparisons.spend()
            task = asyncio.create_task(self._read_in_turn(read))
            self._differences.put(key, task)
        return await asyncio.shield(task)

    async def _read_in_turn(self, read: Callable[[], T]) -> T:
        """Run a read that may take long, one at a time."""
        await self._turn.acquire()

        async def go_on() -> T:
            try:
                return await self._read(read)
            finally:
                self._turn.release()

        # The caller may leave, but the thread continues, and no other thread may begin beside it.
        return await asyncio.shield(asyncio.create_task(go_on()))

    async def _read(self, read: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(read)
        except HistoryDamaged as error:
            raise StorageUnavailable("with the history", str(error)) from error


def _place(version: CatalogVersion) -> CatalogPlace:
    return version.number, version.at
