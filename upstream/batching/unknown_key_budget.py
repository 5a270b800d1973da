"""Limits how often upstream is asked for what strangers can make up: searches, and keys that the catalog does not know.

It is a token bucket with a number of requests for each minute, which can all be spent at once after a quiet minute. A
key for which upstream has a record costs nothing in the end, because there are only so many. Searches cost, and keys
without a record.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sharing import SharedPace


class Budget:
    """Holds the budget of one process, or of all gateways that share a server.

    ``per_minute`` is also the most that can be spent at once, but that is at least 1.
    """

    def __init__(
        self, per_minute: float, clock: Callable[[], float] = time.monotonic, pace: SharedPace | None = None
    ) -> None:
        """``pace`` has the budget of all gateways that share a server; ``None`` if this one shares none."""
        self._pace = pace
        self._shared_at = 0.0
        """The time from which the shared budget has something to spend again, as far as is known."""
        self._per_second = per_minute / 60
        self._most = max(1.0, per_minute)
        self._clock = clock
        self._left = self._most
        self._counted_at = clock()
        self._reserved = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def retry_after(self) -> float:
        """Return the seconds after which there is something to spend again; 0 if there is now."""
        return max(0.0, (1.0 - self._counted()) / self._per_second, self._shared_at - self._clock())

    @property
    def is_spent(self) -> bool:
        """Return whether nothing is left to spend, and nothing is set aside that could come back."""
        return not self._reserved and self._counted() < 1.0

    async def spend(self) -> bool:
        """Spend one, if there is one."""
        if self._counted() < 1.0:
            return False
        self._left -= 1.0
        if self._pace is not None and (seconds := await self._pace.spend()):
            self._left += 1.0
            self._shared_at = self._clock() + seconds
            return False
        return True

    def give_back(self) -> None:
        """Take one back that was spent and not needed."""
        self._left = min(self._most, self._counted() + 1.0)
        if self._pace is not None:
            self._pace.give_back()

    async def reserve(self) -> bool:
        """Set one aside until :meth:`settle`. If all are set aside, wait until one comes back or none can."""
        while not await self.spend():
            if not self._reserved:
                return False
            await self._one_settled()
        self._reserved += 1
        return True

    def settle(self, *, spent: bool) -> None:
        """Settle one that was set aside: it is spent, or it comes back."""
        self._reserved -= 1
        if not spent:
            self.give_back()
            self._wake(1)
        elif not self._reserved:
            self._wake(len(self._waiting))  # Nothing can come back any more.

    async def _one_settled(self) -> None:
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._wake(1)  # This waiter was told of one that it cannot use.
            raise

    def _wake(self, number: int) -> None:
        while self._waiting and number:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                number -= 1

    def _counted(self) -> float:
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._counted_at) * self._per_second)
        self._counted_at = now
        return self._left
