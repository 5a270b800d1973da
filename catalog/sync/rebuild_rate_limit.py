"""Limits how often another version of the catalog is rebuilt or compared, whatever clients ask for."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil

from catalog.history import TooManyRebuilds

AT_ONCE = 6
"""How many rebuilds may come right after one another."""

PAUSE = 10.0
"""Seconds after which one more rebuild may come, which makes six a minute over time."""


class RebuildRateLimit:
    """Counts the rebuilds of one process, or its comparisons, and refuses those over the limit."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._allowed = float(AT_ONCE)
        """How many may begin now, as it was when it was last counted."""
        self._counted = clock()
        self.begun = 0
        """How many have begun."""

    def spend(self) -> None:
        """Count one that is about to begin.

        :raises TooManyRebuilds: it must not begin yet.
        """
        now = self._clock()
        self._allowed = min(AT_ONCE, self._allowed + (now - self._counted) / PAUSE)
        self._counted = now
        if self._allowed < 1:
            raise TooManyRebuilds(ceil((1 - self._allowed) * PAUSE))
        self._allowed -= 1
        self.begun += 1
