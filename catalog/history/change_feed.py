"""Stores the change feed beside the catalog for 30 days: what each save of a catalog added, changed and removed.

The feed is written in the transaction of the save, from the rows that the save replaces. So it says exactly how the
stored catalog has changed, whichever process saved it. The first catalog, and a catalog of another upstream, begin a
new feed and are not changes.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from catalog.catalog_difference import FieldDifference, RecordKey
from catalog.history.record_deltas import ChangeKind, RecordDelta
from upstream.client import GRID, PACKAGE

KEPT = timedelta(days=30)

TABLES = (
    "CREATE TABLE changes (place INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, body BLOB NOT NULL)",
    "CREATE TABLE feed (name TEXT NOT NULL)",
)

_UNFIT = "unfit"
"""The field that the gateway itself adds to a stored record; upstream has no such field."""

_FED = (PACKAGE.singular, GRID.singular)
"""The kinds whose changes are in the feed."""

_log = logging.getLogger(__name__)


class RecordChange(msgspec.Struct, frozen=True):
    """Says what happened to one record."""

    sort: ChangeKind
    kind: str
    """The kind as in ``Kind.singular``: package or grid."""
    id: int
    slug: str
    version: str
    """The version of the catalog that has the change."""
    at: datetime
    """When that was saved (UTC)."""
    fields: tuple[FieldDifference, ...] = ()


class FeedEntry(msgspec.Struct, frozen=True):
    """Holds a change with its position in a feed."""

    feed: str
    place: int
    change: RecordChange


class FeedExcerpt(msgspec.Struct, frozen=True):
    """Holds a part of the feed."""

    feed: str
    """The name of the feed, empty before the first catalog. Places of another feed mean nothing in this one."""
    entries: tuple[FeedEntry, ...]
    left: int
    """How many entries come after these."""
    after: int
    """The place that was asked for."""
    start: int
    """The place ahead of the oldest entry that is kept."""
    end: int
    """The place to continue from."""
    last: int
    """The place of the newest entry that ever was, 0 if there was none."""

    @property
    def newest(self) -> int:
        """Return the place behind these and all that are left."""
        return self.end + self.left

    @property
    def complete(self) -> bool:
        """Return whether nothing that was between ``after`` and these has been dropped for its age."""
        return self.start <= self.after

    @property
    def earlier(self) -> bool:
        """Return whether entries up to ``after`` are kept."""
        return self.start < min(self.after, self.last)


class FeedReplaced(Exception):
    """A reader of the feed has missed a part of it, because the feed was begun anew or its oldest entries were
    dropped."""


def changes_by(
    deltas: Iterable[RecordDelta], slugs: Mapping[RecordKey, str], version: str, at: datetime
) -> list[RecordChange]:
    """Return deltas as entries of the feed, in their order.

    ``slugs`` are those of the newer catalog, for records that changed. ``version`` is the newer catalog's, saved
    ``at`` this time.
    """
    changes: list[RecordChange] = []
    for delta in deltas:
        fields = _fit(delta.fields)
        if delta.kind in _FED and (fields or delta.sort != "changed"):
            slug = slugs.get(RecordKey(delta.kind, delta.id)) or {**delta.before, **delta.after}["slug"]
            changes.append(RecordChange(delta.sort, delta.kind, delta.id, slug, version, at, fields))
    return changes


def begin(connection: sqlite3.Connection, name: str) -> None:
    """Begin a feed without entries. Its new name shows that places of the old feed are not places of this one."""
    connection.execute("DELETE FROM changes")
    connection.execute("DELETE FROM feed")
    connection.execute("INSERT INTO feed VALUES (?)", (name,))


def append(connection: sqlite3.Connection, changes: Iterable[RecordChange], now: datetime) -> None:
    """Add what a save changed, and drop what is too old."""
    rows = [(change.at.isoformat(), msgspec.json.encode(change)) for change in changes]
    connection.executemany("INSERT INTO changes (at, body) VALUES (?, ?)", rows)
    # Entries are dropped by place and not only by age, because a clock that was set back must leave no gap.
    connection.execute(
        "DELETE FROM changes WHERE place <= (SELECT max(place) FROM changes WHERE at < ?)",
        ((now - KEPT).isoformat(),),
    )


def read(connection: sqlite3.Connection, after: int, limit: int, until: int | None = None) -> FeedExcerpt:
    """Return up to ``limit`` entries behind a place, oldest first; as if those behind ``until`` had not come
    yet.

    Places follow one another, so all counts are differences of places, however long the feed is.
    """
    names = connection.execute("SELECT name FROM feed").fetchall()
    sequence = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchall()
    last = sequence[0][0] if sequence else 0
    ((first,),) = connection.execute("SELECT min(place) FROM changes")
    start = last if first is None else first - 1
    known = last if until is None else min(last, until)
    rows = connection.execute(
        "SELECT place, CAST(body AS BLOB) FROM changes WHERE place > ? AND place <= ? ORDER BY place LIMIT ?",
        (after, known, limit),
    ).fetchall()
    left = max(0, known - max(after, start)) - len(rows)
    feed = names[0][0] if names else ""
    return FeedExcerpt(
        feed,
        entries=tuple(entry for place, body in rows if (entry := _entry(feed, place, body)) is not None),
        left=left,
        after=after,
        start=start,
        end=max(after, known - left),
        last=last,
    )


def name_for(version: str) -> str:
    """Return a name for a feed that begins with this catalog now."""
    return f"{version[-8:]}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"


def _fit(fields: Iterable[FieldDifference]) -> tuple[FieldDifference, ...]:
    return tuple(field for field in fields if field.name != _UNFIT)


def _entry(feed: str, place: int, body: bytes) -> FeedEntry | None:
    try:
        return FeedEntry(feed, place, msgspec.json.decode(body, type=RecordChange))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _log.error("Entry %s of the change feed is damaged and left out: %r.", place, error)
        return None
