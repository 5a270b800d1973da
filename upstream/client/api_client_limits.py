"""Holds what the client may spend on one answer of upstream."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Holds what the client may spend on upstream. Times are in seconds. The settings say why each limit is as it
    is."""

    exchange: float
    """Seconds for one exchange, from its turn to the last byte."""
    connect: float
    total: float
    """Seconds for one answer: its waiting, attempts and pauses."""
    attempts: int
    first_pause: float
    """The longest pause before the second attempt. It doubles before each later one."""
    longest_pause: float
    """The longest pause between two attempts. If upstream asks for a longer one, it is not asked again for this
    answer."""
    longest_retry_after: float
    """The limit to which ``Retry-After`` is cut, for everyone who obeys it."""
    answer_bytes: int
    lowest_in_flight: int
    highest_in_flight: int
    breaker_failures: int
    breaker_rest: float
