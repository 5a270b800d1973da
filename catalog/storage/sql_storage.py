"""Reads the catalog from SQL tables and saves it there, wherever the tables are.

The table ``records`` holds each record as JSON, and a row that names the version of the catalog. MessagePack is not
used, because msgspec's loses the offsets of moments that upstream sent. A save is one transaction.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec

from catalog.catalog_difference import CatalogDifference
from catalog.history import catalog_versions, change_feed
from catalog.refused_crawls import GuardState, RefusedDifference
from catalog.storage import record_rows, refused_crawl_rows
from catalog.storage.record_rows import DECODERS, SAVED, SavedCatalog
from catalog.storage.refused_crawl_rows import OTHER_KINDS
from catalog.storage.storage_port import Stored
from catalog.storage.stored_history import StoredHistory, TablesConnection, pinned_version
from upstream.client import (
    CATEGORY,
    GRID,
    PACKAGE,
    CategoryRecord,
    GridRecord,
    PackageRecord,
    StorageUnavailable,
    StoredMeanwhile,
)

_log = logging.getLogger(__name__)


class SqlStorage:
    """Stores the catalog in SQL tables. The subclasses say where the tables are, and add the lease.

    Every method blocks and may be called from any thread. All raise :class:`StorageUnavailable` when the storage
    refuses; a later call may succeed.
    """

    other_upstream: ClassVar[str]
    """What to do where the catalog of another upstream is stored, as the end of a sentence."""

    def __init__(
        self,
        name: str,
        writer: TablesConnection,
        reader: TablesConnection,
        bulk_reader: TablesConnection,
        history_days: int | None,
        now: Callable[[], datetime],
    ) -> None:
        """``name`` is shown. ``bulk_reader`` reads what may be all of history. ``history_days`` is for how long
        versions are kept; ``None`` is for ever. ``now`` tells the time, aware.
        """
        self._name = name
        self._history_days = history_days
        self._now = now
        self._writer = writer
        self._reader = reader
        self.history = StoredHistory(reader, bulk_reader, writer, now)

    def load(self) -> Stored | None:
        """Return the catalog that was saved last; None when none was.

        A damaged row is left out and logged. The next save of a catalog puts it back.
        """
        with self._reader.reading() as connection:
            # The cast is for a body whose type is damaged.
            select = (
                "SELECT kind, id, CAST(body AS BLOB) FROM records WHERE kind NOT IN (?, ?) ORDER BY id DESC"
            )
            rows = connection.execute(select, OTHER_KINDS).fetchall()
        found: dict[str, list[Any]] = {kind: [] for kind in DECODERS}
        for kind, id, body in rows:
            record = self._decoded(kind, id, body)
            if record is not None:
                found[kind].append(record)
        for saved in found[SAVED]:
            packages, grids, categories = (tuple(found[kind.singular]) for kind in (PACKAGE, GRID, CATEGORY))
            return Stored(
                saved.version,
                saved.refreshed_at,
                packages,
                grids,
                categories,
                saved.count,
                saved.rolled_back_to,
            )
        return None

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
        """Make this the stored catalog, as a whole or not at all. ``refreshed_at`` is aware.

        It writes the rows that differ from the stored ones, and deletes the rows of records that are gone. History
        keeps these changes, and the change feed tells of them unless a version is pinned. ``difference`` names the
        changes. It is used if it leads from the stored catalog to this one; otherwise all rows are compared. ``guard``
        is the new state of the guard. ``only_over`` is what :meth:`saved` must still return.

        :raises StoredMeanwhile: another process has saved a catalog, which stays.
        :raises StorageUnavailable: also if the catalog of another upstream is stored, which stays.
        """
        now = self._now()
        saved = SavedCatalog(version, refreshed_at.astimezone(UTC), count, rolled_back_to)
        records: record_rows.Records = {
            PACKAGE.singular: packages,
            GRID.singular: grids,
            CATEGORY.singular: categories,
        }
        with self._crawl_writing(is_crawl=only_over is None) as connection:
            stored = record_rows.saved(connection)
            if stored is not None and record_rows.upstream_of(stored.version) != record_rows.upstream_of(
                version
            ):
                raise self._refusal(self.other_upstream)
            if (
                only_over is not None
                and stored is not None
                and (stored.version, stored.refreshed_at) != only_over
            ):
                raise StoredMeanwhile(self._name)
            before = None if stored is None else record_rows.hash_of(stored.version)
            if difference is not None and before == difference.before:
                written = record_rows.apply(connection, difference, records)
            else:
                # Another process has saved meanwhile, or rows of the last save of this process were lost or damaged.
                written = record_rows.replace(connection, records)
            record_rows.describe(connection, saved)
            refused_crawl_rows.write_state(connection, guard or GuardState())
            catalog_versions.add(
                connection,
                record_rows.hash_of(version),
                before,
                written.deltas,
                at=now,
                refreshed_at=rolled_back_to or refreshed_at,
                counts=record_rows.counts(connection),
            )
            pinned = pinned_version(connection)
            lost = pinned is None and record_rows.pinned(connection) is not None
            if lost:
                # History began anew, so the difference from the pinned version is unknown.
                record_rows.pin(connection, None)
            if stored is None or lost:
                change_feed.begin(connection, change_feed.name_for(version))
            elif pinned is None:
                changes = change_feed.changes_by(written.deltas, written.slugs, version, now)
                change_feed.append(connection, changes, now)
            if self._history_days is not None:
                keep = None if pinned is None else pinned.number
                catalog_versions.drop_old(connection, now - timedelta(days=self._history_days), keep)

    def save_refused(self, state: GuardState, difference: RefusedDifference | None) -> None:
        """Store the crawl that was just refused beside the catalog, which stays."""
        with self._crawl_writing(is_crawl=True) as connection:
            refused_crawl_rows.write_state(connection, state)
            refused_crawl_rows.write_difference(connection, difference)

    def guard_state(self) -> GuardState:
        """Return the state of the guard. It is cheap enough to ask for every second."""
        with self._reader.reading() as connection:
            return refused_crawl_rows.read_state(connection)

    def refused_difference(self) -> RefusedDifference | None:
        """Return how the crawl that is refused differs from the catalog; ``None`` if that is not kept."""
        with self._reader.reading() as connection:
            return refused_crawl_rows.read_difference(connection)

    def check_upstream(self, origin: str) -> None:
        """Make sure that what is stored, if anything is, came from this upstream.

        :raises StorageUnavailable: it came from another one; or the storage cannot be read.
        """
        saved = self.saved()
        if saved is not None and record_rows.upstream_of(saved[0]) != origin:
            raise self._refusal(self.other_upstream)

    def changes(self, after: int, limit: int, until: int | None = None) -> change_feed.FeedExcerpt:
        """Return up to ``limit`` entries of the change feed after the place ``after``, and none after ``until``."""
        with self._reader.reading() as connection:
            return change_feed.read(connection, after, limit, until)

    def saved(self) -> tuple[str, datetime] | None:
        """Return the version and ``refreshed_at`` that :meth:`load` would give now; cheap enough for every second."""
        saved: SavedCatalog | None = self._row(SAVED)
        return None if saved is None else (saved.version, saved.refreshed_at)

    def _crawl_writing(self, *, is_crawl: bool) -> AbstractContextManager[sqlite3.Connection]:
        """Return a transaction for a catalog that came from upstream, by a crawl or by single records."""
        return self._writer.writing()

    def _refusal(self, reason: str) -> StorageUnavailable:
        return StorageUnavailable(self._name, reason)

    @property
    def _described(self) -> str:
        return f"the catalog file {self._name}"

    def _row(self, kind: str) -> Any:
        """Return what is in the one row of a kind; ``None`` if it is not there, or damaged."""
        with self._reader.reading() as connection:
            select = "SELECT kind, id, CAST(body AS BLOB) FROM records WHERE kind = ?"
            rows = connection.execute(select, (kind,)).fetchall()
        return self._decoded(*rows[0]) if rows else None

    def _decoded(self, kind: str, id: int, body: bytes) -> Any:
        try:
            return DECODERS[kind].decode(body)
        except (KeyError, msgspec.DecodeError, UnicodeDecodeError) as error:
            sentence = "In %s, %s %s is damaged and left out: %r."
            _log.error(sentence, self._described, kind, id, error)
            return None
