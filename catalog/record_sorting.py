"""Sorts records: missing values last in either direction, and ties by id, the oldest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from upstream.client import PackageRecord, Record

Key = int | str
"""The key that identifies a record: an id, or a login."""

K = TypeVar("K", bound=Key)
R = TypeVar("R")
Value = str | int | float | None
"""The value that a record is sorted by. It has one type for each order, or is ``None`` where it is missing."""


@dataclass(frozen=True, slots=True)
class Order(Generic[R]):
    """Defines a way to sort one kind of records. ``name`` stands for it in cursors, and no other order has it.

    ``value_of`` gives the value that a record is sorted by: a ``value_type`` or ``None``. ``newest_first`` reverses
    ties.
    """

    name: str
    value_of: Callable[[R], Value]
    value_type: type
    descending: bool = False
    newest_first: bool = False
    key_type: type = int

    def sorted(self, records: Mapping[K, R]) -> tuple[K, ...]:
        """Return the ids of all records in this order."""
        ids: list[K] = sorted(records, reverse=self.newest_first)
        values = {id: self.value_of(records[id]) for id in ids}
        known = [id for id in ids if values[id] is not None]
        # Sorting keeps the order of ties, backwards too.
        known.sort(key=values.__getitem__, reverse=self.descending)  # type: ignore[arg-type]
        return (*known, *(id for id in ids if values[id] is None))

    def precedes(self, one: tuple[Value, Key], other: tuple[Value, Key]) -> bool:
        """Return whether a record with this value and id comes before another."""
        (value, id), (other_value, other_id) = one, other
        if value == other_value:
            return id > other_id if self.newest_first else id < other_id  # type: ignore[operator]
        if value is None or other_value is None:
            return other_value is None
        return value > other_value if self.descending else value < other_value  # type: ignore[operator]


NEWEST_PACKAGES_FIRST: Order[Any] = Order("newest first", lambda record: None, type(None), newest_first=True)
"""v4's own order of packages: by id, the highest first (contract section 2). Its name is the one that cursors of
packages have always had."""

NEWEST_GRIDS_FIRST: Order[Any] = replace(NEWEST_PACKAGES_FIRST, name="newest grids first")
"""v4's own order of grids: by id, the highest first (contract section 2)."""


def title_order(record: Record) -> tuple[str, int]:
    """Return the key that sorts records by title, regardless of case, and equal titles by id."""
    return record.title.casefold(), record.id


def last_commit(package: PackageRecord) -> float | None:
    """Return the time of the last commit, in seconds since 1970."""
    return package.last_updated.timestamp() if package.last_updated else None


def commits_in_52_weeks(package: PackageRecord) -> int | None:
    """Return the commits of the last 52 weeks; ``None`` where upstream never counted."""
    return sum(package.commits_over_52) if package.commits_over_52 else None
