"""How the relations of a package are loaded."""

from __future__ import annotations

from resolvers.context import Info
from resolvers.order import by_title
from upstream.records import Category, Grid, Package


async def category(root: Package, info: Info) -> Category | None:
    """The category that the package names."""
    return await info.context.loaders.categories.by_id(root.category)


async def grids(root: Package, info: Info) -> list[Grid | BaseException | None]:
    """The grids that the package names, by title; an item that failed is its error."""
    return by_title(await info.context.loaders.grids.by_ids(sorted(root.grids)))
