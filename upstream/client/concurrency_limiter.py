"""How many requests upstream gets at a time: as many as it answers without slowing down.

The limit grows by one for every round of answers that came as quickly as the quickest lately, and shrinks when
they come slower, when upstream refuses (429, 503) or when it lets requests time out: additive increase,
multiplicative decrease. Upstream saturates at about 4 (contract section 7), so that is where it starts.

An answer is compared only with answers of its own sort and of about its own nominal size: a network adds the same
to each, which makes the small ones look slow beside the large ones, and not all sorts keep to their nominal time.

Requests of users go first, but one turn in four is the crawl's when it wants one; it takes what is left, too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import frexp, inf

START = 4
GROW_BELOW = 2.0
"""Grow while answers take less than this many times the quickest ones: then the requests do not queue."""
SHRINK_ABOVE = 3.0
SHRINK_BY = 0.9
HALVE = 0.5
IN_A_ROW = 3
"""Turns that users are given in a row while the background waits for one."""
FORGET_QUICKEST = 1.002
"""By this factor the quickest answer is forgotten with each answer: within some 350 answers it doubles."""


class Limiter:
    """Gives turns; ``lowest`` and ``highest`` bound how many are out at a time."""

    def __init__(self, lowest: int = 1, highest: int = 32) -> None:
        self._lowest = float(lowest)
        self._highest = float(highest)
        self._limit = min(max(float(START), self._lowest), self._highest)
        self._quickest: dict[tuple[str, int], float] = {}  # by sort and the power of two of the nominal time
        self._out = 0
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
    async def turn(self, *, background: bool = False) -> AsyncIterator[None]:
        """Wait for a turn, and hold it. In the background one in four is given, or what nobody else wants."""
        await self._take(background)
        try:
            yield
        finally:
            self._out -= 1
            self._wake()

    def succeeded(self, seconds: float, nominal: float, sort: str = "") -> None:
        """Return an answer came after so long; ``nominal`` is the time that one of this sort takes."""
        if seconds <= 0:
            return  # too quick for a coarse clock; nothing would ever be as quick again
        slowness = seconds / nominal
        alike = sort, frexp(nominal)[1]
        quickest = min(self._quickest.get(alike, inf) * FORGET_QUICKEST, slowness)
        self._quickest[alike] = quickest
        if slowness > SHRINK_ABOVE * quickest:
            self._set(self._limit * SHRINK_BY)
        elif slowness < GROW_BELOW * quickest and self._out >= self.limit:
            self._set(self._limit + 1 / self._limit)

    def failed(self) -> None:
        """Upstream refused for load, or did not answer in time."""
        self._set(self._limit * HALVE)

    def _set(self, limit: float) -> None:
        self._limit = min(max(limit, self._lowest), self._highest)
        self._wake()

    async def _take(self, background: bool) -> None:
        ahead = self._waiting or (background and self._waiting_in_background)
        if self._out < self.limit and not ahead:
            self._out += 1
            return
        mine = asyncio.get_running_loop().create_future()
        (self._waiting_in_background if background else self._waiting).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                # The turn had just been given; hand it on.
                self._out -= 1
                self._wake()
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
            self._out += 1
            waiter.set_result(None)


def _drop_those_who_left(queue: deque[asyncio.Future[None]]) -> None:
    while queue and queue[0].done():
        queue.popleft()
