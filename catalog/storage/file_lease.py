"""Decides by a lease which of the processes that share a catalog file may crawl upstream.

The lease is one row of the file, with the time at which it expires by the machine's clock. All holders run on that
machine. The caller opens and ends the transactions. While the file cannot be written, :class:`Substitute` decides.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import suppress

from upstream.client import StorageUnavailable

TABLE = (
    "CREATE TABLE lease (id INTEGER PRIMARY KEY CHECK (id = 1), holder TEXT NOT NULL, expires REAL NOT NULL)"
)


def take(connection: sqlite3.Connection, holder: str, seconds: float, patience: float = 0.0) -> bool:
    """Return whether ``holder`` has the lease from now on for ``seconds``: it was free, expired, or its own.

    With ``patience``, a lease that is free or expired is taken only after this many seconds.
    """
    connection.execute("INSERT OR IGNORE INTO lease (id, holder, expires) VALUES (1, '', ?)", (time.time(),))
    # A lease that outlasts twice its time was given while the clock was wrong; waiting for its end could
    # mean that nobody crawls for years.
    given = connection.execute(
        "INSERT INTO lease (id, holder, expires) VALUES (1, :holder, :now + :seconds)"
        " ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, expires = excluded.expires"
        " WHERE holder = :holder OR expires <= :now - :patience OR expires > :now + 2 * :seconds",
        {"holder": holder, "now": time.time(), "seconds": seconds, "patience": patience},
    )
    return given.rowcount == 1


def drop(connection: sqlite3.Connection, holder: str) -> None:
    """Free the lease if ``holder`` has it."""
    connection.execute("DELETE FROM lease WHERE holder = ?", (holder,))


class Substitute:
    """Locks a file beside the catalog file with an advisory lock, which one process has at a time.

    The lock needs no writing, so it works where the catalog file is read-only, locked, or on a full disk. The kernel
    frees the lock when its process dies. The lock cannot be on the catalog file itself, because closing that file a
    second time would end SQLite's own locks (https://www.sqlite.org/howtocorrupt.html, 2.2).
    """

    def __init__(self, path: str) -> None:
        """Open the file ``{path}.lock``, which is made if there is none and stays there.

        :raises StorageUnavailable: it cannot be opened.
        """
        try:
            self._file = os.open(f"{path}.lock", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageUnavailable(path, f"{error.filename}: {error.strerror}") from error

    def take(self) -> bool:
        """Return whether this process has the lock from now on, because the lock was free or already its own."""
        with suppress(BlockingIOError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def drop(self) -> None:
        """Free the lock, if this process has it."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Free the lock, and close its file."""
        os.close(self._file)
