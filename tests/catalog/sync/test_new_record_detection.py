"""Tests a look at the heads of the lists: what it finds is taken with what it proves, or a crawl is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.sync.live_answer_records import LiveRecords
from tests.support.crawls import asked, truth
from tests.support.generated_upstreams import generated_upstream
from tests.support.settings_for_tests import UPSTREAM_URL
from tests.support.stored_catalogs import stored_in
from tests.support.sync_in_process import catalog_of, records_of, syncing
from upstream.embedded import BadField, EmbeddedUpstream, Fault, Poisoned

LOOK = ["packages/?limit=20&offset=0", "grids/?limit=20&offset=0", "categories/?limit=20&offset=0"]


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream of two pages of packages, which the test may change."""
    return generated_upstream(110)


async def test_a_new_grid_is_named_by_its_packages_at_no_further_cost(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        before = (await sync.crawl()).snapshot
        members = sorted(embedded.catalog.packages)[:50]
        new = embedded.catalog.insert_grid(slug="new-grid", packages=tuple(members))
        embedded.requests.reset()
        assert not await sync.look()
        assert asked(embedded) == LOOK
        assert set(catalog_of(sync).grid_packages[new]) == set(members)
        assert all(new in catalog_of(sync).packages[id].grids for id in members)
        assert sync.snapshot is not None
        assert sync.snapshot.refreshed_at == before.refreshed_at  # the rest was not looked at
        changes = await sync.changes(0, 100)
        assert [entry.change.id for entry in changes.entries] == [*members, new]
        embedded.requests.reset()
        assert not await sync.look()
        assert asked(embedded) == LOOK


async def test_a_new_grid_of_new_packages_is_taken_with_them(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        await sync.crawl()
        packages = tuple(embedded.catalog.insert_package() for _ in range(3))
        embedded.catalog.insert_grid(packages=packages)
        embedded.requests.reset()
        assert not await sync.look()
        assert asked(embedded) == LOOK
        assert records_of(sync) == await truth(embedded.catalog)


async def test_a_new_category_with_a_new_package_in_it_is_taken(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        await sync.crawl()
        category = embedded.catalog.insert_category(slug="new-category")
        embedded.catalog.insert_package(category=category)
        embedded.requests.reset()
        assert not await sync.look()
        assert asked(embedded) == LOOK
        assert records_of(sync) == await truth(embedded.catalog)


RENAMES: dict[str, Callable[[EmbeddedUpstream], Any]] = {
    "packages": lambda embedded: embedded.catalog.update_package(
        max(embedded.catalog.packages), slug="renamed", grids=sorted(embedded.catalog.grids)[:2]
    ),
    "grids": lambda embedded: embedded.catalog.update_grid(
        max(embedded.catalog.grids), slug="renamed", packages=()
    ),
    "categories": lambda embedded: embedded.catalog.update_category(1, slug="renamed"),
}


@pytest.mark.parametrize("kind", RENAMES)
async def test_a_renamed_record_is_taken_whole_with_its_memberships(
    embedded: EmbeddedUpstream, kind: str
) -> None:
    async with syncing(embedded) as sync:
        await sync.crawl()
        RENAMES[kind](embedded)
        embedded.requests.reset()
        assert not await sync.look()
        proof = [] if kind == "categories" else [f"{kind}/renamed/"]
        assert sorted(asked(embedded)) == sorted([*LOOK, *proof])
        known, now = records_of(sync), await truth(embedded.catalog)
        assert (known.packages, known.categories) == (now.packages, now.categories)
        assert {id: set(grid.packages) for id, grid in known.grids.items()} == {
            id: set(grid.packages) for id, grid in now.grids.items()
        }


@pytest.mark.parametrize("kind", ["grid", "category"])
async def test_a_look_asks_for_a_crawl_when_a_list_has_become_shorter(
    embedded: EmbeddedUpstream, kind: str
) -> None:
    rows = embedded.catalog
    empty = rows.insert_category()
    async with syncing(embedded) as sync:
        await sync.crawl()
        if kind == "grid":
            rows.remove_grid(min(rows.grids))
        else:
            rows.remove_category(empty)
        assert await sync.look()
        await sync.crawl()
        assert not await sync.look()
        assert records_of(sync) == await truth(rows)


@pytest.mark.parametrize("bad", [Poisoned, lambda id, kind: BadField(id, "title", None, kind)])
async def test_a_look_asks_for_one_crawl_when_a_new_grid_cannot_be_read(
    embedded: EmbeddedUpstream, bad: Callable[..., Any]
) -> None:
    async with syncing(embedded) as sync:
        await sync.crawl()
        embedded.faults.add(Fault(bad(embedded.catalog.insert_grid(), kind="grids")))
        assert await sync.look()
        await sync.crawl()
        assert not await sync.look()


async def test_a_new_grid_of_more_unknown_packages_than_a_look_asks_for_is_finished_by_a_crawl(
    embedded: EmbeddedUpstream,
) -> None:
    async with syncing(embedded) as sync:
        await sync.crawl()
        packages = tuple(embedded.catalog.insert_package() for _ in range(60))
        embedded.catalog.insert_grid(packages=packages)
        embedded.requests.reset()
        assert await sync.look()
        assert len(asked(embedded)) == len(LOOK) + 20
        await sync.crawl()
        assert records_of(sync) == await truth(embedded.catalog)


async def test_a_record_whose_slug_another_one_has_is_not_taken(embedded: EmbeddedUpstream) -> None:
    async with syncing(embedded) as sync:
        before = (await sync.crawl()).snapshot
        new = embedded.catalog.insert_package()
        embedded.faults.add(Fault(BadField(new, "slug", "django-celery-email")))
        assert await sync.look()
        assert sync.snapshot is before


async def test_what_a_process_that_does_not_lead_takes_is_stored_for_all(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    async with syncing(embedded, path) as leader, syncing(embedded, path) as other:
        await leader.crawl()
        await other.load()
        new = embedded.catalog.insert_grid(packages=(1599,))
        grid = (await truth(embedded.catalog)).grids[new]
        assert await LiveRecords(other.client, other.publisher, other.refresher, other.guard).take([grid])
        await leader.publisher.take_newer()
        assert records_of(leader) == records_of(other) == await truth(embedded.catalog)
        assert not await leader.look()


async def test_what_a_look_takes_does_not_replace_what_another_process_stored_meanwhile(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    async with syncing(embedded, path) as behind, syncing(embedded, path) as ahead:
        await behind.crawl()
        embedded.catalog.update_package(1599, title="seen by a crawl alone")
        await ahead.crawl()
        embedded.catalog.insert_package()
        await behind.look()
        stored = stored_in(path)
        assert stored is not None
        assert stored.version == f"{UPSTREAM_URL} {catalog_of(ahead).version}"
        await behind.publisher.take_newer()
        assert catalog_of(behind).version == catalog_of(ahead).version
        await behind.look()
        assert records_of(behind) == await truth(embedded.catalog)
        await ahead.publisher.take_newer()
        assert catalog_of(behind).version == catalog_of(ahead).version
