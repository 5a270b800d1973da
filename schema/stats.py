"""Declares the type Stats: figures about the whole catalog."""

from __future__ import annotations

import strawberry

from engine import DependsOn, depends_on
from resolvers import stats as resolvers
from resolvers.contributor import CategoryCount
from schema.category import Category
from schema.package import Package


@strawberry.type(description="Statistics of the whole catalog.")
class Stats:
    """Is resolved from :class:`catalog.indexed_catalog.Catalog`."""

    package_count = strawberry.field(
        resolver=resolvers.package_count,
        metadata=depends_on(DependsOn.CATALOG),
        description="The number of packages.",
    )
    grid_count = strawberry.field(
        resolver=resolvers.grid_count,
        metadata=depends_on(DependsOn.CATALOG),
        description="The number of grids.",
    )
    category_count = strawberry.field(
        resolver=resolvers.category_count,
        metadata=depends_on(DependsOn.CATALOG),
        description="The number of categories.",
    )
    contributor_count = strawberry.field(
        resolver=resolvers.contributor_count,
        metadata=depends_on(DependsOn.CATALOG),
        description="The number of different contributors.",
    )
    by_category = strawberry.field(
        resolver=resolvers.by_category,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=list[CategoryCount[Category]],
        description="The number of packages in each category, the oldest category first.",
    )
    by_repository_host = strawberry.field(
        resolver=resolvers.by_repository_host,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=list[resolvers.HostCount],
        description="The number of packages at each host of repositories, the most first.",
    )
    active = strawberry.field(
        resolver=resolvers.active,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.TIME),
        graphql_type=resolvers.ActiveShare,
        description="The number and share of packages whose last commit is at most `withinDays` days old.",
    )
    newest = strawberry.field(
        resolver=resolvers.newest,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=list[Package],
        description="The packages that were added most recently, newest first.",
    )
    most_starred = strawberry.field(
        resolver=resolvers.most_starred,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=list[Package],
        description="The packages with the most stars. Ties are sorted by databaseId.",
    )
