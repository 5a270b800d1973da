"""Loads the records of one request: those in the catalog at once, and the others in one batch for each level.

A request sees one catalog from start to end: the one that was served when it began. What that catalog does not know
is requested live. aiodataloader joins the loads of one event-loop turn, so resolvers at one depth must reach their
loader without awaiting anything first. All fields of the request that want a key share its load. One that stops
waiting must not cancel it for the others, so every wait here is shielded; :meth:`Loaders.close` ends them all. A load
that fails stays failed for the request on purpose: the error is reported everywhere, and upstream is asked once.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any, Generic

from catalog import Catalog, Snapshot
from resolvers.loading.batch_loader import Batches, BatchLoader
from resolvers.loading.category_loader import CategoryLoader
from upstream.batching import Batcher
from upstream.client import (
    GRID,
    PACKAGE,
    BudgetSpent,
    GridRecord,
    Kind,
    PackageRecord,
    Page,
    R,
    Record,
    SearchHitRecord,
    UpstreamError,
    note_from_memory,
    note_not_looked_up,
)

NEWEST = 20
"""How many of the newest packages are looked at for what only the whole catalog can be asked for."""


@dataclass(slots=True, eq=False)
class Loaders:
    """Holds one loader for each kind of record. Make them anew for every request, inside the running loop."""

    packages: RecordLoader[PackageRecord]
    grids: RecordLoader[GridRecord]
    categories: CategoryLoader
    catalog: Catalog | None
    as_of: datetime | None
    """The moment as of which the request is answered. Then upstream is not asked, because it knows only the present."""
    _batches: Batches
    _batcher: Batcher
    _searches: dict[str, tuple[SearchHitRecord, ...] | UpstreamError] = field(default_factory=dict)

    @classmethod
    def over(
        cls,
        batcher: Batcher,
        snapshot: Snapshot | None,
        first_catalog: Callable[[], Awaitable[Catalog]] | None = None,
    ) -> Loaders:
        """Return loaders for a request that is answered from ``snapshot``, and live where that knows nothing.

        ``first_catalog`` waits for one where there is none, for keys that upstream cannot be asked for.
        """
        catalog = None if snapshot is None else snapshot.catalog
        as_of = None if snapshot is None else snapshot.as_of
        batches, is_live = Batches(), as_of is None
        packages = RecordLoader(
            PACKAGE,
            batcher,
            batches,
            _Known() if catalog is None else catalog.view(_known_packages),
            first_catalog,
            _known_packages,
            is_live=is_live,
        )
        grids = RecordLoader(
            GRID,
            batcher,
            batches,
            _Known() if catalog is None else catalog.view(_known_grids),
            first_catalog,
            _known_grids,
            is_live=is_live,
        )
        categories = CategoryLoader(batcher, batches, catalog, is_live=is_live)
        return cls(packages, grids, categories, catalog, as_of, batches, batcher)

    @property
    def asked_upstream(self) -> bool:
        """Return whether a record was requested that only upstream may have, whether or not it was found."""
        return self._batches.asked_upstream

    async def search(self, query: str) -> tuple[SearchHitRecord, ...]:
        """Return what upstream finds, best first.

        :raises UpstreamError: there is no answer.
        """
        self._batches.asked_upstream = True
        found = self._searches.get(query)
        if found is None:
            try:
                found = await self._batcher.search(query)
            except UpstreamError as error:
                found = error
            self._searches[query] = found
        if isinstance(found, UpstreamError):
            raise found
        return found

    @property
    def found(self) -> list[Record]:
        """Return the records that upstream has shown and that the catalog lacks, or has by another slug."""
        return self._batches.found

    def close(self) -> None:
        """Cancel all loads, because the client has its answer or has gone."""
        self._batches.end()


class RecordLoader(Generic[R]):
    """Loads packages or grids by id, by slug and by page. A record that is found in one way is known in the others."""

    def __init__(
        self,
        kind: Kind[R],
        batcher: Batcher,
        batches: Batches,
        known: _Known[R],
        first_catalog: Callable[[], Awaitable[Catalog]] | None,
        known_of: Callable[[Catalog], _Known[R]],
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
        if id not in self._loaded_ids:
            self._doubtful.add(id)
        else:
            note_from_memory(1)
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
        if slug not in self._loaded_slugs:
            self._doubtful.add(slug)
        else:
            note_from_memory(1)
        return await asyncio.shield(self._slugs.load(slug))

    async def by_ids(self, ids: Sequence[int]) -> list[R | BaseException | None]:
        """Return, for each id that a record names, the record, ``None``, or the error of its load, in the same
        order."""
        records = self._known.records
        found: list[R | BaseException | None] = [records.get(id) for id in ids]
        unknown = [place for place, record in enumerate(found) if record is None]
        note_from_memory(len(ids) - len(unknown))
        if unknown and self._is_live:
            new = {ids[place] for place in unknown} - self._loaded_ids.keys()
            note_from_memory(len(unknown) - len(new))
            self._doubtful.difference_update(ids[place] for place in unknown)
            loads = [self._ids.load(ids[place]) for place in unknown]
            loaded = await asyncio.shield(asyncio.gather(*loads, return_exceptions=True))
            for place, outcome in zip(unknown, loaded, strict=True):
                if isinstance(outcome, asyncio.CancelledError):
                    raise outcome
                found[place] = outcome
        return found

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
        self._ids.prime(record.id, record)
        self._slugs.prime(record.slug, record)


@dataclass(frozen=True, slots=True)
class _Known(Generic[R]):
    """Holds the records of one kind that the catalog knows, or none if there is no catalog."""

    records: Mapping[int, R] = field(default_factory=dict)
    slugs: Mapping[str, int] = field(default_factory=dict)
    whole: bool = False
    """Whether these are all records of the kind."""


def _known_packages(catalog: Catalog) -> _Known[PackageRecord]:
    return _Known(catalog.packages, catalog.package_slugs, whole=True)


def _known_grids(catalog: Catalog) -> _Known[GridRecord]:
    return _Known(catalog.grids, catalog.grid_slugs, whole=True)
