"""Works out what filters match, once for each version of the catalog, and caches it with that catalog.

Then one lookup tells whether a row matches, which is what a filter on a nested list costs for each item. A filter
that depends on the time is cached for as long as it matches the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from math import inf
from sys import getsizeof
from typing import Any, Generic, TypeVar

from caching import BoundedCache
from catalog import Catalog, Order, Table, grid_table, package_table
from catalog.history import AddedAndRemoved
from resolvers.current_time import now
from resolvers.filters.filter_inputs import GridFilter, PackageFilter
from resolvers.filters.filter_matching import NOTHING_MOVED, Match, matching_grids, matching_packages
from resolvers.filters.filter_reading import FilterReading
from resolvers.work_budget import CONDITION, ROWS, WorkBudget
from upstream.client import GridRecord, PackageRecord, R

MAX_FILTERS = 500
"""How many filters are cached with a catalog, for packages and for grids each. The least
recently used ones are dropped."""

MAX_BYTES = 8_000_000
"""How many bytes they may take, for packages and for grids. With 5,400 packages a filter has 11 kB, and at most 43 kB
more for each order in which its matches are requested."""

MAX_LIST_BYTES = 4_000_000
"""How much memory the sorted lists of some records may take, such as those of one category."""

OVERHEAD = 600
"""Bytes that such a list takes beside the ids."""

MIN_CACHED = 20
"""A shorter list is sorted as fast as it is found."""

T = TypeVar("T")


class Matches(Generic[R]):
    """Holds the rows of a table that a filter matches."""

    def __init__(self, digest: bytes, table: Table[int, R], match: Match) -> None:
        self.digest = digest
        """The digest of the filter, with that of history if it depends on it."""
        self.rows = match.rows
        self.since, self.until = match.since, match.until
        """The time, in seconds since 1970, from and until which it matches these rows."""
        self.selected = digest, match.since
        """Identifies the rows among those of all filters."""
        self.orders: dict[Order[R], Sequence[int]] = {}
        """The ids of all rows, in each order that was requested."""
        self._flags, self._places = table.flags(match.rows), table.places

    @property
    def is_right(self) -> bool:
        """Return whether the filter matches these rows now."""
        return self.until == inf == -self.since or self.since <= now().timestamp() <= self.until

    def among(self, ids: Iterable[int]) -> list[int]:
        """Return the given ids whose rows match."""
        flags, places = self._flags, self._places
        return [id for id in ids if id in places and flags[places[id]]]

    def bytes(self) -> int:
        """Return the memory that it takes."""
        return getsizeof(self.rows) + len(self._flags) + sum(map(getsizeof, self.orders.values()))


class FilterCache(Generic[R]):
    """Caches what filters match in one table, by their digests."""

    def __init__(self, table: Table[int, R]) -> None:
        # Nothing here may lead back to the catalog: reference counts alone must free both.
        self.table = table
        self._cache: BoundedCache[bytes, Matches[R]] = BoundedCache(entries=MAX_FILTERS, size=MAX_BYTES)
        self._lists: BoundedCache[tuple[object, ...], tuple[Collection[int], Sequence[int]]] = BoundedCache(
            size=MAX_LIST_BYTES
        )

    def __len__(self) -> int:
        return len(self._cache)

    @property
    def size(self) -> int:
        """Return the bytes of memory that all of them take, with the sorted lists."""
        return self._cache.size + self._lists.size

    def matches(self, digest: bytes, match: Callable[[], Match]) -> Matches[R]:
        """Return the matches of the filter with this digest, from the cache or worked out by ``match``."""
        matches = self._cache.get(digest)
        if matches is None or not matches.is_right:
            matches = Matches(digest, self.table, match())
            self._cache.put(digest, matches, matches.bytes())
        return matches

    def ids(self, matches: Matches[R], order: Order[R]) -> Sequence[int]:
        """Return the ids of what matches in this order."""
        ids = matches.orders.get(order)
        if ids is None:
            ids = matches.orders[order] = self.table.ids(order, matches.rows)
            # It may have made room for another filter of the same request.
            if self._cache.peek(matches.digest) is matches:
                self._cache.put(matches.digest, matches, matches.bytes())
        return ids

    def ids_among(self, ids: Collection[int], matches: Matches[R] | None, order: Order[R]) -> Sequence[int]:
        """Return those of these ids that match, or all, in this order. ``ids`` never change."""
        if len(ids) < MIN_CACHED:
            return self.table.sorted(order, ids if matches is None else matches.among(ids))
        key = (id(ids), order, None if matches is None else matches.selected)
        part = self._lists.get(key)
        if part is None or part[0] is not ids:  # Once one collection is gone, another one may have its id.
            found = tuple(self.table.sorted(order, ids if matches is None else matches.among(ids)))
            part = ids, found
            self._lists.put(key, part, getsizeof(ids) + getsizeof(found) + OVERHEAD)
        return part[1]


def package_filters(catalog: Catalog) -> FilterCache[PackageRecord]:
    """Return the matches that are cached for packages, for :meth:`~catalog.indexed_catalog.Catalog.view`."""
    return FilterCache(catalog.view(package_table))


def grid_filters(catalog: Catalog) -> FilterCache[GridRecord]:
    """Return the matches that are cached for grids, for :meth:`~catalog.indexed_catalog.Catalog.view`."""
    return FilterCache(catalog.view(grid_table))


class FiltersOfRequest:
    """Holds what the filters of one request match. Each filter is counted once.

    Its conditions count whether or not it was read before and what they match is cached, so that a request is always
    answered or always refused.
    """

    def __init__(self) -> None:
        self._by_object: dict[int, tuple[object, Matches[Any]]] = {}
        """The matches by the ``id()`` of a filter, with the filter itself, so that no other object gets that
        ``id()``."""
        self._by_digest: dict[bytes, Matches[Any]] = {}
        self._built: dict[int, tuple[object, Any]] = {}

    def built(self, value: object, build: Callable[[], T]) -> T:
        """Return what ``build`` makes of the value of a variable or an argument, as one object wherever it is used."""
        known = self._built.get(id(value))
        if known is None:
            known = self._built[id(value)] = value, build()
        built: T = known[1]
        return built

    def packages(
        self,
        work: WorkBudget,
        catalog: Catalog,
        filter: PackageFilter,
        argument: str,
        added_and_removed: AddedAndRemoved = NOTHING_MOVED,
    ) -> Matches[PackageRecord]:
        """Return the packages that match. ``argument`` names the filter in errors.

        :raises BadUserInput: a condition makes no sense.
        :raises Stopped: it takes too much work.
        """
        cache = catalog.view(package_filters)
        return self._matches(
            work,
            cache,
            filter,
            argument,
            lambda: matching_packages(catalog, filter, argument, added_and_removed),
            added_and_removed.digest,
        )

    def grids(
        self, work: WorkBudget, catalog: Catalog, filter: GridFilter, argument: str
    ) -> Matches[GridRecord]:
        """Return the grids that match. Raises as :meth:`packages` does."""
        cache = catalog.view(grid_filters)
        return self._matches(work, cache, filter, argument, lambda: matching_grids(catalog, filter, argument))

    def _matches(
        self,
        work: WorkBudget,
        cache: FilterCache[R],
        filter: PackageFilter | GridFilter,
        argument: str,
        match: Callable[[], Match],
        history: tuple[int, float] | None = None,
    ) -> Matches[R]:
        known = self._by_object.get(id(filter))
        if known is not None:
            return known[1]
        if filter.reading is None:
            filter.reading = FilterReading(filter, argument)
        reading: FilterReading = filter.reading
        digest = reading.digest + repr(history).encode() if reading.is_of_history else reading.digest
        work.spend(CONDITION * reading.conditions)
        matches = self._by_digest.get(digest)
        if matches is None:
            work.spend((1 + reading.passes) * (1 + len(cache.table) // ROWS))
            matches = self._by_digest[digest] = cache.matches(digest, match)
        self._by_object[id(filter)] = filter, matches
        return matches
