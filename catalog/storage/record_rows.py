"""Reads and writes the table ``records``: one row for each record, and one that describes the whole catalog.

A row holds a record as JSON. The functions work in a transaction that the caller begins and ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from catalog.catalog_difference import CatalogDifference, RecordKey
from catalog.history.record_deltas import RecordDelta, deltas_between, deltas_of
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

PINNED = "pinned"
"""Stands for a kind in the row that says which version is pinned, if one is; its id is 0."""

Records = Mapping[str, Iterable[Record]]
"""All records of a catalog, by kind (``Kind.singular``)."""


class SavedCatalog(msgspec.Struct, frozen=True):
    """Describes a stored catalog; see ``Stored``."""

    version: str
    refreshed_at: Moment
    count: int | None = None
    rolled_back_to: Moment | None = None


class StoredPin(msgspec.Struct, frozen=True):
    """Names the version that an operator has pinned, which is served whatever is crawled."""

    number: int
    version: str
    """The hash of its content."""
    refreshed_at: Moment
    """When upstream was last seen to be like it."""


DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    SAVED: msgspec.json.Decoder(SavedCatalog),
    PINNED: msgspec.json.Decoder(StoredPin),
    PACKAGE.singular: msgspec.json.Decoder(PackageRecord),
    GRID.singular: msgspec.json.Decoder(GridRecord),
    CATEGORY.singular: msgspec.json.Decoder(CategoryRecord),
}


def saved(connection: sqlite3.Connection) -> SavedCatalog | None:
    """Return the description of the stored catalog; ``None`` if there is none, or its row is damaged."""
    found: SavedCatalog | None = _only(connection, SAVED)
    return found


def pinned(connection: sqlite3.Connection) -> StoredPin | None:
    """Return which version is pinned; ``None`` if none is, or its row is damaged."""
    found: StoredPin | None = _only(connection, PINNED)
    return found


def describe(connection: sqlite3.Connection, saved: SavedCatalog) -> None:
    """Write the row that says which catalog the records make up."""
    _write(connection, SAVED, [(0, msgspec.json.encode(saved))])


def pin(connection: sqlite3.Connection, pinned: StoredPin | None) -> None:
    """Write the row that says which version is pinned; delete it for ``None``."""
    _set(connection, PINNED, pinned)


class Written(NamedTuple):
    """Says what writing a catalog did to the rows of all kinds."""

    deltas: list[RecordDelta]
    slugs: dict[RecordKey, str]
    """The slugs of the records that were written."""


def apply(connection: sqlite3.Connection, difference: CatalogDifference, records: Records) -> Written:
    """Write and delete the rows that a difference names, and return what happened to them.

    ``records`` are those of the newer catalog, and the rows are those of the older one.
    """
    slugs: dict[RecordKey, str] = {}
    added: dict[RecordKey, bytes] = {}
    removed: dict[RecordKey, bytes] = {}
    for kind in KINDS:
        name = kind.singular
        written = {key.id for key in difference.added if key.kind == name}
        written |= {change.id for change in difference.changed if change.kind == name}
        new = {record.id: record for record in records[name] if record.id in written}
        slugs |= {RecordKey(name, record.id): record.slug for record in new.values()}
        added |= {key: msgspec.json.encode(new[key.id]) for key in difference.added if key.kind == name}
        gone = [key for key in difference.removed if key.kind == name]
        removed |= {key: _body(connection, *key) for key in gone}
        _write(connection, name, [(id, msgspec.json.encode(record)) for id, record in new.items()])
        _delete(connection, name, [key.id for key in gone])
    return Written(deltas_of(difference, added, removed), slugs)


def replace(connection: sqlite3.Connection, records: Records) -> Written:
    """Make these the stored records, whatever the rows are, and return what happened to them.

    Only the rows that differ are written.
    """
    deltas: list[RecordDelta] = []
    slugs: dict[RecordKey, str] = {}
    for kind in KINDS:
        name = kind.singular
        before = bodies(connection, name)
        now = {record.id: record for record in records[name]}
        after = {id: msgspec.json.encode(record) for id, record in now.items()}
        written = [(id, body) for id, body in after.items() if before.get(id) != body]
        slugs |= {RecordKey(name, id): now[id].slug for id, _body in written}
        _write(connection, name, written)
        _delete(connection, name, before.keys() - after.keys())
        deltas += deltas_between(name, before, after)
    return Written(deltas, slugs)


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many records there are, by kind."""
    rows = connection.execute("SELECT kind, count(*) FROM records GROUP BY kind").fetchall()
    return {kind.singular: dict(rows).get(kind.singular, 0) for kind in KINDS}


def bodies(connection: sqlite3.Connection, kind: str) -> dict[int, bytes]:
    """Return all rows of a kind by id."""
    # The cast is for a body whose type is damaged.
    return dict(connection.execute("SELECT id, CAST(body AS BLOB) FROM records WHERE kind = ?", (kind,)))


def all_records(connection: sqlite3.Connection) -> dict[str, dict[int, Any]]:
    """Return all records by kind and id, newest first. A damaged row is left out."""
    records: dict[str, dict[int, Any]] = {}
    for kind in KINDS:
        name = kind.singular
        found = ((id, _decoded(name, body)) for id, body in bodies(connection, name).items())
        records[name] = {id: record for id, record in sorted(found, reverse=True) if record is not None}
    return records


def upstream_of(version: str) -> str:
    """Return the name of the upstream, with which each version begins."""
    return version.rpartition(" ")[0]


def hash_of(version: str) -> str:
    """Return the hash of the content, with which each version ends."""
    return version.rpartition(" ")[2]


def _only(connection: sqlite3.Connection, kind: str) -> Any:
    return next((_decoded(kind, body) for body in bodies(connection, kind).values()), None)


def _decoded(kind: str, body: bytes) -> Any:
    try:
        return DECODERS[kind].decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _set(connection: sqlite3.Connection, kind: str, only: msgspec.Struct | None) -> None:
    if only is None:
        _delete(connection, kind, [0])
    else:
        _write(connection, kind, [(0, msgspec.json.encode(only))])


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
