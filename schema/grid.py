"""The type Grid: v4's fields one to one, and its packages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from engine.answer_dependencies import DependsOn, depends_on
from resolvers import grid as resolvers
from resolvers.lists.pagination import Connection
from schema.record_node import RecordNode
from upstream.client import v4_records

if TYPE_CHECKING:
    from schema.package import Package

LazyPackage = Annotated["Package", strawberry.lazy("schema.package")]


@strawberry.federation.type(
    description="A comparison of packages that do similar work, kept by the site's users.",
    keys=["id", "databaseId", "slug"],
)
class Grid(RecordNode):
    """Resolved from :class:`upstream.client.v4_records.GridRecord`."""

    record = v4_records.GridRecord

    title: str = strawberry.field(description='The name of the grid, such as "Email".')
    slug: str = strawberry.field(description='The name of the grid in addresses, such as "email"; unique.')
    description: str = strawberry.field(
        description="What the grid compares, as its authors wrote it. Can be empty or have several lines."
    )
    is_locked: bool = strawberry.field(description="Whether the grid is closed for edits by users.")
    header: bool = strawberry.field(description="Whether the site lists the grid among its main ones.")
    created: datetime = strawberry.field(description="When the grid was added to the site.")
    modified: datetime = strawberry.field(description="When the grid was last edited on the site.")
    packages = strawberry.field(
        resolver=resolvers.packages.resolve,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM),
        graphql_type=list[LazyPackage | None],
        description=(
            "The packages that the grid compares, by title, equal titles by databaseId, or as `orderBy` says. "
            "A package that could not be loaded is null, with an error of its own, and stands at the end."
        ),
    )
    packages_connection = strawberry.field(
        resolver=resolvers.packages_connection,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=Connection[LazyPackage] | None,
        description="The packages that the grid compares, page by page, newest first if no order is given.",
    )
    package_count = strawberry.field(
        resolver=resolvers.package_count,
        metadata=depends_on(DependsOn.CATALOG),
        description="How many packages the grid compares.",
    )
    stars = strawberry.field(
        resolver=resolvers.stars,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM),
        graphql_type=resolvers.Amount | None,
        description="The stars (repoWatchers) of its packages.",
    )
    forks = strawberry.field(
        resolver=resolvers.forks,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM),
        graphql_type=resolvers.Amount | None,
        description="The forks (repoForks) of its packages.",
    )
    commits = strawberry.field(
        resolver=resolvers.commits,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM),
        graphql_type=resolvers.Amount | None,
        description="The commits in 52 weeks of those of its packages where they are counted.",
    )
    most_active = strawberry.field(
        resolver=resolvers.most_active,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM),
        graphql_type=list[LazyPackage] | None,
        description="Its packages with the most commits in 52 weeks; those without any are left out.",
    )
    compare = strawberry.field(
        resolver=resolvers.compare,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM),
        graphql_type=list[resolvers.ComparedPackage[LazyPackage] | None] | None,
        description=(
            "The packages with these slugs side by side, in the order asked, each with its rank among all "
            "packages of the grid. Null for a slug that is not on the grid."
        ),
    )
