"""Describes what happened to single records between two versions of the catalog, and folds and reverses it.

A delta can be applied in both directions: it has the values of a changed field before and after, and the whole of a
record that was added or removed. Records are as in JSON, with the names of the REST API v4 and with ids for links.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from catalog.catalog_difference import CatalogDifference, FieldDifference, RecordKey, field_differences
from upstream.client import KINDS

ChangeKind = Literal["added", "changed", "removed"]

Fields = dict[str, Any]
"""Fields of a record by name, as JSON has them."""

_OPPOSITE: dict[ChangeKind, ChangeKind] = {"added": "removed", "changed": "changed", "removed": "added"}

KIND_NAMES = tuple(kind.singular for kind in KINDS)
"""The kinds in the order in which differences tell of them."""


class RecordDelta(NamedTuple):
    """Says what happened to one record from one version to another."""

    sort: ChangeKind
    kind: str
    """The kind as in ``Kind.singular``."""
    id: int
    before: Fields
    """The fields that changed as they were; the whole record if it was removed; empty if it was added."""
    after: Fields
    """The same fields as they are; the whole record if it was added; empty if it was removed."""

    @property
    def fields(self) -> tuple[FieldDifference, ...]:
        """Return the fields of a changed record, in the record's order; none of another."""
        if self.sort != "changed":
            return ()
        names = {**self.before, **self.after}
        return tuple(FieldDifference(name, self.before.get(name), self.after.get(name)) for name in names)


def changed_record(kind: str, id: int, fields: Iterable[FieldDifference]) -> RecordDelta:
    """Return the delta of a record with these differences."""
    fields = tuple(fields)
    return RecordDelta(
        "changed",
        kind,
        id,
        {field.name: field.old for field in fields},
        {field.name: field.new for field in fields},
    )


def deltas_of(
    difference: CatalogDifference, added: Mapping[RecordKey, bytes], removed: Mapping[RecordKey, bytes]
) -> list[RecordDelta]:
    """Return a difference as deltas, by kind and id.

    ``added`` and ``removed`` are the bodies of those records; one that is damaged is left out.
    """
    deltas = [changed_record(change.kind, change.id, change.fields) for change in difference.changed]
    deltas += (RecordDelta("added", *key, {}, record(added[key])) for key in difference.added)
    deltas += (
        RecordDelta("removed", *key, before, {})
        for key in difference.removed
        if (before := known_record(removed[key])) is not None
    )
    deltas.sort(key=lambda delta: (KIND_NAMES.index(delta.kind), delta.id))
    return deltas


def deltas_between(kind: str, old: Mapping[int, bytes], new: Mapping[int, bytes]) -> list[RecordDelta]:
    """Return what happened between two sets of records of one kind, by id; the bodies are JSON.

    A record whose body in ``old`` is damaged is left out, because its former content is unknown.
    """
    deltas: list[RecordDelta] = []
    for id in sorted(new.keys() | old.keys()):
        body = new.get(id)
        if id not in old:
            deltas.append(RecordDelta("added", kind, id, {}, record(new[id])))
        elif body == old[id] or (before := known_record(old[id])) is None:
            continue
        elif body is None:
            deltas.append(RecordDelta("removed", kind, id, before, {}))
        elif fields := field_differences(before, record(body)):
            deltas.append(changed_record(kind, id, fields))
    return deltas


def folded(deltas: Iterable[RecordDelta]) -> list[RecordDelta]:
    """Return what several versions did together, by kind and id. ``deltas`` come oldest first.

    Changes that were undone in between are left out.
    """
    records: dict[RecordKey, _Folding] = {}
    for delta in deltas:
        key = RecordKey(delta.kind, delta.id)
        folding = records.get(key)
        if folding is None:
            folding = records[key] = _Folding(was=delta.sort != "added")
        folding.add(delta)
    found = (folding.result(key) for key, folding in records.items())
    nets = [delta for delta in found if delta is not None]
    nets.sort(key=lambda delta: (KIND_NAMES.index(delta.kind), delta.id))
    return nets


def reversed_delta(delta: RecordDelta) -> RecordDelta:
    """Return the delta that leads back."""
    return RecordDelta(_OPPOSITE[delta.sort], delta.kind, delta.id, delta.after, delta.before)


def with_fields(fields: Fields, others: Fields) -> Fields:
    """Return a record with other values in some fields. One that is absent by default is dropped where it is null."""
    changed = fields | others
    if changed.get("unfit", ()) is None:
        del changed["unfit"]
    return changed


def record(body: bytes) -> Fields:
    """Return a record from its JSON.

    :raises msgspec.DecodeError: it is none.
    """
    return msgspec.json.decode(body, type=Fields)


def known_record(body: bytes) -> Fields | None:
    """Return a record as it is stored; ``None`` if that is damaged."""
    try:
        found = record(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if isinstance(found.get("slug"), str) else None


class _Folding:
    """Holds one record while deltas are folded: as it was at first, and as it is at last."""

    def __init__(self, *, was: bool) -> None:
        self._was = was
        self._is = was
        self._old: Fields = {}
        self._new: Fields = {}
        self._old_is_whole = False

    def add(self, delta: RecordDelta) -> None:
        """Take the next delta."""
        if self._was and not self._old_is_whole:
            # The oldest value of a field is the one that it had at first.
            self._old = delta.before | self._old
            self._old_is_whole = delta.sort == "removed"
        self._is = delta.sort != "removed"
        if self._is:
            self._new |= delta.after
        else:
            self._new = {}

    def result(self, key: RecordKey) -> RecordDelta | None:
        """Return what happened in all; ``None`` if nothing did."""
        if not self._was and not self._is:
            return None
        if not self._was:
            return RecordDelta("added", *key, {}, with_fields(self._new, {}))
        if not self._is:
            return RecordDelta("removed", *key, with_fields(self._old, {}), {})
        old = with_fields(self._old, {}) if self._old_is_whole else self._old
        new = with_fields(self._new, {}) if self._old_is_whole else self._new
        fields = field_differences(old, new)
        return changed_record(*key, fields) if fields else None
