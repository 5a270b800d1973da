"""Defects and the end: whatever happens to a pending load, nobody waits for ever."""

from __future__ import annotations

import asyncio
import gc
import time

import httpx
import pytest

from tests.support.batcher_with_held_answers import URL, HeldBatcher, Unmeasured, held_batcher, settle
from tests.support.garbage_collection import collector_off
from tests.support.settings_for_tests import BUDGET, CLIENT_LIMITS
from upstream.batching.batcher import Batcher
from upstream.client.api_client import Client
from upstream.client.request_costs import Costs
from upstream.client.v4_records import CATEGORY, PACKAGE, Kind, R
from upstream.embedded import EmbeddedUpstream


class Unpriced(Costs):
    """Breaks down where a plan is made."""

    def detail(self, kind: Kind[R]) -> float:
        raise LookupError("a defect")


# What breaks down


@pytest.mark.parametrize(
    ("kind", "keys", "requests"),
    [
        pytest.param(PACKAGE, [1599, 2], 2, id="details"),
        pytest.param(PACKAGE, [1599, 1686], 1, id="a page"),
        pytest.param(PACKAGE, [2674, 2675, 1599, 1686, 100, 101, 102, 2], 3, id="pages and details"),
        pytest.param(CATEGORY, [1, 2], 1, id="all categories"),
    ],
)
async def test_an_unexpected_exception_reaches_everyone_who_waits(
    held: HeldBatcher, kind: Kind[R], keys: list[int], requests: int
) -> None:
    with collector_off():
        held.know_positions()
        held.hold()
        callers = [asyncio.create_task(held.batcher.fetch(kind, keys)) for _ in range(2)]
        await settle()
        callers += [asyncio.create_task(held.batcher.fetch(kind, keys))]
        asked = len(held.asked)
        assert asked >= requests
        defect = LookupError("a defect")
        exchanger = held.client.exchanger
        healthy, exchanger.limiter = exchanger.limiter, Unmeasured(defect)
        held.answer_all()
        outcomes = await asyncio.gather(*callers, return_exceptions=True)
        assert outcomes == [defect] * 3
        await settle()
        assert len(held.asked) == asked
        # What one caller was told, another need not be told by the log.
        del outcomes, callers
        defect.__traceback__ = None
        gc.collect(0)
    # It is not remembered, and nothing stands in the way of the next.
    exchanger.limiter = healthy
    assert not any(
        isinstance(record, Exception) for record in (await held.batcher.fetch(kind, keys)).values()
    )


async def test_a_plan_that_breaks_down_leaves_nobody_waiting(held: HeldBatcher) -> None:
    held.client.costs = Unpriced()
    callers = [held.fetch(1599), held.fetch(683, "nope")]
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert [repr(outcome) for outcome in outcomes] == ["LookupError('a defect')"] * 2
    assert held.asked == []


# The end


async def test_closing_ends_everything(embedded: EmbeddedUpstream) -> None:
    async with held_batcher(embedded) as held:
        held.know_positions()
        held.hold()
        detail, window, page = (
            held.fetch(2, "nope"),
            held.fetch(*held.ids[50:60]),
            held.page(3, 0),
        )
        await held.requests_came(4)
        pending = held.fetch(1599)
        await asyncio.sleep(0)
        await held.batcher.aclose()
        assert held.batcher.under_way == 0
        outcomes = await asyncio.gather(detail, window, page, pending, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 4
        assert sorted(held.left) == sorted(held.asked)
        assert len(held.asked) == 4


async def test_after_closing_nobody_waits() -> None:
    client = Client(URL, httpx.MockTransport(lambda _request: httpx.Response(500)), CLIENT_LIMITS)
    batcher = Batcher(client, BUDGET)
    await batcher.aclose()
    with pytest.raises(asyncio.CancelledError):
        await batcher.fetch(PACKAGE, [1599])
    assert batcher.under_way == 0
    await client.aclose()


def test_the_end_of_the_loop_is_the_end_of_everything(embedded: EmbeddedUpstream) -> None:
    all_held: list[HeldBatcher] = []

    async def main() -> None:
        held = HeldBatcher(embedded, CLIENT_LIMITS, time.monotonic)
        all_held.append(held)
        held.know_positions()
        held.hold()
        held.fetch(2, *held.ids[50:60])
        await held.requests_came(2)

    asyncio.run(main())
    assert sorted(all_held[0].left) == sorted(all_held[0].asked)
    assert all_held[0].batcher.under_way == 0
