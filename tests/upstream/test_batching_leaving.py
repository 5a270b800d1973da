"""Whoever wants a record may leave: a flight ends with its last waiter, and not before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import pytest

from tests.support.batcher_with_held_answers import Found, Stage, settle, staged
from upstream.embedded import EmbeddedUpstream, Fault, Status
from upstream.records import CATEGORY, PACKAGE, Package, Page

Waiter = asyncio.Task[Found] | asyncio.Task[Page[Package]]
Pair = tuple[Waiter, Waiter]


async def leave(*waiting: Waiter) -> None:
    for each in waiting:
        each.cancel()
    await settle()
    assert all(each.cancelled() for each in waiting)


def by_id(stage: Stage) -> Pair:
    return stage.fetch(1599), stage.fetch(1599)


def by_slug(stage: Stage) -> Pair:
    return stage.fetch("django-celery-email"), stage.fetch("django-celery-email")


def by_planned_page(stage: Stage) -> Pair:
    stage.know_places()
    return stage.fetch(*stage.ids[50:55]), stage.fetch(*stage.ids[53:58])


def by_whole_list(stage: Stage) -> Pair:
    stage.know_places()
    return stage.fetch(*stage.ids[::2]), stage.fetch(*stage.ids[1::2])


def by_page(stage: Stage) -> Pair:
    return stage.page(20, 0), stage.page(20, 0)


every_way = pytest.mark.parametrize("pair", [by_id, by_slug, by_planned_page, by_whole_list, by_page])


@every_way
async def test_when_all_have_left_the_flight_ends_and_nothing_is_retried(
    embedded: EmbeddedUpstream, pair: Callable[[Stage], Pair]
) -> None:
    async with staged(embedded, attempts=3) as stage:
        embedded.faults.add(Fault(Status(503)))
        stage.hold()
        first, second = pair(stage)
        await settle()
        asked = list(stage.asked)
        assert len(asked) == (2 if pair is by_whole_list else 1)
        await leave(first)
        assert stage.left == []
        await leave(second)
        assert sorted(stage.left) == sorted(asked)
        assert stage.batcher.under_way == 0
        stage.answer_all()
        await settle()
        assert stage.asked == asked


@every_way
async def test_when_one_leaves_the_others_get_what_they_want(
    stage: Stage, pair: Callable[[Stage], Pair]
) -> None:
    stage.hold()
    leaving, staying = pair(stage)
    await settle()
    asked = list(stage.asked)
    await leave(leaving)
    stage.answer_all()
    found = await staying
    records: Iterable[object] = found.records if isinstance(found, Page) else found.values()
    assert all(isinstance(record, Package) for record in records)
    assert stage.asked == asked
    assert stage.left == []


@every_way
async def test_whoever_leaves_before_anything_was_sent_costs_nothing(
    stage: Stage, pair: Callable[[Stage], Pair]
) -> None:
    first, second = pair(stage)
    await asyncio.sleep(0)
    await leave(first, second)
    assert stage.asked == []
    assert stage.batcher.under_way == 0


@pytest.mark.parametrize("turns", range(6))
@every_way
async def test_a_flight_can_be_left_at_any_moment_of_its_departure(
    stage: Stage, pair: Callable[[Stage], Pair], turns: int
) -> None:
    stage.hold()
    first, second = pair(stage)
    for _ in range(turns):
        await asyncio.sleep(0)
    await leave(first, second)
    assert stage.batcher.under_way == 0
    assert stage.left == stage.asked
    # What was given up stands in nobody's way.
    stage.answer_all()
    again, _ = pair(stage)
    await again


@pytest.mark.parametrize("turns", range(6))
async def test_whoever_boards_a_page_just_when_its_last_waiter_leaves_gets_the_record(
    stage: Stage, turns: int
) -> None:
    stage.know_places()
    stage.hold()
    leaving = stage.fetch(*stage.ids[50:55])
    await settle()
    leaving.cancel()
    for _ in range(turns):
        await asyncio.sleep(0)
    boarding = stage.fetch(stage.ids[53])
    page = stage.page(5, 50)
    await settle()
    stage.answer_all()
    assert isinstance((await boarding)[stage.ids[53]], Package)
    assert [record.id for record in (await page).records] == stage.ids[50:55]
    assert len(stage.asked) <= 3


async def test_whoever_boarded_later_gets_the_record_when_the_first_have_left(stage: Stage) -> None:
    stage.know_places()
    stage.hold()
    first = stage.fetch(*stage.ids[50:55])
    await stage.arrival(1)
    later = stage.fetch(stage.ids[52], stage.ids[53])
    await leave(first)
    stage.answer_all()
    assert all(isinstance(record, Package) for record in (await later).values())
    assert stage.asked == ["/packages/?limit=5&offset=50"]


async def test_whoever_leaves_a_page_of_the_crawl_does_not_end_it(stage: Stage) -> None:
    stage.know_places()
    stage.hold()
    crawl = stage.crawl(100, 0)
    await stage.arrival(1)
    await leave(stage.fetch(1599))
    await leave(stage.fetch(1599), stage.page(100, 0))
    assert stage.left == []
    stage.answer_all()
    assert len((await crawl).records) == 100
    assert len(stage.asked) == 1


async def test_whoever_waits_for_a_page_of_a_crawl_that_ends_is_asked_for_alone(stage: Stage) -> None:
    stage.know_places()
    stage.hold()
    crawl = stage.crawl(100, 0)
    await stage.arrival(1)
    record, page = stage.fetch(1599), stage.page(100, 0)
    await stage.arrival(1)
    await leave(crawl)
    await stage.arrival(3)
    stage.answer_all()
    assert isinstance((await record)[1599], Package)
    assert len((await page).records) == 100
    assert stage.asked[0] in stage.asked[1:]


async def test_a_page_ends_when_those_who_still_wait_for_it_leave(stage: Stage) -> None:
    # Whoever has what the page was to bring still waits for another record; that keeps no page under way.
    stage.batcher.places[PACKAGE.singular].count = 300
    stage.hold()
    staying = stage.fetch(*stage.ids[:9], "nope")
    leaving = stage.fetch(*stage.ids[-2:])
    await stage.arrival(3)
    stage.answer("offset=0")
    await settle()
    await leave(leaving)
    assert stage.left == ["/packages/?limit=250&offset=250"]
    stage.answer_all()
    assert (await staying)["nope"] is None


async def test_a_record_that_a_page_has_brought_is_no_longer_asked_for_alone(stage: Stage) -> None:
    stage.hold()
    alone = stage.fetch(1599)
    await stage.arrival(1)
    page = stage.page(20, 0)
    await stage.arrival(2)
    stage.answer("offset=0")
    assert isinstance((await alone)[1599], Package)
    await page
    await settle()
    assert stage.left == ["/packages/1599/"]
    assert stage.batcher.under_way == 0


async def test_a_time_limit_of_one_waiter_is_no_limit_for_another(stage: Stage) -> None:
    stage.hold()
    staying = asyncio.create_task(stage.batcher.fetch(CATEGORY, [1]))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stage.batcher.fetch(CATEGORY, [1]), 0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stage.batcher.fetch(CATEGORY, [1]), 0.001)
    stage.answer_all()
    assert (await staying)[1] is not None
    assert len(stage.asked) == 1
