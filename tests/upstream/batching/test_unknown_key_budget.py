"""The budget for what strangers can make up: spent, set aside, given back, and grown again with time."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from tests.support.batcher_with_held_answers import Clock, settle
from tests.support.settings_for_tests import CLIENT_LIMITS, UPSTREAM_URL
from upstream.batching.batcher import Batcher
from upstream.batching.unknown_key_budget import Budget
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.client.upstream_errors import BudgetSpent
from upstream.client.v4_records import PACKAGE
from upstream.embedded import EmbeddedUpstream


async def test_as_many_as_a_minute_allows_can_be_spent_at_once_and_no_more() -> None:
    budget = Budget(60, Clock())
    assert [await budget.spend() for _ in range(61)] == [True] * 60 + [False]


@pytest.mark.parametrize("seconds", [1, 7, 60, 3600])
async def test_it_grows_again_by_one_a_second_up_to_a_minute(seconds: int) -> None:
    clock = Clock()
    budget = Budget(60, clock)
    while await budget.spend():
        pass
    clock.now += seconds
    assert [await budget.spend() for _ in range(100)].count(True) == min(seconds, 60)


async def test_it_tells_when_there_is_something_again() -> None:
    clock = Clock()
    budget = Budget(30, clock)
    assert budget.retry_after == 0
    while await budget.spend():
        pass
    assert budget.retry_after == pytest.approx(2.0)
    clock.now += 1.5
    assert budget.retry_after == pytest.approx(0.5)


async def test_the_share_of_one_of_many_workers_is_at_least_one_at_a_time() -> None:
    clock = Clock()
    budget = Budget(60 / 240, clock)
    assert [await budget.spend(), await budget.spend()] == [True, False]
    clock.now += 240
    assert [await budget.spend(), await budget.spend()] == [True, False]


async def test_what_is_set_aside_and_not_needed_can_be_spent_by_who_waits() -> None:
    budget = Budget(2, Clock())
    assert [await budget.reserve(), await budget.reserve()] == [True, True]
    waiting = [asyncio.create_task(budget.reserve()) for _ in range(3)]
    await settle()
    assert [task.done() for task in waiting] == [False] * 3
    budget.settle(spent=False)
    await settle()
    assert [task.done() for task in waiting] == [True, False, False]
    budget.settle(spent=True)
    await settle()
    assert [task.done() for task in waiting] == [True, False, False]
    budget.settle(spent=True)
    await settle()
    # Nothing is set aside any more that could come back.
    assert [task.result() for task in waiting] == [True, False, False]


async def test_who_gives_up_waiting_takes_nothing_along() -> None:
    budget = Budget(1, Clock())
    assert await budget.reserve()
    first, second = (asyncio.create_task(budget.reserve()) for _ in range(2))
    await settle()
    budget.settle(spent=False)
    first.cancel()  # it has been told, and does not know it yet
    await settle()
    assert second.result()


async def test_it_is_spent_when_nothing_is_left_and_nothing_can_come_back() -> None:
    clock = Clock()
    budget = Budget(1, clock)
    spent = [budget.is_spent]
    assert await budget.reserve()
    spent.append(budget.is_spent)
    budget.settle(spent=True)
    spent.append(budget.is_spent)
    clock.now += 60
    spent.append(budget.is_spent)
    assert spent == [False, False, True, False]


async def test_keys_beyond_the_budget_are_refused_in_the_turn_that_sends_and_begin_no_task(
    embedded: EmbeddedUpstream,
) -> None:
    client = Client(UPSTREAM_URL, in_process(embedded), CLIENT_LIMITS)
    async with aclosing(client), aclosing(Batcher(client, 1, Clock())) as batcher:
        await batcher.fetch(PACKAGE, ["made-up"], doubtful={"made-up"})
        asked = embedded.requests.total
        keys = [f"made-up-{number}" for number in range(100)]
        fetching = asyncio.create_task(batcher.fetch(PACKAGE, keys, doubtful=set(keys)))
        # It asks for them in the first turn, and they would be sent in the second.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert batcher.under_way == 0
        assert {type(each) for each in (await fetching).values()} == {BudgetSpent}
    assert embedded.requests.total == asked
