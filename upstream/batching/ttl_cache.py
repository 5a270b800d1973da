"""Remembers answers for a while: bounded in time, and in what it holds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class TTLCache(Generic[K, V]):
    """Keeps each value for so many ``seconds``, and ``most`` of them; the oldest go first.

    A value that holds several counts as its ``size``.
    """

    def __init__(self, seconds: float, most: int, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._size = 0
        # From the oldest to the newest: until when it is kept, its size, the value. A plain dict would look for its
        # oldest entry behind all those that it has lost.
        self._entries: OrderedDict[K, tuple[float, int, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: K) -> bool:
        entry = self._entries.get(key)
        return entry is not None and self._clock() < entry[0]

    def __getitem__(self, key: K) -> V:
        return self._entries[key][2]

    def remember(self, key: K, value: V, size: int = 1) -> None:
        """Keep the value from now on, in place of an older one."""
        now = self._clock()
        if key in self._entries:
            self._drop(key)
        self._entries[key] = (now + self._seconds, size, value)
        self._size += size
        while self._entries:
            oldest = next(iter(self._entries))
            if self._size <= self._most and now < self._entries[oldest][0]:
                return
            self._drop(oldest)

    def discard(self, key: K) -> None:
        """Drop the value, if there is one."""
        if key in self._entries:
            self._drop(key)

    def forget(self) -> None:
        """Drop everything."""
        self._entries.clear()
        self._size = 0

    def _drop(self, key: K) -> None:
        self._size -= self._entries.pop(key)[1]
