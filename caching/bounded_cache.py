"""Remembers values up to a number, a size and an age. The least recently used values are forgotten first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from math import inf
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """Maps keys to values, at most ``entries`` of them, of at most ``size`` together, each for ``seconds``.

    The owner decides what a size is, such as bytes or records, and gives it with each value. ``clock`` gives seconds.
    Putting a value and getting it are uses. Asking whether it is there, and peeking, are not.

    :raises ValueError: nothing bounds what it holds, or it would hold nothing.
    """

    def __init__(
        self,
        *,
        entries: float = inf,
        size: float = inf,
        seconds: float = inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if entries == size == inf or min(entries, size, seconds) <= 0:
            raise ValueError("A cache needs a bound of entries or size, and room for something.")
        self.size = 0
        """The size of all values together."""
        self._most_entries = entries
        self._most_size = size
        self._seconds = seconds
        self._clock = clock
        # From the one used longest ago to the last: until when it is kept, its size, the value. A plain dict would
        # look for its oldest entry behind all those that it has lost.
        self._entries: OrderedDict[K, tuple[float, int, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: K) -> bool:
        entry = self._entries.get(key)
        return entry is not None and (entry[0] == inf or self._clock() < entry[0])

    def get(self, key: K) -> V | None:
        """Return the value, which is in use from now on; ``None`` if there is none."""
        value = self.peek(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def peek(self, key: K) -> V | None:
        """Return the value without using it; ``None`` if there is none."""
        entry = self._entries.get(key)
        return None if entry is None or (entry[0] < inf and self._clock() >= entry[0]) else entry[2]

    def put(self, key: K, value: V, size: int = 1) -> None:
        """Store a value, in place of an older one. A value that is larger than the whole cache is not stored."""
        entries = self._entries
        old = entries.pop(key, None)
        if old is not None:
            self.size -= old[1]
        if size > self._most_size:
            return
        now = 0.0 if self._seconds == inf else self._clock()
        entries[key] = (now + self._seconds, size, value)
        self.size += size
        # Expired values make room when a new one comes.
        while (
            len(entries) > self._most_entries
            or self.size > self._most_size
            or entries[next(iter(entries))][0] <= now
        ):
            self.size -= entries.popitem(last=False)[1][1]

    def pop(self, key: K) -> V | None:
        """Forget the value and return it; ``None`` if there is none."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return None
        self.size -= entry[1]
        return entry[2] if entry[0] == inf or self._clock() < entry[0] else None

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.size = 0
