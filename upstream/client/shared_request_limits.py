"""Limits the requests of this process to what all gateways on one server together may send."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from upstream.client.circuit_breaker import Breaker
from upstream.client.concurrency_limiter import Limiter

if TYPE_CHECKING:
    from sharing import SharedPace

FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.1
"""Seconds before asking again for a turn if all are taken, doubled each time."""


@dataclass(slots=True)
class HeldTurn:
    """Describes a turn while it is held."""

    in_flight: int
    """How many are out in all gateways, with this one; 0 if nobody counts."""
    answered: bool = False
    """Whether upstream has answered in it."""


class SharedTurns:
    """Gives turns that count in all gateways. If ``pace`` is ``None``, it gives any number of them."""

    def __init__(self, pace: SharedPace | None, limiter: Limiter, breaker: Breaker) -> None:
        self._pace = pace
        self._limiter = limiter
        self._breaker = breaker

    @asynccontextmanager
    async def turn(self, *, may_probe: bool) -> AsyncIterator[HeldTurn | None]:
        """Wait for a turn, and hold it; ``None`` if upstream is to be left alone, which the breaker then knows."""
        pace, pause = self._pace, FIRST_PAUSE
        if pace is None:
            yield HeldTurn(0)
            return
        while True:
            turn = await pace.enter(self._limiter.limit, may_probe=may_probe)
            if turn is None:
                yield HeldTurn(0)
                return
            if turn.rest:
                self._breaker.told(turn.rest, asked_for=turn.is_asked_for)
                yield None
                return
            if turn.ticket is not None:
                break
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, LONGEST_PAUSE)
        held = HeldTurn(turn.in_flight)
        try:
            yield held
        finally:
            left, asked_for = self._breaker.left
            await pace.leave(turn, answered=held.answered, rest=left, is_asked_for=asked_for)
