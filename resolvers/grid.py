"""How the relations of a grid are loaded."""

from __future__ import annotations

from resolvers.context import Info
from resolvers.order import by_title
from upstream.records import Grid, Package


async def packages(root: Grid, info: Info) -> list[Package | BaseException | None]:
    """The packages that the grid names, by title; an item that failed is its error."""
    return by_title(await info.context.loaders.packages.by_ids(sorted(root.packages)))
