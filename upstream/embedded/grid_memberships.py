"""Keeps the rows of packages and of grids agreed on which package is in which grid."""

from collections.abc import Sequence

import msgspec

from .row_types import GridRow, PackageRow


class GridMemberships:
    """Replaces rows in the two mappings that it is given, by id."""

    def __init__(self, packages: dict[int, PackageRow], grids: dict[int, GridRow]) -> None:
        self._packages = packages
        self._grids = grids

    def join(self, grid_id: int, package: PackageRow) -> None:
        """Put the package into the grid. If it is there already, it moves if its title has changed."""
        grid = self._grids[grid_id]
        members = grid.packages if package.id in grid.packages else (*grid.packages, package.id)
        self._grids[grid_id] = self.by_title(msgspec.structs.replace(grid, packages=members))

    def leave(self, grid_id: int, package_id: int) -> None:
        """Take the package out of the grid."""
        grid = self._grids[grid_id]
        members = tuple(key for key in grid.packages if key != package_id)
        self._grids[grid_id] = msgspec.structs.replace(grid, packages=members)

    def follow_grid(self, grid: GridRow, old: Sequence[int]) -> None:
        """Let packages name a grid that has them now, and no longer one that had them before."""
        for key in set(old) - set(grid.packages):
            package = self._packages[key]
            left = tuple(other for other in package.grids if other != grid.id)
            self._packages[key] = msgspec.structs.replace(package, grids=left)
        for key in grid.packages:
            package = self._packages[key]
            if grid.id not in package.grids:
                self._packages[key] = msgspec.structs.replace(package, grids=(*package.grids, grid.id))

    def by_title(self, grid: GridRow) -> GridRow:
        """Return the grid with its packages in order, or as it is where one of them is not known."""
        # Code point order, as the measured database's collation (contract, section 0); ids break the ties.
        packages = self._packages
        known = [key for key in grid.packages if key in packages]
        if len(known) < len(grid.packages):
            return grid
        members = sorted(known, key=lambda key: (packages[key].title, key))
        return msgspec.structs.replace(grid, packages=tuple(members))

    def complete(self) -> None:
        """Complete on one side what only the other side names."""
        for package in list(self._packages.values()):
            for key in package.grids:
                if key in self._grids and package.id not in self._grids[key].packages:
                    self.join(key, package)
        for grid in self._grids.values():
            for key in grid.packages:
                if key in self._packages and grid.id not in self._packages[key].grids:
                    both = (*self._packages[key].grids, grid.id)
                    self._packages[key] = msgspec.structs.replace(self._packages[key], grids=both)
