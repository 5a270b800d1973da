"""Stores the history beside the catalog: its versions, their changes, and the version that an operator chose.

The newest version is the one that was crawled last; its records are the rows of the table ``records``. An operator can
pin an older version, which is then served while crawls continue to add versions. An operator can also roll back to an
older version, which is then the newest until a crawl replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Protocol

import msgspec

from catalog.catalog_difference import RecordKey
from catalog.history import (
    ALL_CHANGES,
    CatalogVersion,
    ChangeFilter,
    ChangeKind,
    RecordDelta,
    VersionDelta,
    VersionUnknown,
    catalog_of,
    change_feed,
    rebuilt,
    records_of,
)
from catalog.history import catalog_versions as kept
from catalog.history import record_change_rows as changes
from catalog.history.record_deltas import deltas_between, folded, reversed_delta
from catalog.indexed_catalog import Catalog
from catalog.refused_crawls import GuardState
from catalog.storage import record_rows, refused_crawl_rows
from catalog.storage.record_rows import StoredPin
from catalog.storage.storage_port import WayBack
from upstream.client import NothingStored, Record


class TablesConnection(Protocol):
    """Gives access to the tables, to one thread at a time."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Return one state of the tables."""

    def writing(self) -> AbstractContextManager[Connection]:
        """Return a transaction that is written as a whole or not at all."""


class StoredHistory:
    """Stores the versions of the catalog. Every method blocks and may be called from any thread.

    All methods raise :class:`~upstream.client.StorageUnavailable` when the storage refuses, and
    :class:`~catalog.history.HistoryDamaged` when what they need of history cannot be read.
    """

    def __init__(
        self,
        reader: TablesConnection,
        bulk_reader: TablesConnection,
        writer: TablesConnection,
        now: Callable[[], datetime],
    ) -> None:
        """``bulk_reader`` reads what may be all of history, which takes longer than others wait for their turn."""
        self._reader = reader
        self._bulk_reader = bulk_reader
        self._writer = writer
        self._now = now

    def versions(self, limit: int, before: int | None = None) -> list[CatalogVersion]:
        """Return up to ``limit`` versions, newest first, of those before the number ``before``."""
        with self._reader.reading() as connection:
            return kept.listed(connection, limit, before)

    def oldest(self) -> CatalogVersion | None:
        """Return the version with which history begins; ``None`` before the first catalog."""
        with self._reader.reading() as connection:
            return kept.oldest(connection)

    def named(self, version: str) -> CatalogVersion:
        """Return the newest version whose hash begins so.

        :raises VersionUnknown: none does, or several do.
        """
        with self._reader.reading() as connection:
            found = kept.named(connection, version, limit=2)
            if len(found) == 1:
                return found[0]
            if found:
                raise VersionUnknown(
                    f'Several versions begin with "{version}"; {found[0].version} and {found[1].version} do.'
                )
            raise VersionUnknown(f'There is no version "{version}" in the history. {_reach(connection)}')

    def at(self, moment: datetime) -> CatalogVersion:
        """Return the version that was the newest at a moment, which is aware.

        :raises VersionUnknown: history begins later, or the moment has not come yet.
        """
        with self._reader.reading() as connection:
            if moment > self._now():
                raise VersionUnknown(f"{_told(moment)} is in the future. {_reach(connection)}")
            found = kept.at_moment(connection, moment)
            if found is None:
                raise VersionUnknown(
                    f"Nothing is known of the catalog as it was at {_told(moment)}. {_reach(connection)}"
                )
            return found

    def difference(self, one: int, other: int) -> list[RecordDelta]:
        """Return the changes that lead from the version numbered ``one`` to ``other``, by kind and id."""
        with self._bulk_reader.reading() as connection:
            between = changes.deltas_after(connection, min(one, other), max(one, other))
        return _led(between, one, other)

    def way_back(self, version: CatalogVersion) -> WayBack:
        """Return how to make the records of a version from those of the newest.

        :raises VersionUnknown: the version is no longer kept.
        """
        with self._bulk_reader.reading() as connection:
            number, newest, between = _way_back(connection, version)
        # Other threads wait only while the rows are read, and not while they are decoded.
        return WayBack(newest, _led(between, number, version.number))

    def changes_of(self, kind: str, id: int, wanted: ChangeFilter = ALL_CHANGES) -> list[VersionDelta]:
        """Return what happened to one record, oldest first."""
        with self._bulk_reader.reading() as connection:
            return changes.changes_of(connection, kind, id, wanted)

    def moves(self, kind: str) -> list[tuple[int, ChangeKind, datetime]]:
        """Return which records of a kind were added or removed, and when, oldest first."""
        with self._bulk_reader.reading() as connection:
            return changes.moves(connection, kind)

    def arrivals_and_departures(self, kind: str, since: datetime | None = None) -> list[VersionDelta]:
        """Return which records of a kind were added and removed since a moment, oldest first."""
        with self._bulk_reader.reading() as connection:
            return changes.arrivals_and_departures(connection, kind, since)

    def pinned(self) -> StoredPin | None:
        """Return the version that is served whatever is crawled; ``None`` if none is pinned."""
        with self._reader.reading() as connection:
            return record_rows.pinned(connection)

    def pin(self, version: CatalogVersion) -> None:
        """Serve a version from now on, whatever is crawled.

        :raises VersionUnknown: it is no longer kept.
        """
        with self._writer.writing() as connection:
            served, chosen = _served(connection), _rebuilt(connection, version)
            pin = StoredPin(version.number, version.version, version.refreshed_at)
            record_rows.pin(connection, pin)
            self._tell(connection, served, chosen)

    def unpin(self) -> None:
        """Serve the newest version again, and what is crawled from now on."""
        with self._writer.writing() as connection:
            served = _served(connection)
            record_rows.pin(connection, None)
            self._tell(connection, served, _served(connection))

    def roll_back(self, version: CatalogVersion) -> None:
        """Make a version the newest one again, until a crawl finds another. What is pinned stays so.

        :raises VersionUnknown: it is no longer kept.
        """
        with self._writer.writing() as connection:
            chosen, saved = _rebuilt(connection, version), record_rows.saved(connection)
            if saved is None:
                raise NothingStored
            origin, _, before = saved.version.rpartition(" ")
            name, now = f"{origin} {chosen.version}", self._now()
            written = record_rows.replace(
                connection, {kind: of_kind.values() for kind, of_kind in records_of(chosen).items()}
            )
            if pinned_version(connection) is None:
                told = change_feed.changes_by(written.deltas, written.slugs, name, now)
                change_feed.append(connection, told, now)
            record_rows.describe(
                connection, msgspec.structs.replace(saved, version=name, rolled_back_to=version.refreshed_at)
            )
            tolerated = refused_crawl_rows.read_state(connection).tolerated
            refused_crawl_rows.write_state(connection, GuardState(None, tolerated))
            kept.add(
                connection,
                chosen.version,
                before,
                written.deltas,
                at=now,
                refreshed_at=version.refreshed_at,
                counts=record_rows.counts(connection),
                cause="rollback",
            )

    def _tell(self, connection: Connection, served: Catalog, chosen: Catalog) -> None:
        """Add to the change feed what is different in the catalog that is served."""
        now = self._now()
        slugs = {
            RecordKey(kind, record.id): record.slug
            for kind, of_kind in records_of(chosen).items()
            for record in of_kind.values()
        }
        deltas = [
            delta
            for kind, of_kind in records_of(served).items()
            for delta in deltas_between(kind, _encoded(of_kind), _encoded(records_of(chosen)[kind]))
        ]
        saved = record_rows.saved(connection)
        name = f"{saved.version.rpartition(' ')[0] if saved else ''} {chosen.version}"
        change_feed.append(connection, change_feed.changes_by(deltas, slugs, name, now), now)


def pinned_version(connection: Connection) -> CatalogVersion | None:
    """Return the version that is pinned; ``None`` if none is, or it is no longer kept."""
    pinned = record_rows.pinned(connection)
    version = None if pinned is None else kept.numbered(connection, pinned.number)
    return (
        version if version is not None and pinned is not None and version.version == pinned.version else None
    )


def _served(connection: Connection) -> Catalog:
    """Return the catalog that is pinned, or else the newest."""
    version = pinned_version(connection)
    if version is not None:
        return _rebuilt(connection, version)
    return catalog_of(record_rows.all_records(connection))


def _rebuilt(connection: Connection, version: CatalogVersion) -> Catalog:
    number, _newest, between = _way_back(connection, version)
    deltas = _led(between, number, version.number)
    return rebuilt(record_rows.all_records(connection), deltas, version)


def _way_back(connection: Connection, version: CatalogVersion) -> tuple[int, str, Iterator[RecordDelta]]:
    """Return the number and the hash of the newest version, and what was changed up to it."""
    newest, found = kept.newest(connection), kept.numbered(connection, version.number)
    if newest is None or found is None or found.version != version.version:
        raise VersionUnknown(f"Version {version.version} is no longer kept. {_reach(connection)}")
    return *newest, changes.deltas_after(connection, version.number, newest[0])


def _led(between: Iterable[RecordDelta], one: int, other: int) -> list[RecordDelta]:
    """Return the changes that lead from one version to the other, from the changes between them, oldest first."""
    deltas = folded(between)
    return deltas if one <= other else [reversed_delta(delta) for delta in deltas]


def _reach(connection: Connection) -> str:
    oldest = kept.oldest(connection)
    if oldest is None:
        return "Nothing is kept yet."
    return f"History reaches from {_told(oldest.at)} until now."


def _told(moment: datetime) -> str:
    # Not strftime, whose years before 1000 have fewer than four digits on Linux.
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def _encoded(records: Mapping[int, Record]) -> dict[int, bytes]:
    return {id: msgspec.json.encode(record) for id, record in records.items()}
