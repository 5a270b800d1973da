"""Leaves an upstream that does not answer alone for a while (circuit breaker).

While it is closed, requests go out. After ``failures`` failures in a row it opens, and requests fail at once, without
being sent. After ``rest`` seconds it is half-open, and one probe goes out. If the probe is answered the breaker closes,
and otherwise it opens for twice as long, up to ``longest_rest``. A ``Retry-After`` of upstream, within its limit, opens
it for that long.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Literal

from upstream.client.upstream_errors import UpstreamUnavailable

State = Literal["closed", "open", "half-open"]

LONGEST_REST = 15.0
"""The most seconds after which a probe finds that upstream has recovered. One request in that time is no burden."""

PROBE_SECONDS = 1.0
"""The seconds for which a request that a probe holds back is told to wait for its outcome."""

_log = logging.getLogger(__name__)


class CircuitOpen(UpstreamUnavailable):
    """The request was not sent. A request would be sent after ``left`` seconds.

    ``asked_for`` tells whether upstream asked to be left alone for that long. Otherwise it has failed too often.
    ``probing`` tells that the request waits for the outcome of a probe. Then ``left`` is a guess.
    """

    def __init__(self, message: str, *, left: float, asked_for: bool, probing: bool = False) -> None:
        super().__init__(message, retry_after=left)
        self.left = left
        self.asked_for = asked_for
        self.probing = probing


class Breaker:
    """Decides whether requests go out. Call :meth:`admit` before each request, and report its outcome afterwards. Times
    are in seconds.

    ``admit`` returns whether the request is the probe, and the report of its outcome repeats this, because a request
    that went out before the breaker opened says nothing about upstream now.
    """

    def __init__(
        self,
        failures: int,
        rest: float,
        longest_rest: float = LONGEST_REST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures = failures
        self._first_rest = rest
        self._longest_rest = longest_rest
        self._clock = clock
        self._in_a_row = 0
        self._rest = rest
        self._opened_until: float | None = None
        self._asked_for = False
        self._probing = False

    @property
    def state(self) -> State:
        """Return whether requests go out."""
        if self._opened_until is None:
            return "closed"
        return "open" if self._clock() < self._opened_until else "half-open"

    @property
    def left(self) -> tuple[float, bool]:
        """Return the seconds for which no request goes out, and whether upstream asked for that."""
        return max(0.0, (self._opened_until or 0.0) - self._clock()), self._asked_for

    def told(self, seconds: float, *, asked_for: bool) -> None:
        """Learn from another gateway that upstream is to be left alone for this many seconds."""
        self._open(seconds, asked_for=asked_for)

    def check(self) -> None:
        """Check, before a request waits for anything, that it would go out now.

        :raises CircuitOpen: it would not.
        """
        if self._opened_until is None:
            return
        left = self._opened_until - self._clock()
        if left > 0:
            sentence = (
                "Upstream asked for a pause, so it gets no requests for now."
                if self._asked_for
                else "Upstream has failed too often, so it gets no requests for now."
            )
            raise CircuitOpen(sentence, left=left, asked_for=self._asked_for)
        if self._probing:
            sentence = "Upstream failed before, and one request is probing it now."
            raise CircuitOpen(sentence, left=PROBE_SECONDS, asked_for=self._asked_for, probing=True)

    def check_closed(self) -> None:
        """Check that a request would go out now, and not only as the probe.

        :raises CircuitOpen: it would not.
        """
        self.check()
        if self._opened_until is not None:
            sentence = "Upstream was left alone and is to be probed by another request."
            raise CircuitOpen(sentence, left=PROBE_SECONDS, asked_for=self._asked_for)

    def admit(self) -> bool:
        """Let a request go out, and return whether it is the probe.

        :raises CircuitOpen: it must not.
        """
        self.check()
        self._probing = self._opened_until is not None
        if self._probing:
            _log.info("The circuit breaker is half-open: one request probes upstream.")
        return self._probing

    def succeeded(self, probe: bool) -> None:
        """Note that upstream answered, whatever it said."""
        if self._opened_until is not None and not probe:
            return
        if probe and self._opened_until is not None:
            _log.info("The circuit breaker is closed: upstream answers again.")
        self._in_a_row = 0
        self._rest = self._first_rest
        self._opened_until = None
        self._probing = False

    def failed(self, probe: bool, retry_after: float | None) -> None:
        """Note that upstream did not answer, or asked to be left alone for ``retry_after`` seconds."""
        self._in_a_row += 1
        if retry_after is not None:
            self._open(retry_after, asked_for=True)
        elif probe:
            self._rest = min(self._rest * 2, self._longest_rest)
            self._open(self._rest, asked_for=False)
        elif self._in_a_row >= self._failures and self._opened_until is None:
            self._open(self._rest, asked_for=False)
        if probe:
            self._probing = False

    def given_up(self, probe: bool) -> None:
        """Note that a request ended without telling anything about upstream, because its client has gone."""
        if probe:
            self._probing = False

    def _open(self, seconds: float, *, asked_for: bool) -> None:
        until = self._clock() + seconds
        if self._opened_until is None or self._probing:
            # The log says once that requests stop, and each time that a probe has failed.
            fields = {"seconds": round(seconds, 3), "asked_for": asked_for, "failures": self._in_a_row}
            _log.info("The circuit breaker is open: upstream gets no requests.", extra={"fields": fields})
        if self._opened_until is None or until > self._opened_until:
            self._opened_until = until
            self._asked_for = asked_for
