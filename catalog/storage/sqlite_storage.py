"""Stores the last good catalog on disk, so that a process serves as soon as it starts, even without upstream.

The storage is one SQLite file, which all worker processes of a machine share. It must be on a local disk, because the
write-ahead log needs shared memory. The table ``lease`` says who crawls.

A save is one transaction in the write-ahead log, so a process that is killed at any moment leaves the old catalog or
the new one. ``synchronous=NORMAL`` waits for the disk when the log is copied into the file, and not at each commit.
A loss of power can lose the newest saves, which the next crawl restores, but the file stays whole.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from catalog.history import catalog_versions, change_feed, record_change_rows
from catalog.storage import file_lease, record_rows
from catalog.storage.corrupt_file_recovery import whole_catalog_in
from catalog.storage.sql_storage import SqlStorage
from catalog.storage.sqlite_file import FileConnection
from upstream.client import StorageUnavailable

_TABLES = (record_rows.TABLE, file_lease.TABLE, *change_feed.TABLES)
"""The tables without which a file is no catalog."""

_HISTORY = (*catalog_versions.TABLES, *record_change_rows.TABLES)
"""The tables that are made again where they are missing."""

_READING_PATIENCE = 1.0
"""Seconds that a read waits for a locked file. A save does not lock out readers."""
_WRITING_PATIENCE = 5.0
"""Seconds that a save waits for the save of another process, which takes a fraction of a second."""

_log = logging.getLogger(__name__)


class Storage(SqlStorage):
    """Stores the catalog in the file ``path``; ``:memory:`` keeps it in this process only.

    Reads wait neither for saves nor for the lease. All methods, and the constructor, raise
    :class:`StorageUnavailable` when the disk or the file refuses; a later call may succeed.
    """

    other_upstream = (
        "it has the catalog of another upstream; set GATEWAY_STORAGE to another file, or remove this one"
    )

    def __init__(
        self,
        path: str,
        history_days: int | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``history_days`` is for how long versions are kept; ``None`` is for ever. ``now`` tells the time, aware."""
        writer = FileConnection(path, _TABLES, _HISTORY, _WRITING_PATIENCE)
        reader = bulk_reader = writer
        self._connections = [writer]
        self._substitute: file_lease.Substitute | None = None
        self._refused = False
        """Whether the file refused the lease when it was last asked for, which is logged once."""
        if path != ":memory:":
            tables = (_TABLES, _HISTORY)
            reader = FileConnection(path, *tables, _READING_PATIENCE, is_second=True)
            bulk_reader = FileConnection(path, *tables, _WRITING_PATIENCE, is_second=True)
            self._connections = [reader, bulk_reader, writer]
            self._substitute = file_lease.Substitute(path)
        super().__init__(path, writer, reader, bulk_reader, history_days, now)
        if writer.set_aside is not None:
            self._recover(writer.set_aside)

    def take_lease(self, holder: str, seconds: float) -> bool:
        """Return whether ``holder`` may crawl from now on for ``seconds``: a new lease, or a renewed one.

        The process that crawls holds the substitute too, and continues to crawl by it while the file cannot be written.
        """
        if self._substitute is None:
            with self._writer.writing() as connection:
                return file_lease.take(connection, holder, seconds)
        has_substitute = self._substitute.take()
        try:
            with self._writer.writing() as connection:
                # Another process that has the substitute may just have become able to write again, and has a catalog to
                # store. A process that hangs is replaced nevertheless.
                taken = file_lease.take(
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
            file_lease.drop(connection, holder)

    def close(self) -> None:
        """Close the file. Other methods must not be called any more."""
        if self._substitute is not None:
            self._substitute.close()
        for connection in self._connections:
            connection.close()

    def _recover(self, path: str) -> None:
        """Save the catalog of a file that was set aside, if this catalog is whole."""
        found = whole_catalog_in(path)
        if found is not None:
            self.save(
                packages=found.catalog.packages.values(),
                grids=found.catalog.grids.values(),
                categories=found.catalog.categories.values(),
                **msgspec.structs.asdict(found.saved),
            )
            _log.warning("The catalog in %s was whole, and is kept without its history.", path)
