"""Tests the limiter of a busy process, which is late for its answers, and of requests of many sorts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random

import pytest

from upstream.client.concurrency_limiter import Limiter

pytestmark = pytest.mark.virtual_time

SORTS = [("package", 0.017), ("packages page", 0.019), ("packages page", 0.047), ("grids page", 0.038)]
"""The sorts of answers, and the nominal seconds of each. All take the same time here."""


@dataclass
class BusyProcess:
    """Asks an upstream that answers ``capacity`` requests at a time, each in ``seconds``.

    It is busy for a while and not busy for a while, a second each on average. While it is busy, each answer takes twice
    as long on average, as was measured with two busy loops beside a gateway on two processors.
    """

    capacity: int
    seconds: float
    chance: Random
    limiter: Limiter = field(default_factory=Limiter)
    sorts: list[tuple[str, float]] = field(default_factory=lambda: list(SORTS))
    lateness: float = 1.0
    """How many times as long as upstream takes an answer is late on average, while the process is busy."""
    is_busy: bool = True
    most: int = 0
    """How many were in flight at once after the first second."""

    async def ask(self, for_seconds: float) -> None:
        """Ask 32 times at once for so many seconds."""
        self.places = asyncio.Semaphore(self.capacity)
        self.ends = asyncio.get_running_loop().time() + for_seconds
        toggling = asyncio.create_task(self._toggle())
        await asyncio.gather(*(self._ask() for _ in range(32)))
        toggling.cancel()

    async def _toggle(self) -> None:
        while True:
            await asyncio.sleep(self.chance.expovariate(1))
            self.is_busy = not self.is_busy

    async def _ask(self) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < self.ends:
            sort, nominal = self.chance.choice(self.sorts)
            async with self.limiter.turn() as among:
                began = loop.time()
                if began > 1.0:
                    self.most = max(self.most, self.limiter.in_flight)
                async with self.places:
                    await asyncio.sleep(self.seconds)
                if self.is_busy:
                    await asyncio.sleep(self.chance.expovariate(1) * self.lateness * self.seconds)
                self.limiter.succeeded(loop.time() - began, nominal, sort, among)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("seconds", [0.005, 0.02, 0.05])
async def test_an_upstream_that_answers_four_at_a_time_gets_no_more_than_five_however_late_the_process_is(
    seconds: float, seed: int
) -> None:
    process = BusyProcess(capacity=4, seconds=seconds, chance=Random(seed))
    await process.ask(for_seconds=10.0)
    assert 4 <= process.most <= 5


async def test_a_sort_that_is_first_asked_for_with_many_in_flight_gets_no_more_than_five() -> None:
    process = BusyProcess(capacity=1_000, seconds=0.02, chance=Random(1), lateness=0.0, sorts=[SORTS[0]])

    await process.ask(for_seconds=0.5)
    assert process.limiter.limit > 5
    process.sorts, process.capacity = [SORTS[2]], 4
    await process.ask(for_seconds=3.0)
    process.most = 0
    await process.ask(for_seconds=3.0)
    assert process.most <= 5
