"""The type Stats: what the whole catalog amounts to."""

from __future__ import annotations

import strawberry

from engine.answer_dependencies import DependsOn, depends_on
from resolvers import stats as resolvers
from schema.category import CategoryCount
from schema.package import Package


@strawberry.type(description="A host of repositories, and how many packages have theirs there.")
class HostCount:
    """Resolved from :class:`resolvers.stats.HostCount`."""

    host: str = strawberry.field(description='The host, such as "github.com".')
    package_count: int = strawberry.field(description="How many packages have their repository there.")


@strawberry.type(description="How many packages had a commit lately.")
class ActiveShare:
    """Resolved from :class:`resolvers.stats.ActiveShare`."""

    package_count: int = strawberry.field(description="How many.")
    share: float | None = strawberry.field(
        description="What part of all packages that is, 0 to 1. Null if there are none."
    )


@strawberry.type(description="What the whole catalog amounts to, counted from the gateway's copy of it.")
class Stats:
    """Resolved from :class:`resolvers.stats.Stats`."""

    package_count = strawberry.field(
        resolver=resolvers.package_count,
        metadata=depends_on(DependsOn.CATALOG),
        description="How many packages.",
    )
    grid_count = strawberry.field(
        resolver=resolvers.grid_count, metadata=depends_on(DependsOn.CATALOG), description="How many grids."
    )
    category_count = strawberry.field(
        resolver=resolvers.category_count,
        metadata=depends_on(DependsOn.CATALOG),
        description="How many categories.",
    )
    contributor_count = strawberry.field(
        resolver=resolvers.contributor_count,
        metadata=depends_on(DependsOn.CATALOG),
        description="How many different contributors.",
    )
    by_category = strawberry.field(
        resolver=resolvers.by_category,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=list[CategoryCount],
        description="How many packages each category has, oldest category first.",
    )
    by_repository_host = strawberry.field(
        resolver=resolvers.by_repository_host,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=list[HostCount],
        description="How many packages have their repository where, the most first.",
    )
    active = strawberry.field(
        resolver=resolvers.active,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.TIME),
        graphql_type=ActiveShare,
        description="The packages whose last commit is at most `withinDays` days old.",
    )
    newest = strawberry.field(
        resolver=resolvers.newest,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=list[Package],
        description="The packages that were added last, newest first.",
    )
    most_starred = strawberry.field(
        resolver=resolvers.most_starred,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=list[Package],
        description="The packages with the most stars, ties by databaseId.",
    )
