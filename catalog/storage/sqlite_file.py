"""Opens the SQLite file of the catalog, replaces a file that is no catalog, and turns SQLite's errors into sentences.

A process that starts and finds a file that is no catalog sets this file aside, unchanged, and begins a new one. A
running process does not, because a newer program wrote that file, and the two programs would replace each other's files
for ever.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Lock
from typing import NamedTuple

from upstream.client import StorageUnavailable

_APPLICATION_ID = int.from_bytes(b"djpk", "big")
_LAYOUT = 3
_WITHOUT_HISTORY = 2
"""The previous layout, which lacks only the tables of history."""

_TABLE = re.compile(r"CREATE TABLE (\w+)")

_log = logging.getLogger(__name__)


class FileConnection:
    """Connects to the catalog file, for one thread at a time. If its file is replaced, it opens the new one.

    ``tables`` are the statements that make the tables. ``history`` are the statements of the tables and indexes that
    are made again where they are missing or different, because the rest of the file is worth keeping without them.
    ``patience`` is how many seconds the connection waits for other threads, and then for other processes. Every method
    raises :class:`StorageUnavailable` when the disk or the file refuses, or when that time is over.
    """

    def __init__(
        self,
        path: str,
        tables: Sequence[str],
        history: Sequence[str],
        patience: float,
        *,
        is_second: bool = False,
    ) -> None:
        """Open the file. ``is_second`` says that another connection has just checked the file and logs what happens."""
        self._path = path
        self._tables = _Tables(tables, history)
        self.set_aside: str | None = None
        """Where a corrupt file was set aside to when this was opened; ``None`` if none was."""
        self._patience = patience
        self._lock = Lock()
        self._is_second = is_second
        with _refusals_of(path):
            if is_second:
                self._connection = _connect(path, patience)
                # This maps the memory that the connections share, which a full disk would forbid later.
                self._connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
            else:
                self._connection, self.set_aside = _open(path, self._tables, patience, may_set_aside=True)
            self._file = _identity(path)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Return a consistent state of the file, without waiting for a save."""
        with self._in_use() as connection, connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Return a transaction that is written as a whole or not at all."""
        with self._in_use() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection

    def close(self) -> None:
        """Close it. Other methods must not be called any more."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _in_use(self) -> Iterator[sqlite3.Connection]:
        if not self._lock.acquire(timeout=self._patience):
            raise StorageUnavailable(self._path, "it is in use by another thread")
        try:
            with _refusals_of(self._path):
                if _identity(self._path) != self._file:
                    # The file was deleted, or set aside by another process. A save would be lost, and its lease is
                    # not the one that others see. SQLite detects this, and does not touch the log of the new file.
                    self._connection.close()
                    self._connection, _ = _open(self._path, self._tables, self._patience, may_set_aside=False)
                    self._file = _identity(self._path)
                    if not self._is_second:
                        sentence = "The catalog file %s was replaced or deleted; it was opened anew."
                        _log.warning(sentence, self._path)
                yield self._connection
        finally:
            self._lock.release()


class _NoCatalog(Exception):
    """The file is no catalog of this layout. The message continues the sentence after the name of the file."""


class _Tables(NamedTuple):
    """Holds the statements that make a file."""

    needed: Sequence[str]
    history: Sequence[str]


def _open(
    path: str, tables: _Tables, patience: float, *, may_set_aside: bool
) -> tuple[sqlite3.Connection, str | None]:
    """Return a connection, and the path to which another file in its place was set aside."""
    if path == ":memory:":
        return _checked(path, tables, patience), None
    with _folder_held(path):
        if not os.path.exists(path):
            # Somebody deleted the file alone; SQLite would take the shared memory of the old log for the new one's.
            for suffix in ("-wal", "-shm"):
                with suppress(FileNotFoundError):
                    os.remove(path + suffix)
        try:
            return _checked(path, tables, patience), None
        except _NoCatalog as fault:
            if not may_set_aside:
                raise StorageUnavailable(path, f"it {fault}") from fault
            aside = f"{path}.set-aside-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
            # The file is renamed last, so that a process that is killed in between leaves nothing ambiguous.
            for suffix in ("-journal", "-wal", "-shm", ""):
                with suppress(FileNotFoundError):
                    os.rename(path + suffix, aside + suffix)
            sentence = "The catalog file %s %s; it was set aside as %s, and a new one was begun."
            _log.error(sentence, path, fault, aside)
            return _checked(path, tables, patience), aside


@contextmanager
def _folder_held(path: str) -> Iterator[None]:
    """Let one process in at a time, so that only the first of several that start sets a corrupt file aside."""
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _connect(path: str, patience: float) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)


def _checked(path: str, tables: _Tables, patience: float) -> sqlite3.Connection:
    """Return a connection to a file that is a catalog of this layout.

    :raises _NoCatalog: it is something else.
    """
    connection = _connect(path, patience)
    try:
        with connection:
            connection.execute("BEGIN IMMEDIATE")  # refuses at once where nothing can be written
            _check_or_begin(connection, tables, path)
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


def _check_or_begin(connection: sqlite3.Connection, tables: _Tables, path: str) -> None:
    def number(statement: str, *parameters: str) -> int:
        return int(connection.execute(statement, parameters).fetchall()[0][0])

    def made() -> set[str]:
        return {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master")}

    application, layout = number("PRAGMA application_id"), number("PRAGMA user_version")
    if application == layout == number("SELECT count(*) FROM sqlite_master") == 0:
        marks = (f"PRAGMA application_id = {_APPLICATION_ID}", f"PRAGMA user_version = {_LAYOUT}")
        for statement in (*tables.needed, *tables.history, *marks):
            connection.execute(statement)
    elif application != _APPLICATION_ID:
        raise _NoCatalog("belongs to another program")
    elif layout not in (_LAYOUT, _WITHOUT_HISTORY):
        raise _NoCatalog(f"has layout {layout}, and this program knows layout {_LAYOUT}")
    elif number("SELECT integrity_check <> 'ok' FROM pragma_integrity_check(1)"):
        raise _NoCatalog("is corrupt")
    elif not set(tables.needed) <= made():
        raise _NoCatalog("lacks its tables")
    elif layout == _WITHOUT_HISTORY or not set(tables.history) <= made():
        if layout == _LAYOUT:
            _log.error("The history in the catalog file %s lacks its tables; it is begun anew.", path)
        for statement in tables.history:
            for name in _TABLE.findall(statement):
                connection.execute(f"DROP TABLE IF EXISTS {name}")
        for statement in (*tables.history, f"PRAGMA user_version = {_LAYOUT}"):
            connection.execute(statement)


def _identity(path: str) -> tuple[int, int] | None:
    """Return an identification of the file at ``path``; ``None`` if there is none, as for ``:memory:``."""
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
        # SQLite says only that it is unable to open a file.
        places = [place for place in (path, os.path.dirname(path)) if os.path.exists(place)]
        if os.path.isdir(path):
            reason = "it is a directory"
        elif not all(os.access(place, os.R_OK | os.W_OK) for place in places):
            reason = "it or its folder may not be written"
        raise StorageUnavailable(path, reason) from error
