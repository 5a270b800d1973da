"""Tests what the gateway remembers of the last 24 hours, by a clock that the tests turn."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from upstream.embedded import EmbeddedUpstream, Fault, Latency, StatusFault
from web.app import GatewayApp
from web.monitoring.traffic_history import Counts, History, totals

START = 1_000_000 * 60.0
"""The beginning of a minute."""


class Made:
    """A history of totals and times that the test makes up."""

    def __init__(self, now: float = START) -> None:
        self.totals = Counts()
        self.now = now
        self.history = History(lambda: self.totals, lambda: self.now)

    def happen(self, from_memory: int = 1) -> None:
        self.totals += Counts(from_memory=from_memory)

    def pass_minutes(self, minutes: int) -> None:
        for _ in range(minutes):
            self.now += 60
            self.history.sample()

    def shown(self) -> tuple[int, int, list[int]]:
        """Return the span in hours, the minutes of a bar, and the bars without the empty ones before the first."""
        lately = self.history.lately()
        bars = [bar.from_memory for bar in lately.bars]
        assert len(bars) == lately.hours * 60 // lately.minutes
        while len(bars) > 1 and bars[0] == 0:
            del bars[0]
        return lately.hours, lately.minutes, bars


def test_the_running_minute_is_seen_before_it_ends() -> None:
    made = Made()
    assert made.shown() == (1, 1, [0])
    made.happen(3)
    assert made.shown() == (1, 1, [3])


def test_what_was_before_it_began_is_not_counted() -> None:
    totals = Counts(from_memory=7)
    assert History(lambda: totals, lambda: START).lately().sum == Counts()


def test_each_minute_has_what_happened_in_it() -> None:
    made = Made()
    for happened in (3, 0, 5):
        made.happen(happened)
        made.pass_minutes(1)
    made.happen(1)
    assert made.shown() == (1, 1, [3, 0, 5, 1])


@pytest.mark.parametrize("late", [-0.4, 0.0, 0.4])
def test_a_sample_that_comes_a_little_early_or_late_is_of_the_minute_that_ends(late: float) -> None:
    made = Made()
    made.happen(3)
    made.now += 60 + late
    made.history.sample()
    made.now += 30
    made.happen(4)
    assert made.shown() == (1, 1, [3, 4])


@pytest.mark.parametrize(("minutes", "span"), [(59, (1, 1)), (60, (6, 5)), (350, (6, 5)), (365, (24, 15))])
def test_the_span_is_the_shortest_that_holds_all(minutes: int, span: tuple[int, int]) -> None:
    made = Made()
    made.happen(2)
    made.pass_minutes(minutes)
    made.happen(3)
    hours, width, bars = made.shown()
    assert (hours, width) == span
    assert (bars[0], bars[-1], sum(bars)) == (2, 3, 5)


def test_bars_of_several_minutes_stay_where_they_are_while_time_passes() -> None:
    made = Made(START - START % 300)
    for _ in range(62):
        made.happen()
        made.pass_minutes(1)
    assert made.shown() == (6, 5, [5] * 12 + [2])
    made.happen()
    made.pass_minutes(1)
    assert made.shown() == (6, 5, [5] * 12 + [3])


def test_after_a_day_the_oldest_is_forgotten() -> None:
    made = Made()
    made.happen(1000)
    made.pass_minutes(1)
    for _ in range(24 * 60):
        made.happen()
        made.pass_minutes(1)
    hours, _width, bars = made.shown()
    assert hours == 24
    assert 24 * 60 - 15 <= sum(bars) <= 24 * 60


def test_a_machine_that_slept_leaves_a_gap() -> None:
    made = Made()
    made.happen(2)
    made.pass_minutes(1)
    made.now += 10 * 60
    made.happen(3)
    assert made.shown() == (1, 1, [2, *[0] * 10, 3])


def test_a_clock_that_is_put_back_loses_minutes_and_breaks_nothing() -> None:
    made = Made()
    made.happen(2)
    made.pass_minutes(1)
    made.now -= 5 * 3600
    made.happen(3)
    assert made.shown() == (1, 1, [3])


async def test_it_is_followed_from_minute_to_minute() -> None:
    made = Made(START + 12.5)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise asyncio.CancelledError
        made.happen()
        made.now += seconds

    with pytest.raises(asyncio.CancelledError):
        await made.history.follow(sleep)
    assert slept == [47.5, 60, 60]
    assert made.shown() == (1, 1, [1, 1, 0])


def total(app: GatewayApp) -> Counts:
    return totals(app.parts.gateway, app.parts.responses)


async def ask(http: httpx.AsyncClient, query: str, **headers: str) -> None:
    assert (await http.post("/graphql", json={"query": query}, headers=headers)).status_code == 200


async def test_answers_are_counted_by_whether_upstream_was_asked(
    http: httpx.AsyncClient, app: GatewayApp
) -> None:
    assert total(app) == Counts()
    await ask(http, "{ package(databaseId: 1599) { title } }")
    assert (total(app).from_memory, total(app).from_upstream) == (0, 1)
    await app.parts.gateway.source.crawl()
    for _ in range(3):
        await ask(http, "{ package(databaseId: 1599) { title } }")
    await ask(http, "{   package(databaseId: 1599) { title } }")
    await ask(http, "{ package(databaseId: 1599) { title } }", **{"X-Gateway-Receipt": "1"})
    assert (total(app).from_memory, total(app).from_upstream) == (5, 1)


async def test_what_is_no_answer_is_not_counted(
    http: httpx.AsyncClient, app: GatewayApp, embedded: EmbeddedUpstream
) -> None:
    for refused in ("{ nothing }", "{"):
        await http.post("/graphql", json={"query": refused})
    embedded.faults.add(Fault(StatusFault(503, retry_after="3600")))
    await ask(http, "{ package(databaseId: 1599) { title } }")
    assert (total(app).from_memory, total(app).from_upstream) == (0, 1)
    await ask(http, "{ package(databaseId: 1599) { title } }")  # the breaker is open: nothing is asked
    assert (total(app).from_memory, total(app).from_upstream) == (0, 1)


async def test_requests_to_upstream_are_counted_with_their_failures_and_time(
    http: httpx.AsyncClient, app: GatewayApp, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(Latency(0.01), path="/api/v4/packages/1599/"))
    embedded.faults.add(Fault(StatusFault(500), path="/api/v4/packages/683/"))
    for id in (1599, 683, 999_999):
        await ask(http, f"{{ package(databaseId: {id}) {{ title }} }}")
    assert (total(app).requests, total(app).failures) == (3, 1)
    assert total(app).seconds >= 0.01
    assert total(app).milliseconds == total(app).seconds / 3 * 1000
