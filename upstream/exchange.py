"""One question to upstream and its answer: turns, time limits, attempts, the breaker, and the judgement.

An answer is judged by status and content type before anyone parses it, because errors are HTML pages whatever
was asked for (contract section 5). Connection errors, time-outs, 429 and 5xx are worth another attempt, after a
pause: what upstream asks for by ``Retry-After``, else full jitter. Whoever stops waiting ends the attempts.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import httpx
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from upstream.breaker import Breaker, CircuitOpen
from upstream.errors import (
    UpstreamBadData,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from upstream.limiter import Limiter
from upstream.receipt import Exchange, note

_full_jitter = wait_random_exponential(multiplier=0.25, max=2.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the client may spend on upstream. Times are in seconds; the settings say why each is as it is."""

    exchange: float = 10.0
    """For one exchange, from its turn to the last byte."""
    connect: float = 3.0
    total: float = 25.0
    """For one answer: its waiting, attempts and pauses."""
    attempts: int = 3
    longest_pause: float = 5.0
    """Between two attempts. An upstream that asks for a longer one is not asked again for this answer."""
    answer_bytes: int = 32_000_000
    lowest_in_flight: int = 1
    highest_in_flight: int = 32
    breaker_failures: int = 10
    breaker_rest: float = 5.0


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask upstream for."""

    kind: str
    """As receipts name it."""
    path: str
    params: dict[str, int | str]
    nominal: float
    """The seconds that the answer takes, by the contract."""
    asked: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer."""

    body: bytes | None
    """``None`` if upstream says that there is no such record."""
    seconds: float
    """How long it took, from its turn on."""


DEFAULT_LIMITS = Limits()


class Exchanger:
    """Asks upstream, through one HTTP client.

    ``limiter``, ``breaker``, ``outcomes`` (``answered``, ``missing``, ``given up`` or the code of an error) and
    ``received`` (bytes) are there to be looked at.
    """

    def __init__(self, http: httpx.AsyncClient, limits: Limits) -> None:
        self._http = http
        self._limits = limits
        self.limiter = Limiter(limits.lowest_in_flight, limits.highest_in_flight)
        self.breaker = Breaker(limits.breaker_failures, limits.breaker_rest)
        self.outcomes: Counter[str] = Counter()
        self.received = 0

    async def ask(self, question: Question, background: bool = False, attempts: int | None = None) -> Answer:
        """The answer, after as many attempts as it takes and the limits (or ``attempts``) allow.

        :raises UpstreamError: there is none.
        """
        retrying = AsyncRetrying(
            stop=stop_after_attempt(attempts or self._limits.attempts),
            retry=retry_if_exception(self._worth_another_attempt),
            wait=self._pause,
            reraise=True,
        )
        try:
            # Whoever is in the background waits for everyone else, however long that takes.
            async with asyncio.timeout(None if background else self._limits.total):
                return await retrying(self._attempt, question, background)
        except TimeoutError as error:
            raise UpstreamTimeout(f"Upstream did not answer /{question.path} in time.") from error

    async def _attempt(self, question: Question, background: bool) -> Answer:
        asked = time.monotonic() if question.asked is None else question.asked
        while True:
            await self._wait_while_left_alone()
            async with self.limiter.turn(background=background):
                try:
                    probe = self.breaker.admit()
                except CircuitOpen:
                    continue  # it opened while this waited for its turn
                return await self._exchange(question, asked, probe)

    async def _wait_while_left_alone(self) -> None:
        """Wait where upstream asked for a short pause; nothing is sent meanwhile.

        :raises CircuitOpen: upstream has failed too often, or asked for a long pause.
        """
        while True:
            try:
                self.breaker.check()
                return
            except CircuitOpen as circuit:
                if not circuit.asked_for or circuit.left > self._limits.longest_pause:
                    raise
                pause = circuit.left
            await asyncio.sleep(pause)

    async def _exchange(self, question: Question, asked: float, probe: bool) -> Answer:
        """One request and its answer, in its turn."""
        started = time.monotonic()
        body = bytearray()
        outcome: Answer | UpstreamError | None = None
        try:
            async with asyncio.timeout(self._limits.exchange):
                response = await self._receive(question, body)
            seconds = time.monotonic() - started
            outcome = Answer(_judged(question.path, response, bytes(body)), seconds)
            return outcome
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError) as error:
            outcome = _failure(question.path, error)
            raise outcome from error
        except UpstreamError as failure:
            outcome = failure
            raise
        finally:
            self._learn_from(outcome, probe, question.nominal)
            self.outcomes[_named(outcome)] += 1
            self.received += len(body)
            note(Exchange(kind=question.kind, bytes=len(body), asked=asked, ended=time.monotonic()))

    async def _receive(self, question: Question, body: bytearray) -> httpx.Response:
        """The head of the answer; its body goes to ``body`` as it comes."""
        async with self._http.stream("GET", question.path, params=question.params) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > self._limits.answer_bytes:
                    raise UpstreamBadData(
                        f"Upstream's answer to /{question.path} has more than {self._limits.answer_bytes:,} bytes."
                    )
            return response

    def _learn_from(self, outcome: Answer | UpstreamError | None, probe: bool, nominal: float) -> None:
        """``None`` is no outcome: whoever asked has gone."""
        if outcome is None:
            self.breaker.given_up(probe)
        elif isinstance(outcome, Answer):
            self.breaker.succeeded(probe)
            self.limiter.succeeded(outcome.seconds, nominal)
        elif isinstance(outcome, UpstreamBadData):
            self.breaker.succeeded(probe)  # it answered, if nonsense
        else:
            self.breaker.failed(probe, outcome.retry_after)
            if _tells_of_load(outcome):
                self.limiter.failed()

    def _worth_another_attempt(self, error: BaseException) -> bool:
        """Load and connections pass; nonsense stays. A pause that upstream asks for must be short enough."""
        if isinstance(error, CircuitOpen) or not isinstance(
            error, UpstreamTimeout | UpstreamUnavailable | UpstreamRateLimited
        ):
            return False
        return error.retry_after is None or error.retry_after <= self._limits.longest_pause

    def _pause(self, state: RetryCallState) -> float:
        """What upstream asks for; else full jitter: anything up to a bound that doubles with each attempt."""
        assert state.outcome is not None
        error = state.outcome.exception()
        if isinstance(error, UpstreamError) and error.retry_after is not None:
            return error.retry_after
        return _full_jitter(state)


def _named(outcome: Answer | UpstreamError | None) -> str:
    if outcome is None:
        return "given up"
    if isinstance(outcome, UpstreamError):
        return outcome.code
    return "missing" if outcome.body is None else "answered"


def _tells_of_load(failure: UpstreamError) -> bool:
    refused = isinstance(failure, UpstreamUnavailable) and (
        failure.status == 503 or failure.retry_after is not None
    )
    return refused or isinstance(failure, UpstreamTimeout | UpstreamRateLimited)


def _failure(path: str, error: Exception) -> UpstreamError:
    # The aiohttp transport calls some failed connections "ConnectTimeout"; the cause tells which was one.
    cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
    if isinstance(cause, (TimeoutError, httpx.TimeoutException)):
        return UpstreamTimeout(f"Upstream did not answer /{path} within its time limit.")
    if isinstance(cause, (aiohttp.ClientPayloadError, httpx.DecodingError)):
        return UpstreamUnavailable(f"Upstream's answer to /{path} broke off.")
    return UpstreamUnavailable(f"Upstream could not be reached for /{path}.")


def _judged(path: str, response: httpx.Response, body: bytes) -> bytes | None:
    """Contract section 5: status, then content type, and only then the body."""
    status = response.status_code
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    is_json = content_type == "application/json"
    if status == 200 and is_json:
        return body
    if status == 404 and is_json:
        return None
    retry_after = _seconds(response.headers.get("Retry-After"))
    if status == 429:
        raise UpstreamRateLimited(f"Upstream answered /{path} with status 429.", retry_after=retry_after)
    if status >= 500:
        raise UpstreamUnavailable(
            f"Upstream answered /{path} with status {status}.", retry_after=retry_after, status=status
        )
    if status in (200, 404):
        raise UpstreamBadData(
            f"Upstream answered /{path} with {status} and {content_type or 'no content type'}, not JSON."
        )
    raise UpstreamBadData(f"Upstream answered /{path} with status {status}.")


def _seconds(retry_after: str | None) -> float | None:
    """``Retry-After`` in seconds, from a number or a date; ``None`` if it is neither (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
