"""The last good catalog on disk, so that a restart serves at once, whether or not upstream answers.

One SQLite file, shared by all worker processes of a machine (on a local disk: the write-ahead log needs shared
memory). The table ``records`` holds each record as JSON, and a row that names the version they make up;
``lease`` says who crawls. Not MessagePack: msgspec's loses the offsets of moments, which upstream sent.

A save is one transaction in the write-ahead log: a process killed at any moment leaves the old catalog or the
new one. ``synchronous=NORMAL`` waits for the disk when the log is copied into the file, not at each commit: a
loss of power can take the newest saves along, which the next crawl brings back, but the file stays whole.

A start that finds something else in the file's place sets that aside, unchanged, and begins a new file. A
process that already runs does not: what it finds is a newer program's, and the two would take turns for ever.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import msgspec

from upstream import feed, lease
from upstream.records import CATEGORY, GRID, PACKAGE, Category, Grid, Moment, Package, Record

_APPLICATION_ID = int.from_bytes(b"djpk", "big")
_LAYOUT = 2
_TABLES = (
    "CREATE TABLE records (kind TEXT NOT NULL, id INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, id))",
    lease.TABLE,
    *feed.TABLES,
)

_PATIENCE = 10.0  # seconds to wait for another process's save, which takes a fraction of one

_log = logging.getLogger(__name__)


class StorageUnavailable(Exception):
    """The catalog file cannot be used. The message is one sentence: its path and the reason."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"The catalog file {path} cannot be used: {reason}.")


@dataclass(frozen=True)
class Stored:
    """A catalog as it was saved. The records come newest id first; ``refreshed_at`` is in UTC."""

    version: str
    refreshed_at: datetime
    packages: tuple[Package, ...]
    grids: tuple[Grid, ...]
    categories: tuple[Category, ...]


class Storage:
    """The catalog in the file ``path``; ``:memory:`` keeps it in this process only.

    Every method blocks and may be called from any thread; calls wait for one another. All of them, and the
    constructor, raise :class:`StorageUnavailable` when the disk or the file refuses; a later call may succeed.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = Lock()
        with _refusals_of(path):
            self._connection = _open(path, may_set_aside=True)
            self._file = _identity(path)

    def load(self) -> Stored | None:
        """The catalog that was saved last; None when none was.

        A damaged row is left out and logged. The next save of a catalog puts it back.
        """
        with self._in_use() as connection:
            # One statement, so one state of the file. The cast is for a body whose type is damaged.
            select = "SELECT kind, id, CAST(body AS BLOB) FROM records ORDER BY id DESC"
            rows = connection.execute(select).fetchall()
        found: dict[str, list[Any]] = {kind: [] for kind in _DECODERS}
        for kind, id, body in rows:
            record = self._decoded(kind, id, body)
            if record is not None:
                found[kind].append(record)
        for saved in found[_SAVED]:
            packages, grids, categories = (tuple(found[kind.singular]) for kind in (PACKAGE, GRID, CATEGORY))
            return Stored(saved.version, saved.refreshed_at, packages, grids, categories)
        return None

    def save(
        self,
        *,
        version: str,
        refreshed_at: datetime,
        packages: Iterable[Package],
        grids: Iterable[Grid],
        categories: Iterable[Category],
    ) -> None:
        """Make this the stored catalog, as a whole or not at all. ``refreshed_at`` is aware.

        Writes the rows that differ from what is stored, and deletes those of records that are gone. The change
        feed tells of both.
        """
        now = datetime.now(UTC)
        saved = _Saved(version=version, refreshed_at=refreshed_at.astimezone(UTC))
        catalog = {
            _SAVED: {0: msgspec.json.encode(saved)},
            PACKAGE.singular: _bodies(packages),
            GRID.singular: _bodies(grids),
            CATEGORY.singular: _bodies(categories),
        }
        with self._writing() as connection:
            changes: list[feed.Change] = []
            before = {kind: _stored(connection, kind) for kind in catalog}
            for kind, bodies in catalog.items():
                _replace(connection, kind, before[kind], bodies)
                if kind in _FED:
                    changes += feed.differences(kind, version, now, before[kind], bodies)
            if _is_the_same_upstream(before[_SAVED], version):
                feed.append(connection, changes, now)
            else:
                feed.begin(connection, feed.name_for(version))

    def changes(self, after: int, limit: int, until: int | None = None) -> feed.Excerpt:
        """Up to ``limit`` entries of the change feed behind the place ``after``; 0 is its start.

        As if those behind the place ``until`` had not come yet.
        """
        with self._in_use() as connection, connection:
            # In a transaction, so that its several questions see one state; not one that waits for a save.
            connection.execute("BEGIN")
            return feed.read(connection, after, limit, until)

    def saved(self) -> tuple[str, datetime] | None:
        """The version and ``refreshed_at`` that :meth:`load` would give now, whichever process saved them.

        Reads one row: cheap enough to ask every second.
        """
        with self._in_use() as connection:
            select = "SELECT kind, id, CAST(body AS BLOB) FROM records WHERE kind = ?"
            rows = connection.execute(select, (_SAVED,)).fetchall()
        saved = self._decoded(*rows[0]) if rows else None
        return None if saved is None else (saved.version, saved.refreshed_at)

    def take_lease(self, holder: str, seconds: float) -> bool:
        """Whether ``holder`` may crawl from now on for ``seconds``: a new lease, or a renewed one."""
        with self._writing() as connection:
            return lease.take(connection, holder, seconds)

    def drop_lease(self, holder: str) -> None:
        """Let others take the lease at once, if ``holder`` has it."""
        with self._writing() as connection:
            lease.drop(connection, holder)

    def close(self) -> None:
        """Close the file. Other methods must not be called any more."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _in_use(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _refusals_of(self._path):
            if _identity(self._path) != self._file:
                # Deleted by somebody, or set aside by a start: what is saved here would be lost, and the lease
                # here is not the one that others see. SQLite knows, and leaves the successor's log alone.
                self._connection.close()
                self._connection = _open(self._path, may_set_aside=False)
                self._file = _identity(self._path)
                _log.warning("The catalog file %s was replaced or deleted; it was opened anew.", self._path)
            yield self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._in_use() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def _decoded(self, kind: str, id: int, body: bytes) -> Any:
        try:
            return _DECODERS[kind].decode(body)
        except (KeyError, msgspec.DecodeError, UnicodeDecodeError) as error:
            sentence = "In the catalog file %s, %s %s is damaged and left out: %r."
            _log.error(sentence, self._path, kind, id, error)
            return None


class _Saved(msgspec.Struct, frozen=True):
    version: str
    refreshed_at: Moment


_SAVED = "catalog"
_FED = (PACKAGE.singular, GRID.singular)
"""The kinds whose changes are in the feed."""
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    _SAVED: msgspec.json.Decoder(_Saved),
    PACKAGE.singular: msgspec.json.Decoder(Package),
    GRID.singular: msgspec.json.Decoder(Grid),
    CATEGORY.singular: msgspec.json.Decoder(Category),
}


def _bodies(records: Iterable[Record]) -> dict[int, bytes]:
    return {record.id: msgspec.json.encode(record) for record in records}


def _stored(connection: sqlite3.Connection, kind: str) -> dict[int, bytes]:
    return dict(connection.execute("SELECT id, CAST(body AS BLOB) FROM records WHERE kind = ?", (kind,)))


def _is_the_same_upstream(saved: dict[int, bytes], version: str) -> bool:
    """Whether what was saved is an older catalog of the same upstream: a version begins with its name."""
    if not saved:
        return False
    try:
        old: str = _DECODERS[_SAVED].decode(saved[0]).version
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return old.rpartition(" ")[0] == version.rpartition(" ")[0]


def _replace(
    connection: sqlite3.Connection, kind: str, stored: dict[int, bytes], bodies: dict[int, bytes]
) -> None:
    connection.executemany(
        "INSERT INTO records (kind, id, body) VALUES (?, ?, ?)"
        " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
        [(kind, id, body) for id, body in bodies.items() if stored.get(id) != body],
    )
    connection.executemany(
        "DELETE FROM records WHERE kind = ? AND id = ?", [(kind, id) for id in stored.keys() - bodies.keys()]
    )


class _NoCatalog(Exception):
    """A file that is no catalog of this layout. The message goes on after its name."""


def _open(path: str, *, may_set_aside: bool) -> sqlite3.Connection:
    if path == ":memory:":
        return _connect(path)
    with _folder_held(path):
        if not os.path.exists(path):
            # Somebody deleted the file alone; SQLite would take the shared memory of the old log for the new one's.
            for suffix in ("-wal", "-shm"):
                with suppress(FileNotFoundError):
                    os.remove(path + suffix)
        try:
            return _connect(path)
        except _NoCatalog as fault:
            if not may_set_aside:
                raise StorageUnavailable(path, f"it {fault}") from fault
            aside = f"{path}.set-aside-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
            # The file goes last: a start that is killed in between leaves nothing that the next one could mix up.
            for suffix in ("-journal", "-wal", "-shm", ""):
                with suppress(FileNotFoundError):
                    os.rename(path + suffix, aside + suffix)
            sentence = "The catalog file %s %s; it was set aside as %s, and a new one begun."
            _log.error(sentence, path, fault, aside)
            return _connect(path)


@contextmanager
def _folder_held(path: str) -> Iterator[None]:
    """One process at a time: of several that start with a corrupt file, only the first may set it aside."""
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        with connection:
            connection.execute("BEGIN IMMEDIATE")  # refuses at once where nothing can be written
            _check_or_begin(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except Exception as error:
        connection.close()
        # Where a name is corrupt, SQLite's message is not even text.
        code = error.sqlite_errorcode & 0xFF if isinstance(error, sqlite3.Error) else None
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or isinstance(error, UnicodeDecodeError):
            raise _NoCatalog("is corrupt") from error
        raise
    return connection


def _check_or_begin(connection: sqlite3.Connection) -> None:
    def number(statement: str, *parameters: str) -> int:
        return int(connection.execute(statement, parameters).fetchall()[0][0])

    application, layout = number("PRAGMA application_id"), number("PRAGMA user_version")
    if application == layout == number("SELECT count(*) FROM sqlite_master") == 0:
        marks = (f"PRAGMA application_id = {_APPLICATION_ID}", f"PRAGMA user_version = {_LAYOUT}")
        for statement in (*_TABLES, *marks):
            connection.execute(statement)
    elif application != _APPLICATION_ID:
        raise _NoCatalog("belongs to another program")
    elif layout != _LAYOUT:
        raise _NoCatalog(f"has layout {layout}, and this program knows layout {_LAYOUT}")
    elif number("SELECT integrity_check <> 'ok' FROM pragma_integrity_check(1)"):
        raise _NoCatalog("is corrupt")
    elif not set(_TABLES) <= {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master")}:
        raise _NoCatalog("lacks its tables")


def _identity(path: str) -> tuple[int, int] | None:
    """Which file is at ``path`` now; None when none is, as for ``:memory:``."""
    with suppress(FileNotFoundError):
        status = os.stat(path)
        return status.st_dev, status.st_ino
    return None


@contextmanager
def _refusals_of(path: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        # SQLite says no more than that it is unable to open a file.
        places = [place for place in (path, os.path.dirname(path)) if os.path.exists(place)]
        if os.path.isdir(path):
            reason = "it is a directory"
        elif not all(os.access(place, os.R_OK | os.W_OK) for place in places):
            reason = "it or its folder may not be written"
        raise StorageUnavailable(path, reason) from error
