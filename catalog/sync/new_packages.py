"""Looks at page one of the packages for those that came since the last crawl: one request, and one for each grid."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from catalog.indexed_catalog import Catalog
from catalog.sync.paged_list_reading import BEYOND_THE_END
from upstream.batching import Batcher
from upstream.client import (
    GRID,
    PACKAGE,
    Client,
    GridRecord,
    PackageRecord,
    Page,
    UpstreamError,
    UpstreamUnavailable,
)

NEWEST = 20
"""How many of the newest packages are looked at."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewPackages:
    """What a look has found."""

    count: int
    """How many packages upstream has."""
    packages: dict[int, PackageRecord]
    """The packages that the catalog does not know."""
    grids: dict[int, GridRecord]
    """Their grids as they are now: a new package is named by its grids too (contract section 2)."""
    is_all: bool
    """Whether everything could be read that the new packages name."""


async def find_new_packages(batcher: Batcher, client: Client, catalog: Catalog) -> NewPackages:
    """Return what is new on page one.

    :raises UpstreamError: there is no such page.
    """
    page = await _page_one(batcher)
    new = {package.id: package for package in page.records if package.id not in catalog.packages}
    is_all = all(package.category in catalog.categories for package in new.values())
    grids: dict[int, GridRecord] = {}
    for id in sorted({grid for package in new.values() for grid in package.grids}):
        try:
            grid = await client.detail(GRID, id, background=True)
        except UpstreamError as error:
            _log.warning("the grid %d of a new package could not be read: %s", id, error)
            is_all = False
        else:
            if grid is not None:
                grids[id] = grid
    return NewPackages(page.count, new, grids, is_all)


async def probe(batcher: Batcher) -> None:
    """Ask once, for as little as there is: how long the list of packages is, without a row.

    :raises UpstreamError: upstream does not answer.
    """
    await batcher.crawl_page(PACKAGE, limit=1, offset=BEYOND_THE_END, attempts=1)


async def _page_one(batcher: Batcher) -> Page[PackageRecord]:
    """Return the newest packages; none where one of them cannot be served, but the length of the list all the
    same."""
    try:
        return await batcher.crawl_page(PACKAGE, limit=NEWEST, offset=0)
    except UpstreamUnavailable as error:
        if error.status != 500:
            raise
        # Only a crawl steps over such a row (contract section 3).
        return await batcher.crawl_page(PACKAGE, limit=1, offset=BEYOND_THE_END)
