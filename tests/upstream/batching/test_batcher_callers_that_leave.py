"""Holds that a caller may leave: a pending load ends with its last waiter, and not before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import pytest

from tests.support.batcher_with_held_answers import Found, HeldBatcher, held_batcher, settle
from upstream.client.v4_records import CATEGORY, PACKAGE, PackageRecord, Page
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

Waiter = asyncio.Task[Found] | asyncio.Task[Page[PackageRecord]]
Pair = tuple[Waiter, Waiter]


async def leave(*waiting: Waiter) -> None:
    for each in waiting:
        each.cancel()
    await settle()
    assert all(each.cancelled() for each in waiting)


def by_id(held: HeldBatcher) -> Pair:
    return held.fetch(1599), held.fetch(1599)


def by_slug(held: HeldBatcher) -> Pair:
    return held.fetch("django-celery-email"), held.fetch("django-celery-email")


def by_planned_page(held: HeldBatcher) -> Pair:
    held.know_positions()
    return held.fetch(*held.ids[50:55]), held.fetch(*held.ids[53:58])


def by_whole_list(held: HeldBatcher) -> Pair:
    held.know_positions()
    return held.fetch(*held.ids[::2]), held.fetch(*held.ids[1::2])


def by_page(held: HeldBatcher) -> Pair:
    return held.page(20, 0), held.page(20, 0)


every_way = pytest.mark.parametrize("pair", [by_id, by_slug, by_planned_page, by_whole_list, by_page])


@every_way
async def test_when_all_have_left_the_flight_ends_and_nothing_is_retried(
    embedded: EmbeddedUpstream, pair: Callable[[HeldBatcher], Pair]
) -> None:
    async with held_batcher(embedded, attempts=3) as held:
        embedded.faults.add(Fault(StatusFault(503)))
        held.hold()
        first, second = pair(held)
        await settle()
        asked = list(held.asked)
        assert len(asked) == (2 if pair is by_whole_list else 1)
        await leave(first)
        assert held.left == []
        await leave(second)
        assert sorted(held.left) == sorted(asked)
        assert held.batcher.under_way == 0
        held.answer_all()
        await settle()
        assert held.asked == asked


@every_way
async def test_when_one_leaves_the_others_get_what_they_want(
    held: HeldBatcher, pair: Callable[[HeldBatcher], Pair]
) -> None:
    held.hold()
    leaving, staying = pair(held)
    await settle()
    asked = list(held.asked)
    await leave(leaving)
    held.answer_all()
    found = await staying
    records: Iterable[object] = found.records if isinstance(found, Page) else found.values()
    assert all(isinstance(record, PackageRecord) for record in records)
    assert held.asked == asked
    assert held.left == []


@every_way
async def test_whoever_leaves_before_anything_was_sent_costs_nothing(
    held: HeldBatcher, pair: Callable[[HeldBatcher], Pair]
) -> None:
    first, second = pair(held)
    await asyncio.sleep(0)
    await leave(first, second)
    assert held.asked == []
    assert held.batcher.under_way == 0


@pytest.mark.parametrize("turns", range(6))
@every_way
async def test_a_flight_can_be_left_at_any_moment_of_its_departure(
    held: HeldBatcher, pair: Callable[[HeldBatcher], Pair], turns: int
) -> None:
    held.hold()
    first, second = pair(held)
    for _ in range(turns):
        await asyncio.sleep(0)
    await leave(first, second)
    assert held.batcher.under_way == 0
    assert held.left == held.asked
    # What was given up stands in nobody's way.
    held.answer_all()
    again, _ = pair(held)
    await again


@pytest.mark.parametrize("turns", range(6))
async def test_whoever_boards_a_page_just_when_its_last_waiter_leaves_gets_the_record(
    held: HeldBatcher, turns: int
) -> None:
    held.know_positions()
    held.hold()
    leaving = held.fetch(*held.ids[50:55])
    await settle()
    leaving.cancel()
    for _ in range(turns):
        await asyncio.sleep(0)
    boarding = held.fetch(held.ids[53])
    page = held.page(5, 50)
    await settle()
    held.answer_all()
    assert isinstance((await boarding)[held.ids[53]], PackageRecord)
    assert [record.id for record in (await page).records] == held.ids[50:55]
    assert len(held.asked) <= 3


async def test_whoever_boarded_later_gets_the_record_when_the_first_have_left(held: HeldBatcher) -> None:
    held.know_positions()
    held.hold()
    first = held.fetch(*held.ids[50:55])
    await held.requests_came(1)
    later = held.fetch(held.ids[52], held.ids[53])
    await leave(first)
    held.answer_all()
    assert all(isinstance(record, PackageRecord) for record in (await later).values())
    assert held.asked == ["/packages/?limit=5&offset=50"]


async def test_whoever_leaves_a_page_of_the_crawl_does_not_end_it(held: HeldBatcher) -> None:
    held.know_positions()
    held.hold()
    crawl = held.crawl(100, 0)
    await held.requests_came(1)
    await leave(held.fetch(1599))
    await leave(held.fetch(1599), held.page(100, 0))
    assert held.left == []
    held.answer_all()
    assert len((await crawl).records) == 100
    assert len(held.asked) == 1


async def test_whoever_waits_for_a_page_of_a_crawl_that_ends_is_asked_for_alone(held: HeldBatcher) -> None:
    held.know_positions()
    held.hold()
    crawl = held.crawl(100, 0)
    await held.requests_came(1)
    record, page = held.fetch(1599), held.page(100, 0)
    await held.requests_came(1)
    await leave(crawl)
    await held.requests_came(3)
    held.answer_all()
    assert isinstance((await record)[1599], PackageRecord)
    assert len((await page).records) == 100
    assert held.asked[0] in held.asked[1:]


async def test_a_page_ends_when_those_who_still_wait_for_it_leave(held: HeldBatcher) -> None:
    # Whoever has what the page was to bring still waits for another record; that keeps no page under way.
    held.batcher.positions[PACKAGE.singular].count = 300
    held.hold()
    staying = held.fetch(*held.ids[:9], "nope")
    leaving = held.fetch(*held.ids[-2:])
    await held.requests_came(3)
    held.answer("offset=0")
    await settle()
    await leave(leaving)
    assert held.left == ["/packages/?limit=250&offset=250"]
    held.answer_all()
    assert (await staying)["nope"] is None


async def test_a_record_that_a_page_has_brought_is_no_longer_asked_for_alone(held: HeldBatcher) -> None:
    held.hold()
    alone = held.fetch(1599)
    await held.requests_came(1)
    page = held.page(20, 0)
    await held.requests_came(2)
    held.answer("offset=0")
    assert isinstance((await alone)[1599], PackageRecord)
    await page
    await settle()
    assert held.left == ["/packages/1599/"]
    assert held.batcher.under_way == 0


async def test_a_time_limit_of_one_waiter_is_no_limit_for_another(held: HeldBatcher) -> None:
    held.hold()
    staying = asyncio.create_task(held.batcher.fetch(CATEGORY, [1]))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(held.batcher.fetch(CATEGORY, [1]), 0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(held.batcher.fetch(CATEGORY, [1]), 0.001)
    held.answer_all()
    assert (await staying)[1] is not None
    assert len(held.asked) == 1
