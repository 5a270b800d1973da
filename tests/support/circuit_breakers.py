"""Opens circuit breakers and looks at them, by a clock that the tests move."""

from __future__ import annotations

import pytest

from upstream.client.circuit_breaker import Breaker, CircuitOpen

FAILURES, REST, LONGEST = 3, 5.0, 30.0


class Clock:
    """Is a clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


def state(breaker: Breaker) -> str:
    # A function, because mypy takes a property for something that stays as it was compared.
    return breaker.state


def fail(breaker: Breaker, times: int, retry_after: float | None = None) -> None:
    """Send a number of requests, each of which fails before the next goes out."""
    for _ in range(times):
        breaker.failed(breaker.admit(), retry_after)


def kept_back(breaker: Breaker) -> CircuitOpen:
    """Return why no request goes out now."""
    with pytest.raises(CircuitOpen) as asked:
        breaker.check()
    with pytest.raises(CircuitOpen) as tried:
        breaker.admit()
    assert (str(tried.value), tried.value.left) == (str(asked.value), asked.value.left)
    return tried.value


def half_open(breaker: Breaker, clock: Clock) -> None:
    """Open the breaker by failures, and let its rest pass by."""
    fail(breaker, FAILURES)
    clock.pass_by(REST)
    assert state(breaker) == "half-open"
