"""Reads upstream's whole lists, page by page, while they may change under the reader.

Offset paging drifts: an insertion shows a row twice, a deletion hides one, and nothing marks a consistent state
(contract section 2). Yet whether a pass over a list met any drift can be told afterwards, because ids only ever
grow: with what the list had at first, what is new at its head and what it has at the end, every deletion shows
in the count. A pass that met drift is thrown away and made again.

A row that upstream cannot serve turns every page that holds it into a 500 (contract section 3). It is found by
halving the page, and stepped over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic

from upstream.batching import Batcher
from upstream.breaker import CircuitOpen
from upstream.client import Client
from upstream.errors import UpstreamBadData, UpstreamError, UpstreamUnavailable
from upstream.records import CATEGORY, GRID, PACKAGE, BadRecord, Category, Grid, Kind, Package, R

PAGE = 100
"""Records on a page: the contract's middle between many requests and long ones (section 7)."""

PASSES = 5
"""How often a list is read before the crawl gives up, because it keeps changing."""

MOST_ASKED_ALONE = 200
"""How many records may be asked for one by one to mend a crawl."""

MOST_HALVINGS = 60
"""How many pages may be halved in one crawl: enough for several bad rows, too few for an upstream that is down."""

Progress = Callable[[str, int, int], None]
"""Told, after each page: the kind, how many of its records have been read, how many there are."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Crawled:
    """Everything upstream has, and what of it is an older version because it cannot be read now."""

    packages: dict[int, Package]
    grids: dict[int, Grid]
    categories: dict[int, Category]
    kept: int
    """How many records are the last good version."""


@dataclass(frozen=True, slots=True)
class LastGood:
    """The records of the catalog so far, by id, for those that cannot be read now."""

    packages: Mapping[int, Package] = field(default_factory=dict)
    grids: Mapping[int, Grid] = field(default_factory=dict)
    categories: Mapping[int, Category] = field(default_factory=dict)


async def crawl(
    batcher: Batcher, client: Client, last_good: LastGood, progress: Progress = lambda kind, read, count: None
) -> Crawled:
    """The three lists, as upstream had them at one moment.

    :raises UpstreamError: a list could not be read.
    """
    for _ in range(PASSES):
        packages = await _List(PACKAGE, batcher, client, last_good.packages, progress).read()
        grids = await _List(GRID, batcher, client, last_good.grids, progress).read()
        categories = await _List(CATEGORY, batcher, client, last_good.categories, progress).read()
        if await packages.is_unchanged():
            await _mend_memberships(client, packages.records, grids.records)
            kept = packages.kept + grids.kept + categories.kept
            return Crawled(packages.records, grids.records, categories.records, kept)
    raise UpstreamBadData(f"Upstream's packages changed during each of {PASSES} crawls.")


class _List(Generic[R]):
    """One list while it is read."""

    def __init__(
        self, kind: Kind[R], batcher: Batcher, client: Client, last_good: Mapping[int, R], progress: Progress
    ) -> None:
        self._kind = kind
        self._batcher = batcher
        self._client = client
        self._last_good = last_good
        self._progress = progress
        self._results: dict[int, R | BadRecord] = {}
        self._unreadable = 0
        self._halvings = 0
        self._count = 0
        self.records: dict[int, R] = {}
        self.kept = 0

    async def read(self) -> _List[R]:
        """Read the list until a pass met no drift."""
        for _ in range(PASSES):
            if await self._pass_without_drift():
                await self._keep_last_good()
                return self
            _log.info("upstream's %s changed while they were read; reading them again", self._kind.plural)
        raise UpstreamBadData(f"Upstream's {self._kind.plural} changed during each of {PASSES} readings.")

    async def is_unchanged(self) -> bool:
        """Whether the list still has the length and the newest record that were read."""
        page = await self._batcher.crawl_page(self._kind, limit=1, offset=0)
        newest = page.results[0].id if page.results else None
        return page.count == self._count and (newest is None or newest in self._results or not page.records)

    async def _pass_without_drift(self) -> bool:
        self._results.clear()
        self._unreadable = 0
        count_at_first = await self._read(0, PAGE)
        newest_at_first = max(self._results, default=0)
        await _all_or_first_error(self._read(offset, PAGE) for offset in range(PAGE, count_at_first, PAGE))
        if count_at_first > PAGE:
            # What came while the pages were read stands at the head.
            await self._read(0, PAGE)
        new = sum(id > newest_at_first for id in self._results)
        read = len(self._results) + self._unreadable
        return read == self._count == count_at_first + new

    async def _read(self, offset: int, limit: int) -> int:
        """Read a page into the results; the length of the list."""
        try:
            page = await self._batcher.crawl_page(
                self._kind, limit=limit, offset=offset, attempts=None if limit == PAGE else 1
            )
        except UpstreamUnavailable as error:
            if error.status != 500 or isinstance(error, CircuitOpen) or self._halvings >= MOST_HALVINGS:
                raise
            return await self._halve(offset, limit)
        self._count = page.count
        for result in page.results:
            if result.id is None:
                self._unreadable += 1
            else:
                self._results[result.id] = result
        self._progress(self._kind.plural, len(self._results), page.count)
        return page.count

    async def _halve(self, offset: int, limit: int) -> int:
        if limit == 1:
            _log.warning("upstream cannot serve the %s at place %d of its list", self._kind.singular, offset)
            self._unreadable += 1
            return self._count
        self._halvings += 1
        half = limit // 2
        first = self._read(offset, half)
        second = self._read(offset + half, limit - half)
        await _all_or_first_error([first, second])
        return self._count

    async def _keep_last_good(self) -> None:
        """A record that cannot be read now keeps its last good version."""
        for id, result in self._results.items():
            if not isinstance(result, BadRecord):
                self.records[id] = result
            elif id in self._last_good:
                self.records[id] = self._last_good[id]
                self.kept += 1
        if self._unreadable:
            # An unreadable row has no id, so those that are missed are asked for: gone, or only unreadable?
            missed = [id for id in self._last_good if id not in self._results][:MOST_ASKED_ALONE]
            for id in missed:
                try:
                    record = await self._client.detail(self._kind, id, background=True, attempts=1)
                except UpstreamError:
                    self.records[id] = self._last_good[id]
                    self.kept += 1
                else:
                    if record is not None:
                        self.records[id] = record


async def _mend_memberships(client: Client, packages: dict[int, Package], grids: dict[int, Grid]) -> None:
    """Ask anew for packages and grids that disagree on who is where, because one changed between their pages.

    Upstream itself never disagrees (contract section 2).
    """
    by_package = {(package.id, grid) for package in packages.values() for grid in package.grids}
    by_grid = {(package, grid.id) for grid in grids.values() for package in grid.packages}
    odd = by_package ^ by_grid
    if not odd:
        return
    odd_packages = sorted({package for package, _ in odd})[:MOST_ASKED_ALONE]
    odd_grids = sorted({grid for _, grid in odd})[:MOST_ASKED_ALONE]
    _log.info("%d memberships changed during the crawl; asking for their records anew", len(odd))
    await _mend(client, PACKAGE, odd_packages, packages)
    await _mend(client, GRID, odd_grids, grids)


async def _mend(client: Client, kind: Kind[R], ids: list[int], records: dict[int, R]) -> None:
    for id in ids:
        try:
            record = await client.detail(kind, id, background=True)
        except UpstreamError as error:
            _log.warning("the %s %d could not be asked for anew: %s", kind.singular, id, error)
            continue
        if record is None:
            records.pop(id, None)
        elif id in records:
            records[id] = record


async def _all_or_first_error(reads: Iterable[Coroutine[Any, Any, int]]) -> None:
    """Run all; when one fails, end the others and raise its error."""
    try:
        async with asyncio.TaskGroup() as group:
            for read in reads:
                group.create_task(read)
    except* UpstreamError as errors:
        raise errors.exceptions[0] from None
