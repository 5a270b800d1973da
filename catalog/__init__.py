"""Keeps what is known of Django Packages: the catalog, its indexes, its age and its changes."""

from importlib import import_module
from typing import TYPE_CHECKING

from catalog.catalog_difference import CatalogDifference, RecordKey
from catalog.columnar_table import Mask, Table, contributor_table, grid_table, package_table
from catalog.contributor_index import (
    ContributorRecord,
    co_contributors,
    contributors,
    shared_participations,
)
from catalog.freshness import Freshness, Snapshot, SnapshotStatus, Stage
from catalog.indexed_catalog import Catalog
from catalog.pypi_and_repository import normalise_pypi_name, pypi_name, repository
from catalog.record_sorting import (
    NEWEST_GRIDS_FIRST,
    NEWEST_PACKAGES_FIRST,
    K,
    Key,
    Order,
    R,
    Value,
    commits_in_52_weeks,
    last_commit,
    title_order,
)
from catalog.refused_crawls import RefusedCrawl
from catalog.source_health import FollowingHealth, SourceHealth

if TYPE_CHECKING:
    from catalog.catalog_source import CatalogSource

__all__ = [
    "NEWEST_GRIDS_FIRST",
    "NEWEST_PACKAGES_FIRST",
    "Catalog",
    "CatalogDifference",
    "CatalogSource",
    "ContributorRecord",
    "FollowingHealth",
    "Freshness",
    "K",
    "Key",
    "Mask",
    "Order",
    "R",
    "RecordKey",
    "RefusedCrawl",
    "Snapshot",
    "SnapshotStatus",
    "SourceHealth",
    "Stage",
    "Table",
    "Value",
    "co_contributors",
    "commits_in_52_weeks",
    "contributor_table",
    "contributors",
    "grid_table",
    "last_commit",
    "normalise_pypi_name",
    "package_table",
    "pypi_name",
    "repository",
    "shared_participations",
    "title_order",
]

_IMPORTED_WHEN_ASKED_FOR = {
    "CatalogSource": "catalog.catalog_source",
}
"""The names whose modules import the HTTP client, which most commands never need."""


def __getattr__(name: str) -> object:
    """Import a name of the slower modules when somebody asks for it."""
    if name not in _IMPORTED_WHEN_ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_IMPORTED_WHEN_ASKED_FOR[name]), name)
