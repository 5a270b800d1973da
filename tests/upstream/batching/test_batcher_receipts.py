"""Tests receipts of those who share requests: each has what it waited for, once, and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from tests.support.batcher_with_held_answers import HeldBatcher, held_batcher, settle
from upstream.client.exchange_receipt import Receipt, recording
from upstream.client.v4_records import CATEGORY, PACKAGE
from upstream.embedded import BadField, EmbeddedUpstream, Fault, StatusFault


class Request:
    """A request of a user, with its receipt."""

    def __init__(self, *steps: Callable[[], Awaitable[object]]) -> None:
        self.receipt = Receipt()
        self.answer = asyncio.create_task(self._run(steps))

    async def _run(self, steps: tuple[Callable[[], Awaitable[object]], ...]) -> None:
        with recording(self.receipt):
            for step in steps:
                await step()

    @property
    def noted(self) -> dict[str, int]:
        return dict(Counter(exchange.kind for exchange in self.receipt.exchanges))


def wanting(held: HeldBatcher, *keys: int | str) -> Request:
    return Request(lambda: held.batcher.fetch(PACKAGE, keys))


async def answers(*requests: Request) -> None:
    await asyncio.gather(*(request.answer for request in requests))


async def test_whoever_shares_a_detail_has_it_on_the_receipt(held: HeldBatcher) -> None:
    held.hold()
    first, second = wanting(held, 1599), wanting(held, 1599)
    await held.requests_came(1)
    later = wanting(held, 1599)
    await settle()
    held.answer_all()
    await answers(first, second, later)
    assert first.noted == second.noted == later.noted == {"package": 1}
    assert {request.receipt.from_memory for request in (first, second, later)} == {0}
    assert first.receipt.exchanges[0].bytes == held.embedded.requests.bytes


async def test_whoever_shares_a_page_has_it_on_the_receipt_once(held: HeldBatcher) -> None:
    held.know_positions()
    held.hold()
    several = wanting(held, *held.ids[50:60])
    one = wanting(held, held.ids[59])
    await held.requests_came(1)
    later = wanting(held, held.ids[55], held.ids[56])
    other = wanting(held, "nope")
    await settle()
    held.answer_all()
    await answers(several, one, later, other)
    assert several.noted == one.noted == later.noted == {"packages page": 1}
    assert other.noted == {"package": 1}


async def test_whoever_waits_for_a_page_of_the_crawl_has_it_on_the_receipt(held: HeldBatcher) -> None:
    held.know_positions()
    held.hold()
    crawl = held.crawl(100, 0)
    await held.requests_came(1)
    record = wanting(held, 1599)
    page = Request(lambda: held.batcher.page(PACKAGE, limit=100, offset=0))
    nobody = wanting(held, held.ids[200])
    await settle()
    held.answer_all()
    await crawl
    await answers(record, page, nobody)
    assert record.noted == page.noted == {"packages page": 1}
    assert nobody.noted == {"package": 1}


async def test_pages_that_come_after_the_record_are_not_on_its_receipt(held: HeldBatcher) -> None:
    held.batcher.positions[PACKAGE.singular].count = 300
    held.hold()
    newest, all_ = wanting(held, held.ids[0]), wanting(held, *held.ids[1:9], *held.ids[-2:])
    await held.requests_came(2)
    held.answer("offset=0")
    await newest.answer
    held.answer_all()
    await all_.answer
    assert newest.noted == {"packages page": 1}
    assert all_.noted == {"packages page": 2}


async def test_a_failed_page_and_the_detail_that_makes_it_good_are_both_on_the_receipt(
    held: HeldBatcher,
) -> None:
    held.know_positions()
    held.embedded.faults.add(Fault(StatusFault(500), path="/api/v4/packages/?"))
    request = wanting(held, *held.ids[50:52])
    await request.answer
    assert request.noted == {"packages page": 1, "package": 2}
    # The details had to wait for the page.
    assert request.receipt.rounds == 2


async def test_only_whoever_wants_the_bad_record_has_its_detail_on_the_receipt(held: HeldBatcher) -> None:
    held.know_positions()
    held.embedded.faults.add(Fault(BadField(held.ids[51], "title", 7)))
    bad, good = wanting(held, held.ids[51]), wanting(held, held.ids[50])
    await answers(bad, good)
    assert bad.noted == {"packages page": 1, "package": 1}
    assert good.noted == {"packages page": 1}


async def test_every_attempt_is_on_the_receipt(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(503, retry_after="0"), times=1))
    async with held_batcher(embedded, attempts=2) as held:
        first, second = wanting(held, 1599), wanting(held, 1599)
        await answers(first, second)
        assert first.noted == second.noted == {"package": 2}


async def test_whoever_joins_after_a_failed_attempt_has_not_waited_for_it(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(503, retry_after="0"), times=1))
    async with held_batcher(embedded, attempts=2) as held:
        held.hold()
        first = wanting(held, 1599)
        await held.requests_came(1)
        held.answer()
        await held.requests_came(2)
        second = wanting(held, 1599)
        await settle()
        held.answer_all()
        await answers(first, second)
        assert first.noted == {"package": 2}
        assert second.noted == {"package": 1}


async def test_whoever_joins_later_has_waited_for_no_longer_than_that(held: HeldBatcher) -> None:
    # The page is under way before the second request begins, whose own first record comes before the page.
    held.know_positions()
    held.hold()
    first = wanting(held, *held.ids[50:60])
    await held.requests_came(1)
    second = Request(
        lambda: held.batcher.fetch(PACKAGE, [1599]), lambda: held.batcher.fetch(PACKAGE, [held.ids[55]])
    )
    await held.requests_came(2)
    held.answer("1599")
    await settle()
    held.answer_all()
    await answers(first, second)
    assert second.noted == {"package": 1, "packages page": 1}
    assert second.receipt.rounds == 2
    assert first.receipt.rounds == 1
    assert second.receipt.exchanges[1].asked > first.receipt.exchanges[0].asked


async def test_whoever_asks_twice_for_what_one_page_brings_has_waited_since_the_first_time(
    held: HeldBatcher,
) -> None:
    held.know_positions()
    receipt = Receipt()

    async def between() -> float:
        return time.monotonic()

    with recording(receipt):
        _, time_between, _ = await asyncio.gather(
            held.batcher.fetch(PACKAGE, held.ids[50:52]),
            between(),
            held.batcher.fetch(PACKAGE, held.ids[52:54]),
        )
    (exchange,) = receipt.exchanges
    assert exchange.asked <= time_between


async def test_what_is_remembered_counts_as_from_memory(held: HeldBatcher) -> None:
    await asyncio.gather(
        held.batcher.fetch(PACKAGE, [1599, "nope"]),
        held.batcher.page(PACKAGE, limit=7, offset=100),
        held.batcher.fetch(CATEGORY, [1]),
    )
    asked = len(held.asked)
    request = Request(
        lambda: held.batcher.fetch(PACKAGE, [1599, "django-celery-email", "nope"]),
        lambda: held.batcher.page(PACKAGE, limit=7, offset=100),
        lambda: held.batcher.fetch(CATEGORY, [1, 2]),
    )
    await request.answer
    assert request.noted == {}
    assert request.receipt.from_memory == 3 + 7 + 2
    assert len(held.asked) == asked


@pytest.mark.parametrize("without", [0, 1])
async def test_whoever_has_no_receipt_spoils_nobody_elses(held: HeldBatcher, without: int) -> None:
    held.hold()
    if without:
        held.fetch(1599)
        await held.requests_came(1)
    request = wanting(held, 1599)
    await held.requests_came(1)
    held.fetch(1599)
    await settle()
    held.answer_all()
    await request.answer
    assert request.noted == {"package": 1}
