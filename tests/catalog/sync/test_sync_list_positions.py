"""Tests what the batcher knows of the lists once a catalog is published, even if upstream cannot serve all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from catalog.storage.sqlite_storage import Storage
from tests.support.crawls import asked, client_of
from tests.support.generated_upstreams import generated_upstream
from tests.support.settings_for_tests import BUDGET, SCHEDULE, UPSTREAM_URL
from tests.support.sync_in_process import Sync
from upstream.batching.batcher import Batcher
from upstream.client.v4_records import GRID, PACKAGE, PackageRecord
from upstream.embedded import BadField, Effect, EmbeddedUpstream, Fault, Poisoned

UNREADABLE: list[Callable[[int], Effect]] = [Poisoned, lambda id: BadField(id, "title", 7)]

unreadable = pytest.mark.parametrize("effect", UNREADABLE, ids=["a row that is a 500", "a bad record"])


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream with two pages of packages."""
    return generated_upstream(150)


@asynccontextmanager
async def syncing(embedded: EmbeddedUpstream, path: Path) -> AsyncIterator[tuple[Sync, Batcher]]:
    """Return one of the processes that share the file at ``path``."""
    async with client_of(embedded) as client:
        batcher = Batcher(client, BUDGET)
        with closing(Storage(str(path))) as storage:
            yield Sync(client, batcher, storage, UPSTREAM_URL, SCHEDULE), batcher
        await batcher.aclose()


def newest_first(embedded: EmbeddedUpstream) -> list[int]:
    return sorted(embedded.catalog.packages, reverse=True)


def wrong_places(batcher: Batcher, list_: list[int]) -> list[int]:
    """Return the ids that stand where they cannot stand, so far as the batcher knows."""
    bounds = map(batcher.positions[PACKAGE.singular].bounds, list_)
    return [
        id
        for place, (id, (first, last)) in enumerate(zip(list_, bounds, strict=True))
        if not first <= place <= last
    ]


def exact_places(batcher: Batcher, list_: list[int]) -> int:
    bounds = map(batcher.positions[PACKAGE.singular].bounds, list_)
    return sum((place, place) == known for place, known in enumerate(bounds))


async def test_a_crawl_shows_every_place_and_that_there_are_no_others(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    async with syncing(embedded, path) as (sync, batcher):
        await sync.crawl()
        list_ = newest_first(embedded)
        assert exact_places(batcher, list_) == len(list_)
        first, last = batcher.positions[PACKAGE.singular].bounds(list_[0] + 1)
        assert last < first
        grids = sorted(embedded.catalog.grids, reverse=True)
        assert [batcher.positions[GRID.singular].bounds(id)[0] for id in grids] == list(range(len(grids)))


@unreadable
async def test_a_record_that_cannot_be_read_does_not_move_those_behind_it(
    embedded: EmbeddedUpstream, path: Path, effect: Callable[[int], Effect]
) -> None:
    list_ = newest_first(embedded)
    embedded.faults.add(Fault(effect(list_[120])))
    async with syncing(embedded, path) as (sync, batcher):
        synced = await sync.crawl()
        assert len(synced.snapshot.catalog.packages) == len(list_) - 1
        assert batcher.positions[PACKAGE.singular].count == len(list_)
        assert wrong_places(batcher, list_) == []
        assert exact_places(batcher, list_) == len(list_)  # even its own, by those around it
        embedded.requests.reset()
        wanted = list_[130:140]
        found = await batcher.fetch(PACKAGE, wanted)
        assert all(isinstance(found[id], PackageRecord) for id in wanted)
        assert asked(embedded) == ["packages/?limit=10&offset=130"]


@unreadable
async def test_a_look_at_page_one_does_not_move_what_stands_behind_an_unreadable_record(
    embedded: EmbeddedUpstream, path: Path, effect: Callable[[int], Effect]
) -> None:
    embedded.faults.add(Fault(effect(newest_first(embedded)[120])))
    async with syncing(embedded, path) as (sync, batcher):
        await sync.crawl()
        assert not await sync.look()
        assert exact_places(batcher, newest_first(embedded)) == len(embedded.catalog.packages)
        embedded.catalog.insert_package()
        assert not await sync.look()
        assert batcher.positions[PACKAGE.singular].count == len(embedded.catalog.packages)
        assert wrong_places(batcher, newest_first(embedded)) == []


async def test_a_new_package_on_page_one_moves_all_others(embedded: EmbeddedUpstream, path: Path) -> None:
    async with syncing(embedded, path) as (sync, batcher):
        await sync.crawl()
        embedded.catalog.insert_package()
        await sync.look()
        assert exact_places(batcher, newest_first(embedded)) == len(embedded.catalog.packages)


@pytest.mark.parametrize("change", ["insert", "remove"])
async def test_a_process_that_loads_takes_the_places_of_each_catalog(
    embedded: EmbeddedUpstream, path: Path, change: str
) -> None:
    async with syncing(embedded, path) as (crawler, _), syncing(embedded, path) as (follower, batcher):
        await crawler.crawl()
        await follower.load()
        assert exact_places(batcher, newest_first(embedded)) == len(embedded.catalog.packages)
        if change == "insert":
            embedded.catalog.insert_package()
        else:
            embedded.catalog.remove_package(newest_first(embedded)[120])
        await crawler.crawl()
        await follower.load()
        assert exact_places(batcher, newest_first(embedded)) == len(embedded.catalog.packages)


async def test_a_page_puts_right_what_a_stored_catalog_without_a_record_tells(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    list_ = newest_first(embedded)
    embedded.faults.add(Fault(Poisoned(list_[120])))
    async with syncing(embedded, path) as (crawler, _), syncing(embedded, path) as (follower, batcher):
        await crawler.crawl()
        await follower.load()
        wanted = list_[130:140]
        found = await batcher.fetch(PACKAGE, wanted)
        assert all(isinstance(found[id], PackageRecord) for id in wanted)
        assert wrong_places(batcher, list_) == []
