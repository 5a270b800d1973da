"""Tests the batcher: what many callers want is asked once, alone or on pages, whichever is cheapest."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from tests.support.batcher_with_held_answers import URL, Clock, HeldBatcher, held_batcher, settle
from tests.support.settings_for_tests import BUDGET, CLIENT_LIMITS
from upstream.batching.batcher import Batcher
from upstream.client.api_client import Client
from upstream.client.upstream_errors import UpstreamBadData, UpstreamUnavailable
from upstream.client.v4_records import CATEGORY, GRID, PACKAGE, CategoryRecord, GridRecord, PackageRecord
from upstream.embedded import BadField, EmbeddedUpstream, Fault, StatusFault

# One pending load for each key


@pytest.mark.parametrize("key", [1599, "django-celery-email"])
async def test_a_key_is_asked_once_whoever_wants_it_and_whenever(held: HeldBatcher, key: int | str) -> None:
    held.hold()
    together = [held.fetch(key), held.fetch(key, key)]
    await held.requests_came(1)
    later = [held.fetch(key) for _ in range(3)]
    await held.requests_came(1)
    held.answer_all()
    found = [(await each)[key] for each in together + later]
    assert isinstance(found[0], PackageRecord)
    assert all(record is found[0] for record in found)
    afterwards = await held.batcher.fetch(PACKAGE, [key, 1599, "django-celery-email"])
    assert set(map(id, afterwards.values())) == {id(found[0])}
    assert held.asked == [f"/packages/{key}/"]


async def test_a_caller_gets_each_of_its_keys(held: HeldBatcher) -> None:
    found = await held.batcher.fetch(PACKAGE, [683, "django-celery-email", 1599])
    assert {key: record.id for key, record in found.items() if isinstance(record, PackageRecord)} == {
        683: 683,
        "django-celery-email": 1599,
        1599: 1599,
    }
    assert await held.batcher.fetch(PACKAGE, []) == {}


async def test_what_is_found_by_one_key_is_there_for_whoever_waits_by_the_other(held: HeldBatcher) -> None:
    held.hold()
    by_id, by_slug = held.fetch(1599), held.fetch("django-celery-email")
    await held.requests_came(2)
    held.answer("django-celery-email")
    assert (await by_id)[1599] is (await by_slug)["django-celery-email"]
    await settle()
    assert held.left == ["/packages/1599/"]


async def test_a_package_and_a_grid_of_one_number_are_two_keys(held: HeldBatcher) -> None:
    packages, grids = await asyncio.gather(held.batcher.fetch(PACKAGE, [15]), held.batcher.fetch(GRID, [15]))
    assert isinstance(packages[15], PackageRecord)
    assert isinstance(grids[15], GridRecord)
    assert sorted(held.asked) == ["/grids/15/", "/packages/15/"]


async def test_a_missing_key_is_missing_for_that_key_alone(held: HeldBatcher) -> None:
    slug = held.embedded.catalog.packages[683].slug
    found = await held.batcher.fetch(PACKAGE, [999999, 1599, "nope", -1, 2**63, slug])
    missing = [key for key, record in found.items() if record is None]
    assert missing == [999999, "nope", -1, 2**63]
    # An id or slug that no record can have is not asked for. Until a record has come, a list has to show that it is
    # the API that says 404.
    asked = [target for target in held.asked if "categories" not in target]
    assert sorted(asked) == sorted(f"/packages/{key}/" for key in (999999, 1599, "nope", slug))


async def test_a_failed_key_fails_alone_and_for_everyone_who_wants_it(held: HeldBatcher) -> None:
    held.embedded.faults.add(Fault(StatusFault(500), path="/api/v4/packages/1599/"))
    first, second = await asyncio.gather(held.fetch(1599, 683), held.fetch(1599))
    assert isinstance(first[1599], UpstreamUnavailable)
    assert second[1599] is first[1599]
    assert isinstance(first[683], PackageRecord)
    assert len(held.asked) == 2


# The cheapest requests


async def test_misses_of_several_callers_in_one_turn_are_one_plan(held: HeldBatcher) -> None:
    held.know_positions()
    wanted = held.ids[100:110]
    found = await asyncio.gather(*(held.batcher.fetch(PACKAGE, [id]) for id in wanted))
    assert [
        record.id for each in found for record in each.values() if isinstance(record, PackageRecord)
    ] == wanted
    assert held.asked == ["/packages/?limit=10&offset=100"]


@pytest.mark.parametrize(
    ("positions", "requests"),
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
    held: HeldBatcher, positions: list[int], requests: list[str]
) -> None:
    held.know_positions()
    wanted = [held.ids[place] for place in positions]
    found = await held.batcher.fetch(PACKAGE, wanted)
    assert {id: record.id for id, record in found.items() if isinstance(record, PackageRecord)} == dict(
        zip(wanted, wanted, strict=True)
    )
    expected = [request.format(*held.ids) for request in requests]
    assert sorted(held.asked) == sorted(expected)


async def test_unknown_places_are_asked_for_one_by_one_until_the_whole_list_is_cheaper(
    embedded: EmbeddedUpstream,
) -> None:
    # The newest ids, which may be anywhere in a list of 300: two pages cost as much as 7.6 details.
    wanted = sorted(embedded.catalog.packages, reverse=True)[:8]
    whole = ["/packages/?limit=250&offset=0", "/packages/?limit=250&offset=250"]
    for number, requests in ((7, [f"/packages/{id}/" for id in wanted[:7]]), (8, whole)):
        async with held_batcher(embedded) as held:
            held.batcher.positions[PACKAGE.singular].count = 300
            found = await held.batcher.fetch(PACKAGE, wanted[:number])
            assert all(isinstance(found[id], PackageRecord) for id in wanted[:number])
            assert sorted(held.asked) == sorted(requests)


async def test_slugs_are_asked_for_one_by_one_unless_a_page_has_shown_them(held: HeldBatcher) -> None:
    held.know_positions()
    slugs = [held.embedded.catalog.packages[id].slug for id in held.ids[20:24]]
    ids = held.ids[22:24]
    await held.batcher.fetch(PACKAGE, ids)
    found = await held.batcher.fetch(PACKAGE, slugs)
    assert all(isinstance(record, PackageRecord) for record in found.values())
    assert sorted(held.asked) == sorted(
        ["/packages/?limit=2&offset=22", f"/packages/{slugs[0]}/", f"/packages/{slugs[1]}/"]
    )


async def test_categories_are_asked_for_in_one_page(held: HeldBatcher) -> None:
    found = await held.batcher.fetch(CATEGORY, held.embedded.catalog.categories)
    assert all(isinstance(record, CategoryRecord) for record in found.values())
    assert await held.batcher.fetch(CATEGORY, [1, 8]) == {1: found[1], 8: found[8]}
    assert held.asked == ["/categories/?limit=100&offset=0"]


async def test_a_missing_category_is_missing_for_certain(held: HeldBatcher) -> None:
    found = await held.batcher.fetch(CATEGORY, [1, 5])
    assert isinstance(found[1], CategoryRecord)
    assert found[5] is None
    assert held.asked == ["/categories/?limit=100&offset=0", "/categories/5/"]


# What is remembered


async def test_a_missing_key_is_remembered_for_a_minute(embedded: EmbeddedUpstream) -> None:
    clock = Clock()
    async with held_batcher(embedded, clock=clock) as held:
        await held.batcher.fetch(PACKAGE, [1599])
        held.asked.clear()
        assert await held.batcher.fetch(PACKAGE, ["new"]) == {"new": None}
        held.embedded.catalog.insert_package(slug="new")
        clock.now += 59.9
        assert await held.batcher.fetch(PACKAGE, ["new"]) == {"new": None}
        assert len(held.asked) == 1
        clock.now += 0.1
        assert isinstance((await held.batcher.fetch(PACKAGE, ["new"]))["new"], PackageRecord)
        assert len(held.asked) == 2


async def test_nonsense_is_remembered_for_a_minute(embedded: EmbeddedUpstream) -> None:
    clock = Clock()
    embedded.faults.add(Fault(BadField(1599, "title", 7)))
    async with held_batcher(embedded, clock=clock) as held:
        for _ in range(2):
            assert isinstance((await held.batcher.fetch(PACKAGE, [1599]))[1599], UpstreamBadData)
            assert len(held.asked) == 1
            clock.now += 59.9
        embedded.faults.clear()
        assert isinstance((await held.batcher.fetch(PACKAGE, [1599]))[1599], PackageRecord)


async def test_a_failure_that_passes_is_not_remembered(held: HeldBatcher) -> None:
    held.embedded.faults.add(Fault(StatusFault(503), times=1))
    assert isinstance((await held.batcher.fetch(PACKAGE, [1599]))[1599], UpstreamUnavailable)
    assert isinstance((await held.batcher.fetch(PACKAGE, [1599]))[1599], PackageRecord)


async def test_a_new_catalog_makes_it_forget(held: HeldBatcher) -> None:
    await held.batcher.fetch(PACKAGE, [1599, "nope"])
    held.batcher.forget()
    await held.batcher.fetch(PACKAGE, [1599, "nope"])
    assert len(held.asked) == 4


async def test_what_came_before_the_new_catalog_does_not_hide_who_asks_now(held: HeldBatcher) -> None:
    # A page shows the record while it is asked for alone, and a new catalog makes the batcher forget it.
    held.know_positions()
    held.hold()
    early = held.fetch(1599)
    await held.requests_came(1)
    page = held.page(20, 0)
    await held.requests_came(2)
    held.answer("offset=0")
    await page
    assert isinstance((await early)[1599], PackageRecord)
    held.batcher.forget()
    now = held.fetch(1599)
    await held.requests_came(3)
    held.answer("/packages/1599/")
    await settle()
    assert isinstance((await now)[1599], PackageRecord)
    assert held.asked == ["/packages/1599/", "/packages/?limit=20&offset=0", "/packages/1599/"]


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
    page = json.dumps({"count": 7000, "next": None, "previous": None, "results": [category] * 7000})
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["limit"])
        return httpx.Response(200, headers={"Content-Type": "application/json"}, text=page)

    client = Client(URL, httpx.MockTransport(answer), CLIENT_LIMITS)
    batcher = Batcher(client, BUDGET)
    for limit in (7000, 7001, 7002, 7001, 7000):
        await batcher.page(CATEGORY, limit=limit, offset=0)
    assert asked == ["7000", "7001", "7002", "7000"]
    await client.aclose()
