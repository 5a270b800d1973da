"""What the whole catalog amounts to."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import Annotated

import strawberry

from catalog.column_tables import package_table
from catalog.contributors import contributors
from catalog.indexed_catalog import Catalog
from catalog.sort_orders import NEWEST_FIRST, last_commit
from resolvers.client_errors import BadUserInput
from resolvers.contributor import CategoryCount
from resolvers.current_time import now
from resolvers.filters.filter_columns import repository_host
from resolvers.filters.filter_matching import MOST_DAYS
from resolvers.lists.order_enums import PackageOrder
from resolvers.lists.pagination import page_size
from resolvers.loading.request_context import Info
from upstream.client.v4_records import PackageRecord

Most = Annotated[int, strawberry.argument(description="How many: 0 to 100.")]
Days = Annotated[int, strawberry.argument(description="The age of the last commit at most, 0 to 36500.")]


@dataclass(frozen=True, slots=True)
class Stats:
    """Counts over one catalog."""

    catalog: Catalog


@dataclass(frozen=True, slots=True)
class HostCount:
    """A host of repositories, and how many packages have theirs there."""

    host: str
    package_count: int


@dataclass(frozen=True, slots=True)
class ActiveShare:
    """How many packages had a commit lately, and what part of all that is."""

    package_count: int
    share: float | None


async def stats(info: Info) -> Stats:
    """The counts."""
    return Stats(await info.context.catalog())


def package_count(root: Stats) -> int:
    """All packages."""
    return len(root.catalog.packages)


def grid_count(root: Stats) -> int:
    """All grids."""
    return len(root.catalog.grids)


def category_count(root: Stats) -> int:
    """All categories."""
    return len(root.catalog.categories)


def contributor_count(root: Stats) -> int:
    """All contributors."""
    return len(root.catalog.view(contributors))


def by_category(root: Stats) -> list[CategoryCount]:
    """Packages by category, by its id."""
    catalog = root.catalog
    return [
        CategoryCount(catalog.categories[id], len(catalog.category_packages[id]))
        for id in sorted(catalog.categories)
    ]


def by_repository_host(root: Stats, first: Most = 10) -> list[HostCount]:
    """Packages by the host of their repository: the most first, then by name."""
    size = page_size("byRepositoryHost", "first", first)
    return root.catalog.view(_hosts)[:size]


def active(root: Stats, within_days: Days = 365) -> ActiveShare:
    """Packages whose last commit is at most so many days old."""
    if not 0 <= within_days <= MOST_DAYS:
        raise BadUserInput(f"active(withinDays:) is {within_days}; it can be 0 to {MOST_DAYS}.")
    since = now().timestamp() - 86_400 * within_days
    commits = root.catalog.view(_last_commits)
    count, every = len(commits) - bisect_left(commits, since), len(root.catalog.packages)
    return ActiveShare(count, count / every if every else None)


def newest(root: Stats, first: Most = 5) -> list[PackageRecord]:
    """The packages that were added last."""
    size = page_size("newest", "first", first)
    ids = root.catalog.view(package_table).ids(NEWEST_FIRST)
    return [root.catalog.packages[id] for id in ids[:size]]


def most_starred(root: Stats, first: Most = 5) -> list[PackageRecord]:
    """The packages with the most stars."""
    size = page_size("mostStarred", "first", first)
    ids = root.catalog.view(package_table).ids(PackageOrder.STARS_DESC.order)
    return [root.catalog.packages[id] for id in ids[:size]]


def _hosts(catalog: Catalog) -> list[HostCount]:
    """All hosts of repositories, for :meth:`~catalog.indexed_catalog.Catalog.view`."""
    hosts = Counter(host for host in map(repository_host, catalog.packages.values()) if host)
    return [HostCount(host, hosts[host]) for host in sorted(hosts, key=lambda host: (-hosts[host], host))]


def _last_commits(catalog: Catalog) -> list[float]:
    """When the last commits were made where that is known, the longest ago first, for the same."""
    return sorted(moment for moment in map(last_commit, catalog.packages.values()) if moment is not None)
