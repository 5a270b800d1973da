"""Looks at the heads of the three lists for records that came, or were renamed, since the last crawl.

A look that finds nothing is three small requests. A look that finds new packages asks for their grids too. A look that
finds a new grid asks for its packages that the catalog lacks, and one that finds a new slug asks for the record that
has it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catalog.indexed_catalog import Catalog
from catalog.sync.paged_list_reading import BEYOND_THE_END
from catalog.sync.record_merging import ShownRecords, is_news
from upstream.batching import Batcher
from upstream.client import GRID, KINDS, PACKAGE, Client, Kind, Page, R, UpstreamError, UpstreamUnavailable

NEWEST = 20
"""How many of the newest records of each list are looked at."""

MAX_RENAMED = 3
"""How many renamed records of a list a look believes. If there are more, a crawl has to decide."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """Holds what a look has found."""

    counts: dict[str, int]
    """How long each list is, by kind (``Kind.singular``)."""
    new: dict[str, int]
    """How many records of each kind the catalog does not know."""
    shown: ShownRecords
    """The records that are new or renamed, and the grids of new packages as they are now."""
    is_all: bool
    """Whether everything could be read that the new records name."""


async def look_at_heads(batcher: Batcher, client: Client, catalog: Catalog) -> Look:
    """Return what is new at the heads of the lists.

    :raises UpstreamError: a list does not answer.
    """
    shown = ShownRecords()
    are_sure = True
    counts: dict[str, int] = {}
    new: dict[str, int] = {}
    known: tuple[Mapping[int, object], ...] = (catalog.packages, catalog.grids, catalog.categories)
    for kind, records in zip(KINDS, known, strict=True):
        page = await _head(batcher, kind)
        counts[kind.singular] = page.count
        new[kind.singular] = sum(record.id not in records for record in page.records)
        news = [record for record in page.records if is_news(catalog, record)]
        renamed = [record for record in news if record.id in records]
        for record in news:
            if record not in renamed:
                shown.add(record)
        are_sure = await _add_renamed(client, kind, renamed, shown) and are_sure
    is_all = await complete(client, catalog, shown)
    return Look(counts, new, shown, is_all and are_sure)


async def probe(batcher: Batcher) -> None:
    """Send the smallest request there is: for the length of the list of packages, without a row.

    :raises UpstreamError: upstream does not answer.
    """
    await batcher.crawl_page(PACKAGE, limit=1, offset=BEYOND_THE_END, attempts=1)


async def complete(client: Client, catalog: Catalog, shown: ShownRecords) -> bool:
    """Ask for a few unknown records that these records name, and return whether all are known now."""
    packages = [package for package in shown.packages.values() if package.id not in catalog.packages]
    named = {grid for package in packages for grid in package.grids} - shown.grids.keys()
    is_all = await _add(client, GRID, named, shown)
    members = {member for grid in shown.grids.values() for member in grid.packages}
    members -= catalog.packages.keys() | shown.packages.keys()
    is_all = await _add(client, PACKAGE, members, shown) and is_all
    known = catalog.categories.keys() | shown.categories.keys()
    return is_all and all(package.category in known for package in shown.packages.values())


async def _add_renamed(client: Client, kind: Kind[R], renamed: list[R], shown: ShownRecords) -> bool:
    """Add known records that have another slug, if lookups by that slug find them, and return whether they do.

    A list alone does not prove a new slug, because a look may see only a few of many spoilt slugs.
    """
    if not kind.has_slugs:
        for record in renamed:
            shown.add(record)
        return True
    for record in renamed[:MAX_RENAMED]:
        try:
            found = await client.detail(kind, record.slug, background=True)
        except UpstreamError as error:
            _log.warning(
                "the %s with the new slug %s could not be read: %s", kind.singular, record.slug, error
            )
            return False
        if found is None or found.id != record.id:
            return False
        shown.add(found)
    return len(renamed) <= MAX_RENAMED


async def _add(client: Client, kind: Kind[R], ids: Iterable[int], shown: ShownRecords) -> bool:
    """Ask for records one by one, and return whether all that exist could be read."""
    wanted = sorted(ids)
    is_all = len(wanted) <= NEWEST
    for id in wanted[-NEWEST:]:
        try:
            record = await client.detail(kind, id, background=True)
        except UpstreamError as error:
            _log.warning(
                "the %s %d, which a new record names, could not be read: %s", kind.singular, id, error
            )
            is_all = False
        else:
            if record is not None:
                shown.add(record)
    return is_all


async def _head(batcher: Batcher, kind: Kind[R]) -> Page[R]:
    """Return the newest records of a list, and its length. If one of them cannot be served, no records are returned."""
    try:
        return await batcher.crawl_page(kind, limit=NEWEST, offset=0)
    except UpstreamUnavailable as error:
        if error.status != 500:
            raise
        # Only a crawl steps over such a row (contract section 3).
        return await batcher.crawl_page(kind, limit=1, offset=BEYOND_THE_END)
