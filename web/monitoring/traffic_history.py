"""Records what this process did in the last 24 hours, minute by minute: the numbers behind small charts."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway import Gateway
from upstream.client import GOOD_OUTCOMES
from web.response_cache import ResponseCache

_MINUTES = 24 * 60
"""How many minutes are remembered."""

_SPANS = ((60, 1), (6 * 60, 5), (24 * 60, 15))
"""The spans that can be shown: their minutes, and the minutes of each bar."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts what happened in a span of time."""

    from_memory: int = 0
    """Answers that asked nothing of upstream."""
    from_upstream: int = 0
    requests: int = 0
    """Requests to upstream, for an answer or to follow the catalog."""
    failures: int = 0
    """How many of those failed."""
    seconds: float = 0.0
    """Seconds that they took together."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.from_memory + other.from_memory,
            self.from_upstream + other.from_upstream,
            self.requests + other.requests,
            self.failures + other.failures,
            self.seconds + other.seconds,
        )

    def since(self, before: Counts) -> Counts:
        """Return what has happened since the totals were ``before``."""
        return Counts(
            self.from_memory - before.from_memory,
            self.from_upstream - before.from_upstream,
            self.requests - before.requests,
            self.failures - before.failures,
            self.seconds - before.seconds,
        )

    @property
    def milliseconds(self) -> float | None:
        """Return what a request to upstream took, on average."""
        return self.seconds / self.requests * 1000 if self.requests else None


def totals(gateway: Gateway, responses: ResponseCache) -> Counts:
    """Return what has happened since the process started."""
    upstream = gateway.source.health().upstream
    cached = responses.found_unparsed + responses.found + responses.answers.found
    requests = sum(upstream.outcomes.values())
    return Counts(
        from_memory=gateway.measurements.from_memory + cached,
        from_upstream=gateway.measurements.from_upstream,
        requests=requests,
        failures=requests - sum(upstream.outcomes.get(outcome, 0) for outcome in GOOD_OUTCOMES),
        seconds=upstream.seconds,
    )


@dataclass(frozen=True, slots=True)
class Lately:
    """Holds the recorded part of the last hours."""

    hours: int
    minutes: int
    """The minutes that a bar stands for."""
    began: float
    """When the first bar begins (Unix time)."""
    bars: list[Counts]
    """The bars, of which the last is still growing."""

    @property
    def sum(self) -> Counts:
        """Return the sum of all bars."""
        return sum(self.bars, Counts())


@dataclass(slots=True)
class History:
    """Remembers by how much the totals that ``read`` gives grew in each minute of ``clock`` (Unix time)."""

    read: Callable[[], Counts]
    clock: Callable[[], float] = time.time
    _minutes: deque[tuple[int, Counts]] = field(default_factory=lambda: deque(maxlen=_MINUTES))
    _before: Counts = field(init=False)
    """The totals when the running minute began."""
    _first: int = field(init=False)

    def __post_init__(self) -> None:
        self._before = self.read()
        self._first = self._minute()

    async def follow(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Take a sample at the end of each minute, for ever."""
        while True:
            await sleep(60 - self.clock() % 60)
            self.sample()

    def sample(self) -> None:
        """Close the minute that ends about now."""
        now = self.read()
        self._minutes.append((round(self.clock() / 60) - 1, now.since(self._before)))
        self._before = now

    def lately(self) -> Lately:
        """Return the shortest span that holds all there is, up to 24 hours."""
        running = self._minute()
        for span, width in _SPANS:
            last = running // width
            bars = [Counts()] * (span // width)
            if last - self._first // width < len(bars):
                break
        for minute, counts in (*self._minutes, (running, self.read().since(self._before))):
            place = len(bars) - 1 - (last - minute // width)
            if 0 <= place < len(bars):
                bars[place] += counts
        began = (last - len(bars) + 1) * width * 60
        return Lately(hours=span // 60, minutes=width, began=began, bars=bars)

    def _minute(self) -> int:
        return int(self.clock() // 60)


@asynccontextmanager
async def remembering(gateway: Gateway, responses: ResponseCache) -> AsyncIterator[History]:
    """Return a history that grows while this is entered."""
    history = History(lambda: totals(gateway, responses))
    following = asyncio.create_task(history.follow())
    try:
        yield history
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
