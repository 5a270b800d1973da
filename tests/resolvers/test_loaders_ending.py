"""Loads that fail stay failed for their request, and nobody is left waiting when the request or the process ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from resolvers.loaders import Loaders
from tests.support.batcher_with_held_answers import Stage, Unmeasured, settle, staged
from upstream.embedded import EmbeddedUpstream, Fault, Status
from upstream.errors import UpstreamUnavailable

Load = Callable[[Loaders], Awaitable[object]]

LOADS: dict[str, Load] = {
    "by id": lambda loaders: loaders.packages.by_id(1599),
    "by slug": lambda loaders: loaders.packages.by_slug("django-celery-email"),
    "by ids": lambda loaders: loaders.packages.by_ids([1599]),
    "page": lambda loaders: loaders.packages.page(limit=20, offset=0),
    "categories": lambda loaders: loaders.categories.all(),
    "category": lambda loaders: loaders.categories.by_id(1),
}
every_load = pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)


@pytest.fixture
async def stage(embedded: EmbeddedUpstream) -> AsyncIterator[Stage]:
    async with staged(embedded) as stage:
        yield stage


async def outcome(load: Awaitable[object]) -> object:
    """What it gives or raises; of a list, its first item."""
    (found,) = await asyncio.gather(load, return_exceptions=True)
    return found[0] if isinstance(found, list) else found


@every_load
async def test_a_failed_load_stays_failed_for_the_request(stage: Stage, load: Load) -> None:
    stage.embedded.faults.add(Fault(Status(500), times=1))
    loaders = Loaders.over(stage.batcher, None)
    first = await outcome(load(loaders))
    assert isinstance(first, UpstreamUnavailable)
    assert await outcome(load(loaders)) is first
    assert len(stage.asked) == 1
    assert not isinstance(await outcome(load(Loaders.over(stage.batcher, None))), Exception)


@every_load
async def test_a_defect_reaches_whoever_waits(stage: Stage, load: Load) -> None:
    defect = LookupError("a defect")
    stage.client.costs = Unmeasured(defect)
    assert await outcome(load(Loaders.over(stage.batcher, None))) is defect


@every_load
async def test_closing_ends_what_is_being_loaded(stage: Stage, load: Load) -> None:
    stage.hold()
    loaders = Loaders.over(stage.batcher, None)
    waiting = [asyncio.ensure_future(load(loaders)), asyncio.ensure_future(load(loaders))]
    await stage.arrival(1)
    loaders.close()
    await settle()
    assert all(each.cancelled() for each in waiting)
    assert stage.left == stage.asked
    assert stage.batcher.under_way == 0


@every_load
@pytest.mark.parametrize("turns", range(4))
async def test_closing_ends_what_was_about_to_be_loaded(stage: Stage, load: Load, turns: int) -> None:
    stage.hold()
    loaders = Loaders.over(stage.batcher, None)
    waiting = asyncio.ensure_future(load(loaders))
    for _ in range(turns):
        await asyncio.sleep(0)
    loaders.close()
    await settle()
    assert waiting.cancelled()
    assert stage.left == stage.asked


@every_load
async def test_after_closing_nothing_is_loaded(stage: Stage, load: Load) -> None:
    loaders = Loaders.over(stage.batcher, None)
    loaders.close()
    waiting = asyncio.ensure_future(load(loaders))
    await settle()
    assert waiting.cancelled()
    assert stage.asked == []


@every_load
async def test_closing_one_request_does_not_end_the_load_of_another(stage: Stage, load: Load) -> None:
    stage.hold()
    closing, staying = Loaders.over(stage.batcher, None), Loaders.over(stage.batcher, None)
    ended, waiting = asyncio.ensure_future(load(closing)), asyncio.ensure_future(load(staying))
    await stage.arrival(1)
    closing.close()
    await settle()
    assert ended.cancelled()
    assert not waiting.done()
    stage.answer_all()
    await waiting
    assert len(stage.asked) == 1


@every_load
async def test_when_the_process_ends_nobody_is_left_waiting(stage: Stage, load: Load) -> None:
    stage.hold()
    waiting = asyncio.ensure_future(load(Loaders.over(stage.batcher, None)))
    await stage.arrival(1)
    await stage.batcher.aclose()
    await settle()
    assert waiting.cancelled()
    later = asyncio.ensure_future(load(Loaders.over(stage.batcher, None)))
    await settle()
    assert later.cancelled()
