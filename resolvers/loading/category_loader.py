"""Loads categories for one request: without a catalog, all of them at once."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from catalog import Catalog
from resolvers.loading.batch_loader import Batches, BatchLoader
from upstream.batching import ALL_CATEGORIES, Batcher, Window
from upstream.client import (
    CATEGORY,
    BadRecord,
    CategoryRecord,
    Page,
    UpstreamBadData,
    UpstreamError,
    note_from_memory,
)


class CategoryLoader:
    """Loads categories. There are few, and every package names one. If they are not known, one request loads all of
    them."""

    def __init__(self, batcher: Batcher, batches: Batches, catalog: Catalog | None, *, is_live: bool) -> None:
        self._is_live = is_live
        self._batcher = batcher
        self._batches = batches
        self._catalog = catalog
        self.known: Mapping[int, CategoryRecord] = {} if catalog is None else catalog.categories
        """The categories that need no loading, by id."""
        self._shown: Page[CategoryRecord] | None = None
        """The page of all, if upstream had shown it to another request when it was first needed."""
        self._loaded: dict[Window, Future[Page[CategoryRecord]]] = {}

    @cached_property
    def _pages(self) -> BatchLoader[Window, Page[CategoryRecord]]:
        return BatchLoader(self._lists, self._batches, self._loaded)

    async def all(self) -> list[CategoryRecord]:
        """Return every category, by id.

        :raises UpstreamError: there is no list.
        """
        if self._catalog is not None:
            note_from_memory(len(self._catalog.categories))
            return list(self._catalog.categories.values())[::-1]
        page = await self._page()
        return sorted(page.records, key=lambda category: category.id)

    async def by_id(self, id: int) -> CategoryRecord | None:
        """Return the category, or ``None`` if there is none.

        :raises UpstreamError: there is no list, or this category does not fit.
        """
        if self._catalog is not None and id in self._catalog.categories:
            note_from_memory(1)
            return self._catalog.categories[id]
        if not self._is_live:
            return None
        found = _category(await self._page(), id)
        if isinstance(found, UpstreamError):
            raise found
        return found

    async def by_ids(self, ids: Sequence[int]) -> list[CategoryRecord | BaseException | None]:
        """Return for each id, in the order asked, the category, ``None``, or the error that it met."""
        found: list[CategoryRecord | BaseException | None] = [self.known.get(id) for id in ids]
        unknown = [place for place, record in enumerate(found) if record is None]
        note_from_memory(len(ids) - len(unknown))
        if unknown and self._is_live:
            try:
                page = await self._page()
            except UpstreamError as error:
                return [error if record is None else record for record in found]
            for place in unknown:
                found[place] = _category(page, ids[place])
        return found

    async def by_slug(self, slug: str) -> CategoryRecord | None:
        """Return the category of this slug with the smallest id, because slugs of categories need not be unique.

        :raises UpstreamError: there is no list.
        """
        if self._catalog is not None and slug in self._catalog.category_slugs:
            return await self.by_id(self._catalog.category_slugs[slug])
        if not self._is_live:
            return None
        page = await self._page()
        return min(
            (category for category in page.records if category.slug == slug),
            key=lambda category: category.id,
            default=None,
        )

    async def _page(self) -> Page[CategoryRecord]:
        if self._shown is None and not self._loaded:
            self._shown = self._batcher.remembered_page(CATEGORY, ALL_CATEGORIES)
            if self._shown is not None:
                self._batches.ask_upstream()
                note_from_memory(len(self._shown.results))
                self._find_unknown(self._shown)
        if self._shown is not None:
            return self._shown
        return await asyncio.shield(self._pages.load(ALL_CATEGORIES))

    async def _lists(self, windows: Sequence[Window]) -> list[Any]:
        (window,) = windows
        try:
            page = await self._batcher.page(CATEGORY, limit=window.limit, offset=window.offset)
        except UpstreamError as error:
            return [error]  # It is returned and not raised, so that it is remembered.
        self._find_unknown(page)
        return [page]

    def _find_unknown(self, page: Page[CategoryRecord]) -> None:
        """Note the categories of a page that the catalog lacks, or has by another slug."""
        known = self.known
        if self._catalog is not None:
            self._batches.found += [
                each for each in page.records if each.id not in known or known[each.id].slug != each.slug
            ]


def _category(page: Page[CategoryRecord], id: int) -> CategoryRecord | UpstreamError | None:
    """Return the category with this id on the page of all, or the error that says why it could not be read."""
    for result in page.results:
        if result.id == id:
            if isinstance(result, BadRecord):
                return UpstreamBadData(f"Upstream's category {id} does not fit: {result.reason}.")
            return result
    return None
