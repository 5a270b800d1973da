"""Tests how a request for several pages ends: by itself, given up, failed, or cancelled in any turn of the loop."""

from __future__ import annotations

import asyncio
import time

from tests.support.batcher_with_held_answers import HeldBatcher, Unmeasured, settle
from tests.support.settings_for_tests import BUDGET
from upstream.batching.charged_requests import ChargedRequests
from upstream.batching.in_flight_requests import InFlightRequest, PendingLoad, PendingLoads
from upstream.batching.list_positions import ListPositions
from upstream.batching.recent_answers import RememberedAnswers
from upstream.batching.request_planning import Window
from upstream.batching.unknown_key_budget import Budget
from upstream.client.v4_records import PACKAGE

FIRST, SECOND = Window(0, 3, ()), Window(3, 3, ())


def sent(held: HeldBatcher, wanted: int) -> InFlightRequest:
    """Send a request for two pages, for which one load waits: the package at this place of the list."""
    positions = {PACKAGE.singular: ListPositions()}
    loads = PendingLoads(positions)
    requests = ChargedRequests(
        held.client,
        Budget(BUDGET, time.monotonic, None),
        loads,
        RememberedAnswers(time.monotonic),
        positions,
    )
    load = PendingLoad(PACKAGE, held.ids[wanted], asyncio.get_running_loop().create_future())
    request = load.request = InFlightRequest(PACKAGE, [FIRST, SECOND], {load: None})
    loads.add(load)
    loads.open(request)
    request.task = asyncio.create_task(requests.pages(request))
    return request


async def test_the_last_page_ends_its_request_without_cancelling_it(held: HeldBatcher) -> None:
    held.hold()
    task = sent(held, 4).task
    await held.requests_came(2)
    first, last = held.asked
    held.answer(first)
    await settle()
    held.answer(last)
    assert task is not None
    await asyncio.wait([task])
    assert not task.cancelled()
    assert task.exception() is None
    assert held.left == []


async def test_a_page_that_brings_all_that_is_wanted_ends_the_other_page(held: HeldBatcher) -> None:
    held.hold()
    task = sent(held, 0).task
    await held.requests_came(2)
    first, other = held.asked
    held.answer(first)
    assert task is not None
    await asyncio.wait([task])
    assert task.cancelled()
    assert held.left == [other]


async def test_pages_that_are_cancelled_in_the_turn_in_which_one_fails_are_cancelled(
    held: HeldBatcher,
) -> None:
    defect = LookupError("a defect")
    held.client.exchanger.limiter = Unmeasured(defect)
    turns, outcome = 0, None
    while outcome is not defect:
        task = sent(held, 0).task
        assert task is not None
        for _ in range(turns):
            await asyncio.sleep(0)
        was_running = task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(outcome, asyncio.CancelledError) == was_running, turns
        turns += 1
        assert turns < 1_000
    assert turns > 5
