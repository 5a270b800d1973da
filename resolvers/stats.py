"""Resolves figures about the whole catalog."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import Annotated

import strawberry

from catalog import NEWEST_PACKAGES_FIRST, Catalog, contributors, last_commit, package_table
from resolvers.client_errors import BadUserInput
from resolvers.contributor import CategoryCount
from resolvers.current_time import now
from resolvers.filters.filter_columns import repository_host
from resolvers.filters.filter_matching import MAX_DAYS
from resolvers.lists.pagination import page_size
from resolvers.lists.sort_orders import PackageOrder
from resolvers.loading.request_context import Info
from upstream.client import CategoryRecord, PackageRecord

Most = Annotated[int, strawberry.argument(description="The number of items, 0 to 100.")]
Days = Annotated[
    int, strawberry.argument(description="The highest age of the last commit in days, 0 to 36500.")
]


@strawberry.type(description="A host of repositories and the number of packages there.")
class HostCount:
    """Counts the repositories of a host."""

    host: str = strawberry.field(description='The host, such as "github.com".')
    package_count: int = strawberry.field(description="The number of packages with their repository there.")


@strawberry.type(description="The number of packages with a recent commit.")
class ActiveShare:
    """Counts active packages."""

    package_count: int = strawberry.field(description="The number of packages.")
    share: float | None = strawberry.field(
        description="Their share of all packages, 0 to 1. Null if there are no packages."
    )


async def stats(info: Info) -> Catalog:
    """Return the catalog, of which the other functions count.

    :raises UpstreamError: the catalog is not known yet.
    """
    return await info.context.catalog()


def package_count(root: Catalog) -> int:
    """Return the number of all packages."""
    return len(root.packages)


def grid_count(root: Catalog) -> int:
    """Return the number of all grids."""
    return len(root.grids)


def category_count(root: Catalog) -> int:
    """Return the number of all categories."""
    return len(root.categories)


def contributor_count(root: Catalog) -> int:
    """Return the number of all contributors."""
    return len(root.view(contributors))


def by_category(root: Catalog) -> list[CategoryCount[CategoryRecord]]:
    """Return the number of packages in each category, ordered by its id."""
    return [
        CategoryCount(category=root.categories[id], package_count=len(root.category_packages[id]))
        for id in sorted(root.categories)
    ]


def by_repository_host(root: Catalog, first: Most = 10) -> list[HostCount]:
    """Return the number of packages on each host of repositories: the most first, then by name."""
    size = page_size("byRepositoryHost", "first", first)
    return root.view(_hosts)[:size]


def active(root: Catalog, within_days: Days = 365) -> ActiveShare:
    """Return the packages whose last commit is at most ``within_days`` days old, as a number and a share."""
    if not 0 <= within_days <= MAX_DAYS:
        raise BadUserInput(f"active(withinDays:) is {within_days}; it can be 0 to {MAX_DAYS}.")
    since = now().timestamp() - 86_400 * within_days
    commits = root.view(_last_commits)
    count, every = len(commits) - bisect_left(commits, since), len(root.packages)
    return ActiveShare(package_count=count, share=count / every if every else None)


def newest(root: Catalog, first: Most = 5) -> list[PackageRecord]:
    """Return the packages that were added last."""
    size = page_size("newest", "first", first)
    ids = root.view(package_table).ids(NEWEST_PACKAGES_FIRST)
    return [root.packages[id] for id in ids[:size]]


def most_starred(root: Catalog, first: Most = 5) -> list[PackageRecord]:
    """Return the packages with the most stars."""
    size = page_size("mostStarred", "first", first)
    ids = root.view(package_table).ids(PackageOrder.STARS_DESC.order)
    return [root.packages[id] for id in ids[:size]]


def _hosts(catalog: Catalog) -> list[HostCount]:
    """Return all hosts of repositories, for :meth:`~catalog.indexed_catalog.Catalog.view`."""
    hosts = Counter(host for host in map(repository_host, catalog.packages.values()) if host)
    return [
        HostCount(host=host, package_count=hosts[host])
        for host in sorted(hosts, key=lambda host: (-hosts[host], host))
    ]


def _last_commits(catalog: Catalog) -> list[float]:
    """Return the known times of the last commits, oldest first, for the same use."""
    return sorted(moment for moment in map(last_commit, catalog.packages.values()) if moment is not None)
