"""Reads and writes the versions of the catalog: when each was stored, and what it changed in every record.

They are written in the transaction of a save, from the rows that the save replaces, so that the records in the file
and the changes since a version give the records of that version. The functions work in a transaction that the caller
begins and ends.

The table ``versions`` has a row for each version; ``catalog.history.record_change_rows`` has what it changed. Versions
that are older than history are dropped a few at a time.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from catalog.history.record_change_rows import HistoryDamaged, moment_of, text_of, write
from catalog.history.record_deltas import ChangeKind, RecordDelta

TABLES = (
    "CREATE TABLE versions (number INTEGER PRIMARY KEY AUTOINCREMENT, version TEXT NOT NULL, at TEXT NOT NULL,"
    " refreshed_at TEXT NOT NULL, body BLOB NOT NULL)",
    "CREATE INDEX versions_by_hash ON versions (version)",
)

DROPPED_AT_ONCE = 50
"""How many versions a save drops at most: more than hourly crawls add, few enough that no save becomes slow."""

Cause = Literal["crawl", "rollback"]

_COLUMNS = "number, version, at, refreshed_at, CAST(body AS BLOB)"


_log = logging.getLogger(__name__)


class VersionUnknown(Exception):
    """No such version is kept. The message says in whole sentences which versions are."""


class TooManyRebuilds(Exception):
    """More versions were asked for than may be rebuilt or compared. The message is a sentence for the client."""

    code = "RATE_LIMITED"

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"Too many different versions of the catalog were asked for, and each has to be rebuilt or compared. "
            f"Try again in {retry_after} seconds."
        )
        self.retry_after = retry_after


class _VersionBody(msgspec.Struct, frozen=True):
    cause: Cause
    counts: dict[str, int]
    changes: dict[str, dict[ChangeKind, int]]
    fields: dict[str, int]


class CatalogVersion(msgspec.Struct, frozen=True):
    """Describes a version of the catalog that can be rebuilt."""

    number: int
    """Versions are numbered in the order in which they were stored; a number never comes back."""
    version: str
    """The hash of its content, as in ``Catalog.version``. Two versions with the same content have the same hash."""
    at: datetime
    """When it was stored (UTC)."""
    refreshed_at: datetime
    """When upstream was last seen to have this content (UTC)."""
    cause: Cause
    counts: dict[str, int]
    """How many records it has, by kind."""
    changes: dict[str, dict[ChangeKind, int]]
    """How many records it added, changed and removed, by kind; empty for the first one."""
    fields: dict[str, int]
    """In how many records it changed a field, by v4's name of the field."""


def add(
    connection: sqlite3.Connection,
    version: str,
    before: str | None,
    deltas: Sequence[RecordDelta],
    *,
    at: datetime,
    refreshed_at: datetime,
    counts: dict[str, int],
    cause: Cause = "crawl",
) -> None:
    """Add a version that ``deltas`` lead to from the one before, or note that the last one was seen again.

    ``before`` is the version that the file had. If history does not end with that version, history begins anew, because
    the stored changes do not lead to these records.
    """
    last = newest(connection)
    if last is not None and last[1] != before:
        connection.execute("DELETE FROM versions")
        connection.execute("DELETE FROM record_changes")
        last = None
    if last is not None and version == before and cause == "crawl":
        connection.execute(
            "UPDATE versions SET refreshed_at = ? WHERE number = ?", (text_of(refreshed_at), last[0])
        )
        return
    if last is None:
        deltas = ()  # the version before is not kept, so these deltas lead back to nothing
    body = _VersionBody(cause, counts, _counted(deltas), _fields_counted(deltas))
    added = connection.execute(
        "INSERT INTO versions (version, at, refreshed_at, body) VALUES (?, ?, ?, ?)",
        (version, text_of(at), text_of(refreshed_at), msgspec.json.encode(body)),
    )
    write(connection, int(added.lastrowid or 0), deltas)


def drop_old(connection: sqlite3.Connection, kept_since: datetime, keep: int | None = None) -> None:
    """Drop versions that were replaced before ``kept_since``, a few at a time, and none from number ``keep`` on.

    A clock that was set forward loses no more than those few, and one that was set back leaves no gap.
    """
    connection.execute(
        "DELETE FROM versions WHERE number IN (SELECT number FROM versions WHERE number <"
        " (SELECT max(number) FROM versions WHERE at <= :since)"
        " AND number < coalesce(:keep, number + 1) ORDER BY number LIMIT :most)",
        {"since": text_of(kept_since), "keep": keep, "most": DROPPED_AT_ONCE},
    )
    connection.execute("DELETE FROM record_changes WHERE number < (SELECT min(number) FROM versions)")


def newest(connection: sqlite3.Connection) -> tuple[int, str] | None:
    """Return the number and the version that the records in the file make up; ``None`` if none is kept."""
    rows = connection.execute("SELECT number, version FROM versions ORDER BY number DESC LIMIT 1").fetchall()
    return rows[0] if rows else None


def listed(connection: sqlite3.Connection, limit: int, before: int | None = None) -> list[CatalogVersion]:
    """Return up to ``limit`` versions, newest first, of those before the number ``before``.

    A damaged row is left out and logged.
    """
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM versions WHERE number < coalesce(?, number + 1) ORDER BY number DESC LIMIT ?",
        (before, limit),
    )
    versions: list[CatalogVersion] = []
    for row in rows.fetchall():
        try:
            versions.append(_version(row))
        except HistoryDamaged as error:
            _log.error("%s", error)
    return versions


def oldest(connection: sqlite3.Connection) -> CatalogVersion | None:
    """Return the version with which history begins; ``None`` if none is kept."""
    return _one(connection, "ORDER BY number LIMIT 1")


def at_moment(connection: sqlite3.Connection, moment: datetime) -> CatalogVersion | None:
    """Return the version that the file had then; ``None`` if history begins later."""
    return _one(connection, "WHERE at <= ? ORDER BY number DESC LIMIT 1", text_of(moment))


def named(connection: sqlite3.Connection, beginning: str, limit: int = 1) -> list[CatalogVersion]:
    """Return the newest version of each content whose hash begins so, up to ``limit`` contents."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM versions WHERE number IN (SELECT max(number) FROM versions"
        # "g" comes after all digits of a hash.
        " WHERE version BETWEEN ?1 AND ?1 || 'g' GROUP BY version LIMIT ?2) ORDER BY number DESC",
        (beginning, limit),
    )
    return [_version(row) for row in rows.fetchall()]


def numbered(connection: sqlite3.Connection, number: int) -> CatalogVersion | None:
    """Return the version with this number; ``None`` if it is not kept."""
    return _one(connection, "WHERE number = ?", number)


def _one(connection: sqlite3.Connection, which: str, *parameters: object) -> CatalogVersion | None:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM versions {which}", parameters).fetchall()
    return _version(rows[0]) if rows else None


def _version(row: tuple[int, str, str, str, bytes]) -> CatalogVersion:
    number, version, at, refreshed_at, body = row
    try:
        told = msgspec.json.decode(body, type=_VersionBody)
        return CatalogVersion(
            number,
            version,
            moment_of(at),
            moment_of(refreshed_at),
            told.cause,
            told.counts,
            told.changes,
            told.fields,
        )
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        raise HistoryDamaged(
            f"Version {number} in the history of the catalog is damaged: {error!r}."
        ) from error


def _counted(deltas: Iterable[RecordDelta]) -> dict[str, dict[ChangeKind, int]]:
    counts: dict[str, dict[ChangeKind, int]] = {}
    for delta in deltas:
        of_kind = counts.setdefault(delta.kind, {})
        of_kind[delta.sort] = of_kind.get(delta.sort, 0) + 1
    return counts


def _fields_counted(deltas: Iterable[RecordDelta]) -> dict[str, int]:
    return dict(Counter(name for delta in deltas if delta.sort == "changed" for name in delta.after))
