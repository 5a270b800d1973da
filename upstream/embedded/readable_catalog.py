"""Gives the rows of the embedded upstream by id, by slug, in v4's order, and as the search knows them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

import msgspec

from .grid_memberships import GridMemberships
from .row_types import CategoryRow, GridRow, Kind, PackageRow, Row


class ReadableCatalog:
    """Holds packages, grids and categories by id, with the order of their ids and their slugs.

    A membership that one side of two given rows names is completed on the other. Ids of rows that were not
    given stay as they are, so that a part of a larger catalog can be served truthfully.
    """

    packages: dict[int, PackageRow]
    grids: dict[int, GridRow]
    categories: dict[int, CategoryRow]

    def __init__(
        self,
        packages: Iterable[PackageRow] = (),
        grids: Iterable[GridRow] = (),
        categories: Iterable[CategoryRow] = (),
    ) -> None:
        self.packages = {row.id: row for row in sorted(packages, key=_id)}
        self.grids = {row.id: row for row in sorted(grids, key=_id)}
        self.categories = {row.id: row for row in sorted(categories, key=_id)}
        self._ids: dict[Kind, list[int]] = {
            "packages": list(self.packages),
            "grids": list(self.grids),
            "categories": list(self.categories),
        }
        self._slugs: dict[Kind, dict[str, int]] = {
            "packages": {row.slug: row.id for row in self.packages.values()},
            "grids": {row.slug: row.id for row in self.grids.values()},
        }
        self.version = 0
        """A number that grows with every change, by which cached answers are known to be out of date."""
        self._memberships = GridMemberships(self.packages, self.grids)
        self._memberships.complete()
        self.reindex()

    def rows(self, kind: Kind) -> Mapping[int, Row]:
        """Return all rows of a kind by id."""
        by_kind: dict[Kind, Mapping[int, Row]] = {
            "packages": self.packages,
            "grids": self.grids,
            "categories": self.categories,
        }
        return by_kind[kind]

    def newest(self, kind: Kind, offset: int, limit: int) -> Sequence[Row]:
        """Return a page in v4's only order, newest id first."""
        ids = self._ids[kind]
        end = len(ids) - offset
        if end <= 0:
            return []
        rows = self.rows(kind)
        return [rows[key] for key in reversed(ids[max(0, end - limit) : end])]

    def with_ties_turned(self, grid: GridRow) -> GridRow:
        """Return the grid with its packages of equal titles the other way round; the same grid if it has none."""
        titles = [row.title if (row := self.packages.get(key)) else key for key in grid.packages]
        if len(set(titles)) == len(titles):
            return grid
        runs = groupby(zip(titles, grid.packages, strict=True), key=itemgetter(0))
        turned = tuple(key for _, run in runs for _, key in reversed(list(run)))
        return msgspec.structs.replace(grid, packages=turned)

    def id_of_slug(self, kind: Kind, slug: str) -> int | None:
        """Return the id of the row with exactly this slug."""
        return self._slugs[kind].get(slug)

    def reindex(self) -> None:
        """Bring the search index up to date; until then it serves the rows as they were (section 4)."""
        self.indexed_packages = dict(self.packages)
        self.indexed_grids = dict(self.grids)
        self.index_version = self.version


def _id(row: Row) -> int:
    return row.id
