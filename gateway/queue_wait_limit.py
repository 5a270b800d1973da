"""Decides how long an operation may wait: a second, or only a moment during an overload.

Operations that wait for a slot delay one another. During an overload, a queue with a limit of a second answers every
operation after a second, and refuses the excess. A queue with a limit of a moment answers as many operations at once,
and tells the other clients at once to try again. (The idea comes from "controlled delay", CoDel, RFC 8289.)

Clients that send their next request when they have their answer fill the queue up to their number, and no further. If
more and more clients come, the queue grows and grows. Only that is an overload, and it shows after a few tenths of a
second.
"""

from __future__ import annotations

from collections.abc import Callable

SHORTEST = 0.02
"""The seconds that every operation may wait: as long as a turn of the event loop may take."""

RUNS = 4
"""How many operations, one after another, an operation may wait for in an overload."""

PERIOD, ENDS = 0.05, 20
"""The seconds, and the number of operations that can end in them, after which the operations that came are compared
with those that ended. In less time, chance decides."""

GROWS, PERIODS = 1.5, 3
"""The ratio of operations that come to operations that end, above which the queue grows fast, and the number of such
periods that make an overload. Clients that begin at once and wait for their answers fill the queue in one period."""

MORE = 1.1
"""The same ratio, above which an overload continues."""

DOUBTED, DOUBTED_LAST = 2.0, 16.0
"""The seconds after which an overload is doubted for the first time, and the most after which it is doubted again, each
time after four times as long. Clients that come again at once when they are refused look like an overload because
they are refused. So it is tried whether the queue still grows when they are not."""

WEIGHT = 0.1
"""The weight of the last operation in the mean time that one takes."""


class QueueWaitLimit:
    """Follows one queue, in which an operation may wait for ``seconds``.

    An overload begins when the queue has grown fast for some periods, or an operation has waited for that long in vain.
    It ends when, in a period of that length, hardly more operations came than ended. ``clock`` gives seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self.is_overloaded = False
        self.each = 0.0
        """The mean seconds from the end of one operation to that of the next, while there are others."""
        self._seconds = seconds
        self._clock = clock
        self._last_end: float | None = None
        """When an operation ended last, if there were others then."""
        self._overloaded_since = 0.0
        self._doubted_after = DOUBTED
        self._doubted_at = float("-inf")
        self._growing = 0
        """The number of periods in which the queue has grown fast, less those since then in which it has not."""
        self._since = clock()
        """When the period began in which these are counted:"""
        self._came = 0
        self._ended = 0

    def came(self, waiting: int) -> bool:
        """Note that an operation has come while ``waiting`` others wait. Return whether an overload has begun."""
        passed = self._clock() - self._since
        has_begun = False
        if passed >= self._period():
            # After a pause, the counts say nothing about the present load.
            is_pause = passed >= 2 * self._period()
            if self.is_overloaded:
                self._end_if_over(is_pause or self._came <= MORE * self._ended)
            else:
                grows = not is_pause and self._came > GROWS * self._ended and waiting * self.each > SHORTEST
                self._growing = self._growing + 1 if grows else max(0, self._growing - 1)
                has_begun = self._growing == PERIODS
                if has_begun:
                    self._begin()
            self._count_anew()
        self._came += 1
        return has_begun

    def ended(self, others: int) -> None:
        """Note that an operation has ended while ``others`` run or wait."""
        self._ended += 1
        now = self._clock()
        if self._last_end is not None:
            self.each += WEIGHT * (now - self._last_end - self.each)
        self._last_end = now if others else None

    def was_late(self, since: float) -> bool:
        """Note that an operation that came at the time ``since`` has waited in vain. Return whether an overload has
        begun."""
        # Timers are not exact. One of an overload that is just over was much shorter.
        if self.is_overloaded or self._clock() - since <= 0.9 * self._seconds:
            return False
        self._begin()
        self._count_anew()
        return True

    def seconds(self) -> float:
        """Return how long an operation that comes now may wait."""
        return min(self._seconds, max(SHORTEST, RUNS * self.each)) if self.is_overloaded else self._seconds

    def is_too_long(self, waiting: int) -> bool:
        """Return whether an operation that comes behind ``waiting`` others would wait too long in an overload."""
        return self.is_overloaded and waiting >= RUNS and waiting * self.each >= self.seconds()

    def is_over(self, since: float) -> bool:
        """Return whether an operation that came at the time ``since`` has waited too long."""
        return self.is_overloaded and self._clock() - since > self.seconds()

    def newest_first(self) -> bool:
        """Return whether the newest operation of a client is answered first, or the one that is due.

        The newest is, from one period before an overload is found. Otherwise nearly all would wait in that period for
        longer than anyone does after it. Those who wait then are refused when it is found.
        """
        return (
            self.is_overloaded
            or self._growing >= PERIODS - 1
            or self._clock() - self._doubted_at < 2 * PERIODS * self._period()
        )

    def _period(self) -> float:
        return self._seconds if self.is_overloaded else min(self._seconds, max(PERIOD, ENDS * self.each))

    def _count_anew(self) -> None:
        self._since, self._came, self._ended = self._clock(), 0, 0

    def _begin(self) -> None:
        now = self._clock()
        was_doubted = now - self._doubted_at < self._seconds
        self._doubted_after = min(DOUBTED_LAST, 4 * self._doubted_after) if was_doubted else DOUBTED
        self.is_overloaded, self._overloaded_since, self._growing = True, now, 0

    def _end_if_over(self, is_over: bool) -> None:
        now = self._clock()
        if is_over:
            self.is_overloaded = False
        elif now - self._overloaded_since >= self._doubted_after:
            self.is_overloaded, self._doubted_at = False, now
