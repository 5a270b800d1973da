"""Says when a process crawls, looks for new packages and shares with other processes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """Holds all pauses, in seconds. Those that ask upstream vary by a tenth: gateways do not march in step."""

    crawl: float = 6 * 3600.0
    newest: float = 300.0
    """Between looks at page one for new packages."""
    lease: float = 15.0
    """For which the lease is taken; it is renewed in a third of that. A dead crawler is replaced after so long."""
    look: float = 1.0
    """Between looks into the file for another process's catalog, or for a lease that has run out."""
    probe: float = 15.0
    """Between small requests to an upstream that does not answer: so soon its recovery is found."""
    first_retry: float = 15.0
    """After another failure; doubled each time, up to the next."""
    longest_retry: float = 900.0
    agreement: float = 24 * 3600.0
    """For which crawls must agree on a catalog that is implausible before it is accepted."""
