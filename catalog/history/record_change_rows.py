"""Reads and writes the table ``record_changes``: what each version of the catalog changed in each record.

A row has the fields of a changed record with both values, or a record that was added or removed. The functions work
in a transaction that the caller begins and ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple, get_args

import msgspec

from catalog.history.record_deltas import KIND_NAMES, ChangeKind, Fields, RecordDelta

TABLES = (
    "CREATE TABLE record_changes (number INTEGER NOT NULL, kind INTEGER NOT NULL, id INTEGER NOT NULL,"
    " sort INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (number, kind, id)) WITHOUT ROWID",
    "CREATE INDEX changes_of_record ON record_changes (kind, id)",
    "CREATE INDEX added_and_removed ON record_changes (kind, number) WHERE sort <> 1",
)

_SORTS: tuple[ChangeKind, ...] = get_args(ChangeKind)
"""The sorts by the number that stands for them in the table: 0 added, 1 changed, 2 removed."""


# Made once: a year of history has hundreds of thousands of rows.
_decode_record = msgspec.json.Decoder(Fields).decode
_decode_values = msgspec.json.Decoder(dict[str, tuple[Any, Any]]).decode


class HistoryDamaged(Exception):
    """What is stored of a version cannot be read, or does not lead to it. The message is a sentence."""


class ChangeFilter(NamedTuple):
    """Says which changes of a record are wanted."""

    since: datetime | None = None
    until: datetime | None = None
    most: int | None = None
    """The newest of them, up to this number; ``None`` for all."""
    fields: frozenset[str] | None = None
    """Only changes of one of these fields, by v4's names; ``None`` for all, and for additions and removals too."""


ALL_CHANGES = ChangeFilter()


class VersionDelta(msgspec.Struct, frozen=True):
    """Says what a version changed in one record."""

    number: int
    at: datetime
    delta: RecordDelta


def write(connection: sqlite3.Connection, number: int, deltas: Iterable[RecordDelta]) -> None:
    """Write what the version with this number changed."""
    connection.executemany(
        "INSERT INTO record_changes (number, kind, id, sort, body) VALUES (?, ?, ?, ?, ?)",
        [
            (number, KIND_NAMES.index(delta.kind), delta.id, _SORTS.index(delta.sort), _encoded(delta))
            for delta in deltas
        ],
    )


def deltas_after(connection: sqlite3.Connection, after: int, until: int) -> Iterator[RecordDelta]:
    """Yield what the versions behind ``after``, up to ``until``, changed, oldest first.

    :raises HistoryDamaged: a row cannot be read.
    """
    rows = connection.execute(
        "SELECT kind, id, sort, CAST(body AS BLOB), number FROM record_changes"
        " WHERE number > ? AND number <= ? ORDER BY number, kind, id",
        (after, until),
    ).fetchall()
    return (_delta(*row) for row in rows)


def changes_of(
    connection: sqlite3.Connection, kind: str, id: int, wanted: ChangeFilter
) -> list[VersionDelta]:
    """Return what happened to one record, oldest first.

    :raises HistoryDamaged: a row cannot be read.
    """
    parameters: list[int | str] = [KIND_NAMES.index(kind), id]
    where, fields = "kind = ? AND id = ?", wanted.fields
    if fields is not None:
        # A quotation mark in a value has a backslash before it, so this is found in no value.
        where += f" AND sort = 1 AND ({' OR '.join(['instr(record_changes.body, ?)'] * len(fields)) or '0'})"
        parameters += [f'"{name}":[' for name in fields]
    return _changes(connection, where, parameters, wanted)


def moves(connection: sqlite3.Connection, kind: str) -> list[tuple[int, ChangeKind, datetime]]:
    """Return the ids of the records of a kind that were added or removed, what happened and when, oldest first.

    :raises HistoryDamaged: a row cannot be read.
    """
    rows = connection.execute(
        "SELECT id, sort, at FROM record_changes JOIN versions USING (number)"
        " WHERE kind = ? AND sort <> 1 ORDER BY number, id",
        (KIND_NAMES.index(kind),),
    ).fetchall()
    try:
        return [(id, _SORTS[sort], moment_of(at)) for id, sort, at in rows]
    except (ValueError, TypeError, IndexError) as error:
        raise HistoryDamaged(f"A time in the history of the catalog is damaged: {error!r}.") from error


def arrivals_and_departures(
    connection: sqlite3.Connection, kind: str, since: datetime | None = None
) -> list[VersionDelta]:
    """Return which records of a kind were added and removed since a moment, oldest first.

    :raises HistoryDamaged: a row cannot be read.
    """
    return _changes(connection, "kind = ? AND sort <> 1", (KIND_NAMES.index(kind),), ChangeFilter(since))


def _changes(
    connection: sqlite3.Connection, where: str, parameters: Iterable[int | str], wanted: ChangeFilter
) -> list[VersionDelta]:
    since, until, most, _ = wanted
    rows = connection.execute(
        "SELECT kind, id, sort, CAST(record_changes.body AS BLOB), number, at"
        f" FROM record_changes JOIN versions USING (number) WHERE {where} AND at >= ? AND at <= ?"
        " ORDER BY number DESC, id DESC LIMIT ?",
        (
            *parameters,
            "" if since is None else text_of(since),
            "a" if until is None else text_of(until),  # which comes after all digits
            -1 if most is None else most,
        ),
    ).fetchall()
    try:
        return [VersionDelta(row[4], moment_of(row[5]), _delta(*row[:5])) for row in reversed(rows)]
    except (ValueError, TypeError) as error:
        raise HistoryDamaged(f"A time in the history of the catalog is damaged: {error!r}.") from error


def _delta(kind: int, id: int, sort: int, body: bytes, number: int) -> RecordDelta:
    try:
        name, how = KIND_NAMES[kind], _SORTS[sort]
        if how == "added":
            return RecordDelta(how, name, id, {}, _decode_record(body))
        if how == "removed":
            return RecordDelta(how, name, id, _decode_record(body), {})
        values = _decode_values(body)
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError, TypeError) as error:
        raise HistoryDamaged(
            f"What version {number} changed in record {id} is damaged in the history of the catalog: {error!r}."
        ) from error
    before, after = {}, {}
    for field, (old, new) in values.items():
        before[field], after[field] = old, new
    return RecordDelta(how, name, id, before, after)


def _encoded(delta: RecordDelta) -> bytes:
    if delta.sort == "changed":
        return msgspec.json.encode({field.name: (field.old, field.new) for field in delta.fields})
    return msgspec.json.encode(delta.after if delta.sort == "added" else delta.before)


def text_of(moment: datetime) -> str:
    """Return a moment as it is stored."""
    # All of one length, so that texts compare as the moments do.
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment_of(text: str) -> datetime:
    """Return a moment that was stored, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)
