"""Says when a process crawls, looks at the heads of the lists and shares with other processes."""

from __future__ import annotations

from dataclasses import dataclass

LEASE = 15.0
LOOK = 0.5
PROBE = 15.0
FIRST_RETRY = 15.0
LONGEST_RETRY = 900.0
ALONE = 60.0
"""Seconds of a schedule that no setting changes; :class:`Schedule` says what each is."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Holds all pauses, in seconds. Pauses before requests to upstream vary by a tenth, so that gateways spread out."""

    crawl: float
    newest: float
    """The seconds between looks at the heads of the lists."""
    lease: float
    """Seconds for which the lease is taken; it is renewed in a third of that. A dead crawler is replaced after
    so long."""
    look: float
    """The seconds between looks into the storage for another process's catalog, or for a lease that has run out."""
    probe: float
    """The seconds between small requests to an upstream that does not answer, which find its recovery."""
    first_retry: float
    """The seconds after another failure, doubled each time up to ``longest_retry``."""
    longest_retry: float
    alone: float
    """The seconds without a catalog and without the shared server after which a gateway crawls alone, varied up to
    threefold."""
