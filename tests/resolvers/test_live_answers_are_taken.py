"""Tests a record that upstream has and the catalog lacks: what a live answer proves is taken, and nothing contradicts
it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from catalog.catalog_source import CatalogSource
from catalog.sync.crawl_guard import CatalogRefused
from tests.support.gateway_in_process import Ask, asking, source_of
from tests.support.generated_upstreams import generated_upstream
from tests.support.settings_for_tests import CLIENT_LIMITS, SCHEDULE, UPSTREAM_URL
from tests.support.sync_in_process import until
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.client.upstream_errors import UpstreamUnavailable
from upstream.embedded import BadField, EmbeddedUpstream, Fault, Latency, StatusFault

SELDOM = replace(SCHEDULE, crawl=3600, newest=3600)

MEMBER = 1599

pytestmark = pytest.mark.virtual_time


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream of two pages of packages, because each test crawls it."""
    return generated_upstream(120)


@pytest.fixture
async def source(embedded: EmbeddedUpstream) -> AsyncIterator[CatalogSource]:
    """Return a source that follows upstream, has crawled it, and looks at it no more."""
    client = Client(UPSTREAM_URL, in_process(embedded), CLIENT_LIMITS)
    async with source_of(client, follow=True, schedule=SELDOM) as source:
        await until(lambda: source.leader.attempts.outcomes["succeeded"])
        embedded.requests.reset()
        yield source


@pytest.fixture
def ask(source: CatalogSource, use_engine: bool) -> Ask:
    return asking(source, use_engine=use_engine)


async def test_a_new_grid_that_is_found_by_slug_is_told_by_its_packages_in_the_same_answer(
    ask: Ask, embedded: EmbeddedUpstream
) -> None:
    embedded.catalog.insert_grid(slug="new-grid", packages=(MEMBER,))
    body = await ask(
        '{ grid(slug: "new-grid") { packages { databaseId grids { slug } isOnGrid(slug: "new-grid") } }'
        f"  package(databaseId: {MEMBER}) {{ grids {{ slug }} }}"
        '  packages(filter: {inAnyGrid: ["new-grid"]}) { totalCount }'
        "  grids(first: 1) { nodes { slug } } }"
    )
    assert "errors" not in body
    (member,) = body["data"]["grid"]["packages"]
    assert member["databaseId"] == MEMBER
    assert member["isOnGrid"]
    assert {"slug": "new-grid"} in member["grids"]
    assert {"slug": "new-grid"} in body["data"]["package"]["grids"]
    assert body["data"]["packages"]["totalCount"] == 1
    assert body["data"]["grids"]["nodes"] == [{"slug": "new-grid"}]
    assert embedded.requests.by_target == {"/api/v4/grids/new-grid/": 1}


async def test_a_renamed_package_answers_by_its_new_slug_alone(ask: Ask, embedded: EmbeddedUpstream) -> None:
    old = embedded.catalog.packages[MEMBER].slug
    embedded.catalog.update_package(MEMBER, slug="renamed")
    query = f'{{ new: package(slug: "renamed") {{ slug }} old: package(slug: "{old}") {{ slug }} }}'
    for _ in range(2):
        assert (await ask(query))["data"] == {"new": {"slug": "renamed"}, "old": None}


async def test_a_new_category_that_is_found_by_slug_is_in_the_list(
    ask: Ask, embedded: EmbeddedUpstream
) -> None:
    embedded.catalog.insert_category(slug="new-category")
    body = await ask('{ category(slug: "new-category") { slug } categories { slug } }')
    assert body["data"]["category"] in body["data"]["categories"]
    body = await ask("{ categories { slug } }")
    assert {"slug": "new-category"} in body["data"]["categories"]


@pytest.mark.parametrize(
    "key",
    [
        'pypiName: "brand-new"',
        'repoUrl: "https://github.com/somebody/brand-new"',
        'slug: "brand-new"',
        "databaseId: 100000",
    ],
)
async def test_a_package_that_was_just_published_is_found_by_every_key(
    ask: Ask, embedded: EmbeddedUpstream, key: str
) -> None:
    embedded.catalog.insert_package(
        id=100_000,
        slug="brand-new",
        pypi_url="https://pypi.org/project/Brand_New/",
        repo_url="https://github.com/somebody/brand-new",
        grids=(5,),
    )
    query = f"{{ package({key}) {{ slug grids {{ slug packages {{ slug }} }} }} }}"
    body = await ask(query)
    (grid,) = body["data"]["package"]["grids"]
    assert {"slug": "brand-new"} in grid["packages"]
    asked = embedded.requests.total
    assert await ask(query) == body
    assert embedded.requests.total == asked <= 2


@pytest.mark.parametrize("key", ['pypiName: "nobody"', 'repoUrl: "https://github.com/nobody/nothing"'])
async def test_a_name_that_nobody_has_costs_one_request_however_often_it_is_asked_for(
    ask: Ask, embedded: EmbeddedUpstream, key: str
) -> None:
    for _ in range(5):
        assert (await ask(f"{{ package({key}) {{ slug }} }}"))["data"] == {"package": None}
    assert embedded.requests.by_target == {"/api/v4/packages/?limit=20&offset=0": 1}


async def test_a_name_that_nobody_has_is_null_where_upstream_fails(
    ask: Ask, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(StatusFault(503)))
    for _ in range(2):
        body = await ask('{ package(pypiName: "nobody") { slug } }')
        assert body["data"] == {"package": None}
        assert body["extensions"]["freshness"]["notLookedUp"] == 1
        assert "errors" not in body


async def test_a_name_is_not_looked_for_where_upstream_is_known_to_fail(
    ask: Ask, source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.state = "down"
    with pytest.raises(UpstreamUnavailable):
        await source.crawl()
    embedded.requests.reset()
    body = await ask('{ packagesByPypiName(names: ["nobody", "django-celery-email"]) { slug } }')
    assert body["data"]["packagesByPypiName"] == [None, {"slug": "django-celery-email"}]
    assert embedded.requests.total == 0


async def test_what_a_live_answer_shows_is_told_by_the_change_feed_once(
    ask: Ask, source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    new = embedded.catalog.insert_package(slug="brand-new")
    for _ in range(3):
        assert (await ask('{ package(slug: "brand-new") { slug } }'))["data"]["package"] is not None
    feed = await source.changes(0, 100)
    assert [(entry.change.sort, entry.change.id) for entry in feed.entries] == [("added", new)]
    assert not await source.refresher.look()


async def test_a_record_that_makes_no_sense_beside_the_others_is_shown_and_not_taken(
    ask: Ask, source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    before = source.latest
    embedded.catalog.insert_grid(id=5000)
    embedded.faults.add(Fault(BadField(5000, "slug", embedded.catalog.grids[5].slug, "grids")))
    for _ in range(3):
        body = await ask("{ grid(databaseId: 5000) { databaseId } }")
        assert body["data"] == {"grid": {"databaseId": 5000}}
    assert source.latest is before
    assert embedded.requests.total == 1


async def test_what_is_being_taken_is_taken_whole_when_its_client_leaves(
    ask: Ask, source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    new = embedded.catalog.insert_package(slug="brand-new", grids=(5, 9))
    embedded.faults.add(Fault(Latency(0.05), path="/api/v4/grids/"))
    asking = asyncio.ensure_future(ask('{ package(slug: "brand-new") { slug } }'))
    await until(lambda: embedded.requests.by_target["/api/v4/grids/5/"])
    asking.cancel()
    await until(lambda: source.latest and new in source.latest.catalog.packages)
    assert source.latest is not None
    assert all(new in source.latest.catalog.grids[grid].packages for grid in (5, 9))


async def test_nothing_is_taken_from_an_upstream_whose_last_crawl_was_refused(
    ask: Ask, source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    before = source.latest
    for id in list(embedded.catalog.packages)[:40]:
        embedded.catalog.remove_package(id)
    with pytest.raises(CatalogRefused):
        await source.crawl()
    embedded.catalog.insert_package(slug="brand-new")
    body = await ask('{ package(slug: "brand-new") { slug } }')
    assert body["data"]["package"] == {"slug": "brand-new"}
    assert source.latest is before
