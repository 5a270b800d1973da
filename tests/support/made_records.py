"""Records made by hand: only the fields that a test names differ from the plainest."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from upstream.catalog import Catalog
from upstream.records import Category, Grid, Package, Record

NOON = datetime(2026, 2, 16, 12, tzinfo=timezone(timedelta(hours=-5)))


def package(id: int, **fields: object) -> Package:
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
    return Package(id=id, **defaults | fields)


def grid(id: int, **fields: object) -> Grid:
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
    return Grid(id=id, **defaults | fields)


def category(id: int, **fields: object) -> Category:
    defaults: dict[str, Any] = {
        "title": "Apps",
        "slug": "apps",
        "description": "",
        "title_plural": "Apps",
        "show_pypi": True,
        "created": NOON,
        "modified": NOON,
    }
    return Category(id=id, **defaults | fields)


def catalog_of(*records: Record) -> Catalog:
    return Catalog.build(
        [record for record in records if isinstance(record, Package)],
        [record for record in records if isinstance(record, Grid)],
        [record for record in records if isinstance(record, Category)],
    )
