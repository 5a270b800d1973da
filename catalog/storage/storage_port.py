"""Declares what a storage must offer: the last good catalog, its change feed, its history, and the crawl lease.

Every method blocks and may be called from any thread. All raise :class:`~upstream.client.StorageUnavailable` when
the storage refuses; a later call may succeed. ``tests/catalog/storage/every_storage/`` tests every storage.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from catalog.catalog_difference import CatalogDifference
from catalog.history import (
    ALL_CHANGES,
    CatalogVersion,
    ChangeFilter,
    ChangeKind,
    FeedExcerpt,
    RecordDelta,
    VersionDelta,
)
from catalog.refused_crawls import GuardState, RefusedDifference
from catalog.storage.record_rows import StoredPin
from upstream.client import CategoryRecord, GridRecord, PackageRecord


@dataclass(frozen=True)
class Stored:
    """Holds a catalog as it was saved. The records are in the order of their ids, newest first. ``refreshed_at`` is
    in UTC."""

    version: str
    refreshed_at: datetime
    packages: tuple[PackageRecord, ...]
    grids: tuple[GridRecord, ...]
    categories: tuple[CategoryRecord, ...]
    count: int | None = None
    """How many packages upstream's list had, which can be more than could be read; ``None`` if it is not known."""
    rolled_back_to: datetime | None = None
    """When upstream last had these records, if an operator has rolled back to them. ``refreshed_at`` is then when
    upstream was last read."""


class WayBack(NamedTuple):
    """Says how to make the records of an older version from those of the newest."""

    newest: str
    """The hash of the version that the deltas begin at."""
    deltas: list[RecordDelta]


class HistoryPort(Protocol):
    """Stores the versions of the catalog.

    All methods raise :class:`~catalog.history.HistoryDamaged` when what they need of history cannot be read.
    """

    def versions(self, limit: int, before: int | None = None) -> list[CatalogVersion]:
        """Return up to ``limit`` versions, newest first, of those before the number ``before``."""

    def oldest(self) -> CatalogVersion | None:
        """Return the version with which history begins; ``None`` before the first catalog."""

    def named(self, version: str) -> CatalogVersion:
        """Return the newest version whose hash begins so.

        :raises VersionUnknown: none does, or several do.
        """

    def at(self, moment: datetime) -> CatalogVersion:
        """Return the version that was the newest at a moment, which is aware.

        :raises VersionUnknown: history begins later, or the moment has not come yet.
        """

    def difference(self, one: int, other: int) -> list[RecordDelta]:
        """Return the changes that lead from the version numbered ``one`` to ``other``, by kind and id."""

    def way_back(self, version: CatalogVersion) -> WayBack:
        """Return how to make the records of a version from those of the newest.

        :raises VersionUnknown: the version is no longer kept.
        """

    def changes_of(self, kind: str, id: int, wanted: ChangeFilter = ALL_CHANGES) -> list[VersionDelta]:
        """Return what happened to one record, oldest first. ``kind`` is a ``Kind.singular``."""

    def moves(self, kind: str) -> list[tuple[int, ChangeKind, datetime]]:
        """Return which records of a kind were added or removed, and when, oldest first."""

    def arrivals_and_departures(self, kind: str, since: datetime | None = None) -> list[VersionDelta]:
        """Return which records of a kind were added and removed since a moment, oldest first."""

    def pinned(self) -> StoredPin | None:
        """Return the version that is served whatever is crawled; ``None`` if none is pinned."""

    def pin(self, version: CatalogVersion) -> None:
        """Serve a version from now on, whatever is crawled. The change feed tells what is different.

        :raises VersionUnknown: it is no longer kept.
        """

    def unpin(self) -> None:
        """Serve the newest version again, and what is crawled from now on. The change feed tells what is different."""

    def roll_back(self, version: CatalogVersion) -> None:
        """Make a version the newest one again, until a crawl finds another. What is pinned stays so.

        :raises VersionUnknown: it is no longer kept.
        """


class StoragePort(Protocol):
    """Stores the catalog, as all processes that share the storage see it."""

    @property
    def history(self) -> HistoryPort:
        """Return the versions that are kept."""

    def load(self) -> Stored | None:
        """Return the catalog that was saved last; None when none was. A damaged record is left out."""

    def save(
        self,
        *,
        version: str,
        refreshed_at: datetime,
        packages: Iterable[PackageRecord],
        grids: Iterable[GridRecord],
        categories: Iterable[CategoryRecord],
        count: int | None = None,
        difference: CatalogDifference | None = None,
        guard: GuardState | None = None,
        only_over: tuple[str, datetime] | None = None,
        rolled_back_to: datetime | None = None,
    ) -> None:
        """Make this the stored catalog, its history and its changes, as a whole or not at all.

        ``difference`` is used if it leads from the stored catalog to this one. ``guard`` is the new state of the guard.
        ``only_over`` is what :meth:`saved` must still return.

        :raises StoredMeanwhile: another process has saved a catalog, which stays.
        :raises StorageUnavailable: also if the catalog of another upstream is stored, which stays.
        """

    def save_refused(self, state: GuardState, difference: RefusedDifference | None) -> None:
        """Store the crawl that was just refused beside the catalog, which stays."""

    def guard_state(self) -> GuardState:
        """Return the state of the guard. It is cheap enough to ask for every second."""

    def refused_difference(self) -> RefusedDifference | None:
        """Return how the crawl that is refused differs from the catalog; ``None`` if that is not kept."""

    def check_upstream(self, origin: str) -> None:
        """Make sure that what is stored, if anything is, came from this upstream.

        :raises StorageUnavailable: it came from another one.
        """

    def changes(self, after: int, limit: int, until: int | None = None) -> FeedExcerpt:
        """Return up to ``limit`` entries of the change feed after the place ``after``, none after ``until``."""

    def saved(self) -> tuple[str, datetime] | None:
        """Return the version and ``refreshed_at`` that :meth:`load` would give now; cheap enough for every second."""

    def take_lease(self, holder: str, seconds: float) -> bool:
        """Return whether ``holder`` may crawl from now on for ``seconds``: a new lease, or a renewed one."""

    def drop_lease(self, holder: str) -> None:
        """Let others take the lease at once, if ``holder`` has it."""

    def close(self) -> None:
        """Close it. Other methods must not be called any more."""
