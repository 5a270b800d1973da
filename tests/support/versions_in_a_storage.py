"""Reads the versions of a storage as catalogs that can be compared."""

from __future__ import annotations

import msgspec

from catalog.history import CatalogVersion, rebuilt, records_of
from catalog.indexed_catalog import Catalog
from catalog.storage.storage_port import StoragePort, Stored

DAYS = 10


def catalog_in(stored: Stored | None) -> Catalog:
    assert stored is not None
    return Catalog.build(stored.packages, stored.grids, stored.categories)


def same(one: Catalog, other: Catalog) -> bool:
    """Return whether two catalogs have the same records, to the byte, but for the order of a grid's packages."""
    sorted_packages = [
        {
            kind: {
                id: msgspec.structs.replace(record, packages=tuple(sorted(record.packages)))
                if kind == "grid"
                else record
                for id, record in of_kind.items()
            }
            for kind, of_kind in records_of(catalog).items()
        }
        for catalog in (one, other)
    ]
    return msgspec.json.encode(sorted_packages[0]) == msgspec.json.encode(sorted_packages[1])


def version_of(storage: StoragePort, catalog: Catalog) -> CatalogVersion:
    return storage.history.named(catalog.version)


def rebuilt_from(storage: StoragePort, newest: Catalog, version: CatalogVersion) -> Catalog:
    way = storage.history.way_back(version)
    assert way.newest == newest.version
    return rebuilt(records_of(newest), way.deltas, version)


def told(storage: StoragePort, after: int) -> list[tuple[str, str, int]]:
    return [
        (entry.change.sort, entry.change.kind, entry.change.id)
        for entry in storage.changes(after, 999).entries
    ]
