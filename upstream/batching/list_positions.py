"""Estimates where records are in upstream's lists, from what pages and crawls have shown.

Lists are ordered by id, newest first (contract section 2), so a record that was never seen is between two that were.
Its place has bounds, from the positions around it and from the gaps between the ids.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence


class ListPositions:
    """Holds the positions in one list."""

    def __init__(self) -> None:
        self.count: int | None = None
        """How many records the list has, if any answer has said so."""
        self._descending: list[int] = []  # the ids, negated for bisect
        self._place: dict[int, int] = {}

    def saw_page(self, count: int, offset: int, ids: Sequence[int | None]) -> None:
        """Learn from a page that showed these ids, from the position ``offset`` on; ``None`` where one could not be
        read."""
        seen = {id: offset + n for n, id in enumerate(ids) if id is not None}
        if (self.count is not None and self.count != count) or not self._allows(seen):
            # Something came or went, and everything behind it moved.
            self._place.clear()
            self._descending.clear()
        self.count = count
        if seen:
            self._place |= seen
            begin = bisect_left(self._descending, -max(seen))
            end = bisect_right(self._descending, -min(seen))
            between = self._descending[begin:end]
            self._descending[begin:end] = sorted({*between, *(-id for id in seen)})

    def saw_all(self, ids: Sequence[int]) -> None:
        """Learn the whole list, newest first, from a crawl."""
        self.count = len(ids)
        self._place = {id: place for place, id in enumerate(ids)}
        self._descending = [-id for id in ids]

    def bounds(self, id: int) -> tuple[int, int]:
        """Return the first and the last place at which the record can be. If the last one is less, the record does
        not exist."""
        place = self._place.get(id)
        if place is not None:
            return place, place
        at = bisect_left(self._descending, -id)
        first, last = 0, 10**9 if self.count is None else self.count - 1
        if self.count is not None:
            first = max(first, self.count - id)  # at most id - 1 records are older
        if at > 0:
            newer = -self._descending[at - 1]
            first = max(first, self._place[newer] + 1)
            last = min(last, self._place[newer] + newer - id)
        if at < len(self._descending):
            older = -self._descending[at]
            last = min(last, self._place[older] - 1)
            first = max(first, self._place[older] - (id - older))
        return first, last

    def _allows(self, seen: Mapping[int, int]) -> bool:
        """Return whether records can be at these positions, as far as is known."""
        bounds = ((place, self.bounds(id)) for id, place in seen.items())
        return all(first <= place <= last for place, (first, last) in bounds)
