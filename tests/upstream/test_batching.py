"""The batcher: what many callers want is asked once, alone or on pages, whichever is cheapest."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.support.batcher_with_held_answers import URL, Clock, Stage, settle, staged
from upstream.batching import Batcher
from upstream.client import Client
from upstream.embedded import BadField, EmbeddedUpstream, Fault, Status
from upstream.errors import UpstreamBadData, UpstreamUnavailable
from upstream.records import CATEGORY, GRID, PACKAGE, Category, Grid, Package

# One flight for each key


@pytest.mark.parametrize("key", [1599, "django-celery-email"])
async def test_a_key_is_asked_once_whoever_wants_it_and_whenever(stage: Stage, key: int | str) -> None:
    stage.hold()
    together = [stage.fetch(key), stage.fetch(key, key)]
    await stage.arrival(1)
    later = [stage.fetch(key) for _ in range(3)]
    await stage.arrival(1)
    stage.answer_all()
    found = [(await each)[key] for each in together + later]
    assert isinstance(found[0], Package)
    assert all(record is found[0] for record in found)
    afterwards = await stage.batcher.fetch(PACKAGE, [key, 1599, "django-celery-email"])
    assert set(map(id, afterwards.values())) == {id(found[0])}
    assert stage.asked == [f"/packages/{key}/"]


async def test_a_caller_gets_each_of_its_keys(stage: Stage) -> None:
    found = await stage.batcher.fetch(PACKAGE, [683, "django-celery-email", 1599])
    assert {key: record.id for key, record in found.items() if isinstance(record, Package)} == {
        683: 683,
        "django-celery-email": 1599,
        1599: 1599,
    }
    assert await stage.batcher.fetch(PACKAGE, []) == {}


async def test_what_is_found_by_one_key_is_there_for_whoever_waits_by_the_other(stage: Stage) -> None:
    stage.hold()
    by_id, by_slug = stage.fetch(1599), stage.fetch("django-celery-email")
    await stage.arrival(2)
    stage.answer("django-celery-email")
    assert (await by_id)[1599] is (await by_slug)["django-celery-email"]
    await settle()
    assert stage.left == ["/packages/1599/"]


async def test_a_package_and_a_grid_of_one_number_are_two_keys(stage: Stage) -> None:
    packages, grids = await asyncio.gather(
        stage.batcher.fetch(PACKAGE, [15]), stage.batcher.fetch(GRID, [15])
    )
    assert isinstance(packages[15], Package)
    assert isinstance(grids[15], Grid)
    assert sorted(stage.asked) == ["/grids/15/", "/packages/15/"]


async def test_a_missing_key_is_missing_for_that_key_alone(stage: Stage) -> None:
    slug = stage.embedded.catalogue.packages[683].slug
    found = await stage.batcher.fetch(PACKAGE, [999999, 1599, "nope", -1, 2**63, slug])
    missing = [key for key, record in found.items() if record is None]
    assert missing == [999999, "nope", -1, 2**63]
    # An id or slug that no record can have is not asked for.
    assert sorted(stage.asked) == sorted(f"/packages/{key}/" for key in (999999, 1599, "nope", slug))


async def test_a_failed_key_fails_alone_and_for_everyone_who_wants_it(stage: Stage) -> None:
    stage.embedded.faults.add(Fault(Status(500), path="/api/v4/packages/1599/"))
    first, second = await asyncio.gather(stage.fetch(1599, 683), stage.fetch(1599))
    assert isinstance(first[1599], UpstreamUnavailable)
    assert second[1599] is first[1599]
    assert isinstance(first[683], Package)
    assert len(stage.asked) == 2


# The cheapest requests


async def test_misses_of_several_callers_in_one_turn_are_one_plan(stage: Stage) -> None:
    stage.know_places()
    wanted = stage.ids[100:110]
    found = await asyncio.gather(*(stage.batcher.fetch(PACKAGE, [id]) for id in wanted))
    assert [record.id for each in found for record in each.values() if isinstance(record, Package)] == wanted
    assert stage.asked == ["/packages/?limit=10&offset=100"]


@pytest.mark.parametrize(
    ("places", "requests"),
    [
        pytest.param([7], ["/packages/{7}/"], id="one record"),
        pytest.param([7, 8], ["/packages/?limit=2&offset=7"], id="neighbours"),
        pytest.param([7, 290], ["/packages/{7}/", "/packages/{290}/"], id="far from each other"),
        pytest.param(
            [0, 4, 9, 120, 250, 251],
            ["/packages/?limit=10&offset=0", "/packages/?limit=2&offset=250", "/packages/{120}/"],
            id="two clusters and one alone",
        ),
        pytest.param(range(30, 151, 10), ["/packages/?limit=121&offset=30"], id="some of a page"),
        pytest.param(
            [*range(240), *range(260, 300)],
            ["/packages/?limit=240&offset=0", "/packages/?limit=40&offset=260"],
            id="more than a page",
        ),
    ],
)
async def test_known_places_are_asked_for_by_the_cheapest_pages(
    stage: Stage, places: list[int], requests: list[str]
) -> None:
    stage.know_places()
    wanted = [stage.ids[place] for place in places]
    found = await stage.batcher.fetch(PACKAGE, wanted)
    assert {id: record.id for id, record in found.items() if isinstance(record, Package)} == dict(
        zip(wanted, wanted, strict=True)
    )
    expected = [request.format(*stage.ids) for request in requests]
    assert sorted(stage.asked) == sorted(expected)


async def test_unknown_places_are_asked_for_one_by_one_until_the_whole_list_is_cheaper(
    embedded: EmbeddedUpstream,
) -> None:
    # The newest ids, which may be anywhere in a list of 300: two pages cost as much as 7.6 details.
    wanted = sorted(embedded.catalogue.packages, reverse=True)[:8]
    whole = ["/packages/?limit=250&offset=0", "/packages/?limit=250&offset=250"]
    for number, requests in ((7, [f"/packages/{id}/" for id in wanted[:7]]), (8, whole)):
        async with staged(embedded) as stage:
            stage.batcher.places[PACKAGE.singular].count = 300
            found = await stage.batcher.fetch(PACKAGE, wanted[:number])
            assert all(isinstance(found[id], Package) for id in wanted[:number])
            assert sorted(stage.asked) == sorted(requests)


async def test_slugs_are_asked_for_one_by_one_unless_a_page_has_shown_them(stage: Stage) -> None:
    stage.know_places()
    slugs = [stage.embedded.catalogue.packages[id].slug for id in stage.ids[20:24]]
    ids = stage.ids[22:24]
    await stage.batcher.fetch(PACKAGE, ids)
    found = await stage.batcher.fetch(PACKAGE, slugs)
    assert all(isinstance(record, Package) for record in found.values())
    assert sorted(stage.asked) == sorted(
        ["/packages/?limit=2&offset=22", f"/packages/{slugs[0]}/", f"/packages/{slugs[1]}/"]
    )


async def test_categories_are_asked_for_in_one_page(stage: Stage) -> None:
    found = await stage.batcher.fetch(CATEGORY, stage.embedded.catalogue.categories)
    assert all(isinstance(record, Category) for record in found.values())
    assert await stage.batcher.fetch(CATEGORY, [1, 8]) == {1: found[1], 8: found[8]}
    assert stage.asked == ["/categories/?limit=100&offset=0"]


async def test_a_missing_category_is_missing_for_certain(stage: Stage) -> None:
    found = await stage.batcher.fetch(CATEGORY, [1, 5])
    assert isinstance(found[1], Category)
    assert found[5] is None
    assert stage.asked == ["/categories/?limit=100&offset=0", "/categories/5/"]


# What is remembered


async def test_a_missing_key_is_remembered_for_a_minute(embedded: EmbeddedUpstream) -> None:
    clock = Clock()
    async with staged(embedded, clock=clock) as stage:
        assert await stage.batcher.fetch(PACKAGE, ["new"]) == {"new": None}
        stage.embedded.catalogue.insert_package(slug="new")
        clock.now += 59.9
        assert await stage.batcher.fetch(PACKAGE, ["new"]) == {"new": None}
        assert len(stage.asked) == 1
        clock.now += 0.1
        assert isinstance((await stage.batcher.fetch(PACKAGE, ["new"]))["new"], Package)
        assert len(stage.asked) == 2


async def test_nonsense_is_remembered_for_a_minute(embedded: EmbeddedUpstream) -> None:
    clock = Clock()
    embedded.faults.add(Fault(BadField(1599, "title", 7)))
    async with staged(embedded, clock=clock) as stage:
        for _ in range(2):
            assert isinstance((await stage.batcher.fetch(PACKAGE, [1599]))[1599], UpstreamBadData)
            assert len(stage.asked) == 1
            clock.now += 59.9
        embedded.faults.clear()
        assert isinstance((await stage.batcher.fetch(PACKAGE, [1599]))[1599], Package)


async def test_a_failure_that_passes_is_not_remembered(stage: Stage) -> None:
    stage.embedded.faults.add(Fault(Status(503), times=1))
    assert isinstance((await stage.batcher.fetch(PACKAGE, [1599]))[1599], UpstreamUnavailable)
    assert isinstance((await stage.batcher.fetch(PACKAGE, [1599]))[1599], Package)


async def test_a_new_catalog_makes_it_forget(stage: Stage) -> None:
    await stage.batcher.fetch(PACKAGE, [1599, "nope"])
    stage.batcher.forget()
    await stage.batcher.fetch(PACKAGE, [1599, "nope"])
    assert len(stage.asked) == 4


async def test_what_came_before_the_new_catalog_does_not_hide_who_asks_now(stage: Stage) -> None:
    # A page shows the record while it is asked for alone, and a new catalog makes the batcher forget it.
    stage.know_places()
    stage.hold()
    early = stage.fetch(1599)
    await stage.arrival(1)
    page = stage.page(20, 0)
    await stage.arrival(2)
    stage.answer("offset=0")
    await page
    assert isinstance((await early)[1599], Package)
    stage.batcher.forget()
    now = stage.fetch(1599)
    await stage.arrival(3)
    stage.answer("/packages/1599/")
    await settle()
    assert isinstance((await now)[1599], Package)
    assert stage.asked == ["/packages/1599/", "/packages/?limit=20&offset=0", "/packages/1599/"]


async def test_what_is_remembered_is_bounded_by_the_records_on_pages_too() -> None:
    category = {
        "id": 1,
        "title": "",
        "slug": "apps",
        "description": "",
        "title_plural": "",
        "show_pypi": True,
        "created": "2026-02-16T01:00:00-05:00",
        "modified": "2026-02-16T01:00:00-05:00",
    }
    page = {"count": 7000, "next": None, "previous": None, "results": [category] * 7000}
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["limit"])
        return httpx.Response(200, json=page)

    client = Client(URL, httpx.MockTransport(answer))
    batcher = Batcher(client)
    for limit in (7000, 7001, 7002, 7001, 7000):
        await batcher.page(CATEGORY, limit=limit, offset=0)
    assert asked == ["7000", "7001", "7002", "7000"]
    await client.aclose()
