"""Decides after which failures upstream is asked again, and after what pause.

Connection errors, time-outs, 429, 500, 502, 503 and 504 are worth another attempt, after a pause. Its length is what
upstream asks for by ``Retry-After``, or else full jitter.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from upstream.client.circuit_breaker import CircuitOpen
from upstream.client.client_limits import ClientLimits
from upstream.client.upstream_errors import (
    UpstreamError,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)

PASSING = frozenset((500, 502, 503, 504))
"""The 5xx that another attempt can do better than."""

FIRST_PAUSE = 0.25
"""Seconds before the second attempt at most."""

LONGEST_JITTER = 2.0
"""The longest pause in seconds, unless upstream asks for a longer one."""

T = TypeVar("T")


class RetryPolicy:
    """Repeats attempts within the limits of one client."""

    def __init__(self, limits: ClientLimits) -> None:
        self._limits = limits

    async def repeat(self, attempt: Callable[[int], Awaitable[T]], most: int | None = None) -> T:
        """Return what ``attempt`` gives when it first succeeds. It is called up to ``most`` times, or as often as the
        limits allow, with the number of the attempt.

        :raises UpstreamError: the last attempt has raised it.
        """
        last = most or self._limits.attempts
        for number in range(1, last):
            try:
                return await attempt(number)
            except UpstreamError as error:
                if not self._is_worth_another_attempt(error):
                    raise
                pause = self._pause(error, number)
            await asyncio.sleep(pause)
        return await attempt(last)

    def _is_worth_another_attempt(self, error: UpstreamError) -> bool:
        """Return whether another attempt may succeed. Load and connection errors pass, and nonsense stays. A pause
        that upstream asks for must be short enough."""
        match error:
            case CircuitOpen():
                return False
            case UpstreamUnavailable():
                passes = error.status is None or error.status in PASSING
            case UpstreamTimeout() | UpstreamRateLimited():
                passes = True
            case _:
                return False
        return passes and (error.retry_after is None or error.retry_after <= self._limits.longest_pause)

    def _pause(self, error: UpstreamError, number: int) -> float:
        """Return what upstream asks for; else full jitter: anything up to a bound that doubles with each
        attempt."""
        if error.retry_after is not None:
            return error.retry_after
        return random.uniform(0.0, min(self._limits.first_pause * 2 ** (number - 1), LONGEST_JITTER))
