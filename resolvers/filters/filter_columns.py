"""Defines the columns that filters look at. Tables store each under its function."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from catalog import repository
from resolvers.filters.filter_inputs import PackageDetail
from upstream.client import GridRecord, PackageRecord


def repository_host(package: PackageRecord) -> str | None:
    """Return the host of the repository."""
    address = repository(package.repo_url)
    return address and address.partition("/")[0]


def stars(package: PackageRecord) -> int:
    """Return the stars."""
    return package.repo_watchers


def forks(package: PackageRecord) -> int:
    """Return the forks."""
    return package.repo_forks


def grid_count(package: PackageRecord) -> int:
    """Return the number of grids that list the package."""
    return len(package.grids)


def created(package: PackageRecord) -> float:
    """Return when the record was added, in seconds since 1970."""
    return package.created.timestamp()


def modified(package: PackageRecord) -> float:
    """Return when the record was last edited, in seconds since 1970."""
    return package.modified.timestamp()


def title(package: PackageRecord) -> str:
    """Return the title, case-folded."""
    return package.title.casefold()


def slug(package: PackageRecord) -> str:
    """Return the slug, case-folded."""
    return package.slug.casefold()


def repo_description(package: PackageRecord) -> str:
    """Return the description, case-folded."""
    return package.repo_description.casefold()


def package_text(package: PackageRecord) -> str:
    """Return the title, the slug and the description, case-folded."""
    # A text that is searched for has no NUL, so it is found only within one of the three.
    return f"{package.title}\0{package.slug}\0{package.repo_description}".casefold()


def grid_text(grid: GridRecord) -> str:
    """Return the title, the slug and the description, case-folded."""
    return f"{grid.title}\0{grid.slug}\0{grid.description}".casefold()


def grid_title(grid: GridRecord) -> str:
    """Return the title, case-folded."""
    return grid.title.casefold()


def package_count(grid: GridRecord) -> int:
    """Return how many packages the grid compares."""
    return len(grid.packages)


def is_locked(grid: GridRecord) -> bool:
    """Return whether the grid is closed for edits."""
    return grid.is_locked


def header(grid: GridRecord) -> bool:
    """Return whether the site lists the grid among its main ones."""
    return grid.header


IS_MISSING: Mapping[PackageDetail, Callable[[PackageRecord], bool]] = {
    PackageDetail.LAST_COMMIT: lambda package: package.last_updated is None,
    PackageDetail.LAST_FETCHED: lambda package: package.last_fetched is None,
    PackageDetail.COMMITS: lambda package: not package.commits_over_52,
    PackageDetail.CONTRIBUTORS: lambda package: not package.participants,
    PackageDetail.REPOSITORY: lambda package: not package.repo_url,
    PackageDetail.DESCRIPTION: lambda package: not package.repo_description,
    PackageDetail.PYPI: lambda package: not package.pypi_url,
    PackageDetail.PYPI_VERSION: lambda package: not package.pypi_version,
    PackageDetail.DOCUMENTATION: lambda package: not package.documentation_url,
    PackageDetail.GRIDS: lambda package: not package.grids,
}
"""Functions that say whether a detail of a package is missing."""
