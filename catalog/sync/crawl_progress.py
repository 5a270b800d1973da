"""Tells how far the crawl is that is under way, for those who wait for a catalog."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil

from catalog.sync.paged_list_reading import Progress
from upstream.batching import GUESSED_COUNTS
from upstream.client import KINDS, PACKAGE

LONGEST_TOLD = 300
"""The most seconds that are told to be left, however slow the first pages were."""


class CrawlProgress:
    """Follows one crawl from its first page to its last."""

    def __init__(self, then: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._then = then
        self._clock = clock
        self._begun = clock()
        self._read = dict.fromkeys((kind.plural for kind in KINDS), 0)
        self._counts = {kind.plural: GUESSED_COUNTS[kind.singular] for kind in KINDS}
        """How long each list is; one that was not begun is guessed."""

    def note(self, kind: str, read: int, count: int) -> None:
        """Note that so many records of a list have been read, and how many there are."""
        self._read[kind], self._counts[kind] = read, count
        self._then(kind, read, count)

    @property
    def seconds_left(self) -> int | None:
        """Return the seconds that the crawl still takes at its pace so far, 1 to 300; ``None`` before its first
        page."""
        read = sum(self._read.values())
        if not read:
            return None
        left = max(0, sum(self._counts.values()) - read)
        return min(LONGEST_TOLD, max(1, ceil((self._clock() - self._begun) * left / read)))

    def __str__(self) -> str:
        """Return how many packages have been read of how many, or that none were."""
        read, count = self._read[PACKAGE.plural], self._counts[PACKAGE.plural]
        return f"{read:,} of {count:,} packages so far" if read else "no packages so far"
