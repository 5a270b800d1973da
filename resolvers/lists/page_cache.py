"""Keeps the pages of whole lists with the catalog that they are of.

A page that is asked for again is the same object. So it costs no search for its place in the list, and the engine can
keep what it said of it (``engine.ReusedValue``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic

from caching import BoundedCache
from catalog import (
    Catalog,
    ContributorRecord,
    K,
    Order,
    R,
    Table,
    contributor_table,
    grid_table,
    package_table,
)
from resolvers.lists.pagination import Connection, PageSpan, Paging, connection
from upstream.client import GridRecord, PackageRecord

MAX_BYTES = 4_000_000
"""How much memory the pages of one table may take."""

MAX_SPAN_BYTES = 1_000_000
"""How much memory the spans that clients asked for may take."""

OVERHEAD, BYTES_OF_RECORD = 1_200, 16
"""Bytes that a page or a span takes, and for each record of a page."""

Selected = tuple[bytes, float]
"""Identifies what a list has of its table: the digest of a filter, and the time since which it matches the same."""

ALL: Selected = (b"", 0.0)
"""Identifies all rows of a table."""


class PageCache(Generic[K, R]):
    """Holds the pages of one table that were used last."""

    def __init__(self, table: Table[K, R]) -> None:
        # Nothing here may lead back to the catalog: reference counts alone must free both.
        self._records = table.records
        self._spans: BoundedCache[tuple[object, ...], PageSpan] = BoundedCache(size=MAX_SPAN_BYTES)
        self._pages: BoundedCache[tuple[PageSpan, Selected], Connection[R]] = BoundedCache(size=MAX_BYTES)
        self.made = 0
        """How many pages were made."""

    def __len__(self) -> int:
        return len(self._pages)

    @property
    def size(self) -> int:
        """Return the bytes of memory that all of them take."""
        return self._spans.size + self._pages.size

    def span(self, paging: Paging, order: Order[R]) -> PageSpan:
        """Return the span that is asked for, the same object each time.

        :raises BadUserInput: the arguments contradict each other, or one of them makes no sense.
        """
        key = order.name, paging.first, paging.after, paging.last, paging.before
        span = self._spans.get(key)
        if span is None:
            span = paging.span(order)
            self._spans.put(key, span, OVERHEAD + len(paging.after or "") + len(paging.before or ""))
        return span

    def page(
        self, span: PageSpan, order: Order[R], selected: Selected, ids: Callable[[], Sequence[K]]
    ) -> Connection[R]:
        """Return the page at a span of this cache, in the list of the ids, which are those selected."""
        key = span, selected
        page = self._pages.get(key)
        if page is None:
            page = connection(span, ids(), order, self._records)
            page.is_reused = True
            self.made += 1
            self._pages.put(key, page, OVERHEAD + BYTES_OF_RECORD * len(page.nodes))
        return page


def package_pages(catalog: Catalog) -> PageCache[int, PackageRecord]:
    """Return the pages of packages, for :meth:`~catalog.indexed_catalog.Catalog.view`."""
    return PageCache(catalog.view(package_table))


def grid_pages(catalog: Catalog) -> PageCache[int, GridRecord]:
    """Return the pages of grids, for :meth:`~catalog.indexed_catalog.Catalog.view`."""
    return PageCache(catalog.view(grid_table))


def contributor_pages(catalog: Catalog) -> PageCache[str, ContributorRecord]:
    """Return the pages of contributors, for :meth:`~catalog.indexed_catalog.Catalog.view`."""
    return PageCache(catalog.view(contributor_table))
