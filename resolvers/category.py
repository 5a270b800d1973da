"""Resolves the packages of a category. All of these fields need the whole catalog."""

from __future__ import annotations

from typing import Annotated

import strawberry

from catalog import Catalog
from resolvers.filters.filter_cache import package_filters
from resolvers.lists.list_arguments import (
    After,
    Before,
    First,
    Last,
    PackageFilterArgument,
    PackageOrderArgument,
)
from resolvers.lists.pagination import Connection, Paging, page_size
from resolvers.lists.record_lists import packages_of
from resolvers.lists.sort_orders import PackageOrder
from resolvers.loading.request_context import Info
from resolvers.work_budget import COUNTED
from upstream.client import CategoryRecord, PackageRecord

Most = Annotated[int, strawberry.argument(description="The number of items, 0 to 100.")]


async def package_count(root: CategoryRecord, info: Info) -> int:
    """Return how many packages are in it."""
    return len(_package_ids(await info.context.catalog(), root))


async def packages(
    root: CategoryRecord,
    info: Info,
    filter: PackageFilterArgument = None,
    order_by: PackageOrderArgument = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[PackageRecord]:
    """Return a part of its packages."""
    catalog = await info.context.catalog()
    paging = Paging("packages", first, after, last, before)
    return packages_of(info.context, catalog, paging, _package_ids(catalog, root), filter, order_by)


async def most_starred(root: CategoryRecord, info: Info, first: Most = 5) -> list[PackageRecord]:
    """Return its packages with the most stars."""
    size = page_size("mostStarred", "first", first)
    catalog = await info.context.catalog()
    packages = _package_ids(catalog, root)
    info.context.work.spend(len(packages) // COUNTED)
    ids = catalog.view(package_filters).ids_among(packages, None, PackageOrder.STARS_DESC.order)
    return [catalog.packages[id] for id in ids[:size]]


def _package_ids(catalog: Catalog, category: CategoryRecord) -> tuple[int, ...]:
    return catalog.category_packages.get(category.id, ())
