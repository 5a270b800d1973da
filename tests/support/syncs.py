"""What the tests of the sync share: one over an app in this process, what it is told, and a loop to wait in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TypeVar

from catalog.indexed_catalog import Catalog
from catalog.storage.sqlite_storage import Storage
from catalog.sync.sync import Schedule, Sync
from tests.support.crawls import App, Records, client_of, sorted_members
from tests.support.gateway_in_process import UPSTREAM_URL
from upstream.batching.batcher import Batcher

T = TypeVar("T")

QUICK = Schedule(crawl=3600, newest=3600, lease=30, look=0.01, first_retry=0.01, longest_retry=0.02)
"""Nothing by itself but what must be, and that at once."""


@asynccontextmanager
async def syncing(
    app: App,
    storage: Path | str = ":memory:",
    *,
    origin: str = UPSTREAM_URL,
    schedule: Schedule = QUICK,
) -> AsyncIterator[Sync]:
    async with client_of(app) as client:
        batcher = Batcher(client)
        with closing(Storage(str(storage))) as opened:
            yield Sync(client, batcher, opened, origin, schedule)
        await batcher.aclose()


@asynccontextmanager
async def following(sync: Sync) -> AsyncIterator[None]:
    """While it follows upstream by itself."""
    task = asyncio.create_task(sync.run())
    try:
        yield
        assert not task.done(), "it does not follow any more"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(found: Callable[[], T | None]) -> T:
    """What ``found`` gives as soon as that is anything true."""
    async with asyncio.timeout(30):
        while not (value := found()):  # noqa: ASYNC110 - what is looked at has no event
            await asyncio.sleep(0.002)
    return value


def catalog_of(sync: Sync) -> Catalog:
    assert sync.snapshot is not None
    return sync.snapshot.catalog


def records_of(sync: Sync) -> Records:
    catalog = catalog_of(sync)
    grids = {id: sorted_members(grid) for id, grid in catalog.grids.items()}
    return Records(dict(catalog.packages), grids, dict(catalog.categories))
