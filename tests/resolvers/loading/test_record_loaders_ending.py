"""Loads that fail stay failed for their request, and nobody is left waiting when the request or the process ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from resolvers.loading.request_loaders import Loaders
from tests.support.batcher_with_held_answers import HeldBatcher, Unmeasured, held_batcher, settle
from upstream.client.upstream_errors import UpstreamUnavailable
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

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
async def held(embedded: EmbeddedUpstream) -> AsyncIterator[HeldBatcher]:
    async with held_batcher(embedded) as held:
        yield held


async def outcome(load: Awaitable[object]) -> object:
    """Return what it gives or raises; of a list, its first item."""
    (found,) = await asyncio.gather(load, return_exceptions=True)
    return found[0] if isinstance(found, list) else found


@every_load
async def test_a_failed_load_stays_failed_for_the_request(held: HeldBatcher, load: Load) -> None:
    held.embedded.faults.add(Fault(StatusFault(500), times=1))
    loaders = Loaders(held.batcher, None)
    first = await outcome(load(loaders))
    assert isinstance(first, UpstreamUnavailable)
    assert await outcome(load(loaders)) is first
    assert len(held.asked) == 1
    assert not isinstance(await outcome(load(Loaders(held.batcher, None))), Exception)


@every_load
async def test_a_defect_reaches_whoever_waits(held: HeldBatcher, load: Load) -> None:
    defect = LookupError("a defect")
    held.client.exchanger.limiter = Unmeasured(defect)
    assert await outcome(load(Loaders(held.batcher, None))) is defect


@every_load
async def test_closing_ends_what_is_being_loaded(held: HeldBatcher, load: Load) -> None:
    held.hold()
    loaders = Loaders(held.batcher, None)
    waiting = [asyncio.ensure_future(load(loaders)), asyncio.ensure_future(load(loaders))]
    await held.requests_came(1)
    loaders.close()
    await settle()
    assert all(each.cancelled() for each in waiting)
    assert held.left == held.asked
    assert held.batcher.under_way == 0


@every_load
@pytest.mark.parametrize("turns", range(4))
async def test_closing_ends_what_was_about_to_be_loaded(held: HeldBatcher, load: Load, turns: int) -> None:
    held.hold()
    loaders = Loaders(held.batcher, None)
    waiting = asyncio.ensure_future(load(loaders))
    for _ in range(turns):
        await asyncio.sleep(0)
    loaders.close()
    await settle()
    assert waiting.cancelled()
    assert held.left == held.asked


@every_load
async def test_after_closing_nothing_is_loaded(held: HeldBatcher, load: Load) -> None:
    loaders = Loaders(held.batcher, None)
    loaders.close()
    waiting = asyncio.ensure_future(load(loaders))
    await settle()
    assert waiting.cancelled()
    assert held.asked == []


@every_load
async def test_closing_one_request_does_not_end_the_load_of_another(held: HeldBatcher, load: Load) -> None:
    held.hold()
    closing, staying = Loaders(held.batcher, None), Loaders(held.batcher, None)
    ended, waiting = asyncio.ensure_future(load(closing)), asyncio.ensure_future(load(staying))
    await held.requests_came(1)
    closing.close()
    await settle()
    assert ended.cancelled()
    assert not waiting.done()
    held.answer_all()
    await waiting
    assert len(held.asked) == 1


@every_load
async def test_when_the_process_ends_nobody_is_left_waiting(held: HeldBatcher, load: Load) -> None:
    held.hold()
    waiting = asyncio.ensure_future(load(Loaders(held.batcher, None)))
    await held.requests_came(1)
    await held.batcher.aclose()
    await settle()
    assert waiting.cancelled()
    later = asyncio.ensure_future(load(Loaders(held.batcher, None)))
    await settle()
    assert later.cancelled()
