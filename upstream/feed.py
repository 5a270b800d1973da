"""The change feed: what each save of a catalog added, changed and removed, kept beside it for 30 days.

It is written in the transaction of the save, from the rows that the save replaces: so it says exactly how the
stored catalog became what it is, whichever process saved it. The first catalog, and that of another upstream,
begin a feed and are no changes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

KEPT = timedelta(days=30)

TABLES = (
    "CREATE TABLE changes (place INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, body BLOB NOT NULL)",
    "CREATE TABLE feed (name TEXT NOT NULL)",
)

Sort = Literal["added", "changed", "removed"]


class FieldChange(msgspec.Struct, frozen=True):
    """A field of a record, by v4's name, with its values before and after as JSON has them; links are ids."""

    name: str
    old: Any
    new: Any


class Change(msgspec.Struct, frozen=True):
    """What happened to one record."""

    sort: Sort
    kind: str
    """As in ``Kind.singular``: package or grid."""
    id: int
    slug: str
    version: str
    """Of the catalog that has the change."""
    at: datetime
    """When that was refreshed (UTC)."""
    fields: tuple[FieldChange, ...] = ()


class Entry(msgspec.Struct, frozen=True):
    """A change at its place in the feed."""

    place: int
    change: Change


class Excerpt(msgspec.Struct, frozen=True):
    """A part of the feed."""

    feed: str
    """The name of the feed: places of another one mean nothing here."""
    entries: tuple[Entry, ...]
    left: int
    """How many entries come behind these."""
    complete: bool
    """Whether nothing that was between ``after`` and these has been dropped for its age."""
    last: int
    """The place of the newest entry that ever was, 0 if there was none."""


def differences(
    kind: str, version: str, at: datetime, old: Mapping[int, bytes], new: Mapping[int, bytes]
) -> list[Change]:
    """What happened between two sets of records of one kind, by id; the bodies are JSON."""
    # A damaged body is as good as none: nobody knows what it said.
    before = {id: record for id, body in old.items() if (record := _decode(body)) is not None}
    changes: list[Change] = []
    for id in sorted(new.keys() | before.keys()):
        if id not in before:
            if id not in old:
                changes.append(Change("added", kind, id, _slug(new[id]), version, at))
        elif id not in new:
            changes.append(Change("removed", kind, id, before[id]["slug"], version, at))
        elif fields := _changed(before[id], new[id]):
            changes.append(Change("changed", kind, id, _slug(new[id]), version, at, fields))
    return changes


def begin(connection: sqlite3.Connection, name: str) -> None:
    """Begin a feed: without entries, by a new name, so that places of the old one are known to be foreign."""
    connection.execute("DELETE FROM changes")
    connection.execute("DELETE FROM feed")
    connection.execute("INSERT INTO feed VALUES (?)", (name,))


def append(connection: sqlite3.Connection, changes: Iterable[Change], now: datetime) -> None:
    """Add what a save changed, and drop what is too old."""
    rows = [(change.at.isoformat(), msgspec.json.encode(change)) for change in changes]
    connection.executemany("INSERT INTO changes (at, body) VALUES (?, ?)", rows)
    connection.execute("DELETE FROM changes WHERE at < ?", ((now - KEPT).isoformat(),))


def read(connection: sqlite3.Connection, after: int, limit: int) -> Excerpt:
    """Up to ``limit`` entries behind a place, oldest first."""
    names = connection.execute("SELECT name FROM feed").fetchall()
    rows = connection.execute(
        "SELECT place, body FROM changes WHERE place > ? ORDER BY place LIMIT ?", (after, limit)
    ).fetchall()
    ((behind,),) = connection.execute("SELECT count(*) FROM changes WHERE place > ?", (after,))
    sequence = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchall()
    last = sequence[0][0] if sequence else 0
    entries = tuple(Entry(place, msgspec.json.decode(body, type=Change)) for place, body in rows)
    # Places follow one another, so a gap at the start is what was dropped.
    complete = behind == max(0, last - after)
    return Excerpt(names[0][0] if names else "", entries, behind - len(entries), complete, last)


def name_for(version: str) -> str:
    """A name for a feed that begins with this catalog now."""
    return f"{version[-8:]}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"


def _changed(before: dict[str, Any], body: bytes) -> tuple[FieldChange, ...]:
    after = msgspec.json.decode(body, type=dict[str, Any])
    return tuple(
        FieldChange(name, before.get(name), value)
        for name, value in after.items()
        if _content(name, before.get(name)) != _content(name, value)
    )


def _slug(body: bytes) -> str:
    return str(msgspec.json.decode(body)["slug"])


def _decode(body: bytes) -> dict[str, Any] | None:
    try:
        record = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return record if isinstance(record.get("slug"), str) else None


def _content(name: str, value: Any) -> Any:  # noqa: ANN401 - a JSON value
    # The order of a grid's packages is no content: upstream's flips (contract section 2).
    return sorted(value) if name == "packages" and isinstance(value, list) else value
