"""Tests the limiter in front of upstreams that answer so many at a time, and let the others wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from tests.support.numbers_of_examples import share_of
from tests.support.settings_for_tests import CLIENT_LIMITS, UPSTREAM_URL
from upstream.client.api_client import Client
from upstream.client.concurrency_limiter import Limiter
from upstream.client.in_process_transport import in_process
from upstream.client.v4_records import PACKAGE
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream

pytestmark = pytest.mark.virtual_time

NOMINAL = 0.02


def tried(requests: int) -> int:
    """Return how many of so many requests this run sends, one after another to the same upstream."""
    return len(share_of(range(requests)))


@dataclass
class Queue:
    """An upstream that answers ``capacity`` requests at a time, each in ``seconds``, some in more."""

    capacity: int
    seconds: float = 0.02
    jitter: float = 0.0
    limiter: Limiter = field(default_factory=Limiter)
    sent: list[tuple[float, int]] = field(default_factory=list)
    """When each was sent, and how many were in flight then."""
    took: list[tuple[float, float]] = field(default_factory=list)
    """When each was answered, and how long that took."""
    chance: Random = field(default_factory=lambda: Random(1))

    async def ask(self, requests: int) -> None:
        """Ask so many times. Whatever the limit is, as many as that wait for a turn."""
        self.places = asyncio.Semaphore(self.capacity)
        to_come = iter(range(requests))
        await asyncio.gather(*(self._ask_for_each(to_come) for _ in range(2 * 32)))

    async def _ask_for_each(self, to_come: Iterator[int]) -> None:
        for _ in to_come:
            await self._ask()

    async def _ask(self) -> None:
        loop = asyncio.get_running_loop()
        async with self.limiter.turn() as among:
            began = loop.time()
            self.sent.append((began, self.limiter.in_flight))
            async with self.places:
                more = self.chance.expovariate(1) * self.jitter if self.jitter else 0.0
                await asyncio.sleep(self.seconds * (1 + more))
            took = loop.time() - began
            self.limiter.succeeded(took, NOMINAL, among=among)
            self.took.append((loop.time(), took))

    def most_in_flight(self, since: float) -> int:
        return max(among for when, among in self.sent if when > since)

    def average(self, since: float) -> float:
        took = [seconds for when, seconds in self.took if when > since]
        return sum(took) / len(took)


@pytest.mark.parametrize("jitter", [0.0, 0.1])
async def test_an_upstream_that_answers_four_at_a_time_gets_no_more_than_five(jitter: float) -> None:
    upstream = Queue(capacity=4, jitter=jitter)
    await upstream.ask(tried(4_000))
    assert upstream.most_in_flight(since=1.0) <= 5
    assert upstream.average(since=1.0) < 1.5 * upstream.seconds * (1 + jitter)


@pytest.mark.parametrize("jitter", [0.0, 0.1])
async def test_an_upstream_that_does_not_slow_down_gets_as_many_as_may_be_after_a_few_rounds(
    jitter: float,
) -> None:
    upstream = Queue(capacity=1_000, jitter=jitter)
    await upstream.ask(200)
    first = next(when for when, among in upstream.sent if among == 32)
    # Four, eight, sixteen, thirty-two.
    assert first <= 5 * upstream.seconds * (1 + 3 * jitter)


async def test_an_upstream_that_answers_eight_at_a_time_is_used_well() -> None:
    upstream = Queue(capacity=8, jitter=0.1)
    await upstream.ask(4_000)
    assert upstream.most_in_flight(since=1.0) <= 11
    assert upstream.took[-1][0] < 1.1 * 4_000 * upstream.seconds * 1.1 / 8


@pytest.mark.parametrize("capacity", [16, 32])
async def test_an_upstream_that_answers_many_at_a_time_is_used_well(capacity: int) -> None:
    upstream = Queue(capacity=capacity, jitter=0.05)
    await upstream.ask(tried(8_000))
    assert capacity <= upstream.most_in_flight(since=1.0) <= 1.4 * capacity
    assert upstream.took[-1][0] < 1.1 * tried(8_000) * upstream.seconds * 1.05 / capacity


async def test_an_upstream_that_becomes_slower_does_not_get_more_for_it() -> None:
    upstream = Queue(capacity=4)
    await upstream.ask(tried(2_000))
    upstream.seconds = 0.04
    began = asyncio.get_running_loop().time()
    await upstream.ask(tried(2_000))
    assert upstream.most_in_flight(since=began + 1.0) <= 5
    assert upstream.average(since=began + 1.0) < 1.5 * 0.04


@pytest.fixture
def saturated(whole_embedded_catalog: EmbeddedCatalog) -> EmbeddedUpstream:
    return EmbeddedUpstream(catalog=whole_embedded_catalog, latency=0.02, capacity=4)


async def test_the_embedded_upstream_is_asked_for_as_many_at_a_time_as_it_answers(
    saturated: EmbeddedUpstream,
) -> None:
    # The last of them wait for three seconds at least.
    limits_of_client = replace(CLIENT_LIMITS, total=120.0)
    client = Client(
        UPSTREAM_URL, in_process(saturated), limits_of_client, clock=asyncio.get_running_loop().time
    )
    ids = sorted(saturated.catalog.packages)[:600]
    limits: list[int] = []

    async def ask(id: int) -> None:
        await client.detail(PACKAGE, id)
        limits.append(client.exchanger.limiter.limit)

    try:
        await asyncio.gather(*map(ask, ids))
    finally:
        await client.aclose()
    # Without looking at the queue it grew beyond 20.
    later = limits[200:]
    assert sum(later) / len(later) <= 8
