"""The loaders of one request: each record is asked for once, and a level's records together.

aiodataloader joins the loads of one event-loop turn, so resolvers at one depth must reach their loader
without awaiting anything first. A load is shared by everyone who wants the key: whoever stops waiting (a
client that left, a time limit) must not cancel it for the others, so every wait here is shielded.
A failed load stays failed for the request, which is wanted: it is reported everywhere and asked once.
"""

from __future__ import annotations

import asyncio
import time
from asyncio import Future
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aiodataloader import DataLoader

from upstream.client import Client
from upstream.errors import UpstreamBadData
from upstream.receipt import note_from_memory
from upstream.records import CATEGORY, GRID, PACKAGE, BadRecord, Category, Grid, Kind, Package, Page, R

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
LoadBatch = Callable[[Sequence[Any], float], Awaitable[list[Any]]]

ALL_CATEGORIES = 1000
"""A page size that holds every category: there are six, and upstream has no maximum (contract section 2)."""


@dataclass(frozen=True, slots=True)
class Loaders:
    """One loader for each kind of record. Make them anew for every request, inside the running loop."""

    packages: RecordLoader[Package]
    grids: RecordLoader[Grid]
    categories: CategoryLoader

    @classmethod
    def over(cls, client: Client) -> Loaders:
        """Loaders that ask this upstream."""
        return cls(RecordLoader(PACKAGE, client), RecordLoader(GRID, client), CategoryLoader(client))


class RecordLoader(Generic[R]):
    """Loads packages or grids by id, by slug and by page. What one way finds, the others know."""

    def __init__(self, kind: Kind[R], client: Client) -> None:
        self._kind = kind
        self._client = client
        self._known_ids: dict[int, Future[R | None]] = {}
        self._known_slugs: dict[str, Future[R | None]] = {}
        self._ids: _Loader[int, R | None] = _Loader(self._details, self._known_ids)
        self._slugs: _Loader[str, R | None] = _Loader(self._details, self._known_slugs)
        self._pages: _Loader[tuple[int, int], Page[R]] = _Loader(self._windows)

    async def by_id(self, id: int) -> R | None:
        """The record, or ``None`` if there is none.

        :raises UpstreamError: upstream did not say.
        """
        note_from_memory(id in self._known_ids)
        return await asyncio.shield(self._ids.load(id))

    async def by_slug(self, slug: str) -> R | None:
        """The record, or ``None`` if there is none.

        :raises UpstreamError: upstream did not say.
        """
        note_from_memory(slug in self._known_slugs)
        return await asyncio.shield(self._slugs.load(slug))

    async def by_ids(self, ids: Sequence[int]) -> list[R | BaseException | None]:
        """For each id, in the order asked: the record, ``None``, or the error that it met."""
        note_from_memory(sum(id in self._known_ids for id in ids))
        loads = [self._ids.load(id) for id in ids]
        return await asyncio.shield(asyncio.gather(*loads, return_exceptions=True))

    async def page(self, *, limit: int, offset: int) -> Page[R]:
        """A page of the list, newest first.

        :raises UpstreamError: there is no answer.
        """
        return await asyncio.shield(self._pages.load((limit, offset)))

    async def _details(self, keys: Sequence[Any], asked: float) -> list[Any]:
        """For each key a record, ``None`` or an exception: aiodataloader raises it for the key's waiters."""
        details = (self._client.detail(self._kind, key, asked=asked) for key in keys)
        answers = await asyncio.gather(*details, return_exceptions=True)
        for answer in answers:
            if answer is not None and not isinstance(answer, BaseException):
                self._remember(answer)
        return answers

    async def _windows(self, windows: Sequence[tuple[int, int]], asked: float) -> list[Any]:
        pages = (
            self._client.page(self._kind, limit=limit, offset=offset, asked=asked)
            for limit, offset in windows
        )
        answers = await asyncio.gather(*pages, return_exceptions=True)
        for answer in answers:
            if not isinstance(answer, BaseException):
                for record in answer.records:
                    self._remember(record)
        return answers

    def _remember(self, record: R) -> None:
        self._ids.prime(record.id, record)
        self._slugs.prime(record.slug, record)


class CategoryLoader:
    """Loads categories, all by one list request: there are few, and every package names one."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pages: _Loader[int, Page[Category]] = _Loader(self._lists)

    async def all(self) -> list[Category]:
        """Every category, by id.

        :raises UpstreamError: there is no list.
        """
        page = await self._page()
        return sorted(page.records, key=lambda category: category.id)

    async def by_id(self, id: int) -> Category | None:
        """The category, or ``None`` if there is none.

        :raises UpstreamError: there is no list, or this category does not fit.
        """
        for result in (await self._page()).results:
            if result.id == id:
                if isinstance(result, BadRecord):
                    raise UpstreamBadData(f"Upstream's category {id} does not fit: {result.reason}.")
                return result
        return None

    async def by_slug(self, slug: str) -> Category | None:
        """The category of this slug with the smallest id: slugs of categories need not be unique.

        :raises UpstreamError: there is no list.
        """
        return next((category for category in await self.all() if category.slug == slug), None)

    async def _page(self) -> Page[Category]:
        return await asyncio.shield(self._pages.load(ALL_CATEGORIES))

    async def _lists(self, limits: Sequence[int], asked: float) -> list[Any]:
        return [await self._client.page(CATEGORY, limit=limit, asked=asked) for limit in limits]


class _Loader(DataLoader[K, V]):
    """Tells its batch since when it is wanted, for the rounds of the receipt.

    The batches of two loaders that were filled in one turn may run one after the other, yet neither waited
    for the other's answer.
    """

    def __init__(self, load_batch: LoadBatch, known: dict[K, Future[V]] | None = None) -> None:
        super().__init__(cache_map=known)
        self._load_batch = load_batch
        self._asked = 0.0

    def load(self, key: K) -> Future[V]:
        if not self._queue:
            self._asked = time.monotonic()
        return super().load(key)

    async def batch_load_fn(self, keys: Sequence[K]) -> list[Any]:
        return await self._load_batch(keys, self._asked)
