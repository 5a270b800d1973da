"""Counts the attempts to refresh the catalog, and says when the next one is due after one has failed.

While upstream does not answer at all, each attempt is one small request, so it can come soon and find upstream's
recovery at once. Where upstream answers and the refresh fails all the same, an attempt can cost a whole crawl, and
the pauses grow. They grow further where a crawl is refused: that is no outage, and crawls that confirm it need not
come more often than crawls that succeed.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter

from catalog.sync.crawl_guard import CatalogRefused
from upstream.client import CircuitOpen, UpstreamError, UpstreamUnavailable

SHORTEST_PAUSE = 0.01
"""Seconds, so that a circuit that is about to close is not asked again and again."""

_log = logging.getLogger(__name__)


class Attempts:
    """Counts what became of the attempts so far. Times are in seconds.

    ``probe`` is the pause between small requests while upstream does not answer, ``first_retry`` the first pause
    after another failure, which doubles each time up to ``longest_retry``, or up to ``crawl``, the pause between
    ordinary crawls, where the guard refuses what was read and a catalog is known.
    """

    def __init__(self, probe: float, first_retry: float, longest_retry: float, crawl: float) -> None:
        self._probe = probe
        self._first_retry = first_retry
        self._longest_retry = longest_retry
        self._crawl = max(crawl, first_retry)
        self._retry = first_retry
        self._since = time.monotonic()
        self.outcomes: Counter[str] = Counter()
        """The attempts by ``succeeded``, ``refused``, the code of upstream's failure, or ``failed`` otherwise."""
        self.failures_in_a_row = 0

    @property
    def seconds_since_success(self) -> float:
        """Return the seconds since the last attempt that succeeded, or since the first one was due."""
        return time.monotonic() - self._since

    def postpone(self) -> None:
        """Note that no attempt has been due until now: another process leads."""
        self._since = time.monotonic()

    def succeeded(self) -> None:
        """Note that an attempt has come to its end, whether or not it found anything new."""
        self.outcomes["succeeded"] += 1
        if self.failures_in_a_row:
            fields = {"failures": self.failures_in_a_row, "seconds": round(self.seconds_since_success)}
            _log.warning("The catalog can be refreshed again.", extra={"fields": fields})
        self.failures_in_a_row = 0
        self._retry = self._first_retry
        self._since = time.monotonic()

    def failed(self, error: Exception, *, has_answered: bool) -> float:
        """Note that an attempt has failed, and return the seconds until the next. ``has_answered`` tells whether
        upstream has answered before."""
        self.outcomes[_named(error)] += 1
        self.failures_in_a_row += 1
        if has_answered:
            longest = self._crawl if _leaves_a_catalog(error) else self._longest_retry
            pause = max(varied(min(self._retry, longest)), _asked_for(error))
            self._retry = min(self._retry * 2, longest)
        elif isinstance(error, CircuitOpen):
            pause = max(error.left, SHORTEST_PAUSE)  # nothing was sent, so it is sent as soon as it can be
        else:
            pause = max(varied(self._probe), _asked_for(error))
        self._log(error, pause, always=has_answered)
        return pause

    def _log(self, error: Exception, pause: float, *, always: bool) -> None:
        number = self.failures_in_a_row
        if isinstance(error, CatalogRefused):
            if error.is_new:
                crawl = error.crawl
                _log.warning(
                    "the catalog could not be refreshed, next try in %.0f s: %s It adds %d records, changes %d and "
                    "removes %d.",
                    pause,
                    error,
                    crawl.added,
                    crawl.changed,
                    crawl.removed,
                )
        elif not isinstance(error, UpstreamError):
            _log.error(
                "the catalog could not be refreshed, next try in %.0f s: %r", pause, error, exc_info=error
            )
        elif always or number & (number - 1) == 0:
            # Probes come so often that only the first, second, fourth, eighth ... is logged.
            _log.warning(
                "the catalog could not be refreshed, next try in %.0f s: %s", pause, error.for_operator
            )


def as_upstream_error(error: Exception) -> UpstreamError:
    """Return the error for clients that need the catalog that could not be refreshed."""
    if isinstance(error, UpstreamError):
        return error
    return UpstreamUnavailable(
        f"The gateway failed to refresh the catalog ({type(error).__name__}); its log says where."
    )


def varied(seconds: float) -> float:
    """Return a random time near this number of seconds, so that gateways do not all act at the same time."""
    return seconds * random.uniform(0.9, 1.1)


def _leaves_a_catalog(error: Exception) -> bool:
    """Return whether upstream was read to its end and refused, while a plausible catalog is still served."""
    return isinstance(error, CatalogRefused) and error.crawl.is_whole and error.crawl.known > 0


def _asked_for(error: Exception) -> float:
    return (error.retry_after if isinstance(error, UpstreamError) else None) or 0.0


def _named(error: Exception) -> str:
    if isinstance(error, CatalogRefused):
        return "refused"
    return error.code if isinstance(error, UpstreamError) else "failed"
