"""Tests the batcher's pages: asked once, waited for by whoever must be on them, and made good where they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.support.batcher_with_held_answers import HeldBatcher, held_batcher, settle
from upstream.client.upstream_errors import UpstreamBadData
from upstream.client.v4_records import CATEGORY, PACKAGE, CategoryRecord, PackageRecord, Page
from upstream.embedded import BadField, EmbeddedUpstream, Fault, StatusFault

FIRST_PAGE = "/packages/?limit=100&offset=0"
SECOND_PAGE = "/packages/?limit=100&offset=100"

PageOf = Callable[[HeldBatcher, int, int], asyncio.Task[Page[PackageRecord]]]

# Asked once


async def test_equal_pages_are_asked_once(held: HeldBatcher) -> None:
    held.hold()
    pages = [held.page(20, 40), held.page(20, 40)]
    await held.requests_came(1)
    pages.append(held.page(20, 40))
    await held.requests_came(1)
    held.answer_all()
    first, *others = await asyncio.gather(*pages)
    assert [record.id for record in first.records] == held.ids[40:60]
    assert all(page is first for page in others)
    assert await held.page(20, 40) is first
    assert held.asked == ["/packages/?limit=20&offset=40"]


async def test_other_pages_are_other_requests(held: HeldBatcher) -> None:
    await asyncio.gather(held.page(20, 40), held.page(21, 40), held.page(20, 41))
    assert len(held.asked) == 3


async def test_what_was_on_a_page_is_known_by_id_and_slug(held: HeldBatcher) -> None:
    page = await held.page(20, 0)
    for record in page.records:
        found = await held.fetch(record.id, record.slug)
        assert found == {record.id: record, record.slug: record}
    assert len(held.asked) == 1


async def test_a_page_of_the_crawl_is_the_page_of_whoever_asks_for_an_equal_one(held: HeldBatcher) -> None:
    held.hold()
    crawl = held.crawl(100, 0)
    await held.requests_came(1)
    page = held.page(100, 0)
    await held.requests_came(1)
    held.answer_all()
    assert await page is await crawl
    assert await held.page(100, 0) is await crawl
    assert held.asked == [FIRST_PAGE]


async def test_a_page_for_wanted_records_is_the_page_of_whoever_asks_for_an_equal_one(
    held: HeldBatcher,
) -> None:
    held.know_positions()
    held.hold()
    records = held.fetch(*held.ids[20:25])
    await held.requests_came(1)
    page = held.page(5, 20)
    await held.requests_came(1)
    held.answer_all()
    assert list((await records).values()) == (await page).records
    assert held.asked == ["/packages/?limit=5&offset=20"]


async def test_all_categories_are_asked_once_whatever_is_wanted_of_them(held: HeldBatcher) -> None:
    held.hold()

    async def categories(*ids: int) -> list[int]:
        return [
            record.id
            for record in (await held.batcher.fetch(CATEGORY, ids)).values()
            if isinstance(record, CategoryRecord)
        ]

    page = asyncio.create_task(held.batcher.page(CATEGORY, limit=100, offset=0))
    some = [asyncio.create_task(categories(1)), asyncio.create_task(categories(2, 3))]
    await held.requests_came(1)
    some.append(asyncio.create_task(categories(2, 8)))
    pages = [page, asyncio.create_task(held.batcher.page(CATEGORY, limit=100, offset=0))]
    await held.requests_came(1)
    held.answer_all()
    assert await asyncio.gather(*some) == [[1], [2, 3], [2, 8]]
    first, second = await asyncio.gather(*pages)
    assert first is second
    assert held.asked == ["/categories/?limit=100&offset=0"]


# Waiting for a page under way


@pytest.mark.parametrize("page", [HeldBatcher.crawl, HeldBatcher.page])
async def test_a_record_that_must_be_on_a_page_under_way_waits_for_it(
    held: HeldBatcher, page: PageOf
) -> None:
    held.know_positions()
    held.hold()
    under_way = page(held, 100, 100)
    await held.requests_came(1)
    waiting = [held.fetch(*held.ids[100:150:10]), held.fetch(held.ids[199])]
    elsewhere = held.fetch(held.ids[99], held.ids[200])
    await held.requests_came(3)
    held.answer_all()
    found = [await each for each in waiting]
    records = {record.id: record for record in (await under_way).records}
    assert all(record is records[int(key)] for each in found for key, record in each.items())
    assert len(await elsewhere) == 2
    assert sorted(held.asked[1:]) == sorted(f"/packages/{held.ids[place]}/" for place in (99, 200))


async def test_a_record_that_must_be_on_a_page_of_the_same_turn_waits_for_it(held: HeldBatcher) -> None:
    held.know_positions()
    record, page = await asyncio.gather(held.fetch(1599), held.page(20, 0))
    assert record[1599] in page.records
    assert held.asked == ["/packages/?limit=20&offset=0"]


async def test_a_record_that_may_be_on_a_page_under_way_is_asked_for(held: HeldBatcher) -> None:
    held.batcher.positions[PACKAGE.singular].count = 300
    held.hold()
    under_way = held.page(100, 0)
    await held.requests_came(1)
    # It can stand anywhere from place 0 to 299.
    record = held.fetch(333)
    await held.requests_came(2)
    held.answer("/packages/333/")
    assert isinstance((await record)[333], PackageRecord)
    held.answer_all()
    await under_way


async def test_whoever_wants_a_record_while_the_whole_list_is_under_way_waits_for_it(
    embedded: EmbeddedUpstream,
) -> None:
    async with held_batcher(embedded) as held:
        held.batcher.positions[PACKAGE.singular].count = 300
        held.hold()
        # Of a list of 300 eight records that can stand anywhere cost as much as all.
        first = held.fetch(*held.ids[:8])
        await held.requests_came(2)
        second = held.fetch(*held.ids[4:20])
        await held.requests_came(2)
        held.answer_all()
        assert [await first, await second] == [
            {id: record for id, record in (await each).items() if isinstance(record, PackageRecord)}
            for each in (first, second)
        ]
        assert len(held.asked) == 2


async def test_nobody_waits_for_a_page_that_has_come_while_others_of_its_list_are_under_way(
    held: HeldBatcher,
) -> None:
    held.embedded.faults.add(Fault(BadField(held.ids[10], "title", 7)))
    held.batcher.positions[PACKAGE.singular].count = 300
    held.hold()
    everything = held.fetch(*held.ids[:9], *held.ids[-2:])
    await held.requests_came(2)
    held.answer("offset=0")
    await settle()
    bad = held.fetch(held.ids[10])
    await held.requests_came(3)
    held.answer(f"/packages/{held.ids[10]}/")
    assert isinstance((await bad)[held.ids[10]], UpstreamBadData)
    held.answer_all()
    await everything


async def test_nobody_waits_for_a_page_of_the_crawl_that_waits_for_its_turn(
    embedded: EmbeddedUpstream,
) -> None:
    # Users go first, so it could wait for as long as there are any.
    async with held_batcher(embedded, in_flight=1) as held:
        held.know_positions()
        held.hold()
        busy = held.fetch("django-celery-email")
        await held.requests_came(1)
        crawl = held.crawl(100, 100)
        await settle()
        wanted = held.fetch(held.ids[150])
        await settle()
        held.answer_all()
        assert isinstance((await wanted)[held.ids[150]], PackageRecord)
        await asyncio.gather(busy, crawl)
        assert held.asked == ["/packages/django-celery-email/", f"/packages/{held.ids[150]}/", SECOND_PAGE]


async def test_a_record_that_stands_nowhere_is_asked_for_while_the_whole_list_is_under_way(
    held: HeldBatcher,
) -> None:
    await held.page(4, 0)
    held.hold()
    everything = held.fetch(*held.ids[4:30])
    await held.requests_came(3)
    # The page has shown its newer and its older neighbour, so it is on no page.
    between = held.ids[2] - 1
    assert between not in held.ids
    absent = held.fetch(between)
    await held.requests_came(4)
    held.answer(f"/packages/{between}/")
    assert await absent == {between: None}
    held.answer_all()
    assert all(isinstance(record, PackageRecord) for record in (await everything).values())


@pytest.mark.parametrize("turns", range(30))
async def test_a_record_that_comes_in_the_turn_in_which_it_is_wanted_is_not_asked_for(
    held: HeldBatcher, turns: int
) -> None:
    held.hold()
    page = held.page(20, 0)
    await held.requests_came(1)
    held.answer()
    for _ in range(turns):
        await asyncio.sleep(0)
    record = held.fetch(1599)
    assert isinstance((await record)[1599], PackageRecord)
    await page
    await settle()
    # Whatever was asked before the page came was given up when it did.
    assert held.left == held.asked[1:]


async def test_nobody_waits_for_another_attempt_at_a_page_of_the_crawl(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(503, retry_after="0"), times=1))
    async with held_batcher(embedded, attempts=2) as held:
        held.know_positions()
        held.hold()
        crawl = held.crawl(100, 0)
        await held.requests_came(1)
        record = held.fetch(1599)
        await held.requests_came(1)
        held.answer()
        # It takes its chance to be the one that upstream is tried with after the failure.
        await held.requests_came(2)
        assert held.asked == [FIRST_PAGE, "/packages/1599/"]
        held.answer_all()
        assert isinstance((await record)[1599], PackageRecord)
        assert len((await crawl).records) == 100
        assert held.asked[2:] == [FIRST_PAGE]
