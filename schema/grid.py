"""The type Grid: v4's fields one to one, and its packages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers import grid as resolvers
from schema.record import RecordNode
from upstream import records

if TYPE_CHECKING:
    from schema.package import Package


@strawberry.type(description="A comparison of packages that do similar work, kept by the site's users.")
class Grid(RecordNode):
    """Resolved from :class:`upstream.records.Grid`."""

    record = records.Grid

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
        graphql_type=list[Annotated["Package", strawberry.lazy("schema.package")] | None],
        description=(
            "The packages that the grid compares, by title, equal titles by databaseId. "
            "A package that could not be loaded is null, with an error of its own, and stands at the end."
        ),
    )
