"""How the relations of a grid are loaded."""

from __future__ import annotations

from resolvers.context import Info
from upstream.records import Grid, Package


async def packages(root: Grid, info: Info) -> list[Package | BaseException | None]:
    """The packages that the grid names, in upstream's order; an item that failed is its error."""
    return await info.context.loaders.packages.by_ids(root.packages)
