"""Reads one of upstream's lists whole, page by page, while it may change under the reader.

Offset paging drifts: an insertion shows a row twice, a deletion hides one, and nothing marks a consistent state
(contract section 2). But ids only ever grow, so new rows stand at the head, and a row's place *counted from the
end* changes only when an older row is deleted. So pages are put together by these places. A place without a row is
read later, and two rows at one place show that a row was deleted, after which the list is read again.

Each page says how long the list is. This count is believed only as far as pages confirm it: pages are requested one
after another, a few at a time, and a page with other rows than its own count promises ends or restarts the reading.

A row that upstream cannot serve turns every page that holds it into a 500 (contract section 3). Such a row is found by
halving the page, and is skipped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Generic

from upstream.batching import Batcher, all_or_first_error
from upstream.client import (
    BadRecord,
    Client,
    ContradictoryList,
    Kind,
    Page,
    R,
    UpstreamError,
    UpstreamUnavailable,
)

PAGE = 100
"""Records on a page: a compromise between many requests and long ones (contract section 7)."""

LOOK = 2
"""Records of a look at a list that has been read: the newest that was seen then, and one that may have come since."""

READINGS = 5
"""How often a list is read as a whole before the crawl gives up, because rows keep being deleted."""

AT_A_TIME = 8
"""Pages of a list that are under way or wait for their turn upstream at a time. A list that is shorter than upstream
says costs no more requests than these."""

BEYOND_THE_END = 10**9
"""The place of a page without rows: it tells the length of a list, whatever is wrong with its rows."""

MAX_ASKED_ALONE = 200
"""How many records may be asked for one by one, for each of two reasons, to mend a crawl."""

MAX_HALVINGS = 60
"""How often a list's pages may be halved: enough for eight bad rows, too few for an upstream that is down."""

Progress = Callable[[str, int, int], None]
"""A function that is called after each page with the kind, the number of records read, and the number of all."""

_log = logging.getLogger(__name__)


class ListReading(Generic[R]):
    """Reads one list. Places count from the end of the list, from 1."""

    def __init__(
        self, kind: Kind[R], batcher: Batcher, last_good: Mapping[int, R], progress: Progress
    ) -> None:
        self.kind = kind
        self.records: dict[int, R] = {}
        """The records that can be read, by id."""
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
        self._without_slug: set[int] = set()  # a part of the bad ones
        self._places: dict[int, int] = {}  # the other way round
        self._is_contradicted = False
        self.records.clear()
        self._halvings = 0

    async def read(self) -> None:
        """Read all pages."""
        if self._readings == READINGS:
            raise ContradictoryList(
                f"Upstream's {self.kind.plural} changed during each of {READINGS} readings."
            )
        self._readings += 1
        self._forget()
        await self._read(0, PAGE)
        await self._read_at(iter(range(PAGE, self._count, PAGE)))

    @property
    def row_count(self) -> int:
        """Return how many rows have been read, whether or not they were readable."""
        return len(self._ids)

    @property
    def without_slug(self) -> int:
        """Return how many rows could not be read because their slug is missing or no text."""
        return len(self._without_slug)

    async def is_unchanged(self) -> bool:
        """Return whether the list is still as it was read. If not, read what is new, or all of it again."""
        if not self._has_moved():
            newest = max((place for place, id in self._ids.items() if id is not None), default=self._count)
            seen_again = await self._read(self._count - newest, LOOK)
            if not self._has_moved():
                if next(self._unseen(), None) is None and (seen_again or not self._count):
                    return True
                # A row that is still at its place shows that none of the older ones has been deleted.
                if not await self._read(0, PAGE):
                    self._is_contradicted = True
                await self._read_at(self._unseen())
        if self._has_moved():
            _log.info("upstream's %s changed while they were read; reading them again", self.kind.plural)
            await self.read()
        return False

    def told(self) -> Callable[[int], bool]:
        """Return a function that tells whether a record was read, or certainly does not exist."""
        all_ids_are_read = None not in self._ids.values()
        return lambda id: id in self.records or (all_ids_are_read and id not in self._bad)

    async def ask_anew(self, client: Client, ids: Iterable[int]) -> None:
        """Request these records once more."""
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
        """Return whether a row has been deleted."""
        return self._is_contradicted or max(self._ids, default=0) > self._count

    def _unseen(self) -> Iterator[int]:
        """Yield the offsets of pages with new rows, and of pages with rows that these pushed beyond the former end.

        Each is found when it is asked for: a list can have far fewer rows than upstream says.
        """
        count, seen = self._count, frozenset(self._ids)
        offset = 0
        while offset < count:
            if count - offset in seen:
                offset += 1
            else:
                yield offset
                offset += PAGE

    async def _read_at(self, offsets: Iterator[int]) -> None:
        """Read the pages at these offsets, a few at a time. Each one begins when an earlier one has arrived."""

        async def read_from(first: int) -> None:
            await self._read(first, PAGE)
            for offset in offsets:
                await self._read(offset, PAGE)

        firsts = list(islice(offsets, AT_A_TIME))
        if firsts:
            await all_or_first_error(map(read_from, firsts))

    async def _read(self, offset: int, limit: int, *, is_part: bool = False) -> int:
        """Read a page, or a part of a page that cannot be served, and return how many of its rows were known before."""
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
        if not _is_as_long_as_it_says(self.kind, page, offset, limit):
            self._is_contradicted = True
        seen_again = self._saw(page.count, offset, [result.id for result in page.results])
        for result in page.results:
            if result.id is None or result.id in self.records or result.id in self._bad:
                continue  # what was seen first stays: a look is not to bring in records of another moment
            if isinstance(result, BadRecord):
                self._bad.add(result.id)
                if result.lacks_slug:
                    self._without_slug.add(result.id)
            else:
                self.records[result.id] = result
        self._progress(self.kind.plural, len(self.records) + len(self._bad), page.count)
        return seen_again

    async def _halve(self, offset: int, limit: int, error: UpstreamUnavailable, *, is_part: bool) -> int:
        if not is_part:
            # This fails too if upstream is at fault, and not a row.
            nothing = await self._batcher.crawl_page(self.kind, limit=1, offset=BEYOND_THE_END)
            self._count = nothing.count
        if limit == 1:
            return self._saw(self._count, offset, [None])
        self._halvings += 1
        if self._halvings > MAX_HALVINGS:
            raise error
        half = limit // 2
        halves = [(offset, half), (offset + half, limit - half)]
        return sum(await all_or_first_error(self._read(*each, is_part=True) for each in halves))

    def _saw(self, count: int, offset: int, ids: list[int | None]) -> int:
        """Note the places of rows, and return how many of them had the same place before."""
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
        """Take the last good versions of records that cannot be read, and return their number."""
        kept = {id: self._last_good[id] for id in self._bad if id in self._last_good}
        unreadable = [self._count - place for place, id in self._ids.items() if id is None]
        if unreadable:
            _log.warning("upstream cannot serve its %s at offsets %s", self.kind.plural, sorted(unreadable))
            # An unreadable row has no id, so those that are missed are asked for: gone, or only unreadable?
            missed = [id for id in self._last_good if id not in self.records and id not in self._bad]
            for id in missed[:MAX_ASKED_ALONE]:
                try:
                    record = await client.detail(self.kind, id, background=True, attempts=1)
                except UpstreamError:
                    kept[id] = self._last_good[id]
                else:
                    if record is not None:
                        self.records[id] = record
        self.records |= kept
        return len(kept)


def _is_as_long_as_it_says(kind: Kind[R], page: Page[R], offset: int, limit: int) -> bool:
    """Return whether a page has as many rows as its own count leaves for it.

    Rows that come or go while upstream makes the answer change its last page alone.

    :raises ContradictoryList: the list ends where upstream says that it goes on, or the other way round.
    """
    if page.next is not None and offset + limit >= page.count:
        raise ContradictoryList(
            f"Upstream says that it has {page.count:,} {kind.plural}, but names a page behind position "
            f"{offset + limit:,}."
        )
    left = max(0, page.count - offset)
    if len(page.results) == min(limit, left):
        return True
    if left > limit:
        raise ContradictoryList(
            f"Upstream says that it has {page.count:,} {kind.plural}, but sent "
            f"{len(page.results):,} of the {limit:,} from position {offset + 1:,} on."
        )
    return False
