"""Declares the orders of lists that clients can choose."""

from __future__ import annotations

from enum import Enum
from typing import cast

import strawberry

from catalog import GridValue, Order, PackageValue, grid_order, package_order
from upstream.client import GridRecord, PackageRecord

_ASCENDING = ", the lowest first; missing values last, ties by databaseId."
_DESCENDING = ", the highest first; missing values last, ties by databaseId."


@strawberry.enum(description="The sort orders of packages.")
class PackageOrder(Enum):
    """Lists orders of packages. Each value is an :class:`~catalog.sort_orders.Order`."""

    TITLE_ASC = strawberry.enum_value(
        package_order(PackageValue.TITLE), description="By title, regardless of case, from A to Z."
    )
    TITLE_DESC = strawberry.enum_value(
        package_order(PackageValue.TITLE, descending=True), description="By title, from Z to A."
    )
    STARS_ASC = strawberry.enum_value(package_order(PackageValue.STARS), description="By stars" + _ASCENDING)
    STARS_DESC = strawberry.enum_value(
        package_order(PackageValue.STARS, descending=True), description="By stars" + _DESCENDING
    )
    FORKS_ASC = strawberry.enum_value(package_order(PackageValue.FORKS), description="By forks" + _ASCENDING)
    FORKS_DESC = strawberry.enum_value(
        package_order(PackageValue.FORKS, descending=True), description="By forks" + _DESCENDING
    )
    CREATED_ASC = strawberry.enum_value(
        package_order(PackageValue.CREATED), description="By the date when it was added, the oldest first."
    )
    CREATED_DESC = strawberry.enum_value(
        package_order(PackageValue.CREATED, descending=True),
        description="By the date when it was added, the newest first.",
    )
    MODIFIED_ASC = strawberry.enum_value(
        package_order(PackageValue.MODIFIED), description="By the date of the last edit, the oldest first."
    )
    MODIFIED_DESC = strawberry.enum_value(
        package_order(PackageValue.MODIFIED, descending=True),
        description="By the date of the last edit, the newest first.",
    )
    LAST_COMMIT_ASC = strawberry.enum_value(
        package_order(PackageValue.LAST_COMMIT),
        description="By the date of the last commit, the oldest first; missing dates last.",
    )
    LAST_COMMIT_DESC = strawberry.enum_value(
        package_order(PackageValue.LAST_COMMIT, descending=True),
        description="By the date of the last commit, the newest first; missing dates last.",
    )
    COMMITS_ASC = strawberry.enum_value(
        package_order(PackageValue.COMMITS_IN_52_WEEKS),
        description="By the number of commits in 52 weeks" + _ASCENDING,
    )
    COMMITS_DESC = strawberry.enum_value(
        package_order(PackageValue.COMMITS_IN_52_WEEKS, descending=True),
        description="By the number of commits in 52 weeks" + _DESCENDING,
    )
    GRID_COUNT_ASC = strawberry.enum_value(
        package_order(PackageValue.GRIDS), description="By the number of grids" + _ASCENDING
    )
    GRID_COUNT_DESC = strawberry.enum_value(
        package_order(PackageValue.GRIDS, descending=True),
        description="By the number of grids" + _DESCENDING,
    )

    @property
    def order(self) -> Order[PackageRecord]:
        """Return how to sort."""
        return cast("Order[PackageRecord]", self.value)


@strawberry.enum(description="The sort orders of grids.")
class GridOrder(Enum):
    """Lists orders of grids. Each value is an :class:`~catalog.sort_orders.Order`."""

    TITLE_ASC = strawberry.enum_value(
        grid_order(GridValue.TITLE), description="By title, regardless of case, from A to Z."
    )
    TITLE_DESC = strawberry.enum_value(
        grid_order(GridValue.TITLE, descending=True), description="By title, from Z to A."
    )
    PACKAGE_COUNT_ASC = strawberry.enum_value(
        grid_order(GridValue.PACKAGES), description="By the number of packages" + _ASCENDING
    )
    PACKAGE_COUNT_DESC = strawberry.enum_value(
        grid_order(GridValue.PACKAGES, descending=True),
        description="By the number of packages" + _DESCENDING,
    )
    CREATED_ASC = strawberry.enum_value(
        grid_order(GridValue.CREATED), description="By the date when it was added, the oldest first."
    )
    CREATED_DESC = strawberry.enum_value(
        grid_order(GridValue.CREATED, descending=True),
        description="By the date when it was added, the newest first.",
    )
    MODIFIED_ASC = strawberry.enum_value(
        grid_order(GridValue.MODIFIED), description="By the date of the last edit, the oldest first."
    )
    MODIFIED_DESC = strawberry.enum_value(
        grid_order(GridValue.MODIFIED, descending=True),
        description="By the date of the last edit, the newest first.",
    )

    @property
    def order(self) -> Order[GridRecord]:
        """Return how to sort."""
        return cast("Order[GridRecord]", self.value)
