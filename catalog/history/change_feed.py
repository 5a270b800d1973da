"""The change feed: what each save of a catalog added, changed and removed, kept beside it for 30 days.

It is written in the transaction of the save, from the rows that the save replaces: so it says exactly how the
stored catalog became what it is, whichever process saved it. The first catalog, and that of another upstream,
begin a feed and are no changes.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from catalog.indexed_catalog import CatalogDifference, FieldDifference, RecordKey, field_differences
from upstream.client import KINDS

KEPT = timedelta(days=30)

TABLES = (
    "CREATE TABLE changes (place INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, body BLOB NOT NULL)",
    "CREATE TABLE feed (name TEXT NOT NULL)",
)

_UNFIT = "unfit"
"""What a stored record says of its own fields; it is none of upstream's."""

ChangeKind = Literal["added", "changed", "removed"]

_log = logging.getLogger(__name__)


class RecordChange(msgspec.Struct, frozen=True):
    """What happened to one record."""

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
    """A change at its place in a feed."""

    feed: str
    place: int
    change: RecordChange


class FeedExcerpt(msgspec.Struct, frozen=True):
    """A part of the feed."""

    feed: str
    """The name of the feed, empty before the first catalog: places of another one mean nothing here."""
    entries: tuple[FeedEntry, ...]
    left: int
    """How many entries come behind these."""
    after: int
    """The place that was asked for."""
    start: int
    """The place ahead of the oldest entry that is kept."""
    end: int
    """The place to go on from."""
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
    """A reader of the feed has missed some of it: the feed was begun anew, or outlived them."""


def differences(
    kind: str, version: str, at: datetime, old: Mapping[int, bytes], new: Mapping[int, bytes]
) -> list[RecordChange]:
    """Return what happened between two sets of records of one kind, by id; the bodies are JSON.

    A damaged body of old is as good as none: nobody knows what it said, so nothing is said of its record.
    """
    changes: list[RecordChange] = []
    for id in sorted(new.keys() | old.keys()):
        body = new.get(id)
        if id not in old:
            changes.append(RecordChange("added", kind, id, _record(new[id])["slug"], version, at))
        elif body == old[id] or (before := _known(old[id])) is None:
            continue
        elif body is None:
            changes.append(RecordChange("removed", kind, id, before["slug"], version, at))
        elif fields := _changed(before, after := _record(body)):
            changes.append(RecordChange("changed", kind, id, after["slug"], version, at, fields))
    return changes


def changes_by(
    difference: CatalogDifference, slugs: Mapping[RecordKey, str], version: str, at: datetime
) -> list[RecordChange]:
    """Return what a difference says of the records whose slugs are known, by kind and id.

    ``slugs`` are those of the newer catalog, and of removed records those that they had. ``version`` is the newer
    catalog's, saved ``at`` this time.
    """
    found: list[tuple[ChangeKind, RecordKey, tuple[FieldDifference, ...]]] = [
        *(("added", key, ()) for key in difference.added),
        *(("removed", key, ()) for key in difference.removed),
    ]
    for change in difference.changed:
        if fields := _fit(change.fields):
            found.append(("changed", RecordKey(change.kind, change.id), fields))
    kinds = [kind.singular for kind in KINDS]
    found.sort(key=lambda each: (kinds.index(each[1].kind), each[1].id))
    return [
        RecordChange(sort, key.kind, key.id, slugs[key], version, at, fields)
        for sort, key, fields in found
        if key in slugs
    ]


def slug_in(body: bytes) -> str | None:
    """Return the slug in a record as it is stored; ``None`` if that is damaged."""
    record = _known(body)
    return None if record is None else str(record["slug"])


def begin(connection: sqlite3.Connection, name: str) -> None:
    """Begin a feed: without entries, by a new name, so that places of the old one are known to be foreign."""
    connection.execute("DELETE FROM changes")
    connection.execute("DELETE FROM feed")
    connection.execute("INSERT INTO feed VALUES (?)", (name,))


def append(connection: sqlite3.Connection, changes: Iterable[RecordChange], now: datetime) -> None:
    """Add what a save changed, and drop what is too old."""
    rows = [(change.at.isoformat(), msgspec.json.encode(change)) for change in changes]
    connection.executemany("INSERT INTO changes (at, body) VALUES (?, ?)", rows)
    # By place, not by age alone: a clock that was set back must leave no gap.
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


def _changed(before: dict[str, Any], after: dict[str, Any]) -> tuple[FieldDifference, ...]:
    return _fit(field for field in field_differences(before, after) if field.name in after)


def _fit(fields: Iterable[FieldDifference]) -> tuple[FieldDifference, ...]:
    return tuple(field for field in fields if field.name != _UNFIT)


def _record(body: bytes) -> dict[str, Any]:
    return msgspec.json.decode(body, type=dict[str, Any])


def _known(body: bytes) -> dict[str, Any] | None:
    try:
        record = _record(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return record if isinstance(record.get("slug"), str) else None


def _entry(feed: str, place: int, body: bytes) -> FeedEntry | None:
    try:
        return FeedEntry(feed, place, msgspec.json.decode(body, type=RecordChange))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _log.error("Entry %s of the change feed is damaged and left out: %r.", place, error)
        return None
