"""Applies deltas to the records of the newest version to rebuild an older one, and proves that it is the same.

A version is the hash of its content, so a rebuilt catalog is known to be right, or is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from catalog.history.catalog_versions import CatalogVersion
from catalog.history.record_change_rows import HistoryDamaged
from catalog.history.record_deltas import RecordDelta, with_fields
from catalog.indexed_catalog import Catalog
from upstream.client import CATEGORY, GRID, PACKAGE, CategoryRecord, GridRecord, PackageRecord, Record

RecordsById = Mapping[str, Mapping[int, Any]]
"""All records of a catalog by kind (``Kind.singular``) and id, each of its kind's type."""

_TYPES: dict[str, type[Record]] = {
    PACKAGE.singular: PackageRecord,
    GRID.singular: GridRecord,
    CATEGORY.singular: CategoryRecord,
}


def records_of(catalog: Catalog) -> RecordsById:
    """Return the records of a catalog."""
    return {
        PACKAGE.singular: catalog.packages,
        GRID.singular: catalog.grids,
        CATEGORY.singular: catalog.categories,
    }


def catalog_of(records: RecordsById) -> Catalog:
    """Return the catalog of these records."""
    return Catalog.build(
        records[PACKAGE.singular].values(),
        records[GRID.singular].values(),
        records[CATEGORY.singular].values(),
    )


def rebuilt(records: RecordsById, deltas: Iterable[RecordDelta], version: CatalogVersion) -> Catalog:
    """Return the catalog of a version. ``deltas`` lead to it from ``records``; it shares with them what is equal.

    :raises HistoryDamaged: they do not lead to it.
    """
    try:
        catalog = catalog_of(_applied(records, deltas))
    except (KeyError, msgspec.ValidationError) as error:
        raise HistoryDamaged(f"{_sentence(version)} ({error!r})") from error
    if catalog.version != version.version:
        raise HistoryDamaged(_sentence(version))
    return catalog


def _applied(records: RecordsById, deltas: Iterable[RecordDelta]) -> dict[str, dict[int, Any]]:
    found = {kind: dict(of_kind) for kind, of_kind in records.items()}
    for delta in deltas:
        of_kind, type = found[delta.kind], _TYPES[delta.kind]
        if delta.sort == "removed":
            del of_kind[delta.id]
        elif delta.sort == "added":
            of_kind[delta.id] = msgspec.convert(delta.after, type)
        else:
            known = msgspec.to_builtins(of_kind[delta.id])
            of_kind[delta.id] = msgspec.convert(with_fields(known, delta.after), type)
    return found


def _sentence(version: CatalogVersion) -> str:
    return (
        f"Version {version.version} of {version.at:%Y-%m-%d %H:%M:%S} UTC cannot be rebuilt, because the stored "
        "history of the catalog is damaged."
    )
