"""Decides after which failures upstream is asked again, and after what pause.

Connection errors, time-outs, 429, 500, 502, 503 and 504 are worth another attempt, after a pause. Its length is what
upstream asks for by ``Retry-After``, or else full jitter. ``circuit_breaker.py`` holds all other
requests back meanwhile.
"""

from __future__ import annotations

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from upstream.client.api_client_limits import ClientLimits
from upstream.client.circuit_breaker import CircuitOpen
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
    """Repeats attempts within the limits of one client."""

    def __init__(self, limits: ClientLimits) -> None:
        self._limits = limits
        self._full_jitter = wait_random_exponential(multiplier=limits.first_pause, max=LONGEST_JITTER)

    def attempts(self, most: int | None = None) -> AsyncRetrying:
        """Return what calls a function until it succeeds: up to ``most`` times, or as often as the limits
        allow.

        It raises what the last attempt has raised.
        """
        return AsyncRetrying(
            stop=stop_after_attempt(most or self._limits.attempts),
            retry=retry_if_exception(self._is_worth_another_attempt),
            wait=self._pause,
            reraise=True,
        )

    def _is_worth_another_attempt(self, error: BaseException) -> bool:
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

    def _pause(self, state: RetryCallState) -> float:
        """Return what upstream asks for; else full jitter: anything up to a bound that doubles with each
        attempt."""
        assert state.outcome is not None
        error = state.outcome.exception()
        if isinstance(error, UpstreamError) and error.retry_after is not None:
            return error.retry_after
        return self._full_jitter(state)
