"""Limits how many requests upstream gets at a time, to as many as it answers without slowing down.

Upstream saturates at about 4 (contract section 7), so that is where it starts. From there it grows by one for each
answer, as long as they come as quickly as with few requests in flight: the slow start of TCP, which doubles the limit
with each round of answers. When all of the last few answers are slower, it is halved. From then on it grows by one in a
few rounds while answers come as quickly as usual, and shrinks by one a round while requests queue in upstream, as TCP
Vegas does. It also shrinks when an answer takes three times the quickest, when upstream refuses (429, 503), and when it
lets requests time out.

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
SLOWED = 1.25
"""The factor by which answers are slower than usual when the slow start ends. One request in five waits then."""
HOLD, EASE = 1.12, 1.35
"""Up to the first factor answers count as no slower than usual, and the limit grows. Beyond the second it shrinks."""
ROUNDS = 3
"""Rounds of answers for each growth by one beyond the start, so that its effect is seen before the next."""
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
STARTING_MEMORY = 8
"""How many answers in a row are slower than usual when the slow start ends, as in HyStart++ (RFC 9406). A busy process
is late for some answers, but a queue in upstream slows down all."""
MEMORY = 16
"""About how many answers the usual time is the average of. The recent time is that of two rounds, and at least as
many."""


class Limiter:
    """Gives turns. ``lowest`` and ``highest`` bound how many are out at a time."""

    def __init__(self, lowest: int = 1, highest: int = 32) -> None:
        self._lowest = float(lowest)
        self._highest = float(highest)
        self._limit = min(max(float(START), self._lowest), self._highest)
        self._quickest: dict[tuple[str, int], float] = {}  # by sort and the power of two of the nominal time
        self._is_starting = True
        """Whether nothing has slowed down yet."""
        self._usual: dict[tuple[str, int], tuple[float, int]] = {}
        """How slow answers are on average while few are in flight, and of how many that is the average."""
        self._slowed = 1.0
        """How many times as long as usual the last answers took on average."""
        self._delays: deque[float] = deque(maxlen=STARTING_MEMORY)
        """How many times as long as usual each of the last answers took."""
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
        few = max(among, self._out) <= START
        known = self._quickest.get(alike, inf) * (FORGET_QUICKEST if few else 1.0)
        quickest = self._quickest[alike] = min(known, slowness)
        times = slowness / quickest
        delay = self._compare(slowness, alike, few=few)
        if times > SHRINK_ABOVE:
            self._is_starting = False
            self._set(self._limit * SHRINK_BY)
        elif self._limit >= START:
            self._keep_the_queue_short(delay)
        elif times < GROW_BELOW and self._out >= self.limit:
            self._set(self._limit + 1 / self._limit)

    def _compare(self, slowness: float, alike: tuple[str, int], *, few: bool) -> float:
        """Return how many times as long as usual an answer took."""
        usual, count = self._usual.get(alike, (slowness, 0))
        if few:
            count = min(count + 1, MEMORY)
            usual += (slowness - usual) / count
            self._usual[alike] = usual, count
        delay = slowness / usual
        if count:
            self._slowed += (delay - self._slowed) / max(MEMORY, 2 * self.limit)
            self._delays.append(delay)
        return delay

    def _keep_the_queue_short(self, delay: float) -> None:
        if self._is_starting:
            if len(self._delays) == STARTING_MEMORY and min(self._delays) > SLOWED:
                self._is_starting = False
                self._set(max(START, self._limit * HALVE))
            # This is done even if nobody waits for a turn now, because many may come next.
            elif delay < SLOWED and self.limit < self._doubled:
                self._set(self._limit + 1)
        elif self._slowed > EASE:
            self._set(max(START, self._limit - 1 / self._limit))
        elif self._slowed < HOLD and self._out >= self.limit:
            self._set(self._limit + 1 / (ROUNDS * self._limit))

    def failed(self) -> None:
        """Learn that upstream refused because of load, or did not answer in time."""
        self._is_starting = False
        self._set(self._limit * HALVE)

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


def _drop_those_who_left(queue: deque[asyncio.Future[None]]) -> None:
    while queue and queue[0].done():
        queue.popleft()
