"""Records what a transaction changes in the tables of the catalog, as an entry of the server's log.

Temporary triggers note which rows the transaction touches. An entry has the new content of these rows and the keys of
the deleted ones, so that tables that were equal before are equal again after the entry is applied to them.
"""

from __future__ import annotations

import random
import sqlite3
from typing import Any

import msgspec
import zstandard

from catalog.storage.record_rows import SAVED
from sharing import damaged

KEYS = {
    "records": ("kind", "id"),
    "versions": ("number",),
    "record_changes": ("number", "kind", "id"),
    "changes": ("place",),
}
"""The columns that identify a row of each table."""

COLUMNS = {"records": 3, "versions": 5, "record_changes": 5, "changes": 3}
"""How many columns each table has. A change of the tables needs another ``LAYOUT`` in ``sharing.replication_log``."""

SMALL = ("feed", "sqlite_sequence")
"""The tables that each entry has whole: the name of the change feed, and the last place in it."""

MAX_BYTES = 1_000_000_000
"""The largest entry that is unpacked, in bytes: many times the history of several years."""

COMPRESSION = 6

Row = tuple[Any, ...]
"""The values of a row, as SQLite has them: texts, bytes, numbers and nulls."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """Holds what a transaction changed in the tables, or all that is in them."""

    id: str
    """The name of the change that leads to this, as in ``LogState``."""
    after: str
    """The name of the change before it; empty for the first, and for all that is in the tables."""
    written: dict[str, list[Row]]
    """The rows that were written, by table."""
    deleted: dict[str, list[Row]]
    """The keys of the rows that were deleted, by table."""
    small: dict[str, list[Row]]
    """All rows of each small table."""


def watch(connection: sqlite3.Connection) -> None:
    """Note in a table which rows this transaction writes and deletes. The table ends with the transaction."""
    connection.execute("CREATE TEMP TABLE touched (name TEXT, a, b, c, UNIQUE (name, a, b, c))")
    connection.execute("CREATE TEMP TABLE feed_touched (yes)")
    for table, key in KEYS.items():
        for event, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            # The values must not be null, because nulls are never equal.
            values = ", ".join([f"{row}.{column}" for column in key] + ["''"] * (3 - len(key)))
            connection.execute(
                f"CREATE TEMP TRIGGER {event}_{table} AFTER {event} ON main.{table} BEGIN"
                f" INSERT OR IGNORE INTO touched VALUES ('{table}', {values}); END"
            )
    connection.execute(
        "CREATE TEMP TRIGGER touched_feed AFTER INSERT ON main.feed BEGIN INSERT INTO feed_touched VALUES (1); END"
    )


def changes_in(connection: sqlite3.Connection, after: str) -> Entry | None:
    """Return what the transaction has changed so far; ``None`` if it has changed nothing."""
    written: dict[str, list[Row]] = {}
    deleted: dict[str, list[Row]] = {}
    for table, key in KEYS.items():
        on = " AND ".join(
            f"row.{column} = touched.{place}" for column, place in zip(key, "abc", strict=False)
        )
        joined = f"FROM touched LEFT JOIN main.{table} AS row ON {on} WHERE touched.name = '{table}'"
        written[table] = connection.execute(f"SELECT row.* {joined} AND row.{key[0]} IS NOT NULL").fetchall()
        keys = ", ".join("abc"[: len(key)])
        deleted[table] = connection.execute(f"SELECT {keys} {joined} AND row.{key[0]} IS NULL").fetchall()
    is_changed = any(written.values()) or any(deleted.values())
    if not is_changed and not connection.execute("SELECT * FROM feed_touched").fetchall():
        return None
    return Entry(f"{random.getrandbits(64):016x}", after, written, deleted, _small(connection))


def everything_in(connection: sqlite3.Connection, id: str) -> Entry:
    """Return all that is in the tables. ``id`` is the name of the change that led there."""
    written = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in KEYS}
    return Entry(id, "", written, {}, _small(connection))


def _small(connection: sqlite3.Connection) -> dict[str, list[Row]]:
    return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in SMALL}


def described(connection: sqlite3.Connection) -> bytes:
    """Return the description of the stored catalog as JSON; empty if there is none."""
    rows = connection.execute("SELECT CAST(body AS BLOB) FROM records WHERE kind = ?", (SAVED,)).fetchall()
    return bytes(rows[0][0]) if rows else b""


def apply(connection: sqlite3.Connection, entry: Entry, key: str) -> None:
    """Write the entry of a key to the tables, in a transaction.

    :raises ValkeyUnavailable: it does not fit the tables.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        _write(connection, entry)
        connection.execute("COMMIT")
    except (sqlite3.Error, LookupError, OverflowError, ValueError) as error:
        connection.execute("ROLLBACK")
        raise damaged(key) from error


def _write(connection: sqlite3.Connection, entry: Entry) -> None:
    """Write an entry to the tables.

    :raises sqlite3.Error: it does not fit them.
    :raises LookupError: it has an unknown table or key.
    """
    for table, rows in entry.deleted.items():
        where = " AND ".join(f"{column} = ?" for column in KEYS[table])
        connection.executemany(f"DELETE FROM {table} WHERE {where}", rows)
    for table, rows in entry.written.items():
        places = ", ".join("?" * COLUMNS[table])
        connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({places})", rows)
    for table in SMALL:
        connection.execute(f"DELETE FROM {table}")
        places = "?, ?" if table == "sqlite_sequence" else "?"
        connection.executemany(f"INSERT INTO {table} VALUES ({places})", entry.small[table])


def pack(entry: Entry) -> bytes:
    """Return an entry as it is on the server."""
    return zstandard.ZstdCompressor(level=COMPRESSION).compress(msgspec.msgpack.encode(entry))


def unpack(packed: bytes, key: str) -> Entry:
    """Return the entry of a key.

    :raises ValkeyUnavailable: no gateway wrote it.
    """
    try:
        if not 0 <= zstandard.frame_content_size(packed) <= MAX_BYTES:
            raise damaged(key)
        return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(packed), type=Entry)
    except (zstandard.ZstdError, msgspec.DecodeError) as error:
        raise damaged(key) from error
