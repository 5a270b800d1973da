"""Loads records of one kind for one request: those in the catalog at once, and the others in one batch for each level.

What the catalog does not know is at hand if upstream has shown it lately, and is requested live otherwise.
aiodataloader joins the loads of one event-loop turn, so resolvers at one depth must reach their loader without awaiting
anything first. All fields of the request that want a key share its load. One that stops waiting must not cancel it for
the others, so every wait here is shielded. A load that fails stays failed for the request on purpose: the error is
reported everywhere, and upstream is asked once.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, Generic

from catalog import Catalog
from resolvers.loading.batch_loader import Batches, BatchLoader
from resolvers.loading.catalog_records import KnownRecords
from upstream.batching import Batcher
from upstream.client import (
    BudgetSpent,
    Kind,
    Page,
    R,
    UpstreamError,
    note_from_memory,
    note_not_looked_up,
)

NEWEST = 20
"""How many of the newest packages are looked at for what only the whole catalog can be asked for."""


class RecordLoader(Generic[R]):
    """Loads packages or grids by id, by slug and by page. A record that is found in one way is known in the others."""

    def __init__(
        self,
        kind: Kind[R],
        batcher: Batcher,
        batches: Batches,
        known: KnownRecords[R],
        first_catalog: Callable[[], Awaitable[Catalog]] | None,
        known_of: Callable[[Catalog], KnownRecords[R]],
        *,
        is_live: bool,
    ) -> None:
        self._kind = kind
        self._is_live = is_live
        self._batcher = batcher
        self._batches = batches
        self._known = known
        self._first_catalog = first_catalog
        self._known_of = known_of
        self.known: Mapping[int, R] = known.records
        """The records that need no loading, by id."""
        self._loaded_ids: dict[int, Future[R | None]] = {}
        self._loaded_slugs: dict[str, Future[R | None]] = {}
        self._shown: dict[int | str, R] = {}
        """The records that upstream has shown to this request, by id and by slug."""
        self._doubtful: set[int | str] = set()
        """The keys that only the client named, so that there may be no such record."""

    # They are made when needed, because a request that the catalog answers needs none, and making them took half of its
    # time.

    @cached_property
    def _ids(self) -> BatchLoader[int, R | None]:
        return BatchLoader(self._fetch, self._batches, self._loaded_ids)

    @cached_property
    def _slugs(self) -> BatchLoader[str, R | None]:
        return BatchLoader(self._fetch, self._batches, self._loaded_slugs)

    @cached_property
    def _pages(self) -> BatchLoader[tuple[int, int], Page[R]]:
        return BatchLoader(self._windows, self._batches)

    async def by_id(self, id: int) -> R | None:
        """Return the record, or ``None`` if there is none.

        :raises UpstreamError: upstream did not say.
        """
        record = self._known.records.get(id)
        if record is not None:
            note_from_memory(1)
            return record
        if not self._is_live:
            return None
        if id in self._loaded_ids:
            note_from_memory(1)
        elif (record := self._at_hand(id)) is not None:
            return record
        else:
            self._doubtful.add(id)
        return await asyncio.shield(self._ids.load(id))

    async def by_slug(self, slug: str) -> R | None:
        """Return the record, or ``None`` if there is none.

        :raises UpstreamError: upstream did not say.
        """
        id = self._known.slugs.get(slug)
        if id is not None:
            note_from_memory(1)
            return self._known.records[id]
        if not self._is_live:
            return None
        if slug.isdecimal():
            # Upstream takes it for an id (contract section 1), so the catalog alone can tell.
            if self._known.whole:
                return None
            if slug.isascii() and self._first_catalog is not None:
                first = (await self._first_catalog()).view(self._known_of)
                return first.records.get(first.slugs.get(slug, 0))  # ids count from 1
        if slug in self._loaded_slugs:
            note_from_memory(1)
        elif (record := self._at_hand(slug)) is not None:
            return record
        else:
            self._doubtful.add(slug)
        return await asyncio.shield(self._slugs.load(slug))

    async def by_ids(self, ids: Sequence[int]) -> list[R | BaseException | None]:
        """Return, for each id that a record names, the record, ``None``, or the error of its load, in the same
        order."""
        records = self._known.records
        found: list[R | BaseException | None] = [records.get(id) for id in ids]
        unknown = [place for place, record in enumerate(found) if record is None]
        note_from_memory(len(ids) - len(unknown))
        if unknown and self._is_live:
            self._doubtful.difference_update(ids[place] for place in unknown)
            for place in unknown:
                found[place] = None if ids[place] in self._loaded_ids else self._at_hand(ids[place])
            await self._load([place for place in unknown if found[place] is None], ids, found)
        return found

    async def _load(
        self, places: list[int], ids: Sequence[int], found: list[R | BaseException | None]
    ) -> None:
        """Load the ids in these places, and put what comes of them into the same places of ``found``."""
        if not places:
            return
        new = {ids[place] for place in places} - self._loaded_ids.keys()
        note_from_memory(len(places) - len(new))
        loads = [self._ids.load(ids[place]) for place in places]
        loaded = await asyncio.shield(asyncio.gather(*loads, return_exceptions=True))
        for place, outcome in zip(places, loaded, strict=True):
            if isinstance(outcome, asyncio.CancelledError):
                raise outcome
            found[place] = outcome

    def _at_hand(self, key: int | str) -> R | None:
        """Return a record that upstream has shown to this request, or lately to another: nothing waits for it."""
        record = self._shown.get(key)
        if record is None:
            record = self._batcher.remembered(self._kind, key)
            if record is None:
                return None
            self._batches.ask_upstream()
            self._remember(record)
        note_from_memory(1)
        return record

    async def newest(self) -> list[R] | None:
        """Return the records at the head of the list that the catalog does not know yet; ``None`` where upstream
        fails.

        Upstream is asked for them once a minute at most, however many requests need them.
        """
        try:
            page = await asyncio.shield(self._pages.load((NEWEST, 0)))
        except UpstreamError:
            return None
        return [record for record in page.records if record.id not in self._known.records]

    async def page(self, *, limit: int, offset: int) -> Page[R]:
        """Return a page of the list, newest first.

        :raises UpstreamError: there is no answer.
        """
        if self._known.whole:
            records = tuple(islice(self._known.records.values(), offset, offset + limit))
            note_from_memory(len(records))
            return Page(count=len(self._known.records), next=None, previous=None, results=records)
        return await asyncio.shield(self._pages.load((limit, offset)))

    async def _fetch(self, keys: Sequence[Any]) -> list[Any]:
        """Return for each key a record, ``None`` or an exception: aiodataloader raises it for the key's
        waiters."""
        found = await self._batcher.fetch(self._kind, keys, doubtful=self._doubtful)
        for key, record in found.items():
            if isinstance(record, BudgetSpent) and self._known.whole:
                # The catalog does not know it, which is the best answer that there is.
                note_not_looked_up((self._kind.singular, key))
                found[key] = None
            elif record is not None and not isinstance(record, UpstreamError):
                self._remember(record)
        return [found[key] for key in keys]

    async def _windows(self, windows: Sequence[tuple[int, int]]) -> list[Any]:
        pages = (self._batcher.page(self._kind, limit=limit, offset=offset) for limit, offset in windows)
        answers = await asyncio.gather(*pages, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, asyncio.CancelledError):
                raise answer
            if not isinstance(answer, BaseException):
                for record in answer.records:
                    self._remember(record)
        return answers

    def _remember(self, record: R) -> None:
        if self._known.whole:
            known = self._known.records.get(record.id)
            if known is None or known.slug != record.slug:
                self._batches.found.append(record)
        self._shown[record.id] = self._shown[record.slug] = record
