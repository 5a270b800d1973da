"""Decides how long an operation may wait: a second, or only a moment during an overload.

Operations that wait for a slot delay one another. During an overload, a queue with a limit of a second answers every
operation after a second, and refuses the excess. A queue with a limit of a moment answers as many operations at once,
and tells the other clients at once to try again. (The idea comes from "controlled delay", CoDel, RFC 8289.)
"""

from __future__ import annotations

from collections.abc import Callable

SHORTEST = 0.1
"""Seconds that every operation may wait. A client with 32 connections whose operations take a millisecond or two is
answered within this time, so none of its operations is refused, even if it comes again at once and so prolongs an
overload."""

RUNS = 2
"""How many operations, one after another, an operation may wait for in an overload."""

MORE = 1.1
"""The ratio of operations that come to operations that run, from which on an overload continues."""

WEIGHT = 0.1
"""The weight of the last operation in the mean time that one takes."""


class QueuePatience:
    """Follows one queue, in which an operation may wait for ``seconds``.

    An overload begins when an operation has waited for so long in vain. It ends when, in a period of this length,
    hardly more operations came than ran, so that the queue would grow slowly or not at all. ``clock`` gives seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.is_overloaded = False
        self._seconds = seconds
        self._clock = clock
        self._mean = 0.0
        """The mean seconds that an operation runs."""
        self._since = clock()
        """When the time began in which these are counted:"""
        self._came = 0
        self._ran = 0

    def came(self) -> None:
        """Note that an operation has come."""
        passed = self._clock() - self._since
        if passed >= self._seconds:
            # After a pause, the counts say nothing about the present load.
            grows = passed < 2 * self._seconds and self._came > MORE * self._ran
            self._begin(self.is_overloaded and grows)
        self._came += 1

    def ran(self, seconds: float) -> None:
        """Note that an operation has run for this many seconds."""
        self._ran += 1
        self._mean += WEIGHT * (seconds - self._mean)

    def was_late(self, since: float) -> None:
        """Note that an operation that came at the time ``since`` has waited in vain."""
        # Timers are not exact. One of an overload that is just over was much shorter.
        if not self.is_overloaded and self._clock() - since > 0.9 * self._seconds:
            self._begin(True)

    def seconds(self) -> float:
        """Return how long an operation that comes now may wait."""
        return min(self._seconds, max(SHORTEST, RUNS * self._mean)) if self.is_overloaded else self._seconds

    def is_too_long(self, waiting: int) -> bool:
        """Return whether an operation that comes behind so many others would wait too long in an overload."""
        return self.is_overloaded and waiting >= RUNS and waiting * self._mean >= self.seconds()

    def is_over(self, since: float) -> bool:
        """Return whether an operation that came at the time ``since`` has waited too long."""
        return self.is_overloaded and self._clock() - since > self.seconds()

    def _begin(self, is_overloaded: bool) -> None:
        self.is_overloaded = is_overloaded
        self._since, self._came, self._ran = self._clock(), 0, 0
