"""Logs the faults of the storage that fields meet.

Strangers can have a field meet them as often as they like, and a disk that is full is one of these faults. So each is
logged once a minute.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

MAX_FAULTS = 20
"""The most faults that are logged in a minute."""

_log = logging.getLogger(__name__)


class FaultLog:
    """Writes a line for each fault, but the same one only once a minute. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._told = set[str]()

    def write(self, level: int, fault: str) -> None:
        """Log a sentence about a fault, unless this minute has it already."""
        now = self._clock()
        if now - self._begun >= 60:
            self._begun = now
            self._told.clear()
        if fault not in self._told and len(self._told) < MAX_FAULTS:
            self._told.add(fault)
            _log.log(level, "%s", fault)
