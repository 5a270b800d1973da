"""Frees the records of a catalog that was replaced, a few in each turn of the event loop."""

from __future__ import annotations

import asyncio

from catalog.indexed_catalog import Catalog
from upstream.client import Record

RECORDS_FREED_AT_ONCE = 100
"""Records of a replaced catalog that are freed in one turn of the event loop."""


def all_records(catalog: Catalog) -> list[Record]:
    """Return all records of a catalog, so that they outlive it until they are freed."""
    return [*catalog.packages.values(), *catalog.grids.values(), *catalog.categories.values()]


async def free(replaced: list[Record]) -> None:
    """Empty a list of records that nobody else holds."""
    while replaced:
        # Freeing all of them at once takes 10 ms.
        del replaced[-RECORDS_FREED_AT_ONCE:]
        await asyncio.sleep(0)
