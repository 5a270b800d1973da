"""Tests a crawl as it is published and stored, and the look at page one between crawls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.catalog_difference import CatalogDifference, RecordKey
from tests.support.crawls import asked, truth
from tests.support.generated_upstreams import generated_upstream
from tests.support.settings_for_tests import UPSTREAM_URL
from tests.support.stored_catalogs import begin, stored_in
from tests.support.sync_in_process import catalog_of, records_of, syncing
from upstream.client.upstream_errors import StorageUnavailable, UpstreamUnavailable
from upstream.embedded import BadField, Effect, EmbeddedUpstream, Fault, Poisoned, StatusFault

LOOK = ["packages/?limit=20&offset=0", "grids/?limit=20&offset=0", "categories/?limit=20&offset=0"]


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream of two pages of packages, which the test may change."""
    return generated_upstream(110)


def newest(embedded: EmbeddedUpstream) -> int:
    return max(embedded.catalog.packages)


def put_a_directory_at(path: Path) -> None:
    path.unlink()
    path.mkdir()


# Crawls


async def test_a_crawl_is_published_and_stored(embedded: EmbeddedUpstream, path: Path) -> None:
    begun = datetime.now(UTC)
    async with syncing(embedded, path) as sync:
        synced = await sync.crawl()
        assert sync.snapshot is synced.snapshot
        assert begun <= synced.snapshot.refreshed_at <= datetime.now(UTC)
        assert records_of(sync) == await truth(embedded.catalog)
        assert (synced.changes, synced.kept, synced.stored) == (None, 0, True)
        assert (sync.syncing, sync.last_error) == (False, None)
    async with syncing(embedded, path) as other:
        await other.load()
        assert records_of(other) == await truth(embedded.catalog)
        assert other.snapshot is not None
        assert other.snapshot.refreshed_at == synced.snapshot.refreshed_at
        assert catalog_of(other).version == synced.snapshot.catalog.version


async def test_a_crawl_tells_what_is_different(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        await sync.crawl()
        catalog = embedded.catalog
        changed, removed = [row.id for row in catalog.packages.values() if not row.grids][:2]
        grid = min(catalog.grids)
        catalog.update_package(changed, repo_watchers=10**6, title="renamed")
        catalog.remove_package(removed)
        added = catalog.insert_package()
        catalog.update_grid(grid, description="new")
        catalog.update_category(1, title="new")
        synced = await sync.crawl()
        changes = synced.changes
        assert changes is not None
        assert changes.added == (RecordKey("package", added),)
        assert [(each.kind, each.id, each.names) for each in changes.changed] == [
            ("package", changed, ("title", "repo_watchers")),
            ("grid", grid, ("description",)),
            ("category", 1, ("title",)),
        ]
        assert changes.removed == (RecordKey("package", removed),)
        assert records_of(sync) == await truth(catalog)


async def test_a_crawl_of_the_same_is_no_change_but_a_new_age(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        before = (await sync.crawl()).snapshot
        synced = await sync.crawl()
        version = before.catalog.version
        assert synced.changes == CatalogDifference(version, version, (), (), ())
        assert synced.snapshot.catalog.version == before.catalog.version
        assert synced.snapshot.refreshed_at > before.refreshed_at


async def test_until_a_crawl_has_ended_the_catalog_stays_what_it_was(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        before = (await sync.crawl()).snapshot
        version = before.catalog.version
        embedded.catalog.update_package(newest(embedded), title="renamed")
        seen: list[object] = []
        await sync.crawl(lambda kind, read, count: seen.append((sync.syncing, sync.snapshot)))
        assert set(seen) == {(True, before)}
        assert (sync.syncing, before.catalog.version) == (False, version)
        assert catalog_of(sync).packages[newest(embedded)].title == "renamed"


async def test_a_crawl_that_fails_leaves_everything_as_it_was(embedded: EmbeddedUpstream, path: Path) -> None:
    async with syncing(embedded, path) as sync:
        before = (await sync.crawl()).snapshot
        embedded.faults.add(Fault(StatusFault(503), path="/api/v4/categories"))
        with pytest.raises(UpstreamUnavailable) as error:
            await sync.crawl()
        assert sync.snapshot is before
        assert (sync.syncing, sync.last_error) == (False, error.value)
        embedded.faults.clear()
        await sync.crawl()
        assert sync.last_error is None


async def test_a_crawl_keeps_the_last_good_version_of_what_it_cannot_read(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        before = (await sync.crawl()).snapshot.catalog
        bad, poisoned = sorted(embedded.catalog.packages)[100:102]
        embedded.faults.add(Fault(BadField(bad, "title", None)))
        embedded.faults.add(Fault(Poisoned(poisoned)))
        synced = await sync.crawl()
        assert synced.kept == 2
        assert synced.snapshot.catalog.version == before.version


async def test_a_catalog_that_cannot_be_stored_is_served(
    embedded: EmbeddedUpstream, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with syncing(embedded, path) as sync:
        before = (await sync.crawl()).snapshot
        put_a_directory_at(path)
        embedded.catalog.insert_package()
        synced = await sync.crawl()
        assert not synced.stored
        assert sync.snapshot is synced.snapshot is not before
        assert records_of(sync) == await truth(embedded.catalog)
        assert sync.last_error is None
        assert caplog.messages[-1] == f"The catalog file {path} cannot be used: it is a directory."


async def test_a_file_with_the_catalog_of_another_upstream_is_refused(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    async with syncing(embedded, path, origin="https://one.test/api/v4/") as sync:
        await sync.crawl()
    async with syncing(embedded, path, origin="https://two.test/api/v4/") as sync:
        with pytest.raises(StorageUnavailable, match="it has the catalog of another upstream"):
            await sync.load()


async def test_a_stored_catalog_that_is_older_is_not_taken(embedded: EmbeddedUpstream, path: Path) -> None:
    async with syncing(embedded, path) as sync:
        await sync.crawl()
        older = stored_in(path)
        newer = (await sync.crawl()).snapshot
        assert older is not None
        begin(path, older)
        await sync.load()
        assert sync.snapshot is newer


# Looks at new packages


async def test_a_look_finds_a_new_package_and_asks_for_its_grids(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    async with syncing(embedded, path) as sync:
        before = (await sync.crawl()).snapshot
        first, second = sorted(embedded.catalog.grids)[:2]
        new = embedded.catalog.insert_package(grids=[second, first])
        embedded.requests.reset()
        assert not await sync.look()
        assert asked(embedded) == [*LOOK, f"grids/{first}/", f"grids/{second}/"]
        assert records_of(sync) == await truth(embedded.catalog)
        assert new in catalog_of(sync).grid_packages[first]
        assert sync.snapshot is not None
        assert sync.snapshot.refreshed_at == before.refreshed_at  # the rest was not looked at
        stored = stored_in(path)
        assert stored is not None
        assert stored.version == f"{UPSTREAM_URL} {catalog_of(sync).version}"


async def test_a_look_that_finds_nothing_is_three_requests_and_changes_nothing(
    embedded: EmbeddedUpstream,
) -> None:
    async with syncing(embedded) as sync:
        before = (await sync.crawl()).snapshot
        embedded.requests.reset()
        assert not await sync.look()
        assert asked(embedded) == LOOK
        assert sync.snapshot is before


async def test_a_look_asks_for_a_crawl_when_there_is_no_catalog(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        assert await sync.look()
        assert embedded.requests.total == 0


async def test_a_look_asks_for_a_crawl_when_a_package_is_gone(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        await sync.crawl()
        embedded.catalog.remove_package(min(embedded.catalog.packages))
        assert await sync.look()
        await sync.crawl()
        assert not await sync.look()


async def test_a_look_asks_for_a_crawl_when_more_changed_than_came_in(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        await sync.crawl()
        embedded.catalog.remove_package(min(embedded.catalog.packages))
        new = embedded.catalog.insert_package()
        assert await sync.look()
        assert new in catalog_of(sync).packages


async def test_a_look_asks_for_a_crawl_when_more_came_in_than_it_shows(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        await sync.crawl()
        new = [embedded.catalog.insert_package() for _ in range(21)]
        assert await sync.look()
        assert set(new[1:]) <= catalog_of(sync).packages.keys()
        assert new[0] not in catalog_of(sync).packages


async def test_a_look_asks_for_one_crawl_when_a_new_record_is_bad(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        await sync.crawl()
        embedded.faults.add(Fault(BadField(embedded.catalog.insert_package(), "title", None)))
        assert await sync.look()
        await sync.crawl()
        assert not await sync.look()


@pytest.mark.parametrize("place", [0, 5])
async def test_a_look_asks_for_one_crawl_when_a_new_row_makes_its_page_unreadable(
    embedded: EmbeddedUpstream, place: int
) -> None:
    async with syncing(embedded) as sync:
        await sync.crawl()
        new = [embedded.catalog.insert_package() for _ in range(10)]
        embedded.faults.add(Fault(Poisoned(new.pop(-1 - place))))
        assert await sync.look()
        await sync.crawl()
        assert set(new) <= catalog_of(sync).packages.keys()
        assert not await sync.look()
        embedded.catalog.insert_package()
        assert await sync.look()


@pytest.mark.parametrize("bad", [Poisoned, lambda id, kind: BadField(id, "title", None, kind)])
async def test_a_look_takes_a_new_package_even_if_its_grid_cannot_be_read(
    embedded: EmbeddedUpstream, bad: Callable[..., Effect]
) -> None:
    async with syncing(embedded) as sync:
        await sync.crawl()
        first, second = sorted(embedded.catalog.grids)[:2]
        new = embedded.catalog.insert_package(grids=[first, second])
        embedded.faults.add(Fault(bad(first, kind="grids")))
        assert await sync.look()
        assert new in catalog_of(sync).packages
        # The package proves it.
        assert new in catalog_of(sync).grids[first].packages
        assert new in catalog_of(sync).grids[second].packages


async def test_a_look_that_fails_says_so_and_changes_nothing(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        before = (await sync.crawl()).snapshot
        embedded.faults.state = "down"
        with pytest.raises(UpstreamUnavailable):
            await sync.look()
        assert sync.snapshot is before
