"""Provides what the tests of the crawl share: a crawl of an embedded upstream, and what upstream really has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from catalog.sync.full_crawl import Crawled, LastGood, crawl
from catalog.sync.paged_list_reading import Progress
from tests.support.settings_for_tests import BUDGET, CLIENT_LIMITS, UPSTREAM_URL
from upstream.batching.batcher import Batcher
from upstream.client.api_client import Client
from upstream.client.api_client_limits import ClientLimits
from upstream.client.in_process_transport import in_process
from upstream.client.v4_records import CATEGORY, GRID, PACKAGE, CategoryRecord, GridRecord, PackageRecord
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream

App = Callable[..., Awaitable[None]]
Change = Callable[[EmbeddedCatalog], object]

FROM_ITS_START = LastGood()


@dataclass(frozen=True)
class Records:
    """All records by id. The members of a grid are sorted, because upstream's order flips."""

    packages: dict[int, PackageRecord]
    grids: dict[int, GridRecord]
    categories: dict[int, CategoryRecord]

    def without(self, *packages: int) -> Records:
        """Return all but these packages, which grids still name."""
        left = {id: record for id, record in self.packages.items() if id not in packages}
        return Records(left, self.grids, self.categories)


class Changing:
    """The embedded upstream, changing after certain of its answers: by their number, the first is 1."""

    def __init__(self, embedded: EmbeddedUpstream, after: Mapping[int, Change]) -> None:
        self.embedded = embedded
        self.after = dict(after)
        self.answered = 0

    async def __call__(self, *exchange: Any) -> None:
        await self.embedded(*exchange)
        self.answered += 1
        change = self.after.pop(self.answered, None)
        if change is not None:
            change(self.embedded.catalog)


@asynccontextmanager
async def client_of(app: App, limits: ClientLimits | None = None) -> AsyncIterator[Client]:
    """Return a client of an app in this process, on the loop's clock."""
    clock = asyncio.get_running_loop().time
    client = Client(UPSTREAM_URL, in_process(app), limits or CLIENT_LIMITS, clock=clock)
    yield client
    await client.aclose()


async def crawled(
    app: App,
    last_good: LastGood = FROM_ITS_START,
    limits: ClientLimits | None = None,
    progress: Progress = lambda kind, read, count: None,
) -> Crawled:
    """Return one crawl, by a client that knows nothing."""
    async with client_of(app, limits) as client:
        return await crawl(Batcher(client, BUDGET), client, last_good, progress)


async def truth(catalog: EmbeddedCatalog) -> Records:
    """Return what upstream has now, asked for at one moment and without its faults."""
    async with client_of(EmbeddedUpstream(catalog=catalog)) as client:
        everything = 1_000_000
        packages = await client.page(PACKAGE, limit=everything)
        grids = await client.page(GRID, limit=everything)
        categories = await client.page(CATEGORY, limit=everything)
    return Records(
        {record.id: record for record in packages.records},
        {record.id: sorted_members(record) for record in grids.records},
        {record.id: record for record in categories.records},
    )


def found(crawled: Crawled) -> Records:
    grids = {id: sorted_members(grid) for id, grid in crawled.grids.items()}
    return Records(crawled.packages, grids, crawled.categories)


def last_good(records: Records) -> LastGood:
    return LastGood(records.packages, records.grids, records.categories)


def asked(embedded: EmbeddedUpstream) -> list[str]:
    """Return what was asked, in order, like ``packages/?limit=100&offset=0``."""
    return [target.removeprefix("/api/v4/") for _, target in embedded.requests.listed]


def sorted_members(grid: GridRecord) -> GridRecord:
    return msgspec.structs.replace(grid, packages=tuple(sorted(grid.packages)))
