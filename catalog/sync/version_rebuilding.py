"""Rebuilds the catalog of an older version from what is known and from the stored history."""

from __future__ import annotations

from catalog.history import CatalogVersion, RecordsById, rebuilt, records_of
from catalog.indexed_catalog import Catalog
from catalog.storage.storage_port import StoragePort, Stored
from upstream.client import CATEGORY, GRID, PACKAGE, NothingStored

ATTEMPTS = 3
"""How often the stored catalog is read, if a crawl replaces it each time meanwhile."""


def rebuild(storage: StoragePort, version: CatalogVersion, known: Catalog | None) -> Catalog:
    """Return the catalog of a version, which shares with ``known`` the records that are the same.

    It blocks for about a second if history has a year.

    :raises VersionUnknown: the version is no longer kept.
    :raises HistoryDamaged: it cannot be rebuilt.
    :raises StorageUnavailable: the storage cannot be read.
    """
    for _ in range(ATTEMPTS):
        way = storage.history.way_back(version)
        if known is not None and known.version == way.newest:
            return rebuilt(records_of(known), way.deltas, version)
        stored = storage.load()
        if stored is not None and stored.version.rpartition(" ")[2] == way.newest:
            return rebuilt(_records_in(stored), way.deltas, version)
    raise NothingStored


def _records_in(stored: Stored) -> RecordsById:
    return {
        PACKAGE.singular: {package.id: package for package in stored.packages},
        GRID.singular: {grid.id: grid for grid in stored.grids},
        CATEGORY.singular: {category.id: category for category in stored.categories},
    }
