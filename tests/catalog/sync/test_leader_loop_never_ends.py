"""Whatever happens in a crawl or a look, it is a failed attempt, and another one follows."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from catalog.storage.sqlite_storage import Storage
from catalog.sync.refresh_backoff import Attempts
from tests.support.batcher_with_held_answers import Unmeasured
from tests.support.crawls import asked, client_of
from tests.support.generated_upstreams import generated_upstream
from tests.support.settings_for_tests import BUDGET, CLIENT_LIMITS, SCHEDULE, UPSTREAM_URL
from tests.support.sync_in_process import Sync, catalog_of, following, syncing, until
from upstream.batching.batcher import Batcher
from upstream.client.circuit_breaker import CircuitOpen
from upstream.client.upstream_errors import UpstreamTimeout, UpstreamUnavailable
from upstream.embedded import (
    BadField,
    ContentType,
    Dropped,
    Effect,
    EmbeddedUpstream,
    Fault,
    Nested,
    Oversized,
    Poisoned,
    StatusFault,
    Truncated,
    WrongCount,
)

pytestmark = pytest.mark.virtual_time

QUICK = replace(SCHEDULE, crawl=3600, newest=0.01, probe=0.01, first_retry=0.01, longest_retry=0.02)
PROBE = "packages/?limit=1&offset=1000000000"
CRAWL_BEGINS = "packages/?limit=100&offset=0"


class Broken(Storage):
    """A storage whose code has a defect: it raises what nobody foresaw, so many times."""

    def __init__(self, path: str, defects: int) -> None:
        super().__init__(path)
        self.defects = defects

    def save(self, **catalog: Any) -> None:
        self._break_down()
        super().save(**catalog)

    def take_lease(self, holder: str, seconds: float) -> bool:
        self._break_down()
        return super().take_lease(holder, seconds)

    def _break_down(self) -> None:
        if self.defects:
            self.defects -= 1
            raise LookupError("a defect")


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream with two pages of packages."""
    return generated_upstream(110)


@pytest.mark.parametrize(
    "effect",
    [
        Nested(20_000),
        WrongCount(100_000),
        WrongCount(0),
        StatusFault(404),
        StatusFault(500),
        Dropped(),
        Truncated(framed=True),
        Truncated(),
        ContentType(),
        Oversized(33_000_000),
    ],
)
@pytest.mark.parametrize("path", ["/api/v4/packages/", "/api/v4/categories/"])
async def test_whatever_upstream_sends_the_catalog_stays_and_is_refreshed_afterwards(
    effect: Effect, path: str
) -> None:
    embedded = generated_upstream(40)
    async with syncing(embedded, schedule=QUICK) as sync, following(sync):
        first = await until(lambda: sync.snapshot)
        embedded.faults.add(Fault(effect, path=path))
        sync.want()
        await until(lambda: sync.attempts.failures_in_a_row >= 3)
        assert sync.snapshot is first
        assert sync.last_error is not None
        embedded.faults.clear()
        await until(lambda: sync.snapshot is not first)
        await until(lambda: sync.attempts.failures_in_a_row == 0)
        assert sync.last_error is None


@pytest.mark.parametrize("effect", [Dropped(), StatusFault(503), Truncated(framed=True), Nested(20_000)])
@pytest.mark.parametrize("pattern", ["offset=100", "grids/\\?limit=100", "categories/\\?limit=2"])
async def test_a_fault_in_the_middle_of_a_crawl_keeps_everything(
    embedded: EmbeddedUpstream, effect: Effect, pattern: str
) -> None:
    async with syncing(embedded, schedule=QUICK) as sync, following(sync):
        first = await until(lambda: sync.snapshot)
        await until(lambda: sync.attempts.outcomes["succeeded"])
        feed = await sync.changes(0, 100)
        embedded.catalog.update_package(1599, title="renamed")
        embedded.faults.add(Fault(effect, pattern=pattern, times=None))
        sync.want()
        await until(lambda: sync.attempts.failures_in_a_row >= 2)
        assert sync.snapshot is first
        assert await sync.changes(0, 100) == feed
        embedded.faults.clear()
        await until(lambda: catalog_of(sync).packages[1599].title == "renamed")


async def test_what_nobody_foresaw_in_a_crawl_is_logged_with_its_place_counted_and_tried_again(
    embedded: EmbeddedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(embedded) as client:
        batcher, healthy = Batcher(client, BUDGET), client.exchanger.limiter
        with closing(Storage(":memory:")) as storage:
            sync = Sync(client, batcher, storage, UPSTREAM_URL, QUICK)
            client.exchanger.limiter = Unmeasured(LookupError("a defect"))
            async with following(sync):
                await until(lambda: sync.attempts.failures_in_a_row >= 3)
                assert sync.attempts.outcomes["failed"] >= 3
                assert str(sync.last_error) == (
                    "The gateway failed to refresh the catalog (LookupError); its log says where."
                )
                client.exchanger.limiter = healthy
                await until(lambda: sync.snapshot)
                await until(lambda: sync.attempts.outcomes["succeeded"])
        await batcher.aclose()
    record = caplog.records[0]
    assert record.levelno == logging.ERROR
    assert record.getMessage() == (
        "the catalog could not be refreshed, next try in 0 s: LookupError('a defect')"
    )
    assert caplog.text.count("in succeeded") >= 1


@pytest.mark.parametrize("defects", [1, 5])
async def test_what_nobody_foresaw_in_the_storage_is_tried_again_too(
    embedded: EmbeddedUpstream, defects: int
) -> None:
    async with client_of(embedded) as client:
        batcher = Batcher(client, BUDGET)
        with closing(Broken(":memory:", defects)) as storage:
            sync = Sync(client, batcher, storage, UPSTREAM_URL, QUICK)
            async with following(sync):
                await until(lambda: storage.saved())
                assert sync.attempts.outcomes["failed"] == defects
                storage.defects = 1
                sync.want()
                await until(lambda: sync.attempts.outcomes["failed"] == defects + 1)
                await until(lambda: sync.attempts.failures_in_a_row == 0)
        await batcher.aclose()


# When the next attempt comes


@pytest.mark.parametrize(
    "down", [lambda upstream: setattr(upstream.faults, "state", "down"), None], ids=["down", "database"]
)
async def test_an_upstream_that_does_not_answer_gets_one_small_request_at_a_time_and_then_a_crawl(
    embedded: EmbeddedUpstream, down: Callable[[EmbeddedUpstream], None] | None
) -> None:
    schedule = replace(SCHEDULE, newest=3600, probe=0.01, first_retry=0.01, longest_retry=3600)
    async with syncing(embedded, schedule=schedule) as sync, following(sync):
        first = await until(lambda: sync.snapshot)
        embedded.faults.state = "down" if down else "database-down"
        embedded.requests.reset()
        sync.want()
        await until(lambda: embedded.requests.total >= 9)
        counts = Counter(asked(embedded))
        # The crawl that failed, and the probes after it; none of their pauses has grown.
        assert counts.pop(CRAWL_BEGINS) <= 2
        assert counts.pop(PROBE) >= 6
        embedded.faults.clear()
        embedded.requests.reset()
        await until(lambda: sync.snapshot is not first)
        assert asked(embedded)[:2] in ([PROBE, CRAWL_BEGINS], [PROBE, "packages/?limit=20&offset=0"])


async def test_an_attempt_that_fails_behind_a_good_probe_comes_after_longer_and_longer_pauses(
    embedded: EmbeddedUpstream,
) -> None:
    schedule = replace(SCHEDULE, newest=3600, probe=0.001, first_retry=0.02, longest_retry=3600)
    loop = asyncio.get_running_loop()
    async with syncing(embedded, schedule=schedule) as sync, following(sync):
        await until(lambda: sync.snapshot)
        embedded.faults.add(Fault(StatusFault(503), path="/api/v4/categories/"))
        began = loop.time()
        sync.want()
        await until(lambda: sync.attempts.failures_in_a_row == 5)
        assert loop.time() - began >= 0.9 * (0.02 + 0.04 + 0.08 + 0.16)
        crawls = Counter(asked(embedded))[CRAWL_BEGINS]
        assert (crawls, Counter(asked(embedded))[PROBE]) == (1 + 5, 4)


def test_pauses_while_upstream_does_not_answer_stay_short_and_others_double() -> None:
    attempts = Attempts(probe=15, first_retry=15, longest_retry=900, crawl=21600)
    down = UpstreamUnavailable("down")
    for _ in range(50):
        assert attempts.failed(down, has_answered=False) <= 16.5
    bounds = [15, 30, 60, 120, 240, 480, 900, 900]
    for bound in bounds:
        assert 0.9 * bound <= attempts.failed(UpstreamTimeout("slow"), has_answered=True) <= 1.1 * bound
        assert attempts.failed(down, has_answered=False) <= 16.5
    attempts.succeeded()
    assert attempts.failed(down, has_answered=True) <= 16.5
    assert attempts.outcomes == {"UPSTREAM_UNAVAILABLE": 59, "UPSTREAM_TIMEOUT": 8, "succeeded": 1}


def test_a_probe_that_the_circuit_kept_back_is_sent_when_it_half_opens() -> None:
    attempts = Attempts(probe=15, first_retry=15, longest_retry=900, crawl=21600)
    for left in (14.9, 3.0):
        kept_back = CircuitOpen("open", left=left, asked_for=False)
        assert attempts.failed(kept_back, has_answered=False) == left


def test_a_pause_is_as_long_as_upstream_asks_for() -> None:
    attempts = Attempts(probe=15, first_retry=15, longest_retry=900, crawl=21600)
    for has_answered in (True, False):
        asking = UpstreamUnavailable("busy", retry_after=300.0)
        assert attempts.failed(asking, has_answered=has_answered) == 300


def test_of_probes_that_fail_the_log_tells_the_first_second_fourth_and_so_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    attempts = Attempts(probe=15, first_retry=15, longest_retry=900, crawl=21600)
    for _ in range(100):
        attempts.failed(UpstreamUnavailable("down"), has_answered=False)
    assert len(caplog.messages) == 7


@pytest.mark.parametrize("place", [0, 10])
async def test_a_row_that_cannot_be_served_is_no_reason_to_wait(
    embedded: EmbeddedUpstream, place: int
) -> None:
    bad = sorted(embedded.catalog.packages, reverse=True)[place]
    embedded.faults.add(Fault(Poisoned(bad)))
    embedded.faults.add(Fault(Dropped(), times=1))
    async with syncing(embedded, schedule=QUICK) as sync, following(sync):
        await until(lambda: sync.snapshot)
        assert len(catalog_of(sync).packages) == 109


async def test_a_record_that_does_not_fit_fails_no_attempt(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(BadField(1599, "title", None)))
    async with syncing(embedded, schedule=QUICK) as sync, following(sync):
        await until(lambda: sync.attempts.outcomes["succeeded"])
        assert set(sync.attempts.outcomes) == {"succeeded"}


async def test_upstream_is_found_again_through_an_open_circuit_whoever_else_asks(
    embedded: EmbeddedUpstream,
) -> None:
    limits = replace(CLIENT_LIMITS, attempts=1, breaker_failures=2, breaker_rest=0.05)
    async with client_of(embedded, limits) as client:
        batcher = Batcher(client, BUDGET)
        with closing(Storage(":memory:")) as storage:
            sync = Sync(client, batcher, storage, UPSTREAM_URL, QUICK)
            async with following(sync):
                first = await until(lambda: sync.snapshot)
                embedded.faults.state = "down"
                sync.want()
                await until(lambda: client.exchanger.breaker.state == "open")
                embedded.faults.clear()
                await until(lambda: sync.snapshot is not first)
        await batcher.aclose()
