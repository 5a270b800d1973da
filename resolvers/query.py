"""How the root fields get their data. Their arguments are described here, where they are read."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers.context import Info
from resolvers.lookup import lookup
from resolvers.pagination import Connection, connection
from upstream.freshness import Status
from upstream.records import Category, Grid, Package

GlobalId = Annotated[
    strawberry.ID | None, strawberry.argument(description="The global id, as the field `id` gives it.")
]
DatabaseId = Annotated[int | None, strawberry.argument(description="The number in the REST API.")]
Slug = Annotated[str | None, strawberry.argument(description="The name in addresses, case-sensitive.")]
First = Annotated[
    int | None,
    strawberry.argument(description="How many from the start, or behind `after`: 0 to 100, 20 by default."),
]
After = Annotated[str | None, strawberry.argument(description="Go on behind this cursor.")]
Last = Annotated[
    int | None,
    strawberry.argument(
        description="How many from the end, or ahead of `before`: 0 to 100. Not with `first`."
    ),
]
Before = Annotated[str | None, strawberry.argument(description="Stop ahead of this cursor.")]


async def package(
    info: Info, id: GlobalId = None, database_id: DatabaseId = None, slug: Slug = None
) -> Package | None:
    """One package by one key."""
    loader = info.context.loaders.packages
    return await lookup(loader, "Package", id=id, database_id=database_id, slug=slug)


async def grid(
    info: Info, id: GlobalId = None, database_id: DatabaseId = None, slug: Slug = None
) -> Grid | None:
    """One grid by one key."""
    loader = info.context.loaders.grids
    return await lookup(loader, "Grid", id=id, database_id=database_id, slug=slug)


async def category(
    info: Info, id: GlobalId = None, database_id: DatabaseId = None, slug: Slug = None
) -> Category | None:
    """One category by one key."""
    loader = info.context.loaders.categories
    return await lookup(loader, "Category", id=id, database_id=database_id, slug=slug)


async def categories(info: Info) -> list[Category]:
    """All categories, by id."""
    return await info.context.loaders.categories.all()


async def packages(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Connection[Package]:
    """A part of all packages, newest first."""
    loader = info.context.loaders.packages
    return await connection(loader, "packages", first=first, after=after, last=last, before=before)


async def grids(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Connection[Grid]:
    """A part of all grids, newest first."""
    loader = info.context.loaders.grids
    return await connection(loader, "grids", first=first, after=after, last=last, before=before)


def catalog(info: Info) -> Status:
    """What this request can know of its catalog."""
    return info.context.status
