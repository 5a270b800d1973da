"""Declares the type Grid: the fields of v4, and its packages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from engine import DependsOn, depends_on
from resolvers import grid as resolvers
from resolvers import record_history, record_page_urls
from resolvers.lists import Connection
from schema.record_node import RecordNode
from schema.semantic_nullability import null_only_with_error
from upstream.client import v4_records

if TYPE_CHECKING:
    from schema.package import Package

LazyPackage = Annotated["Package", strawberry.lazy("schema.package")]


@strawberry.federation.type(
    description="A comparison of packages that do similar work, maintained by the site's users.",
    keys=["id", "databaseId", "slug"],
)
class Grid(RecordNode):
    """Is resolved from :class:`upstream.client.v4_records.GridRecord`."""

    record = v4_records.GridRecord

    title: str = strawberry.field(description='The name of the grid, such as "Email".')
    slug: str = strawberry.field(description='The slug of the grid, such as "email". It is unique.')
    description: str = strawberry.field(
        description="A description of what the grid compares, as its authors wrote it. It can be empty or "
        "have several lines."
    )
    is_locked: bool = strawberry.field(description="Whether the grid is closed for edits by users.")
    header: bool = strawberry.field(description="Whether the site lists the grid among its main ones.")
    created: datetime = strawberry.field(description="When the grid was added to the site.")
    modified: datetime = strawberry.field(description="When the grid was last edited on the site.")
    site_url: str = strawberry.field(
        resolver=record_page_urls.grid_page,
        metadata=depends_on(DependsOn.CATALOG),
        description="The address of the page of the grid on Django Packages.",
    )
    packages = strawberry.field(
        resolver=resolvers.packages.resolve,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM), 1),
        graphql_type=list[LazyPackage | None],
        description=(
            "The packages that the grid compares. By default they are sorted by title, regardless of "
            "case, and equal titles by databaseId. A package that could not be loaded is null with its own "
            "error and comes last."
        ),
    )
    packages_connection = strawberry.field(
        resolver=resolvers.packages_connection,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG)),
        graphql_type=Connection[LazyPackage] | None,
        description="The packages that the grid compares, page by page, newest first by default.",
    )
    package_count = strawberry.field(
        resolver=resolvers.package_count,
        metadata=depends_on(DependsOn.CATALOG),
        description="The number of packages that the grid compares.",
    )
    stars = strawberry.field(
        resolver=resolvers.stars,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=resolvers.Amount | None,
        description="The stars (repoWatchers) of the packages of the grid.",
    )
    forks = strawberry.field(
        resolver=resolvers.forks,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=resolvers.Amount | None,
        description="The forks (repoForks) of the packages of the grid.",
    )
    commits = strawberry.field(
        resolver=resolvers.commits,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=resolvers.Amount | None,
        description="The commits in 52 weeks of the packages for which they are known.",
    )
    most_active = strawberry.field(
        resolver=resolvers.most_active,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=list[LazyPackage] | None,
        description="The packages with the most commits in 52 weeks. Packages without commits are left out.",
    )
    compare = strawberry.field(
        resolver=resolvers.compare,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=list[resolvers.ComparedPackage[LazyPackage] | None] | None,
        description=(
            "The packages with these slugs, in the order of the slugs, each with its ranks among all "
            "packages of the grid. Null for a slug that is not on the grid."
        ),
    )
    history = strawberry.field(
        resolver=record_history.grid_history,
        metadata=null_only_with_error(depends_on(DependsOn.FEED | DependsOn.CATALOG)),
        graphql_type=list[record_history.RecordedChange] | None,
        description=(
            "The values that fields of the grid had before, each with the time when the gateway noticed the new "
            "one, oldest first. It reaches back to `catalog { historySince }`."
        ),
    )
