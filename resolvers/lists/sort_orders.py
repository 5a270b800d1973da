"""Declares the sort orders of lists that clients can choose, and by which value each of them sorts.

A new order is one call of ``_packages``, ``_grids`` or ``_contributors``, and two members of the enum below.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Generic, NamedTuple, TypeVar, cast

import strawberry

from catalog import ContributorRecord, Order, Value, commits_in_52_weeks, last_commit
from upstream.client import GridRecord, PackageRecord

R = TypeVar("R")


class _Orders(NamedTuple, Generic[R]):
    """Holds the two orders by one value."""

    ascending: Order[R]
    descending: Order[R]


def _packages(
    value: str, value_of: Callable[[PackageRecord], Value], value_type: type
) -> _Orders[PackageRecord]:
    """Return the orders of packages by a value; ``value`` names it in cursors, whatever it is called in the schema."""
    return _Orders(
        Order(f"{value} ascending", value_of, value_type),
        Order(f"{value} descending", value_of, value_type, descending=True),
    )


def _grids(value: str, value_of: Callable[[GridRecord], Value], value_type: type) -> _Orders[GridRecord]:
    """Return the orders of grids by a value."""
    return _Orders(
        Order(f"grids by {value} ascending", value_of, value_type),
        Order(f"grids by {value} descending", value_of, value_type, descending=True),
    )


def _contributors(
    value: str, value_of: Callable[[ContributorRecord], Value], value_type: type
) -> _Orders[ContributorRecord]:
    """Return the orders of contributors by a value."""
    return _Orders(
        Order(f"{value} ascending", value_of, value_type, key_type=str),
        Order(f"{value} descending", value_of, value_type, descending=True, key_type=str),
    )


# Moments as seconds: sorting datetimes of different offsets takes several times as long.
_PACKAGES_BY_TITLE = _packages("title", lambda package: package.title.casefold(), str)
_PACKAGES_BY_STARS = _packages("stars", lambda package: package.repo_watchers, int)
_PACKAGES_BY_FORKS = _packages("forks", lambda package: package.repo_forks, int)
_PACKAGES_BY_CREATED = _packages("created", lambda package: package.created.timestamp(), float)
_PACKAGES_BY_MODIFIED = _packages("modified", lambda package: package.modified.timestamp(), float)
_PACKAGES_BY_LAST_COMMIT = _packages("last commit", last_commit, float)
_PACKAGES_BY_COMMITS = _packages("commits in 52 weeks", commits_in_52_weeks, int)
_PACKAGES_BY_GRID_COUNT = _packages("grids", lambda package: len(package.grids), int)

_GRIDS_BY_TITLE = _grids("title", lambda grid: grid.title.casefold(), str)
_GRIDS_BY_PACKAGE_COUNT = _grids("packages", lambda grid: len(grid.packages), int)
_GRIDS_BY_CREATED = _grids("created", lambda grid: grid.created.timestamp(), float)
_GRIDS_BY_MODIFIED = _grids("modified", lambda grid: grid.modified.timestamp(), float)

_CONTRIBUTORS_BY_PACKAGE_COUNT = _contributors(
    "package count", lambda contributor: len(contributor.packages), int
)
_CONTRIBUTORS_BY_LOGIN = _contributors("login", lambda contributor: contributor.key, str)

_ASCENDING = ", the lowest first; missing values last, ties by databaseId."
_DESCENDING = ", the highest first; missing values last, ties by databaseId."


@strawberry.enum(description="The sort orders of packages.")
class PackageOrder(Enum):
    """Lists orders of packages. Each value is an :class:`~catalog.record_sorting.Order`."""

    TITLE_ASC = strawberry.enum_value(
        _PACKAGES_BY_TITLE.ascending, description="By title, regardless of case, from A to Z."
    )
    TITLE_DESC = strawberry.enum_value(_PACKAGES_BY_TITLE.descending, description="By title, from Z to A.")
    STARS_ASC = strawberry.enum_value(_PACKAGES_BY_STARS.ascending, description="By stars" + _ASCENDING)
    STARS_DESC = strawberry.enum_value(_PACKAGES_BY_STARS.descending, description="By stars" + _DESCENDING)
    FORKS_ASC = strawberry.enum_value(_PACKAGES_BY_FORKS.ascending, description="By forks" + _ASCENDING)
    FORKS_DESC = strawberry.enum_value(_PACKAGES_BY_FORKS.descending, description="By forks" + _DESCENDING)
    CREATED_ASC = strawberry.enum_value(
        _PACKAGES_BY_CREATED.ascending, description="By the date when it was added, the oldest first."
    )
    CREATED_DESC = strawberry.enum_value(
        _PACKAGES_BY_CREATED.descending,
        description="By the date when it was added, the newest first.",
    )
    MODIFIED_ASC = strawberry.enum_value(
        _PACKAGES_BY_MODIFIED.ascending, description="By the date of the last edit, the oldest first."
    )
    MODIFIED_DESC = strawberry.enum_value(
        _PACKAGES_BY_MODIFIED.descending,
        description="By the date of the last edit, the newest first.",
    )
    LAST_COMMIT_ASC = strawberry.enum_value(
        _PACKAGES_BY_LAST_COMMIT.ascending,
        description="By the date of the last commit, the oldest first; missing dates last.",
    )
    LAST_COMMIT_DESC = strawberry.enum_value(
        _PACKAGES_BY_LAST_COMMIT.descending,
        description="By the date of the last commit, the newest first; missing dates last.",
    )
    COMMITS_ASC = strawberry.enum_value(
        _PACKAGES_BY_COMMITS.ascending,
        description="By the number of commits in 52 weeks" + _ASCENDING,
    )
    COMMITS_DESC = strawberry.enum_value(
        _PACKAGES_BY_COMMITS.descending,
        description="By the number of commits in 52 weeks" + _DESCENDING,
    )
    GRID_COUNT_ASC = strawberry.enum_value(
        _PACKAGES_BY_GRID_COUNT.ascending, description="By the number of grids" + _ASCENDING
    )
    GRID_COUNT_DESC = strawberry.enum_value(
        _PACKAGES_BY_GRID_COUNT.descending,
        description="By the number of grids" + _DESCENDING,
    )

    @property
    def order(self) -> Order[PackageRecord]:
        """Return how to sort."""
        return cast("Order[PackageRecord]", self.value)


@strawberry.enum(description="The sort orders of grids.")
class GridOrder(Enum):
    """Lists orders of grids. Each value is an :class:`~catalog.record_sorting.Order`."""

    TITLE_ASC = strawberry.enum_value(
        _GRIDS_BY_TITLE.ascending, description="By title, regardless of case, from A to Z."
    )
    TITLE_DESC = strawberry.enum_value(_GRIDS_BY_TITLE.descending, description="By title, from Z to A.")
    PACKAGE_COUNT_ASC = strawberry.enum_value(
        _GRIDS_BY_PACKAGE_COUNT.ascending, description="By the number of packages" + _ASCENDING
    )
    PACKAGE_COUNT_DESC = strawberry.enum_value(
        _GRIDS_BY_PACKAGE_COUNT.descending,
        description="By the number of packages" + _DESCENDING,
    )
    CREATED_ASC = strawberry.enum_value(
        _GRIDS_BY_CREATED.ascending, description="By the date when it was added, the oldest first."
    )
    CREATED_DESC = strawberry.enum_value(
        _GRIDS_BY_CREATED.descending,
        description="By the date when it was added, the newest first.",
    )
    MODIFIED_ASC = strawberry.enum_value(
        _GRIDS_BY_MODIFIED.ascending, description="By the date of the last edit, the oldest first."
    )
    MODIFIED_DESC = strawberry.enum_value(
        _GRIDS_BY_MODIFIED.descending,
        description="By the date of the last edit, the newest first.",
    )

    @property
    def order(self) -> Order[GridRecord]:
        """Return how to sort."""
        return cast("Order[GridRecord]", self.value)


@strawberry.enum(description="The sort orders of contributors.")
class ContributorOrder(Enum):
    """Lists orders of contributors. Each value is an :class:`~catalog.record_sorting.Order`."""

    PACKAGE_COUNT_DESC = strawberry.enum_value(
        _CONTRIBUTORS_BY_PACKAGE_COUNT.descending,
        description="By number of packages, the most first; ties by login.",
    )
    PACKAGE_COUNT_ASC = strawberry.enum_value(
        _CONTRIBUTORS_BY_PACKAGE_COUNT.ascending,
        description="By number of packages, the fewest first; ties by login.",
    )
    LOGIN_ASC = strawberry.enum_value(_CONTRIBUTORS_BY_LOGIN.ascending, description="By login, from A to Z.")
    LOGIN_DESC = strawberry.enum_value(
        _CONTRIBUTORS_BY_LOGIN.descending, description="By login, from Z to A."
    )

    @property
    def order(self) -> Order[ContributorRecord]:
        """Return how to sort."""
        return cast("Order[ContributorRecord]", self.value)
