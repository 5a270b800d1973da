"""The crawl lease: which of the processes that share a catalog file may crawl upstream.

One row of the file, with the time at which it expires by the machine's clock; all holders run on that machine.
The caller opens and ends the transactions.
"""

from __future__ import annotations

import sqlite3
import time

TABLE = (
    "CREATE TABLE lease (id INTEGER PRIMARY KEY CHECK (id = 1), holder TEXT NOT NULL, expires REAL NOT NULL)"
)


def take(connection: sqlite3.Connection, holder: str, seconds: float) -> bool:
    """Whether ``holder`` has the lease from now on for ``seconds``: it was free, expired, or its own."""
    # A lease that outlasts twice its time was given while the clock was wrong; waiting for its end could
    # mean that nobody crawls for years.
    given = connection.execute(
        "INSERT INTO lease (id, holder, expires) VALUES (1, :holder, :now + :seconds)"
        " ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, expires = excluded.expires"
        " WHERE holder = :holder OR expires <= :now OR expires > :now + 2 * :seconds",
        {"holder": holder, "now": time.time(), "seconds": seconds},
    )
    return given.rowcount == 1


def drop(connection: sqlite3.Connection, holder: str) -> None:
    """Free the lease if ``holder`` has it."""
    connection.execute("DELETE FROM lease WHERE holder = ?", (holder,))
