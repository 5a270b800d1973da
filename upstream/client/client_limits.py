"""Holds what the client may spend on one answer of upstream."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """What the client may spend on upstream. Times are in seconds; the settings say why each is as it is."""

    exchange: float
    """Seconds for one exchange, from its turn to the last byte."""
    connect: float
    total: float
    """Seconds for one answer: its waiting, attempts and pauses."""
    attempts: int
    first_pause: float
    """The most before the second attempt; the most before each later one is twice that before the last."""
    longest_pause: float
    """Between two attempts. An upstream that asks for a longer one is not asked again for this answer."""
    longest_retry_after: float
    """What ``Retry-After`` is cut to, for everyone who obeys it."""
    answer_bytes: int
    lowest_in_flight: int
    highest_in_flight: int
    breaker_failures: int
    breaker_rest: float
