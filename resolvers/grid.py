"""Resolves the relations of a grid, and sums up its packages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from catalog import commits_in_52_weeks, last_commit
from resolvers.lists.list_arguments import (
    After,
    Before,
    First,
    Last,
    PackageFilterArgument,
    PackageOrderArgument,
)
from resolvers.lists.pagination import Connection, Paging, page_size
from resolvers.lists.record_lists import packages_of
from resolvers.lists.sort_orders import PackageOrder
from resolvers.loading.key_lookup import check_count
from resolvers.loading.record_relations import ToMany
from resolvers.loading.request_context import Info
from upstream.client import GridRecord, PackageRecord

PackageSlugs = Annotated[list[str], strawberry.argument(description="Slugs of packages, up to 100.")]
GridPackageOrder = Annotated[
    PackageOrder | None,
    strawberry.argument(
        description="The sort order. By default packages are sorted by title, regardless of case, and equal "
        "titles by databaseId."
    ),
]
Most = Annotated[int, strawberry.argument(description="The number of items, 0 to 100.")]


P = TypeVar("P")


@strawberry.type(description="A number of several packages, aggregated.")
class Amount:
    """Sums up a number of each package."""

    total: int = strawberry.field(description="The sum.")
    median: float | None = strawberry.field(description="The median. Null if there is no package.")


@strawberry.type(
    description="A package with its ranks among the packages of its grid. Rank 1 has the highest number; "
    "equal numbers share a rank."
)
class ComparedPackage(Generic[P]):
    """Ranks a package by each number."""

    package: P = strawberry.field(description="The package.")
    stars_rank: int = strawberry.field(description="The rank by stars.")
    forks_rank: int = strawberry.field(description="The rank by forks.")
    commits_rank: int | None = strawberry.field(
        description="The rank by commits in 52 weeks. Null if they are not known."
    )
    last_commit_rank: int | None = strawberry.field(
        description="The rank by the last commit, 1 for the latest. Null if it is not known."
    )


@dataclass(frozen=True, slots=True)
class _GridPackages(ToMany[PackageRecord]):
    async def resolve(
        self, root: Any, info: Info, order_by: GridPackageOrder = None
    ) -> list[PackageRecord | BaseException]:
        """Return the packages that the grid names, by title or in the requested order. An item that failed is its
        error."""
        found = await ToMany.resolve(self, root, info)
        if order_by is None:
            return found
        records = {package.id: package for package in found if isinstance(package, PackageRecord)}
        others = [item for item in found if not isinstance(item, PackageRecord)]
        return [*(records[id] for id in order_by.order.sorted(records)), *others]


packages = _GridPackages(
    "packages",
    PackageRecord,
    lambda loaders: loaders.packages,
    index=lambda catalog: (catalog.grids, catalog.grid_packages),
)
"""The relation to the packages that the grid names."""


async def packages_connection(
    root: GridRecord,
    info: Info,
    filter: PackageFilterArgument = None,
    order_by: PackageOrderArgument = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[PackageRecord]:
    """Return a part of the packages of the grid."""
    paging = Paging("packagesConnection", first, after, last, before)
    return packages_of(info.context, await info.context.catalog(), paging, root.packages, filter, order_by)


def package_count(root: GridRecord) -> int:
    """Return the number of packages that the grid compares."""
    return len(root.packages)


async def stars(root: GridRecord, info: Info) -> Amount:
    """Return the stars of its packages."""
    return _amount(package.repo_watchers for package in await _known(root, info))


async def forks(root: GridRecord, info: Info) -> Amount:
    """Return the forks of its packages."""
    return _amount(package.repo_forks for package in await _known(root, info))


async def commits(root: GridRecord, info: Info) -> Amount:
    """Return the commits of its packages in 52 weeks, for the packages whose commits are counted."""
    counts = map(commits_in_52_weeks, await _known(root, info))
    return _amount(count for count in counts if count is not None)


async def most_active(root: GridRecord, info: Info, first: Most = 5) -> list[PackageRecord]:
    """Return its packages with the most commits in 52 weeks, without those whose commits are not counted."""
    size = page_size("mostActive", "first", first)
    counted = [(commits_in_52_weeks(package) or 0, package) for package in await _known(root, info)]
    counted = [(commits, package) for commits, package in counted if commits]
    counted.sort(key=lambda pair: (-pair[0], pair[1].id))
    return [package for _, package in counted[:size]]


async def compare(
    root: GridRecord, info: Info, slugs: PackageSlugs
) -> list[ComparedPackage[PackageRecord] | None]:
    """Return how the packages with these slugs rank among all of the grid; ``None`` for a package that is not on it."""
    check_count("compare", slugs)
    info.context.work.spend(len(slugs))
    known = await _known(root, info, each=6)
    by_slug = {package.slug: package for package in known}
    stars = _ranks(known, lambda package: package.repo_watchers)
    forks = _ranks(known, lambda package: package.repo_forks)
    commits = _ranks(known, commits_in_52_weeks)
    last_commits = _ranks(known, last_commit)
    return [
        ComparedPackage(
            package=package,
            stars_rank=stars[package.id],
            forks_rank=forks[package.id],
            commits_rank=commits.get(package.id),
            last_commit_rank=last_commits.get(package.id),
        )
        if (package := by_slug.get(slug))
        else None
        for slug in slugs
    ]


async def _known(root: GridRecord, info: Info, each: int = 2) -> list[PackageRecord]:
    """Return the packages of the grid. If one fails, the whole field fails, because it would be wrong without it.

    ``each`` is the number of steps of work for one package.

    :raises UpstreamError: a package could not be loaded.
    """
    info.context.work.spend(each * len(root.packages))
    packages: list[PackageRecord] = []
    for item in await info.context.loaders.packages.by_ids(sorted(root.packages)):
        if isinstance(item, BaseException):
            raise item
        if item is not None:
            packages.append(item)
    return packages


def _amount(numbers: Iterable[int]) -> Amount:
    every = list(numbers)
    return Amount(total=sum(every), median=float(median(every)) if every else None)


def _ranks(
    packages: list[PackageRecord], value_of: Callable[[PackageRecord], float | None]
) -> dict[int, int]:
    values = {package.id: value for package in packages if (value := value_of(package)) is not None}
    ranked = sorted(values.values(), reverse=True)
    places: dict[float, int] = {}
    for place, value in enumerate(ranked, 1):
        places.setdefault(value, place)
    return {id: places[value] for id, value in values.items()}
