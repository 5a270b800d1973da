"""Tests how old a catalog may be, and what a request gets of it at each age."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.catalog_source import CatalogSource
from catalog.freshness import Snapshot, SnapshotStatus, Stage
from catalog.storage.sqlite_storage import Storage
from catalog.storage.storage_port import Stored
from tests.support.batcher_with_held_answers import settle
from tests.support.crawls import asked
from tests.support.gateway_in_process import asking, source_of, source_over
from tests.support.generated_upstreams import generated_upstream
from tests.support.made_records import catalog_of, category, grid, package
from tests.support.settings_for_tests import CLIENT_LIMITS, FRESHNESS, UPSTREAM_URL
from tests.support.stored_catalogs import begin
from tests.support.sync_in_process import QUICK, until
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.embedded import EmbeddedUpstream, Fault, Latency, State
from upstream.embedded import StatusFault as Failure

CRAWL = 7
"""Requests of a crawl of 110 packages."""

HOUR = 3600.0
DAY = 24 * HOUR

FRESH, STALE, OLD, EXPIRED = HOUR / 2, 12 * HOUR, 10 * DAY, 40 * DAY
"""Ages, one of each stage."""


@pytest.mark.parametrize(
    ("age", "stage"),
    [
        (0, "fresh"),
        (10, "fresh"),
        (10.001, "stale-while-revalidate"),
        (20, "stale-while-revalidate"),
        (20.001, "stale-if-error"),
        (30, "stale-if-error"),
        (30.001, "expired"),
        (1e12, "expired"),
    ],
)
def test_each_stage_lasts_up_to_its_limit(age: float, stage: Stage) -> None:
    assert replace(FRESHNESS, fresh=10, while_revalidate=20, if_error=30).stage(age) == stage


def test_by_default_it_is_fresh_for_6_hours_and_served_for_30_days() -> None:
    ages = (6 * HOUR, 6 * HOUR + 1, DAY, DAY + 1, 30 * DAY, 30 * DAY + 1)
    assert [FRESHNESS.stage(age) for age in ages] == [
        "fresh",
        "stale-while-revalidate",
        "stale-while-revalidate",
        "stale-if-error",
        "stale-if-error",
        "expired",
    ]


def test_limits_that_are_equal_leave_a_stage_out() -> None:
    assert replace(FRESHNESS, fresh=10, while_revalidate=10, if_error=30).stage(11) == "stale-if-error"


def test_the_age_counts_from_the_refresh_and_is_never_negative() -> None:
    noon = datetime(2026, 2, 16, 12, tzinfo=UTC)
    snapshot = Snapshot(catalog_of(), noon)
    assert snapshot.age(noon + timedelta(minutes=2)) == 120
    assert snapshot.age(noon - timedelta(minutes=2)) == 0  # the clock was put back
    assert Snapshot(catalog_of(), datetime.now(UTC)).age() < 60


# What a request gets


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream with two pages of packages."""
    return generated_upstream(110)


def store(path: Path, age: float) -> datetime:
    """Let a catalog of one package be stored, refreshed so many seconds ago; when that was."""
    refreshed_at = datetime.now(UTC) - timedelta(seconds=age)
    records = (package(1, grids=(1,)),), (grid(1, packages=(1,)),), (category(1),)
    begin(path, Stored(f"{UPSTREAM_URL} stored", refreshed_at, *records))
    return refreshed_at


@asynccontextmanager
async def opened(
    embedded: EmbeddedUpstream, path: Path, *, follow: bool = True, crawl_wait: float = 30.0
) -> AsyncIterator[CatalogSource]:
    async with source_of(
        Client(UPSTREAM_URL, in_process(embedded), CLIENT_LIMITS),
        storage=Storage(str(path)),
        follow=follow,
        schedule=QUICK,
        crawl_wait=crawl_wait,
    ) as source:
        yield source


async def served(source: CatalogSource) -> int:
    """Return how many packages the catalog has that a request gets: 1 in the stored one, 110 upstream."""
    snapshot = await source.refreshed()
    assert snapshot is not None
    return len(snapshot.catalog.packages)


async def test_without_a_catalog_upstream_must_be_asked(embedded: EmbeddedUpstream) -> None:
    async with opened(embedded, Path(":memory:"), follow=False) as source:
        assert await source.refreshed() is None


async def test_a_fresh_one_is_served_and_a_crawl_is_not_asked_for(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    store(path, FRESH)
    async with opened(embedded, path, follow=False) as source:
        assert await served(source) == 1
        assert not source.status(source.latest).stale
    async with opened(embedded, path) as source:
        assert await served(source) == 1
        await until(lambda: asked(embedded))
        # A look at page one, as at every start, and no crawl that somebody wanted.
        assert asked(embedded)[0] == "packages/?limit=20&offset=0"


async def test_a_stale_one_is_served_at_once_and_asks_for_exactly_one_crawl(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    store(path, STALE)
    embedded.latency = 0.001
    async with opened(embedded, path) as source:
        asking = 0
        while await served(source) == 1:
            assert source.status(source.latest).stale
            asking += 1
            await asyncio.sleep(0)
        assert asking > CRAWL  # also while the crawl was under way
        assert await served(source) == 110
        await until(lambda: not source.refresher.syncing)
        await settle()
        assert embedded.requests.total == CRAWL


async def test_a_stale_one_is_served_at_once_whatever_upstream_does(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    store(path, STALE)
    embedded.faults.add(Fault(Latency(60)))
    async with opened(embedded, path) as source:
        assert await served(source) == 1
        await until(lambda: source.refresher.syncing)
        assert await served(source) == 1


async def test_an_old_one_waits_for_a_crawl_first(embedded: EmbeddedUpstream, path: Path) -> None:
    store(path, OLD)
    async with opened(embedded, path) as source:
        assert await asyncio.gather(*(served(source) for _ in range(20))) == [110] * 20
        await until(lambda: not source.refresher.syncing)
        assert embedded.requests.total == CRAWL


async def test_an_old_one_is_served_when_the_crawl_has_failed_and_from_then_on_at_once(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    store(path, OLD)
    embedded.faults.add(Fault(Failure(503, retry_after="7")))
    async with opened(embedded, path) as source:
        assert await asyncio.gather(*(served(source) for _ in range(20))) == [1] * 20
        assert source.status(source.latest).stale
        assert await served(source) == 1
        assert embedded.requests.total == 1


async def test_an_old_one_is_served_when_the_crawl_takes_too_long(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    store(path, OLD)
    embedded.faults.add(Fault(Latency(60)))
    async with opened(embedded, path, crawl_wait=0.001) as source:
        assert await served(source) == 1


async def test_an_expired_one_waits_for_a_crawl(embedded: EmbeddedUpstream, path: Path) -> None:
    store(path, EXPIRED)
    async with opened(embedded, path) as source:
        assert await served(source) == 110


async def test_an_expired_one_that_cannot_be_refreshed_leaves_it_to_upstream(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    refreshed_at = store(path, EXPIRED)
    # Its crawls fail, and its details do not.
    embedded.faults.add(Fault(Failure(503), path="/api/v4/grids/"))
    async with opened(embedded, path) as source:
        for _ in range(3):
            assert await source.refreshed() is None
            ask = asking(source)
            body = await ask(
                '{ package(slug: "django-celery-email") { repoWatchers } stats { packageCount } }'
            )
            assert body["data"] == {
                "package": {"repoWatchers": embedded.catalog.packages[1599].repo_watchers},
                "stats": None,
            }
            (error,) = body["errors"]
            assert error["message"] == (
                f"This needs the whole catalog, but it was last refreshed on {refreshed_at:%Y-%m-%d}, which "
                "is too long ago."
            )
            assert await source.ready() == "live"


@pytest.mark.parametrize("age", [FRESH, STALE, OLD])
async def test_where_nobody_crawls_it_is_served_until_it_expires(
    embedded: EmbeddedUpstream, path: Path, age: float
) -> None:
    store(path, age)
    async with opened(embedded, path, follow=False) as source:
        assert await served(source) == 1
        await settle()
        assert embedded.requests.total == 0


async def test_where_nobody_crawls_upstream_is_asked_once_it_has_expired(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    store(path, EXPIRED)
    async with opened(embedded, path, follow=False) as source:
        assert await source.refreshed() is None


# What is told of it


@pytest.mark.parametrize(("age", "stale"), [(FRESH, False), (STALE, True), (OLD, True), (EXPIRED, True)])
async def test_the_status_tells_its_age_and_content(
    embedded: EmbeddedUpstream, path: Path, age: float, stale: bool
) -> None:
    refreshed_at = store(path, age)
    async with opened(embedded, path, follow=False) as source:
        assert source.latest is not None
        status = source.status(source.latest)
        assert status.version == source.latest.catalog.version
        assert (status.refreshed_at, status.stale, status.syncing) == (refreshed_at, stale, False)
        assert status.age_seconds in range(int(age), int(age) + 60)
        assert (status.package_count, status.grid_count, status.category_count) == (1, 1, 1)


async def test_the_status_without_a_catalog_tells_nothing_but_whether_one_is_on_its_way(
    embedded: EmbeddedUpstream,
) -> None:
    embedded.faults.add(Fault(Latency(60)))
    async with opened(embedded, Path(":memory:")) as source:
        assert source.status(None) == SnapshotStatus(None, None, None, False, None, None, None, syncing=False)
        await until(lambda: source.refresher.syncing)
        assert source.status(None) == SnapshotStatus(None, None, None, False, None, None, None, syncing=True)


@pytest.mark.parametrize(
    ("age", "state", "ready"),
    [(OLD, "down", "catalog"), (EXPIRED, "down", None), (EXPIRED, "up", "live")],
)
async def test_it_is_ready_when_an_answer_can_be_given(
    embedded: EmbeddedUpstream, path: Path, age: float, state: State, ready: str | None
) -> None:
    store(path, age)
    embedded.faults.state = state
    async with opened(embedded, path, follow=False) as source:
        assert await source.ready() == ready


async def test_whether_it_is_ready_costs_one_request_and_no_wait_for_upstreams_pause(
    embedded: EmbeddedUpstream,
) -> None:
    embedded.faults.add(Fault(Failure(503, retry_after="1")))
    async with source_over(embedded, upstream_attempts=3) as source:
        assert await source.ready() is None
    assert embedded.requests.total == 1


async def test_that_it_is_ready_is_remembered_for_a_minute(embedded: EmbeddedUpstream) -> None:
    async with opened(embedded, Path(":memory:"), follow=False) as source:
        assert await asyncio.gather(*(source.ready() for _ in range(5))) == ["live"] * 5
        assert embedded.requests.total == 1
