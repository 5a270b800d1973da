"""Gives lists of packages and grids: filtered, ordered and page by page."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

from catalog import NEWEST_GRIDS_FIRST, NEWEST_PACKAGES_FIRST, Catalog, Order
from resolvers.filters.filter_cache import grid_filters, package_filters
from resolvers.filters.filter_inputs import GridFilter, PackageFilter
from resolvers.lists.page_cache import ALL, grid_pages, package_pages
from resolvers.lists.pagination import Connection, Paging, connection, write_cursor
from resolvers.lists.sort_orders import GridOrder, PackageOrder
from resolvers.loading.record_loaders import RecordLoader
from resolvers.loading.request_context import Context
from resolvers.work_budget import COUNTED
from upstream.client import BadRecord, GridRecord, PackageRecord, R, UpstreamBadData

RecordConnection: TypeAlias = Connection[R] | Connection[R | UpstreamBadData]
"""A part of a list. A record that does not fit is an error in it; the catalog has no such records."""


async def all_packages(
    context: Context, paging: Paging, filter: PackageFilter | None, order_by: PackageOrder | None
) -> RecordConnection[PackageRecord]:
    """Return a page of all packages that match.

    :raises BadUserInput: an argument makes no sense.
    :raises UpstreamError: the catalog is not known, and the page is not one that upstream could give.
    """
    if context.loaders.catalog is None:
        order = NEWEST_PACKAGES_FIRST if order_by is None else order_by.order
        span = paging.span(order)
        if filter is None and order is NEWEST_PACKAGES_FIRST and paging.is_plain:
            return await _live(context.loaders.packages, span.size, order)
    return packages_of(context, await context.catalog(), paging, None, filter, order_by)


async def all_grids(
    context: Context, paging: Paging, filter: GridFilter | None, order_by: GridOrder | None
) -> RecordConnection[GridRecord]:
    """Return a page of all grids that match. Raises as :func:`all_packages` does."""
    order = NEWEST_GRIDS_FIRST if order_by is None else order_by.order
    if context.loaders.catalog is None:
        live = paging.span(order)
        if filter is None and order is NEWEST_GRIDS_FIRST and paging.is_plain:
            return await _live(context.loaders.grids, live.size, order)
    catalog = await context.catalog()
    pages, cache = catalog.view(grid_pages), catalog.view(grid_filters)
    span = pages.span(paging, order)
    if filter is None:
        return pages.page(span, order, ALL, lambda: cache.table.ids(order))
    matches = context.filters.grids(context.work, catalog, filter, f"{paging.field}(filter:)")
    return pages.page(span, order, matches.selected, lambda: cache.ids(matches, order))


def packages_of(
    context: Context,
    catalog: Catalog,
    paging: Paging,
    ids: Collection[int] | None,
    filter: PackageFilter | None,
    order_by: PackageOrder | None,
) -> Connection[PackageRecord]:
    """Return a page of the packages with these ids, or of all, that match.

    :raises BadUserInput: an argument makes no sense.
    :raises Stopped: it takes too much work.
    """
    order = NEWEST_PACKAGES_FIRST if order_by is None else order_by.order
    pages, cache = catalog.view(package_pages), catalog.view(package_filters)
    span = pages.span(paging, order)
    matches = (
        None
        if filter is None
        else context.filters.packages(
            context.work, catalog, filter, f"{paging.field}(filter:)", context.added_and_removed
        )
    )
    if ids is not None:
        context.work.spend(len(ids) // COUNTED)
        return connection(span, cache.ids_among(ids, matches, order), order, catalog.packages)
    if matches is None:
        return pages.page(span, order, ALL, lambda: cache.table.ids(order))
    return pages.page(span, order, matches.selected, lambda: cache.ids(matches, order))


async def _live(loader: RecordLoader[R], size: int, order: Order[R]) -> Connection[R | UpstreamBadData]:
    # Upstream takes a limit of 0 for the default of 20, so even an empty part asks for one record.
    page = await loader.page(limit=max(size, 1), offset=0)
    results = page.results[:size]
    nodes: list[R | UpstreamBadData | None] = [
        _bad(each) if isinstance(each, BadRecord) else each for each in results
    ]
    return Connection(
        start=0,
        cursor=lambda place: write_cursor(order, None, results[place].id or 0),
        nodes=nodes,
        total_count=page.count,
    )


def _bad(record: BadRecord) -> UpstreamBadData:
    return UpstreamBadData(f"Upstream's {record.kind} {record.id} does not fit: {record.reason}.")
