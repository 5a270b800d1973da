"""Records made by hand: only the fields that a test names differ from the plainest."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from catalog.indexed_catalog import Catalog
from upstream.client.v4_records import CategoryRecord, GridRecord, PackageRecord, Record

NOON = datetime(2026, 2, 16, 12, tzinfo=timezone(timedelta(hours=-5)))


def package(id: int, **fields: object) -> PackageRecord:
    defaults: dict[str, Any] = {
        "title": f"title {id}",
        "slug": f"slug-{id}",
        "last_updated": None,
        "last_fetched": None,
        "repo_url": "",
        "pypi_version": None,
        "created": NOON,
        "modified": NOON,
        "repo_forks": 0,
        "repo_description": "",
        "pypi_url": "",
        "documentation_url": None,
        "repo_watchers": 0,
        "commits_over_52": (),
        "participants": (),
        "category": 1,
        "grids": (),
    }
    return PackageRecord(id=id, **defaults | fields)


def grid(id: int, **fields: object) -> GridRecord:
    defaults: dict[str, Any] = {
        "title": f"grid {id}",
        "slug": f"grid-{id}",
        "description": "",
        "is_locked": False,
        "header": False,
        "created": NOON,
        "modified": NOON,
        "packages": (),
    }
    return GridRecord(id=id, **defaults | fields)


def category(id: int, **fields: object) -> CategoryRecord:
    defaults: dict[str, Any] = {
        "title": "Apps",
        "slug": "apps",
        "description": "",
        "title_plural": "Apps",
        "show_pypi": True,
        "created": NOON,
        "modified": NOON,
    }
    return CategoryRecord(id=id, **defaults | fields)


def catalog_of(*records: Record) -> Catalog:
    return Catalog.build(
        [record for record in records if isinstance(record, PackageRecord)],
        [record for record in records if isinstance(record, GridRecord)],
        [record for record in records if isinstance(record, CategoryRecord)],
    )
