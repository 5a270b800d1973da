"""Decides after which failures upstream is asked again, and after what pause.

Connection errors, time-outs, 429, 500, 502, 503 and 504 are worth another attempt, after a pause. Its length is what
upstream asks for by ``Retry-After``, or else full jitter. ``circuit_breaker.py`` holds all other
requests back meanwhile.
"""

from __future__ import annotations

import random

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


class RetryPolicy:
    """Decides about repetitions within the limits of one client."""

    def __init__(self, limits: ClientLimits) -> None:
        self._limits = limits

    def pause(self, error: UpstreamError, attempt: int, most: int | None = None) -> float | None:
        """Return the seconds before the next attempt, or ``None`` if this one was the last.

        ``attempt`` counts from 1, and ``most`` overrides how many the limits allow.
        """
        if attempt >= (most or self._limits.attempts) or not self._is_worth_another_attempt(error):
            return None
        if error.retry_after is not None:
            return error.retry_after
        # This is full jitter: anything up to a bound that doubles with each attempt.
        return random.uniform(0.0, min(self._limits.first_pause * 2 ** (attempt - 1), LONGEST_JITTER))

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
