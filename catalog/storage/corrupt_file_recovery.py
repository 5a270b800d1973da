"""Finds the catalog in a file that is corrupt elsewhere, so that damage to its history does not cost the catalog."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import NamedTuple

from catalog.history import catalog_of
from catalog.indexed_catalog import Catalog
from catalog.storage import record_rows
from catalog.storage.record_rows import SavedCatalog


class RecoveredCatalog(NamedTuple):
    """Holds a catalog that was found whole."""

    saved: SavedCatalog
    catalog: Catalog


def whole_catalog_in(path: str) -> RecoveredCatalog | None:
    """Return the catalog in a file that was set aside; ``None`` unless its content has the hash stored beside it."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            saved = record_rows.saved(connection)
            catalog = catalog_of(record_rows.all_records(connection))
    except (sqlite3.Error, UnicodeDecodeError):
        return None
    if saved is None:
        return None
    return RecoveredCatalog(saved, catalog) if catalog.version == saved.version.rpartition(" ")[2] else None
