"""Tells those who wait for a catalog how far the running crawl is."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil

from catalog.sync.paged_list_reading import Progress
from upstream.batching import GUESSED_COUNTS
from upstream.client import KINDS, PACKAGE

LONGEST_TOLD = 300
"""The most seconds that are ever announced, however slow the first pages were."""


class CrawlProgress:
    """Follows one crawl from its first page to its last."""

    def __init__(self, then: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._then = then
        self._clock = clock
        self._begun = clock()
        self._read = dict.fromkeys((kind.plural for kind in KINDS), 0)
        self._counts = {kind.plural: GUESSED_COUNTS[kind.singular] for kind in KINDS}
        """The length of each list. The length of a list that was not begun is guessed."""

    def note(self, kind: str, read: int, count: int) -> None:
        """Note how many records of a list have been read, and how many there are."""
        self._read[kind], self._counts[kind] = read, count
        self._then(kind, read, count)

    @property
    def seconds_left(self) -> int | None:
        """Return how many seconds the crawl will still take at its present pace, from 1 to 300; ``None`` before its
        first page."""
        read = sum(self._read.values())
        if not read:
            return None
        left = max(0, sum(self._counts.values()) - read)
        return min(LONGEST_TOLD, max(1, ceil((self._clock() - self._begun) * left / read)))

    def __str__(self) -> str:
        """Return the number of packages read so far and of all packages, as a phrase."""
        read, count = self._read[PACKAGE.plural], self._counts[PACKAGE.plural]
        return f"{read:,} of {count:,} packages so far" if read else "no packages so far"
