"""Shows one kind of record as a table, with columns to filter by and orders to list in.

A set of rows is a mask: an integer with one byte for each row, 1 where the row is in it. So ``&``, ``|`` and ``^
table.every`` combine sets at the speed of memory, whatever made them. Columns and orders are made at their first use
and then stay: a table belongs to one catalog, which never changes.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import compress
from math import nan
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

from catalog.contributor_index import ContributorRecord, contributors
from catalog.indexed_catalog import Catalog
from catalog.record_sorting import K, Order, R
from upstream.client import GridRecord, PackageRecord

V = TypeVar("V")
Mask = int

MANY = 20
"""A list that has more than one in this number of all rows is sorted by going through all of them."""


def package_table(catalog: Catalog) -> Table[int, PackageRecord]:
    """Return the packages of a catalog, for :meth:`~catalog.indexed_catalog.Catalog.view`."""
    return Table(catalog.packages)


def grid_table(catalog: Catalog) -> Table[int, GridRecord]:
    """Return the grids of a catalog, for :meth:`~catalog.indexed_catalog.Catalog.view`."""
    return Table(catalog.grids)


def contributor_table(catalog: Catalog) -> Table[str, ContributorRecord]:
    """Return the contributors of a catalog, for :meth:`~catalog.indexed_catalog.Catalog.view`."""
    return Table(catalog.view(contributors))


class Table(Generic[K, R]):
    """Holds the records as rows, in the order of ``records``."""

    def __init__(self, records: Mapping[K, R]) -> None:
        self.records = records
        self._ids = tuple(records)
        self.places: Mapping[K, int] = {id: place for place, id in enumerate(self._ids)}
        """The row of each record."""
        self._columns: dict[Callable[[R], Any], list[Any]] = {}
        self._numbers: dict[Callable[[R], float | None], list[float]] = {}
        self._orders: dict[Order[R], _Ordered[K]] = {}
        self.every: Mask = self.mask(b"\1" * len(self._ids))

    def column(self, value_of: Callable[[R], V]) -> list[V]:
        """Return ``value_of`` each row. The column is stored under that function, so pass the same one every time."""
        column = self._columns.get(value_of)
        if column is None:
            column = self._columns[value_of] = [value_of(record) for record in self.records.values()]
        return column

    def numbers(self, value_of: Callable[[R], float | None]) -> list[float]:
        """Return a column of numbers, stored like any column. A missing number is NaN, for which every comparison is
        false."""
        numbers = self._numbers.get(value_of)
        if numbers is None:
            values = map(value_of, self.records.values())
            numbers = self._numbers[value_of] = [nan if value is None else value for value in values]
        return numbers

    def mask(self, flags: Iterable[bool] | bytes) -> Mask:
        """Return the rows whose flag is true: one flag for each row."""
        return int.from_bytes(bytes(flags), "little")

    def among(self, ids: Iterable[K]) -> Mask:
        """Return the rows with these ids; others are left out."""
        flags = bytearray(len(self._ids))
        for id in ids:
            place = self.places.get(id)
            if place is not None:
                flags[place] = 1
        return self.mask(bytes(flags))

    def count(self, mask: Mask) -> int:
        """Return the number of rows in a mask."""
        return mask.bit_count()

    def __len__(self) -> int:
        return len(self._ids)

    def flags(self, mask: Mask) -> bytes:
        """Return one byte for each row, 1 where the row is in the mask."""
        return mask.to_bytes(len(self._ids), "little")

    def ids(self, order: Order[R], mask: Mask | None = None) -> Sequence[K]:
        """Return the ids of the rows in a mask, or of all, in this order."""
        ordered = self._ordered(order)
        if mask is None:
            return ordered.ids
        # Of one place itemgetter gives the item itself, of none it cannot be made; so it asks for two more.
        flags = mask.to_bytes(len(self._ids) + 1, "little")
        return tuple(compress(ordered.ids, ordered.flags(flags)))

    def sorted(self, order: Order[R], ids: Collection[K]) -> Sequence[K]:
        """Return these ids in this order. Ids without a row are left out."""
        if len(ids) > len(self._ids) // MANY:
            return self.ids(order, self.among(ids))
        places, ranks = self.places, self._ordered(order).ranks
        known = [id for id in ids if id in places]
        known.sort(key=lambda id: ranks[places[id]])
        return known

    def _ordered(self, order: Order[R]) -> _Ordered[K]:
        ordered = self._orders.get(order)
        if ordered is None:
            ids = order.sorted(self.records)
            places = [self.places[id] for id in ids]
            ranks = array("i", bytes(4 * len(ids)))
            for rank, place in enumerate(places):
                ranks[place] = rank
            ordered = self._orders[order] = _Ordered(ids, itemgetter(*places, -1, -1), ranks)
        return ordered


class _Ordered(NamedTuple, Generic[K]):
    """Holds all rows in one order."""

    ids: tuple[K, ...]
    flags: itemgetter[Any]
    """Reorders the flags of the rows into this order."""
    ranks: array[int]
    """The position of each row in the order."""
