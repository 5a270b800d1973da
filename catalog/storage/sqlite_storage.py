"""The last good catalog on disk, so that a restart serves at once, whether or not upstream answers.

One SQLite file, shared by all worker processes of a machine (on a local disk: the write-ahead log needs shared
memory). The table ``records`` holds each record as JSON, and a row that names the version they make up;
``lease`` says who crawls. Not MessagePack: msgspec's loses the offsets of moments, which upstream sent.

A save is one transaction in the write-ahead log: a process killed at any moment leaves the old catalog or the
new one. ``synchronous=NORMAL`` waits for the disk when the log is copied into the file, not at each commit: a
loss of power can take the newest saves along, which the next crawl brings back, but the file stays whole.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from catalog.history import catalog_versions, change_feed, record_changes
from catalog.indexed_catalog import CatalogDifference
from catalog.refused_crawls import GuardState, RefusedDifference
from catalog.storage import crawl_lease, record_rows, refused_rows
from catalog.storage.catalog_file import FileConnection
from catalog.storage.catalog_rescue import whole_catalog_in
from catalog.storage.record_rows import DECODERS, SAVED, SavedCatalog
from catalog.storage.refused_rows import OTHER_KINDS
from catalog.storage.storage_port import Stored
from catalog.storage.stored_history import StoredHistory, pinned_version
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

_TABLES = (record_rows.TABLE, crawl_lease.TABLE, *change_feed.TABLES)
"""The tables without which a file is no catalog."""

_HISTORY = (*catalog_versions.TABLES, *record_changes.TABLES)
"""The tables that are made anew where they are missing."""

_READING_PATIENCE = 1.0
"""Seconds that a read waits for a file that is locked: a save does not lock out who reads."""
_WRITING_PATIENCE = 5.0
"""Seconds that a save waits for another process's, which takes a fraction of one."""

_log = logging.getLogger(__name__)


class Storage:
    """The catalog in the file ``path``; ``:memory:`` keeps it in this process only.

    Every method blocks and may be called from any thread. Reads wait neither for saves nor for the lease. All
    methods, and the constructor, raise :class:`StorageUnavailable` when the disk or the file refuses; a later
    call may succeed.
    """

    def __init__(
        self,
        path: str,
        history_days: int | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``history_days`` is for how long versions are kept; ``None`` is for ever. ``now`` tells the time, aware."""
        self._path = path
        self._history_days = history_days
        self._now = now
        self._writer = FileConnection(path, _TABLES, _HISTORY, _WRITING_PATIENCE)
        self._reader = self._bulk_reader = self._writer
        self._substitute: crawl_lease.Substitute | None = None
        self._refused = False
        """Whether the file refused the lease when it was last asked for, which is logged once."""
        if path != ":memory:":
            tables = (_TABLES, _HISTORY)
            self._reader = FileConnection(path, *tables, _READING_PATIENCE, is_second=True)
            self._bulk_reader = FileConnection(path, *tables, _WRITING_PATIENCE, is_second=True)
            self._substitute = crawl_lease.Substitute(path)
        self.history = StoredHistory(self._reader, self._bulk_reader, self._writer, now)
        if self._writer.set_aside is not None:
            self._rescue(self._writer.set_aside)

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

        Writes the rows that differ from what is stored, and deletes those of records that are gone. History keeps
        both, and the change feed tells of them unless a version is pinned. ``difference`` says which they are, and is
        taken at its word where it leads here from the catalog that is stored; otherwise they are found by comparing
        all rows. ``guard`` is what the guard remembers from now on. ``only_over`` is what :meth:`saved` must
        say still.

        :raises StoredMeanwhile: it says something else, which stays.
        :raises StorageUnavailable: also where the file has the catalog of another upstream, which stays.
        """
        now = self._now()
        saved = SavedCatalog(version, refreshed_at.astimezone(UTC), count, rolled_back_to)
        records: record_rows.Records = {
            PACKAGE.singular: packages,
            GRID.singular: grids,
            CATEGORY.singular: categories,
        }
        with self._writer.writing() as connection:
            stored = record_rows.saved(connection)
            if stored is not None and record_rows.upstream_of(stored.version) != record_rows.upstream_of(
                version
            ):
                raise StorageUnavailable(self._path, OTHER_UPSTREAM)
            if (
                only_over is not None
                and stored is not None
                and (stored.version, stored.refreshed_at) != only_over
            ):
                raise StoredMeanwhile(self._path)
            before = None if stored is None else record_rows.hash_of(stored.version)
            if difference is not None and before == difference.before:
                written = record_rows.apply(connection, difference, records)
            else:
                # Another process has saved meanwhile, or rows of this one's last save were lost or damaged.
                written = record_rows.replace(connection, records)
            record_rows.describe(connection, saved)
            refused_rows.write_state(connection, guard or GuardState())
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
                # History began anew, so nobody can tell what is different without the pinned version.
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
        """Keep aside the crawl that was just refused, beside the catalog that stays."""
        with self._writer.writing() as connection:
            refused_rows.write_state(connection, state)
            refused_rows.write_difference(connection, difference)

    def guard_state(self) -> GuardState:
        """Return what the guard remembers; cheap enough to ask every second."""
        with self._reader.reading() as connection:
            return refused_rows.read_state(connection)

    def refused_difference(self) -> RefusedDifference | None:
        """Return how the crawl that is refused differs from the catalog; ``None`` if that is not kept."""
        with self._reader.reading() as connection:
            return refused_rows.read_difference(connection)

    def check_upstream(self, origin: str) -> None:
        """Make sure that what is stored, if anything is, came from this upstream.

        :raises StorageUnavailable: it came from another one; or the file cannot be read.
        """
        saved = self.saved()
        if saved is not None and record_rows.upstream_of(saved[0]) != origin:
            raise StorageUnavailable(self._path, OTHER_UPSTREAM)

    def changes(self, after: int, limit: int, until: int | None = None) -> change_feed.FeedExcerpt:
        """Return up to ``limit`` entries of the change feed behind the place ``after``, and none behind ``until``."""
        with self._reader.reading() as connection:
            return change_feed.read(connection, after, limit, until)

    def saved(self) -> tuple[str, datetime] | None:
        """Return the version and ``refreshed_at`` that :meth:`load` would give now; cheap enough for every second."""
        saved: SavedCatalog | None = self._row(SAVED)
        return None if saved is None else (saved.version, saved.refreshed_at)

    def take_lease(self, holder: str, seconds: float) -> bool:
        """Return whether ``holder`` may crawl from now on for ``seconds``: a new lease, or a renewed one.

        Whoever crawls has the substitute too, and by it goes on crawling while the file cannot be written.
        """
        if self._substitute is None:
            with self._writer.writing() as connection:
                return crawl_lease.take(connection, holder, seconds)
        has_substitute = self._substitute.take()
        try:
            with self._writer.writing() as connection:
                # Another process that has it may only just be able to write again, and has something to store. One
                # that hangs is replaced all the same.
                taken = crawl_lease.take(
                    connection, holder, seconds, patience=0.0 if has_substitute else seconds
                )
        except StorageUnavailable as error:
            if not self._refused:
                _log.warning("%s", error)
            self._refused = True
            return has_substitute
        self._refused = False
        if not taken:
            self._substitute.drop()
        return taken

    def drop_lease(self, holder: str) -> None:
        """Let others take the lease at once, if ``holder`` has it."""
        if self._substitute is not None:
            self._substitute.drop()
        with self._writer.writing() as connection:
            crawl_lease.drop(connection, holder)

    def close(self) -> None:
        """Close the file. Other methods must not be called any more."""
        if self._substitute is not None:
            self._substitute.close()
            self._reader.close()
            self._bulk_reader.close()
        self._writer.close()

    def _rescue(self, path: str) -> None:
        """Take the catalog of a file that was set aside, if that is whole."""
        found = whole_catalog_in(path)
        if found is not None:
            self.save(
                packages=found.catalog.packages.values(),
                grids=found.catalog.grids.values(),
                categories=found.catalog.categories.values(),
                **msgspec.structs.asdict(found.saved),
            )
            _log.warning("The catalog in %s was whole, and is kept without its history.", path)

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
            sentence = "In the catalog file %s, %s %s is damaged and left out: %r."
            _log.error(sentence, self._path, kind, id, error)
            return None


OTHER_UPSTREAM = (
    "it has the catalog of another upstream; set GATEWAY_STORAGE to another file, or remove this one"
)
