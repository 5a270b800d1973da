"""Makes changes to the rows of the embedded upstream."""

from bisect import bisect_left, insort
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from .readable_catalog import ReadableCatalog
from .row_types import CategoryRow, GridRow, Kind, PackageRow, Row

R = TypeVar("R", PackageRow, GridRow, CategoryRow)

_NOW = "2026-02-16T01:00:00-05:00"


class EmbeddedCatalog(ReadableCatalog):
    """Holds packages, grids and categories by id, and keeps them consistent.

    Rows are frozen. The methods replace them.

        catalog = EmbeddedCatalog(packages=[...], grids=[...], categories=[...])
        catalog.update_package(1599, title="renamed")
    """

    # Packages

    def insert_package(self, **fields: object) -> int:
        """Add a package, the newest unless an id is given, and return its id; other fields have defaults."""
        key = self._new_id("packages", fields)
        slug = fields.get("slug", f"django-inserted-{key}")
        defaults: dict[str, Any] = {
            "category": min(self.categories, default=1),
            "grids": (),
            "title": slug,
            "slug": slug,
            "last_updated": None,
            "last_fetched": None,
            "repo_url": f"https://github.com/generated/{slug}",
            "pypi_version": None,
            "created": _NOW,
            "modified": _NOW,
            "repo_forks": 0,
            "repo_description": "",
            "pypi_url": "",
            "documentation_url": "",
            "repo_watchers": 0,
            "commits_over_52": (),
            "participants": (),
        }
        row = _row(PackageRow, {**defaults, **fields, "id": key})
        self._check_package(row)
        self._put("packages", row)
        for grid in row.grids:
            self._memberships.join(grid, row)
        return key

    def update_package(self, package_id: int, **fields: object) -> None:
        """Change some fields of a package; its grids follow a new title or new memberships."""
        old = self._get(self.packages, "package", package_id)
        row = _row(PackageRow, {**msgspec.structs.asdict(old), **fields, "id": package_id})
        self._check_package(row)
        self._put("packages", row, old)
        for grid in set(old.grids) - set(row.grids):
            self._memberships.leave(grid, package_id)
        for grid in row.grids:
            self._memberships.join(grid, row)

    def remove_package(self, package_id: int) -> None:
        """Delete a package and its memberships."""
        row = self._get(self.packages, "package", package_id)
        for grid in row.grids:
            self._memberships.leave(grid, package_id)
        self._drop("packages", row)
        del self.packages[package_id]

    # Grids

    def insert_grid(self, **fields: object) -> int:
        """Add a grid, the newest unless an id is given, and return its id; other fields have defaults."""
        key = self._new_id("grids", fields)
        slug = fields.get("slug", f"inserted-{key}")
        defaults: dict[str, Any] = {
            "title": slug,
            "slug": slug,
            "description": "",
            "is_locked": False,
            "packages": (),
            "header": False,
            "created": _NOW,
            "modified": _NOW,
        }
        row = self._memberships.by_title(_row(GridRow, {**defaults, **fields, "id": key}))
        self._check_grid(row)
        self._put("grids", row)
        self._memberships.follow_grid(row, old=())
        return key

    def update_grid(self, grid_id: int, **fields: object) -> None:
        """Change some fields of a grid; its packages follow new memberships."""
        old = self._get(self.grids, "grid", grid_id)
        row = self._memberships.by_title(
            _row(GridRow, {**msgspec.structs.asdict(old), **fields, "id": grid_id})
        )
        self._check_grid(row)
        self._put("grids", row, old)
        self._memberships.follow_grid(row, old.packages)

    def remove_grid(self, grid_id: int) -> None:
        """Delete a grid and its memberships."""
        row = self._get(self.grids, "grid", grid_id)
        self._memberships.follow_grid(msgspec.structs.replace(row, packages=()), row.packages)
        self._drop("grids", row)
        del self.grids[grid_id]

    # Categories

    def insert_category(self, **fields: object) -> int:
        """Add a category, the newest unless an id is given, and return its id."""
        key = self._new_id("categories", fields)
        slug = fields.get("slug", f"inserted-{key}")
        defaults: dict[str, Any] = {
            "title": slug,
            "slug": slug,
            "description": "",
            "title_plural": "",
            "show_pypi": True,
            "created": _NOW,
            "modified": _NOW,
        }
        self._put("categories", _row(CategoryRow, {**defaults, **fields, "id": key}))
        return key

    def update_category(self, category_id: int, **fields: object) -> None:
        """Change some fields of a category."""
        old = self._get(self.categories, "category", category_id)
        row = _row(CategoryRow, {**msgspec.structs.asdict(old), **fields, "id": category_id})
        self._put("categories", row, old)

    def remove_category(self, category_id: int) -> None:
        """Delete a category, which no package may be in."""
        row = self._get(self.categories, "category", category_id)
        if any(package.category == category_id for package in self.packages.values()):
            raise ValueError(f"Category {category_id} still has packages.")
        self._drop("categories", row)
        del self.categories[category_id]

    # How changes are kept consistent

    def _new_id(self, kind: Kind, fields: Mapping[str, Any]) -> int:
        ids = self._ids[kind]
        key: object = fields.get("id", ids[-1] + 1 if ids else 1)
        if not isinstance(key, int) or key < 1:
            raise ValueError(f"An id is a positive whole number, not {key!r}.")
        if key in self.rows(kind):
            raise ValueError(f"There is already a row with the id {key} in {kind}.")
        return key

    def _get(self, rows: Mapping[int, R], name: str, key: int) -> R:
        if key not in rows:
            raise ValueError(f"There is no {name} with the id {key}.")
        return rows[key]

    def _check_package(self, row: PackageRow) -> None:
        self._check_slug("packages", row)
        if row.category not in self.categories:
            raise ValueError(f"There is no category with the id {row.category}.")
        for grid in row.grids:
            self._get(self.grids, "grid", grid)

    def _check_grid(self, row: GridRow) -> None:
        self._check_slug("grids", row)
        for package in row.packages:
            self._get(self.packages, "package", package)

    def _check_slug(self, kind: Kind, row: PackageRow | GridRow) -> None:
        if self._slugs[kind].get(row.slug, row.id) != row.id:
            raise ValueError(f"The slug {row.slug!r} is taken in {kind}.")

    def _put(self, kind: Kind, row: Row, old: Row | None = None) -> None:
        if old is None:
            insort(self._ids[kind], row.id)
        elif kind in self._slugs:
            del self._slugs[kind][old.slug]
        if kind in self._slugs:
            self._slugs[kind][row.slug] = row.id
        match row:
            case PackageRow():
                self.packages[row.id] = row
            case GridRow():
                self.grids[row.id] = row
            case CategoryRow():
                self.categories[row.id] = row
        self.version += 1

    def _drop(self, kind: Kind, row: Row) -> None:
        ids = self._ids[kind]
        del ids[bisect_left(ids, row.id)]
        if kind in self._slugs:
            del self._slugs[kind][row.slug]
        self.version += 1


def _row(kind: type[R], fields: dict[str, Any]) -> R:
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise ValueError(
            f"These are not the fields of a {kind.__name__.removesuffix('Row').lower()}: {error}."
        ) from error
