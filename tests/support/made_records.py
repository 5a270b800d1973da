"""Records made by hand: only the fields that a test names differ from the plainest."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from msgspec.structs import replace

from catalog.indexed_catalog import Catalog
from upstream.client.v4_records import CategoryRecord, GridRecord, PackageRecord, Record

NOON = datetime(2026, 2, 16, 12, tzinfo=timezone(timedelta(hours=-5)))

PACKAGE = PackageRecord(
    id=0,
    title="",
    slug="",
    last_updated=None,
    last_fetched=None,
    repo_url="",
    pypi_version=None,
    created=NOON,
    modified=NOON,
    repo_forks=0,
    repo_description="",
    pypi_url="",
    documentation_url=None,
    repo_watchers=0,
    commits_over_52=(),
    participants=(),
    category=1,
    grids=(),
)
GRID = GridRecord(
    id=0,
    title="",
    slug="",
    description="",
    is_locked=False,
    header=False,
    created=NOON,
    modified=NOON,
    packages=(),
)
CATEGORY = CategoryRecord(
    id=0,
    title="Apps",
    slug="apps",
    description="",
    title_plural="Apps",
    show_pypi=True,
    created=NOON,
    modified=NOON,
)


def package(id: int, **fields: Any) -> PackageRecord:
    return replace(PACKAGE, **{"id": id, "title": f"title {id}", "slug": f"slug-{id}"} | fields)


def grid(id: int, **fields: Any) -> GridRecord:
    return replace(GRID, **{"id": id, "title": f"grid {id}", "slug": f"grid-{id}"} | fields)


def category(id: int, **fields: Any) -> CategoryRecord:
    return replace(CATEGORY, **{"id": id} | fields)


def catalog_of(*records: Record) -> Catalog:
    return Catalog.build(
        [record for record in records if isinstance(record, PackageRecord)],
        [record for record in records if isinstance(record, GridRecord)],
        [record for record in records if isinstance(record, CategoryRecord)],
    )
