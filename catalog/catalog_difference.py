"""Says what is different between two catalogs: which records were added, changed and removed, and in which fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from catalog.indexed_catalog import Catalog, content
from upstream.client import CATEGORY, GRID, PACKAGE, Kind, Record


class RecordKey(NamedTuple):
    """Identifies a record by the name of its kind, as in ``Kind.singular``, and its id."""

    kind: str
    id: int


class FieldDifference(msgspec.Struct, frozen=True):
    """Holds a field of a record by v4's name, with its values before and after as JSON values. Links are ids."""

    name: str
    old: Any
    new: Any


class ChangedRecord(NamedTuple):
    """Holds a record that two catalogs both have, with the fields that differ, in the record's order."""

    kind: str
    id: int
    fields: tuple[FieldDifference, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the fields."""
        return tuple(field.name for field in self.fields)


@dataclass(frozen=True, slots=True)
class CatalogDifference:
    """Holds what is different in the newer catalog, ordered by kind (packages, grids, categories), then by id."""

    before: str
    """The version of the older catalog."""
    after: str
    """The version of the newer one."""
    added: tuple[RecordKey, ...]
    changed: tuple[ChangedRecord, ...]
    removed: tuple[RecordKey, ...]


def compare(old: Catalog, new: Catalog) -> CatalogDifference:
    """Return what has to change in ``old`` to make it ``new``: nothing if and only if their versions are equal.

    Contents are compared because ``modified`` does not mark changes (contract section 3). It takes as long as a
    build, so call it in a thread too.
    """
    if old.version == new.version:
        return CatalogDifference(old.version, new.version, (), (), ())
    added: list[RecordKey] = []
    changed: list[ChangedRecord] = []
    removed: list[RecordKey] = []
    pairs: list[tuple[Kind[Any], Mapping[int, Record], Mapping[int, Record]]] = [
        (PACKAGE, old.packages, new.packages),
        (GRID, old.grids, new.grids),
        (CATEGORY, old.categories, new.categories),
    ]
    for kind, before, after in pairs:
        added += (RecordKey(kind.singular, id) for id in sorted(after.keys() - before.keys()))
        removed += (RecordKey(kind.singular, id) for id in sorted(before.keys() - after.keys()))
        for id in sorted(before.keys() & after.keys()):
            if fields := _differing(before[id], after[id]):
                changed.append(ChangedRecord(kind.singular, id, fields))
    return CatalogDifference(old.version, new.version, tuple(added), tuple(changed), tuple(removed))


def _differing(old: Record, new: Record) -> tuple[FieldDifference, ...]:
    if old is new or content(old) == content(new):
        return ()
    before, after = (
        msgspec.json.decode(msgspec.json.encode(old)),
        msgspec.json.decode(msgspec.json.encode(new)),
    )
    return field_differences(before, after)


def field_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldDifference, ...]:
    """Return the fields in which two records, given as JSON objects, differ."""
    # A record has ``unfit`` only where it names something.
    return tuple(
        FieldDifference(name, before.get(name), after.get(name))
        for name in {**before, **after}
        if _unordered(name, before.get(name)) != _unordered(name, after.get(name))
    )


def _unordered(name: str, value: Any) -> Any:
    # The order of a grid's packages is no content: upstream's flips (contract section 2).
    return sorted(value) if name == "packages" and isinstance(value, list) else value
