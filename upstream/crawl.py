"""Reads upstream's whole lists, page by page, while they may change under the reader.

Offset paging drifts: an insertion shows a row twice, a deletion hides one, and nothing marks a consistent state
(contract section 2). But ids only ever grow, so new rows stand at the head, and a row's place *counted from the
end* changes only when an older row is deleted. So pages are put together by these places: a place that nobody has
seen is read later, and two rows at one place tell of a deletion, after which the list is read again.

When all lists have been read, each is looked at once more: if none has changed, they are as upstream had them all
at one moment. What has changed inside a row cannot be told, but where the rows of a package and a grid disagree on
whether one is in the other, they are asked for anew, because upstream itself never disagrees.

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
from upstream.client import Client
from upstream.errors import UpstreamBadData, UpstreamError, UpstreamUnavailable
from upstream.records import CATEGORY, GRID, PACKAGE, BadRecord, Category, Grid, Kind, Package, R

PAGE = 100
"""Records on a page: the contract's middle between many requests and long ones (section 7)."""

LOOK = 2
"""Records of a look at a list that has been read: the newest that was seen then, and one that may have come since."""

READINGS = 5
"""How often a list is read as a whole before the crawl gives up, because rows keep being deleted."""

AT_A_TIME = 8
"""Pages of a list that wait for their turn upstream at a time. What is begun at once is one turn of the event loop."""

ROUNDS = 20
"""How often the lists are looked at before the crawl gives up, because they keep changing."""

BEYOND_THE_END = 10**9
"""The place of a page without rows: it tells the length of a list, whatever is wrong with its rows."""

MOST_ASKED_ALONE = 200
"""How many records may be asked for one by one, for each of two reasons, to mend a crawl."""

MOST_HALVINGS = 60
"""How often a list's pages may be halved: enough for eight bad rows, too few for an upstream that is down."""

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
    packages = _List(PACKAGE, batcher, last_good.packages, progress)
    grids = _List(GRID, batcher, last_good.grids, progress)
    categories = _List(CATEGORY, batcher, last_good.categories, progress)
    lists: tuple[_List[Any], ...] = (packages, grids, categories)
    for each in lists:
        await each.read()
    memberships = _Memberships(client, packages, grids)
    for _ in range(ROUNDS):
        unchanged = [await each.is_unchanged() for each in lists]
        if all(unchanged) and await memberships.agree():
            break
    else:
        raise UpstreamBadData(f"Upstream changed before each of {ROUNDS} looks at what had been read.")
    kept = [await each.take_last_good(client) for each in lists]
    return Crawled(packages.records, grids.records, categories.records, kept=sum(kept))


class _List(Generic[R]):
    """One list while it is read. Places count from the end of the list, from 1."""

    def __init__(
        self, kind: Kind[R], batcher: Batcher, last_good: Mapping[int, R], progress: Progress
    ) -> None:
        self.kind = kind
        self.records: dict[int, R] = {}
        """Those that can be read, by id."""
        self._batcher = batcher
        self._last_good = last_good
        self._progress = progress
        self._places_in_line = asyncio.Semaphore(AT_A_TIME)
        self._readings = 0
        self._forget()

    def _forget(self) -> None:
        self._count = 0
        self._ids: dict[int, int | None] = {}  # by place; None where not even the id can be read
        self._bad: set[int] = set()
        self._places: dict[int, int] = {}  # the other way round
        self._is_contradicted = False
        self.records.clear()
        self._halvings = 0

    async def read(self) -> None:
        """Read all pages."""
        if self._readings == READINGS:
            raise UpstreamBadData(
                f"Upstream's {self.kind.plural} changed during each of {READINGS} readings."
            )
        self._readings += 1
        self._forget()
        await self._read(0, PAGE)
        await _all_or_first_error(self._read(offset, PAGE) for offset in range(PAGE, self._count, PAGE))

    async def is_unchanged(self) -> bool:
        """Whether the list is still as it was read. If not, read what is new, or all of it again."""
        if not self._has_moved():
            newest = max((place for place, id in self._ids.items() if id is not None), default=self._count)
            seen_again = await self._read(self._count - newest, LOOK)
            if not self._has_moved():
                if not self._unseen() and (seen_again or not self._count):
                    return True
                # A row that is still at its place shows that none of the older ones has been deleted.
                if not await self._read(0, PAGE):
                    self._is_contradicted = True
                await _all_or_first_error(self._read(offset, PAGE) for offset in self._unseen())
        if self._has_moved():
            _log.info("upstream's %s changed while they were read; reading them again", self.kind.plural)
            await self.read()
        return False

    def told(self) -> Callable[[int], bool]:
        """Tells whether a record is read, or known not to be there: neither bad nor perhaps an unreadable row."""
        all_ids_are_read = None not in self._ids.values()
        return lambda id: id in self.records or (all_ids_are_read and id not in self._bad)

    async def ask_anew(self, client: Client, ids: Iterable[int]) -> None:
        """Ask for these of the records once more."""
        for id in ids:
            try:
                record = await client.detail(self.kind, id, background=True)
            except UpstreamError as error:
                _log.warning("the %s %d could not be asked for anew: %s", self.kind.singular, id, error)
                continue
            if record is None:
                self._is_contradicted = True
            else:
                self.records[id] = record

    def _has_moved(self) -> bool:
        """Whether a row has been deleted."""
        return self._is_contradicted or max(self._ids, default=0) > self._count

    def _unseen(self) -> list[int]:
        """Offsets of pages with new rows, and with rows that they pushed beyond the end that was."""
        offsets: list[int] = []
        for offset in range(self._count):
            is_on_a_page = bool(offsets) and offset < offsets[-1] + PAGE
            if not is_on_a_page and self._count - offset not in self._ids:
                offsets.append(offset)
        return offsets

    async def _read(self, offset: int, limit: int, *, is_part: bool = False) -> int:
        """Read a page; how many of its rows had been seen before. ``is_part``: of a page that cannot be served."""
        try:
            async with self._places_in_line:
                page = await self._batcher.crawl_page(
                    self.kind, limit=limit, offset=offset, attempts=1 if is_part else None
                )
        except UpstreamError as error:
            if isinstance(error, UpstreamUnavailable) and error.status == 500:
                return await self._halve(offset, limit, error, is_part=is_part)
            if is_part:
                # It is only the 500 of a bad row that another attempt cannot help.
                return await self._read(offset, limit)
            raise
        seen_again = self._saw(page.count, offset, [result.id for result in page.results])
        for result in page.results:
            if result.id is None or result.id in self.records or result.id in self._bad:
                continue  # what was seen first stays: a look is not to bring in records of another moment
            if isinstance(result, BadRecord):
                self._bad.add(result.id)
            else:
                self.records[result.id] = result
        self._progress(self.kind.plural, len(self.records) + len(self._bad), page.count)
        return seen_again

    async def _halve(self, offset: int, limit: int, error: UpstreamUnavailable, *, is_part: bool) -> int:
        if not is_part:
            # Fails as well if it is not a row that is bad, but upstream.
            nothing = await self._batcher.crawl_page(self.kind, limit=1, offset=BEYOND_THE_END)
            self._count = nothing.count
        if limit == 1:
            return self._saw(self._count, offset, [None])
        self._halvings += 1
        if self._halvings > MOST_HALVINGS:
            raise error
        half = limit // 2
        return await _all_or_first_error(
            [self._read(offset, half, is_part=True), self._read(offset + half, limit - half, is_part=True)]
        )

    def _saw(self, count: int, offset: int, ids: list[int | None]) -> int:
        """Note who stands where; how many of them did when they were seen before."""
        self._count = count
        seen_again = 0
        for place, id in zip(range(count - offset, 0, -1), ids, strict=False):
            seen_again += place in self._ids
            if self._ids.setdefault(place, id) != id:
                self._is_contradicted = True
            if id is not None and self._places.setdefault(id, place) != place:
                self._is_contradicted = True
        return seen_again

    async def take_last_good(self, client: Client) -> int:
        """Take the last good version of what cannot be read; the number of those."""
        kept = {id: self._last_good[id] for id in self._bad if id in self._last_good}
        unreadable = [self._count - place for place, id in self._ids.items() if id is None]
        if unreadable:
            _log.warning("upstream cannot serve its %s at offsets %s", self.kind.plural, sorted(unreadable))
            # An unreadable row has no id, so those that are missed are asked for: gone, or only unreadable?
            missed = [id for id in self._last_good if id not in self.records and id not in self._bad]
            for id in missed[:MOST_ASKED_ALONE]:
                try:
                    record = await client.detail(self.kind, id, background=True, attempts=1)
                except UpstreamError:
                    kept[id] = self._last_good[id]
                else:
                    if record is not None:
                        self.records[id] = record
        self.records |= kept
        return len(kept)


class _Memberships:
    """Which package is in which grid, as either of the two says."""

    def __init__(self, client: Client, packages: _List[Package], grids: _List[Grid]) -> None:
        self._client = client
        self._packages = packages
        self._grids = grids
        self._unexplained: set[tuple[int, int]] = set()
        self._may_ask = MOST_ASKED_ALONE

    async def agree(self) -> bool:
        """Whether they agree. If not, ask anew for those that do not, because one changed between their pages."""
        odd = self._odd()
        if not odd or odd == self._unexplained or not self._may_ask:
            return True
        _log.info("%d memberships changed during the crawl; asking for their records anew", len(odd))
        sides: list[tuple[_List[Any], int]] = [(self._packages, 0), (self._grids, 1)]
        # Often one grid explains many packages, or one package several grids.
        for each, side in sorted(sides, key=lambda each: len({pair[each[1]] for pair in odd})):
            ids = {pair[side] for pair in self._odd()} & each.records.keys()
            asked = sorted(ids)[: self._may_ask]
            self._may_ask -= len(asked)
            await each.ask_anew(self._client, asked)
        self._unexplained = odd & self._odd()
        return False

    def _odd(self) -> set[tuple[int, int]]:
        """The pairs of package and grid that only one of the two knows of, though both can be read."""
        members = {grid.id: set(grid.packages) for grid in self._grids.records.values()}
        odd: set[tuple[int, int]] = set()
        for package in self._packages.records.values():
            for grid in package.grids:
                if package.id in members.get(grid, ()):
                    members[grid].remove(package.id)
                else:
                    odd.add((package.id, grid))
        odd |= {(package, grid) for grid, left in members.items() for package in left}
        package_is_told, grid_is_told = self._packages.told(), self._grids.told()
        return {(package, grid) for package, grid in odd if package_is_told(package) and grid_is_told(grid)}


async def _all_or_first_error(reads: Iterable[Coroutine[Any, Any, int]]) -> int:
    """Run all, for the sum of their results; when one fails, end the others and raise its error."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(read) for read in reads]
    except* UpstreamError as errors:
        raise errors.exceptions[0] from None
    return sum(task.result() for task in tasks)
