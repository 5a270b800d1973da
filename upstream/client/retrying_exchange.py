"""Sends one request to upstream and returns its answer, with turns, time limits, attempts and the circuit breaker.

The attempts end when the caller stops waiting.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, cast

from telemetry import DurationHistograms
from upstream.client.api_client_limits import ClientLimits
from upstream.client.circuit_breaker import Breaker, CircuitOpen
from upstream.client.concurrency_limiter import Limiter
from upstream.client.exchange_receipt import Exchange, note
from upstream.client.exchange_spans import describe_exchange, exchange_span
from upstream.client.failure_log import log_failure
from upstream.client.request_and_answer import UpstreamAnswer, UpstreamRequest
from upstream.client.response_checks import checked_body, failure
from upstream.client.retry_policy import RetryPolicy
from upstream.client.shared_request_limits import SharedTurns
from upstream.client.trace_context import trace_headers
from upstream.client.upstream_errors import (
    UpstreamBadData,
    UpstreamError,
    UpstreamTimeout,
    tells_of_load,
)

if TYPE_CHECKING:
    from httpx import AsyncByteStream, Response

    from sharing import SharedPace
    from upstream.client.lazy_http_client import LazyHttpClient

PATIENCE = 0.5
"""The share of the time limit of an exchange, or of a lookup if that is shorter, after which an exchange that is
given up counts as failed. Otherwise clients that leave before the limit would hide for ever that upstream hangs."""


class Exchanger:
    """Asks upstream, through one HTTP client. ``pace`` counts the requests of all gateways that share a server.

    ``limiter``, ``breaker``, ``outcomes`` (``answered``, ``missing``, ``given up`` or the code of an error),
    ``durations`` (by ``record``, ``page`` or ``search`` and by outcome), ``received`` (bytes) and ``seconds`` (that all
    exchanges took) can be read by others.
    """

    def __init__(
        self,
        http: LazyHttpClient,
        limits: ClientLimits,
        pace: SharedPace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._limits = limits
        self._retries = RetryPolicy(limits)
        self.limiter = Limiter(limits.lowest_in_flight, limits.highest_in_flight)
        self._clock = clock
        self.breaker = Breaker(limits.breaker_failures, limits.breaker_rest, clock=clock)
        self._shared = SharedTurns(pace, self.limiter, self.breaker)
        self._probe_ended = asyncio.Event()
        self._begun = 0
        self.outcomes: Counter[str] = Counter()
        self.durations = DurationHistograms()
        self.last_outcome: str | None = None
        self.received = 0
        self.seconds = 0.0

    async def ask(
        self, wanted: UpstreamRequest, background: bool = False, attempts: int | None = None
    ) -> UpstreamAnswer:
        """Return the answer, after as many attempts as it takes and the limits (or ``attempts``) allow.

        :raises UpstreamError: there is none.
        """
        retrying = self._retries.attempts(attempts)
        number = 0

        async def attempt() -> UpstreamAnswer:
            nonlocal number
            number += 1
            try:
                return await self._attempt(wanted, background)
            except UpstreamError as error:
                log_failure(wanted.path, error, number)
                raise

        try:
            # Background requests wait for all others, however long that takes.
            async with asyncio.timeout(None if background else self._limits.total):
                return await retrying(attempt)
        except TimeoutError as error:
            late = UpstreamTimeout(f"Upstream did not answer /{wanted.path} in time.")
            log_failure(wanted.path, late, number)
            raise late from error

    async def _attempt(self, wanted: UpstreamRequest, background: bool) -> UpstreamAnswer:
        asked = self._clock()
        while True:
            if not wanted.may_probe:
                self.breaker.check_closed()
            await self._wait_while_left_alone()
            async with (
                self.limiter.turn(background=background) as among,
                self._shared.turn(may_probe=wanted.may_probe) as held,
            ):
                if held is None or (not wanted.may_probe and self.breaker.state != "closed"):
                    continue  # The breaker opened while this waited for its turn, here or in another gateway.
                try:
                    probe = self.breaker.admit()
                except CircuitOpen:
                    continue  # The breaker opened while this waited for its turn.
                if probe:
                    self._probe_ended.clear()
                with wanted.under_way():
                    answer = await self._exchange(wanted, asked, probe, max(among, held.in_flight))
                    held.answered = True
                    return answer

    async def _wait_while_left_alone(self) -> None:
        """Wait where upstream asked for a short pause, and for the probe after it; nothing is sent meanwhile.

        :raises CircuitOpen: upstream has failed too often, or asked for a long pause.
        """
        while True:
            try:
                self.breaker.check()
                return
            except CircuitOpen as circuit:
                too_long = circuit.left > self._limits.longest_pause and not circuit.probing
                if too_long or not circuit.asked_for:
                    raise
                over = self._probe_ended.wait() if circuit.probing else asyncio.sleep(circuit.left)
            await over

    async def _exchange(
        self, wanted: UpstreamRequest, asked: float, probe: bool, among: int
    ) -> UpstreamAnswer:
        """Return one request and its answer, in its turn, which was one ``among`` this many."""
        self._begun += 1
        begun, started = self._begun, self._clock()
        body = bytearray()
        outcome: UpstreamAnswer | UpstreamError | None = None
        try:
            async with asyncio.timeout(self._limits.exchange):
                response = await self._receive(wanted, body)
            seconds = self._clock() - started
            good = checked_body(
                wanted.path,
                response,
                body,
                most_bytes=self._limits.answer_bytes,
                longest_retry_after=self._limits.longest_retry_after,
            )
            outcome = UpstreamAnswer(good, seconds, was_alone=among == 1 and begun == self._begun)
            return outcome
        except UpstreamError as error:
            outcome = error
            raise
        except MemoryError:
            raise
        except Exception as error:
            # Whatever the HTTP library raises, upstream has not answered.
            outcome = failure(wanted.path, error)
            raise outcome from error
        finally:
            ended = self._clock()
            self._learn_from(outcome, probe, wanted, ended - started, among)
            if probe:
                self._probe_ended.set()
            self.last_outcome = _named(outcome)
            self.outcomes[self.last_outcome] += 1
            self.durations[(_asked_for(wanted), self.last_outcome)].observe(ended - started)
            self.received += len(body)
            self.seconds += ended - started
            note(Exchange(kind=wanted.kind, bytes=len(body), asked=asked, ended=ended))

    async def _receive(self, wanted: UpstreamRequest, body: bytearray) -> Response:
        """Return the head of the answer; its body goes to ``body`` as it comes, up to just over the limit."""
        with exchange_span() as traced:
            async with self._http.get(wanted.path, wanted.params, trace_headers()) as response:
                describe_exchange(traced, response)
                encodings = response.headers.get_list("Content-Encoding", split_commas=True)
                if len(encodings) > 1:
                    # A chunk that is unpacked twice can fill the memory before its size is known.
                    raise UpstreamBadData(
                        f"Upstream's answer to /{wanted.path} is compressed more than once."
                    )
                # What needs no unpacking is read as it comes, in a third of the time.
                chunks = response.aiter_bytes() if encodings else cast("AsyncByteStream", response.stream)
                async for chunk in chunks:
                    body += chunk
                    if len(body) > self._limits.answer_bytes:
                        break
                return response

    def _learn_from(
        self,
        outcome: UpstreamAnswer | UpstreamError | None,
        probe: bool,
        wanted: UpstreamRequest,
        seconds: float,
        among: int,
    ) -> None:
        """Learn from an outcome. ``None`` is no outcome, because the caller has gone, or had no more time."""
        if outcome is None and seconds < PATIENCE * min(self._limits.exchange, self._limits.total):
            self.breaker.given_up(probe)
        elif outcome is None:
            self.breaker.failed(probe, None)
            self.limiter.failed()
        elif isinstance(outcome, UpstreamAnswer):
            self.breaker.succeeded(probe)
            self.limiter.succeeded(outcome.seconds, wanted.nominal, wanted.kind, among)
        elif isinstance(outcome, UpstreamBadData):
            self.breaker.succeeded(probe)  # It answered, even if with nonsense.
        else:
            self.breaker.failed(probe, outcome.retry_after)
            if tells_of_load(outcome):
                self.limiter.failed()


def _asked_for(wanted: UpstreamRequest) -> Literal["record", "page", "search"]:
    if wanted.kind == "search":
        return "search"
    return "page" if wanted.kind.endswith(" page") else "record"


def _named(outcome: UpstreamAnswer | UpstreamError | None) -> str:
    if outcome is None:
        return "given up"
    if isinstance(outcome, UpstreamError):
        return outcome.code
    return "missing" if outcome.body is None else "answered"
