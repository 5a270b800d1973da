"""The batcher's pages: asked once, waited for by whoever must be on them, and made good where they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.support.batcher_with_held_answers import Stage, settle, staged
from upstream.embedded import BadField, EmbeddedUpstream, Fault, Status
from upstream.errors import UpstreamBadData
from upstream.records import CATEGORY, PACKAGE, Category, Package, Page

FIRST_PAGE = "/packages/?limit=100&offset=0"
SECOND_PAGE = "/packages/?limit=100&offset=100"

PageOf = Callable[[Stage, int, int], asyncio.Task[Page[Package]]]

# Asked once


async def test_equal_pages_are_asked_once(stage: Stage) -> None:
    stage.hold()
    pages = [stage.page(20, 40), stage.page(20, 40)]
    await stage.arrival(1)
    pages.append(stage.page(20, 40))
    await stage.arrival(1)
    stage.answer_all()
    first, *others = await asyncio.gather(*pages)
    assert [record.id for record in first.records] == stage.ids[40:60]
    assert all(page is first for page in others)
    assert await stage.page(20, 40) is first
    assert stage.asked == ["/packages/?limit=20&offset=40"]


async def test_other_pages_are_other_requests(stage: Stage) -> None:
    await asyncio.gather(stage.page(20, 40), stage.page(21, 40), stage.page(20, 41))
    assert len(stage.asked) == 3


async def test_what_was_on_a_page_is_known_by_id_and_slug(stage: Stage) -> None:
    page = await stage.page(20, 0)
    for record in page.records:
        found = await stage.fetch(record.id, record.slug)
        assert found == {record.id: record, record.slug: record}
    assert len(stage.asked) == 1


async def test_a_page_of_the_crawl_is_the_page_of_whoever_asks_for_an_equal_one(stage: Stage) -> None:
    stage.hold()
    crawl = stage.crawl(100, 0)
    await stage.arrival(1)
    page = stage.page(100, 0)
    await stage.arrival(1)
    stage.answer_all()
    assert await page is await crawl
    assert await stage.page(100, 0) is await crawl
    assert stage.asked == [FIRST_PAGE]


async def test_a_page_for_wanted_records_is_the_page_of_whoever_asks_for_an_equal_one(stage: Stage) -> None:
    stage.know_places()
    stage.hold()
    records = stage.fetch(*stage.ids[20:25])
    await stage.arrival(1)
    page = stage.page(5, 20)
    await stage.arrival(1)
    stage.answer_all()
    assert list((await records).values()) == (await page).records
    assert stage.asked == ["/packages/?limit=5&offset=20"]


async def test_all_categories_are_asked_once_whatever_is_wanted_of_them(stage: Stage) -> None:
    stage.hold()

    async def categories(*ids: int) -> list[int]:
        return [
            record.id
            for record in (await stage.batcher.fetch(CATEGORY, ids)).values()
            if isinstance(record, Category)
        ]

    page = asyncio.create_task(stage.batcher.page(CATEGORY, limit=100, offset=0))
    some = [asyncio.create_task(categories(1)), asyncio.create_task(categories(2, 3))]
    await stage.arrival(1)
    some.append(asyncio.create_task(categories(2, 8)))
    pages = [page, asyncio.create_task(stage.batcher.page(CATEGORY, limit=100, offset=0))]
    await stage.arrival(1)
    stage.answer_all()
    assert await asyncio.gather(*some) == [[1], [2, 3], [2, 8]]
    first, second = await asyncio.gather(*pages)
    assert first is second
    assert stage.asked == ["/categories/?limit=100&offset=0"]


# Waiting for a page under way


@pytest.mark.parametrize("page", [Stage.crawl, Stage.page])
async def test_a_record_that_must_be_on_a_page_under_way_waits_for_it(stage: Stage, page: PageOf) -> None:
    stage.know_places()
    stage.hold()
    under_way = page(stage, 100, 100)
    await stage.arrival(1)
    aboard = [stage.fetch(*stage.ids[100:150:10]), stage.fetch(stage.ids[199])]
    elsewhere = stage.fetch(stage.ids[99], stage.ids[200])
    await stage.arrival(3)
    stage.answer_all()
    found = [await each for each in aboard]
    records = {record.id: record for record in (await under_way).records}
    assert all(record is records[int(key)] for each in found for key, record in each.items())
    assert len(await elsewhere) == 2
    assert sorted(stage.asked[1:]) == sorted(f"/packages/{stage.ids[place]}/" for place in (99, 200))


async def test_a_record_that_must_be_on_a_page_of_the_same_turn_waits_for_it(stage: Stage) -> None:
    stage.know_places()
    record, page = await asyncio.gather(stage.fetch(1599), stage.page(20, 0))
    assert record[1599] in page.records
    assert stage.asked == ["/packages/?limit=20&offset=0"]


async def test_a_record_that_may_be_on_a_page_under_way_is_asked_for(stage: Stage) -> None:
    stage.batcher.places[PACKAGE.singular].count = 300
    stage.hold()
    under_way = stage.page(100, 0)
    await stage.arrival(1)
    # It can stand anywhere from place 0 to 299.
    record = stage.fetch(333)
    await stage.arrival(2)
    stage.answer("/packages/333/")
    assert isinstance((await record)[333], Package)
    stage.answer_all()
    await under_way


async def test_whoever_wants_a_record_while_the_whole_list_is_under_way_waits_for_it(
    embedded: EmbeddedUpstream,
) -> None:
    async with staged(embedded) as stage:
        stage.batcher.places[PACKAGE.singular].count = 300
        stage.hold()
        # Of a list of 300 eight records that can stand anywhere cost as much as all.
        first = stage.fetch(*stage.ids[:8])
        await stage.arrival(2)
        second = stage.fetch(*stage.ids[4:20])
        await stage.arrival(2)
        stage.answer_all()
        assert [await first, await second] == [
            {id: record for id, record in (await each).items() if isinstance(record, Package)}
            for each in (first, second)
        ]
        assert len(stage.asked) == 2


async def test_nobody_waits_for_a_page_that_has_come_while_others_of_its_list_are_under_way(
    stage: Stage,
) -> None:
    stage.embedded.faults.add(Fault(BadField(stage.ids[10], "title", 7)))
    stage.batcher.places[PACKAGE.singular].count = 300
    stage.hold()
    everything = stage.fetch(*stage.ids[:9], *stage.ids[-2:])
    await stage.arrival(2)
    stage.answer("offset=0")
    await settle()
    bad = stage.fetch(stage.ids[10])
    await stage.arrival(3)
    stage.answer(f"/packages/{stage.ids[10]}/")
    assert isinstance((await bad)[stage.ids[10]], UpstreamBadData)
    stage.answer_all()
    await everything


async def test_nobody_waits_for_a_page_of_the_crawl_that_waits_for_its_turn(
    embedded: EmbeddedUpstream,
) -> None:
    # Users go first, so it could wait for as long as there are any.
    async with staged(embedded, in_flight=1) as stage:
        stage.know_places()
        stage.hold()
        busy = stage.fetch("django-celery-email")
        await stage.arrival(1)
        crawl = stage.crawl(100, 100)
        await settle()
        wanted = stage.fetch(stage.ids[150])
        await settle()
        stage.answer_all()
        assert isinstance((await wanted)[stage.ids[150]], Package)
        await asyncio.gather(busy, crawl)
        assert stage.asked == ["/packages/django-celery-email/", f"/packages/{stage.ids[150]}/", SECOND_PAGE]


async def test_a_record_that_stands_nowhere_is_asked_for_while_the_whole_list_is_under_way(
    stage: Stage,
) -> None:
    await stage.page(4, 0)
    stage.hold()
    everything = stage.fetch(*stage.ids[4:13])
    await stage.arrival(3)
    # The page has shown its newer and its older neighbour, so it is on no page.
    between = stage.ids[2] - 1
    assert between not in stage.ids
    absent = stage.fetch(between)
    await stage.arrival(4)
    stage.answer(f"/packages/{between}/")
    assert await absent == {between: None}
    stage.answer_all()
    assert all(isinstance(record, Package) for record in (await everything).values())


@pytest.mark.parametrize("turns", range(30))
async def test_a_record_that_comes_in_the_turn_in_which_it_is_wanted_is_not_asked_for(
    stage: Stage, turns: int
) -> None:
    stage.hold()
    page = stage.page(20, 0)
    await stage.arrival(1)
    stage.answer()
    for _ in range(turns):
        await asyncio.sleep(0)
    record = stage.fetch(1599)
    assert isinstance((await record)[1599], Package)
    await page
    await settle()
    # Whatever was asked before the page came was given up when it did.
    assert stage.left == stage.asked[1:]


async def test_nobody_waits_for_another_attempt_at_a_page_of_the_crawl(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(Status(503, retry_after="0"), times=1))
    async with staged(embedded, attempts=2) as stage:
        stage.know_places()
        stage.hold()
        crawl = stage.crawl(100, 0)
        await stage.arrival(1)
        record = stage.fetch(1599)
        await stage.arrival(1)
        stage.answer()
        # It takes its chance to be the one that upstream is tried with after the failure.
        await stage.arrival(2)
        assert stage.asked == [FIRST_PAGE, "/packages/1599/"]
        stage.answer_all()
        assert isinstance((await record)[1599], Package)
        assert len((await crawl).records) == 100
        assert stage.asked[2:] == [FIRST_PAGE]
