"""Reads a filter: what identifies it among all filters, how many conditions it has, and how much they look at."""

from __future__ import annotations

from hashlib import blake2b

from resolvers.filters.filter_inputs import DateTimeRange, GridFilter, IntRange, PackageFilter
from resolvers.filters.filter_matching import MAX_CONDITIONS, too_many_conditions

_RANGES = (IntRange, DateTimeRange)
_OF_HISTORY = ("added_after", "removed_after")


class FilterReading:
    """Holds what was read of one filter.

    :raises BadUserInput: the filter has too many conditions. ``argument`` names it in the error.
    """

    def __init__(self, filter: PackageFilter | GridFilter, argument: str) -> None:
        self._argument = argument
        self.conditions = 0
        """The conditions, counting the filters that contain them."""
        self.passes = 0
        """The passes over a column."""
        self.is_of_history = False
        """Whether what it matches depends on the state of history."""
        self.digest = blake2b(
            repr(self._key(filter)).encode("utf-8", "surrogatepass"), digest_size=16
        ).digest()
        """Identifies the filter, as only equal filters have the same."""

    def _key(self, filter: PackageFilter | GridFilter) -> tuple[object, ...]:
        self._count(1, 0)
        key: list[object] = [filter.__class__.__name__]
        for name, value in vars(filter).items():
            if value is None or name == "reading":
                continue
            key.append(name)
            if name in ("and_", "or_"):
                key.append([self._key(each) for each in value])
            elif name == "not_":
                key.append(self._key(value))
            else:
                slugs = len(value) if isinstance(value, list) else 1
                # If there are more slugs, their reader reports it.
                each_counts = name in ("in_all_grids", "missing") and slugs <= MAX_CONDITIONS
                self._count(slugs if each_counts else 1, min(slugs, MAX_CONDITIONS))
                # The repr of the dataclass would take four times as long.
                key.append(tuple(vars(value).values()) if isinstance(value, _RANGES) else value)
                if name in _OF_HISTORY:
                    self.is_of_history = True
        return tuple(key)

    def _count(self, conditions: int, passes: int) -> None:
        self.conditions += conditions
        self.passes += passes
        if self.conditions > MAX_CONDITIONS:
            raise too_many_conditions(self._argument)
