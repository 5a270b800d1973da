"""Finds the packages that share grids with a package."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Generic, TypeVar

import strawberry

from resolvers.lists.pagination import page_size
from resolvers.loading.relation_order import by_title
from resolvers.loading.request_context import Info
from upstream.client import GridRecord, PackageRecord

First = Annotated[int, strawberry.argument(description="The number of items, 0 to 100.")]
GridSlug = Annotated[str, strawberry.argument(description="The slug of a grid.")]


P = TypeVar("P")
G = TypeVar("G")


@strawberry.type(description="A package that shares grids with another one.")
class RelatedPackage(Generic[P, G]):
    """Holds a package and the grids that it shares with another one."""

    package: P = strawberry.field(description="The related package.")
    shared_grids: list[G] = strawberry.field(description="The grids that compare both packages, by title.")


async def related_packages(
    root: PackageRecord, info: Info, first: First = 10
) -> list[RelatedPackage[PackageRecord, GridRecord]]:
    """Return the other packages of its grids: most shared grids first, then most stars, then by id.

    Packages that cannot be loaded are left out.
    """
    size = page_size("relatedPackages", "first", first)
    loaders = info.context.loaders
    grids = by_title(await loaders.grids.by_ids(sorted(root.grids)))
    shared: defaultdict[int, list[GridRecord]] = defaultdict(list)
    for grid in grids:
        if isinstance(grid, GridRecord):
            for id in grid.packages:
                shared[id].append(grid)
    shared.pop(root.id, None)
    info.context.work.spend(2 * sum(map(len, shared.values())))
    packages = await loaders.packages.by_ids(sorted(shared))
    found = [package for package in packages if isinstance(package, PackageRecord)]
    found.sort(key=lambda package: (-len(shared[package.id]), -package.repo_watchers, package.id))
    return [RelatedPackage(package=package, shared_grids=shared[package.id]) for package in found[:size]]


async def is_on_grid(root: PackageRecord, info: Info, slug: GridSlug) -> bool:
    """Return whether a grid compares the package."""
    grid = await info.context.loaders.grids.by_slug(slug)
    return grid is not None and grid.id in root.grids
