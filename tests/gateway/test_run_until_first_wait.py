"""Tests work that runs up to its first wait at once, and goes on from there."""

from __future__ import annotations

import asyncio

import pytest

from gateway import EagerAwaitable


async def test_work_that_never_waits_is_done_at_once() -> None:
    async def work() -> int:
        return 1

    begun = EagerAwaitable(work())
    assert (begun.is_done, begun.result) == (True, 1)
    assert await begun == 1


async def test_work_that_waits_goes_on_where_it_waited() -> None:
    done: list[str] = []
    event = asyncio.Event()

    async def work() -> str:
        done.append("begun")
        await event.wait()
        await asyncio.sleep(0)
        done.append("done")
        return "result"

    begun = EagerAwaitable(work())
    assert (begun.is_done, done) == (False, ["begun"])
    asyncio.get_running_loop().call_soon(event.set)
    assert await begun == "result"
    assert done == ["begun", "done"]


async def test_what_it_raises_before_it_waits_is_raised_at_once_and_the_rest_where_it_is_awaited() -> None:
    async def work(wait: bool) -> None:
        if wait:
            await asyncio.sleep(0)
        raise LookupError

    with pytest.raises(LookupError):
        EagerAwaitable(work(False))
    begun = EagerAwaitable(work(True))
    with pytest.raises(LookupError):
        await begun


async def test_work_is_cancelled_with_its_task_and_can_clean_up() -> None:
    cleaned: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("up")

    async def waiting() -> None:
        await EagerAwaitable(work())

    task = asyncio.create_task(waiting())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == ["up"]


async def test_work_can_take_a_cancellation_for_something_else() -> None:
    async def work() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "cancelled"
        return "never"

    async def waiting() -> str:
        begun = await EagerAwaitable(work())
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        return begun

    task = asyncio.create_task(waiting())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "cancelled"


async def test_it_takes_futures_and_tasks_too() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    begun = EagerAwaitable(future)
    assert not begun.is_done
    future.set_result(2)
    assert await begun == 2
    assert EagerAwaitable(future).result == 2
