"""Defects and the end: whatever happens to a flight, nobody waits for ever."""

from __future__ import annotations

import asyncio
import gc
import time

import httpx
import pytest

from tests.support.batcher_with_held_answers import URL, Stage, Unmeasured, settle, staged
from upstream.batching import Batcher
from upstream.client import Client
from upstream.costs import Costs
from upstream.embedded import EmbeddedUpstream
from upstream.exchange import Limits
from upstream.records import CATEGORY, PACKAGE, Kind, R


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
    stage: Stage, kind: Kind[R], keys: list[int], requests: int
) -> None:
    stage.know_places()
    stage.hold()
    callers = [asyncio.create_task(stage.batcher.fetch(kind, keys)) for _ in range(2)]
    await settle()
    callers += [asyncio.create_task(stage.batcher.fetch(kind, keys))]
    asked = len(stage.asked)
    assert asked >= requests
    defect = LookupError("a defect")
    healthy, stage.client.costs = stage.client.costs, Unmeasured(defect)
    stage.answer_all()
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert outcomes == [defect] * 3
    await settle()
    assert len(stage.asked) == asked
    # What one caller was told, another need not be told by the log.
    del outcomes, callers
    defect.__traceback__ = None
    gc.collect()
    # It is not remembered, and nothing stands in the way of the next.
    stage.client.costs = healthy
    assert not any(
        isinstance(record, Exception) for record in (await stage.batcher.fetch(kind, keys)).values()
    )


async def test_a_plan_that_breaks_down_leaves_nobody_waiting(stage: Stage) -> None:
    stage.client.costs = Unpriced()
    callers = [stage.fetch(1599), stage.fetch(683, "nope")]
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert [repr(outcome) for outcome in outcomes] == ["LookupError('a defect')"] * 2
    assert stage.asked == []


# The end


async def test_closing_ends_everything(embedded: EmbeddedUpstream) -> None:
    async with staged(embedded) as stage:
        stage.know_places()
        stage.hold()
        detail, window, page = (
            stage.fetch(2, "nope"),
            stage.fetch(*stage.ids[50:60]),
            stage.page(3, 0),
        )
        await stage.arrival(4)
        pending = stage.fetch(1599)
        await asyncio.sleep(0)
        await stage.batcher.aclose()
        assert stage.batcher.under_way == 0
        outcomes = await asyncio.gather(detail, window, page, pending, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 4
        assert sorted(stage.left) == sorted(stage.asked)
        assert len(stage.asked) == 4


async def test_after_closing_nobody_waits() -> None:
    client = Client(URL, httpx.MockTransport(lambda _request: httpx.Response(500)), Limits(attempts=1))
    batcher = Batcher(client)
    await batcher.aclose()
    with pytest.raises(asyncio.CancelledError):
        await batcher.fetch(PACKAGE, [1599])
    assert batcher.under_way == 0
    await client.aclose()


def test_the_end_of_the_loop_is_the_end_of_everything(embedded: EmbeddedUpstream) -> None:
    stages: list[Stage] = []

    async def main() -> None:
        stage = Stage(embedded, Limits(attempts=1), time.monotonic)
        stages.append(stage)
        stage.know_places()
        stage.hold()
        stage.fetch(2, *stage.ids[50:60])
        await stage.arrival(2)

    asyncio.run(main())
    assert sorted(stages[0].left) == sorted(stages[0].asked)
    assert stages[0].batcher.under_way == 0
