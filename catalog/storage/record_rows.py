"""The table ``records``: one row for each record, one for what is known of them all, and one for what was refused.

A row holds a record as JSON. The functions work in a transaction that the caller begins and ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from catalog.history import change_feed
from catalog.indexed_catalog import CatalogDifference, RecordKey
from upstream.client import (
    CATEGORY,
    GRID,
    KINDS,
    PACKAGE,
    CategoryRecord,
    GridRecord,
    Moment,
    PackageRecord,
    Record,
)

TABLE = "CREATE TABLE records (kind TEXT NOT NULL, id INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, id))"

SAVED = "catalog"
"""Stands for a kind in the row that says which catalog the records make up; its id is 0."""

REFUSED = "refused"
"""Stands for a kind in the row that says which catalog was refused last, if one was since; its id is 0."""

_FED = (PACKAGE.singular, GRID.singular)
"""The kinds whose changes are in the feed."""

Records = Mapping[str, Iterable[Record]]
"""All records of a catalog, by kind (``Kind.singular``)."""


class SavedCatalog(msgspec.Struct, frozen=True):
    """What a stored catalog says of itself; see ``Stored``."""

    version: str
    refreshed_at: Moment
    count: int | None = None


class StoredDoubt(msgspec.Struct, frozen=True):
    """Why a catalog was refused (see ``catalog.sync.catalog_guard.Doubt``), and how many seconds crawls have agreed.

    No moment, because the clock can be set meanwhile, and nobody asked upstream while no process ran.
    """

    reason: Literal["no packages", "no categories", "packages gone"]
    known: int
    read: int
    gone: frozenset[int]
    seconds: float


DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    SAVED: msgspec.json.Decoder(SavedCatalog),
    REFUSED: msgspec.json.Decoder(StoredDoubt),
    PACKAGE.singular: msgspec.json.Decoder(PackageRecord),
    GRID.singular: msgspec.json.Decoder(GridRecord),
    CATEGORY.singular: msgspec.json.Decoder(CategoryRecord),
}


def version(connection: sqlite3.Connection) -> str | None:
    """Return the version of the stored catalog; ``None`` if there is none, or its row is damaged."""
    saved = _bodies(connection, SAVED)
    if not saved:
        return None
    try:
        found: str = DECODERS[SAVED].decode(saved[0]).version
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found


def describe(connection: sqlite3.Connection, saved: SavedCatalog) -> None:
    """Write the row that says which catalog the records make up."""
    _write(connection, SAVED, [(0, msgspec.json.encode(saved))])


def refuse(connection: sqlite3.Connection, refused: StoredDoubt | None) -> None:
    """Write the row that says which catalog was refused; delete it for ``None``."""
    if refused is None:
        _delete(connection, REFUSED, [0])
    else:
        _write(connection, REFUSED, [(0, msgspec.json.encode(refused))])


def apply(
    connection: sqlite3.Connection,
    difference: CatalogDifference,
    records: Records,
    version: str,
    at: datetime,
) -> list[change_feed.RecordChange]:
    """Write and delete the rows that a difference names, and return what the change feed says of it.

    ``records`` are those of the newer catalog, and the rows are those of the older one. ``version`` is the newer
    one's name, and ``at`` when it is saved.
    """
    slugs: dict[RecordKey, str] = {}
    for kind in KINDS:
        name = kind.singular
        written = {key.id for key in difference.added if key.kind == name}
        written |= {change.id for change in difference.changed if change.kind == name}
        deleted = [key.id for key in difference.removed if key.kind == name]
        new = [record for record in records[name] if record.id in written]
        slugs |= {RecordKey(name, record.id): record.slug for record in new}
        for id in deleted:
            slug = change_feed.slug_in(_body(connection, name, id))
            if slug is not None:
                slugs[RecordKey(name, id)] = slug
        _write(connection, name, [(record.id, msgspec.json.encode(record)) for record in new])
        _delete(connection, name, deleted)
    return [
        change for change in change_feed.changes_by(difference, slugs, version, at) if change.kind in _FED
    ]


def replace(
    connection: sqlite3.Connection, records: Records, version: str, at: datetime
) -> list[change_feed.RecordChange]:
    """Make these the stored records, whatever the rows are, and return what the change feed says of it.

    Only the rows that differ are written. The arguments are those of :func:`apply`.
    """
    changes: list[change_feed.RecordChange] = []
    for kind in KINDS:
        name = kind.singular
        before = _bodies(connection, name)
        after = {record.id: msgspec.json.encode(record) for record in records[name]}
        _write(connection, name, [(id, body) for id, body in after.items() if before.get(id) != body])
        _delete(connection, name, before.keys() - after.keys())
        if name in _FED:
            changes += change_feed.differences(name, version, at, before, after)
    return changes


def _bodies(connection: sqlite3.Connection, kind: str) -> dict[int, bytes]:
    # The cast is for a body whose type is damaged.
    return dict(connection.execute("SELECT id, CAST(body AS BLOB) FROM records WHERE kind = ?", (kind,)))


def _body(connection: sqlite3.Connection, kind: str, id: int) -> bytes:
    """Return one row's body, empty if there is no such row."""
    select = "SELECT CAST(body AS BLOB) FROM records WHERE kind = ? AND id = ?"
    for (body,) in connection.execute(select, (kind, id)).fetchall():
        return bytes(body)
    return b""


def _write(connection: sqlite3.Connection, kind: str, rows: Iterable[tuple[int, bytes]]) -> None:
    connection.executemany(
        "INSERT INTO records (kind, id, body) VALUES (?, ?, ?)"
        " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body WHERE body IS NOT excluded.body",
        [(kind, id, body) for id, body in rows],
    )


def _delete(connection: sqlite3.Connection, kind: str, ids: Iterable[int]) -> None:
    connection.executemany("DELETE FROM records WHERE kind = ? AND id = ?", [(kind, id) for id in ids])
