"""One kind of record as a table: columns to filter by, and the orders to list in.

A set of rows is a mask: an integer with one byte for each row, 1 where the row is in it. So ``&``, ``|`` and
``^ table.every`` combine sets at the speed of memory, whatever made them. Columns and orders are made when they
are first asked for, and kept: a table belongs to one catalog, which never changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from math import nan
from operator import itemgetter
from typing import Any, Generic, TypeVar

from upstream.catalog import Catalog
from upstream.contributors import Contributor, contributors
from upstream.orders import K, Order, R
from upstream.records import Grid, Package

V = TypeVar("V")
Mask = int


def package_table(catalog: Catalog) -> Table[int, Package]:
    """The packages of a catalog, for :meth:`~upstream.catalog.Catalog.view`."""
    return Table(catalog.packages)


def grid_table(catalog: Catalog) -> Table[int, Grid]:
    """The grids of a catalog, for :meth:`~upstream.catalog.Catalog.view`."""
    return Table(catalog.grids)


def contributor_table(catalog: Catalog) -> Table[str, Contributor]:
    """The contributors of a catalog, for :meth:`~upstream.catalog.Catalog.view`."""
    return Table(catalog.view(contributors))


class Table(Generic[K, R]):
    """The rows are the records in the order of ``records``."""

    def __init__(self, records: Mapping[K, R]) -> None:
        self.records = records
        self._ids = tuple(records)
        self._places = {id: place for place, id in enumerate(self._ids)}
        self._columns: dict[Callable[[R], Any], list[Any]] = {}
        self._numbers: dict[Callable[[R], float | None], list[float]] = {}
        self._orders: dict[Order[R], tuple[tuple[K, ...], itemgetter[Any]]] = {}
        self.every: Mask = self.mask(b"\1" * len(self._ids))

    def column(self, value_of: Callable[[R], V]) -> list[V]:
        """``value_of`` each row. It is kept under that function, so pass the same one every time."""
        column = self._columns.get(value_of)
        if column is None:
            column = self._columns[value_of] = [value_of(record) for record in self.records.values()]
        return column

    def numbers(self, value_of: Callable[[R], float | None]) -> list[float]:
        """A column of numbers; a missing one is NaN, which no comparison is true of. Kept like any column."""
        numbers = self._numbers.get(value_of)
        if numbers is None:
            values = map(value_of, self.records.values())
            numbers = self._numbers[value_of] = [nan if value is None else value for value in values]
        return numbers

    def mask(self, flags: Iterable[bool] | bytes) -> Mask:
        """The rows whose flag is true: one flag for each row."""
        return int.from_bytes(bytes(flags), "little")

    def among(self, ids: Iterable[K]) -> Mask:
        """The rows with these ids; others are left out."""
        flags = bytearray(len(self._ids))
        for id in ids:
            place = self._places.get(id)
            if place is not None:
                flags[place] = 1
        return self.mask(bytes(flags))

    def count(self, mask: Mask) -> int:
        """How many rows are in it."""
        return mask.bit_count()

    def ids(self, order: Order[R], mask: Mask | None = None) -> Sequence[K]:
        """The ids of the rows in a mask, or of all, in this order."""
        if order not in self._orders:
            ids = order.sorted(self.records)
            # Of one place itemgetter gives the item itself, of none it cannot be made; so ask for two more.
            self._orders[order] = ids, itemgetter(*(self._places[id] for id in ids), -1, -1)
        ids, flags_in_order = self._orders[order]
        if mask is None:
            return ids
        flags = mask.to_bytes(len(self._ids) + 1, "little")
        return tuple(compress(ids, flags_in_order(flags)))
