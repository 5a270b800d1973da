"""The root of the graph: what a client can ask for first."""

from __future__ import annotations

import strawberry

from resolvers import query as resolvers
from schema.catalog import CatalogStatus
from schema.category import Category
from schema.connection import Connection
from schema.grid import Grid
from schema.package import Package


@strawberry.type(description="What a client can ask for first.")
class Query:
    """Resolved by ``resolvers.query``. What may have to ask upstream is nullable."""

    package = strawberry.field(
        resolver=resolvers.package,
        graphql_type=Package | None,
        description="The package with this key, or null if there is none. Give exactly one key.",
    )
    grid = strawberry.field(
        resolver=resolvers.grid,
        graphql_type=Grid | None,
        description="The grid with this key, or null if there is none. Give exactly one key.",
    )
    category = strawberry.field(
        resolver=resolvers.category,
        graphql_type=Category | None,
        description=(
            "The category with this key, or null if there is none. Give exactly one key. "
            "Where several categories share a slug, the oldest is meant."
        ),
    )
    categories = strawberry.field(
        resolver=resolvers.categories,
        graphql_type=list[Category] | None,
        description="All categories, oldest first. Null, with an error, if they could not be loaded.",
    )
    packages = strawberry.field(
        resolver=resolvers.packages,
        graphql_type=Connection[Package] | None,
        description="All packages, newest first. Null, with an error, if they could not be loaded.",
    )
    grids = strawberry.field(
        resolver=resolvers.grids,
        graphql_type=Connection[Grid] | None,
        description="All grids, newest first. Null, with an error, if they could not be loaded.",
    )
    catalog = strawberry.field(
        resolver=resolvers.catalog,
        graphql_type=CatalogStatus,
        description="The gateway's copy of the catalogue, which this request is answered from.",
    )
