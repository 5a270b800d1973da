"""Limits how many requests upstream gets at a time, to as many as it answers without slowing down.

Upstream saturates at about 4 (contract section 7), so that is where it starts. From there it grows by one for each
answer that is not slow: the slow start of TCP, which doubles the limit with each round of answers. Some 32 answers are
a window. The first window that is slower than the quickest answers ends the slow start. From then on it grows by one
with each window that is not slower, and when requests queue in upstream, it shrinks to as many as upstream has worked
on at a time. It also shrinks when an answer takes three times the quickest, when upstream refuses (429, 503), and when
it lets requests time out.

Windows are compared with the quickest answers, and not with average ones, as BBR does: whatever else makes a busy
process late makes averages longer, and a limit that grew by such an average would not be noticed as too high.

An answer is compared only with answers of its own sort and of about its own nominal size: a network adds the same
to each, which makes the small ones look slow beside the large ones, and not all sorts keep to their nominal time.

Requests of users go first, but the crawl gets one turn in four if it wants one, and all turns that are left.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import frexp, inf

START = 4
"""The first limit. This many requests in flight do not queue in upstream, so their answers show how quick it is."""
QUICK = 1.5
"""The factor below which an answer is not slow, for the slow start. Twice as many as upstream answers at a time take
twice as long."""
HOLD, EASE = 1.15, 1.35
"""The limit grows while the answers of a window take less than the first factor of the quickest ones on average, and
shrinks beyond the second. If upstream answers 4 at a time, 5 in flight take 1.25 times as long, and 6 take 1.5."""
WINDOW = 32
"""Answers of a window, or those of two rounds if they are more."""
GROW_BELOW = 2.0
"""Up to the start, grow while answers take less than this many times the quickest ones."""
SHRINK_ABOVE = 3.0
SHRINK_BY = 0.9
HALVE = 0.5
IN_A_ROW = 3
"""Turns that users are given in a row while the background waits for one."""
FORGET_QUICKEST = 1.002
"""The factor by which the quickest time is raised with each answer that came while few were in flight, so that it
doubles in about 350 answers. Other answers would make queueing look usual."""


class Limiter:
    """Gives turns. ``lowest`` and ``highest`` bound how many are out at a time."""

    def __init__(self, lowest: int = 1, highest: int = 32) -> None:
        self._lowest = float(lowest)
        self._highest = float(highest)
        self._limit = min(max(float(START), self._lowest), self._highest)
        self._quickest: dict[tuple[str, int], float] = {}  # by sort and the power of two of the nominal time
        self._is_starting = True
        """Whether nothing has slowed down yet."""
        self._window = _Window()
        self._out = 0
        self._doubled = self._left_of_round = 0
        """Twice the limit when all turns were out at once, for as many answers as they bring, and how many of those are
        to come; 0 when it was longer ago."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._waiting_in_background: deque[asyncio.Future[None]] = deque()
        self._passed_over = 0
        """How many turns users were given since the background last had one, or wanted none."""

    @property
    def limit(self) -> int:
        """Return how many turns can be out now."""
        return int(self._limit)

    @property
    def in_flight(self) -> int:
        """Return how many turns are out."""
        return self._out

    @asynccontextmanager
    async def turn(self, *, background: bool = False) -> AsyncIterator[int]:
        """Wait for a turn, and hold it. The background gets one turn in four, or what nobody else wants.

        It yields how many turns are out then, with this one.
        """
        await self._take(background)
        try:
            yield self._out
        finally:
            self._give_back()

    def succeeded(self, seconds: float, nominal: float, sort: str = "", among: int = 0) -> None:
        """Learn from an answer that came after this many seconds, in a turn that is still out.

        ``nominal`` is the time that one of this sort takes, ``among`` how many turns were out when it was asked for.
        """
        if seconds <= 0:
            return  # It was too quick for a coarse clock, and nothing would ever be as quick again.
        slowness = seconds / nominal
        alike = sort, frexp(nominal)[1]
        among = among or self._out
        known = self._quickest.get(alike, inf)
        if among <= START:
            known *= FORGET_QUICKEST
        quickest = self._quickest[alike] = min(known, slowness)
        times = slowness / quickest
        if times > SHRINK_ABOVE:
            self._set(self._limit * SHRINK_BY)
        elif self._limit < START:
            if times < GROW_BELOW and self._out >= self.limit:
                self._set(self._limit + 1 / self._limit)
        elif self._is_starting and times < QUICK and self.limit < self._doubled:
            # This is done even if nobody waits for a turn now, because many may come next.
            self._set(self._limit + 1)
        if self._limit >= START and (among > START or among >= self.limit):
            self._window.add(min(times, SHRINK_ABOVE), among)
            if self._window.is_full or (not self._is_starting and self._window.is_too_slow):
                self._learn_from(self._window)

    def _learn_from(self, window: _Window) -> None:
        before = self.limit
        if window.slowed >= HOLD:
            self._is_starting = False
        if window.slowed > EASE:
            self._set(max(START, min(self._limit, window.worked_on)))
        elif window.slowed < HOLD and not self._is_starting and self._out >= self.limit:
            self._set(self._limit + 1)
        self._begin_window(skipped=0 if self.limit == before else self._out)

    def failed(self) -> None:
        """Learn that upstream refused because of load, or did not answer in time."""
        self._is_starting = False
        self._set(self._limit * HALVE)
        self._begin_window(skipped=self._out)

    def _begin_window(self, skipped: int) -> None:
        self._window = _Window(max(WINDOW, 2 * self.limit), skipped)

    def _set(self, limit: float) -> None:
        self._limit = min(max(limit, self._lowest), self._highest)
        self._wake()

    async def _take(self, background: bool) -> None:
        ahead = self._waiting or (background and self._waiting_in_background)
        if self._out < self.limit and not ahead:
            self._give()
            return
        mine = asyncio.get_running_loop().create_future()
        (self._waiting_in_background if background else self._waiting).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                # The turn had just been given; hand it on.
                self._give_back()
            raise

    def _wake(self) -> None:
        while self._out < self.limit:
            users, background = self._waiting, self._waiting_in_background
            _drop_those_who_left(users)
            _drop_those_who_left(background)
            if background and (not users or self._passed_over >= IN_A_ROW):
                self._passed_over = 0
                waiter = background.popleft()
            elif users:
                self._passed_over += bool(background)
                waiter = users.popleft()
            else:
                return
            self._give()
            waiter.set_result(None)

    def _give(self) -> None:
        self._out += 1
        if self._out >= self.limit:
            self._doubled, self._left_of_round = 2 * self._out, self._out

    def _give_back(self) -> None:
        self._out -= 1
        self._left_of_round -= 1
        if not self._left_of_round:
            self._doubled = 0
        self._wake()


class _Window:
    """Averages how slow answers are, and how many were in flight meanwhile.

    The first ``skipped`` answers do not count, because they were asked for when the limit was another.
    """

    def __init__(self, answers: int = WINDOW, skipped: int = 0) -> None:
        self._answers = answers
        self._to_skip = skipped
        self._added = 0
        self._times = self._among = 0.0

    def add(self, times: float, among: int) -> None:
        """Add an answer that took so many times as long as the quickest ones, in one of ``among`` turns."""
        if self._to_skip:
            self._to_skip -= 1
            return
        self._added += 1
        self._times += times
        self._among += among

    @property
    def is_full(self) -> bool:
        """Return whether all answers are in."""
        return self._added == self._answers

    @property
    def is_too_slow(self) -> bool:
        """Return whether the answers that are left, however quick, cannot make the average short enough."""
        return self._times + self._answers - self._added > EASE * self._answers

    @property
    def slowed(self) -> float:
        """Return how many times as long as the quickest ones the answers took on average."""
        return self._times / self._added

    @property
    def worked_on(self) -> float:
        """Return how many requests upstream worked on at a time on average, by Little's law."""
        return self._among / self._times


def _drop_those_who_left(queue: deque[asyncio.Future[None]]) -> None:
    while queue and queue[0].done():
        queue.popleft()
