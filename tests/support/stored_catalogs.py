"""Provides two catalogs to save, and the catalog file as another process or program meets it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from catalog.storage.sqlite_storage import Storage
from catalog.storage.storage_port import Stored
from tests.support.made_records import category, grid, package
from upstream.client.v4_records import PackageRecord

NEPAL = timezone(timedelta(hours=5, minutes=45))
MOMENT = datetime(2024, 2, 29, 23, 59, 59, 123456, NEPAL)


def a_package(id: int, title: str = "A package") -> PackageRecord:
    """Return a package with what JSON and SQLite could spoil: odd characters, microseconds, offsets, a large
    number."""
    return package(
        id,
        title=title,
        slug=f"package-{id}",
        last_updated=MOMENT,
        repo_url="https://example.com/an/repository",
        pypi_version="1.0",
        created=MOMENT.replace(microsecond=1),
        modified=MOMENT.astimezone(UTC),
        repo_forks=3,
        repo_description='tea 🫖, a line\u2028and \x00 \\ " é',
        repo_watchers=2**40,
        commits_over_52=(0, 1, 2),
        participants=("ada", "grace"),
        grids=(9, 7),
    )


def a_catalog(version: str, packages: int = 300) -> Stored:
    """Return a catalog of which every record differs from those of another version."""
    dates = {"created": MOMENT, "modified": MOMENT}
    return Stored(
        version=version,
        refreshed_at=datetime(2025, 1, 2, 3, 4, 5, 678901, UTC),
        packages=tuple(a_package(id, version) for id in range(packages, 0, -1)),
        grids=tuple(grid(id, title=version, header=True, packages=(3, 1, 2), **dates) for id in (9, 7)),
        categories=(category(1, title=version, slug="category-1", title_plural="Categories", **dates),),
    )


A, B = a_catalog("A"), a_catalog("B")


def save(storage: Storage, catalog: Stored) -> None:
    storage.save(**vars(catalog))


def stored_in(path: Path) -> Stored | None:
    """Return what a start finds in the file."""
    with closing(Storage(str(path))) as storage:
        return storage.load()


def begin(path: Path, catalog: Stored) -> None:
    with closing(Storage(str(path))) as storage:
        save(storage, catalog)


def change(path: Path, statement: str, *parameters: object) -> None:
    """Change the file behind the storage's back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, parameters)
