"""In virtual time seconds pass at once, but not while a thread or a connection may still tell the loop something."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import suppress

import pytest

from tests.support.virtual_time import work_for

pytestmark = pytest.mark.virtual_time

HOUR = 3600.0
"""More than any test takes: only a loop that skips seconds comes to its end."""


async def test_seconds_pass_at_once_and_in_order() -> None:
    ended: list[float] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        ended.append(asyncio.get_running_loop().time())

    async with asyncio.timeout(3 * HOUR):
        await asyncio.gather(*map(sleep, (2 * HOUR, 0.5, HOUR)))
    assert ended == [0.5, HOUR, 2 * HOUR]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), HOUR)
    assert asyncio.get_running_loop().time() == 3 * HOUR


async def test_work_takes_its_seconds_before_anything_else_runs() -> None:
    sleeping = asyncio.create_task(asyncio.sleep(HOUR))
    await asyncio.sleep(0)
    work_for(2 * HOUR)
    assert not sleeping.done()
    await sleeping
    assert asyncio.get_running_loop().time() == 2 * HOUR


async def test_no_second_is_skipped_while_a_thread_works() -> None:
    async with asyncio.timeout(HOUR):
        await asyncio.to_thread(time.sleep, 0.05)


async def test_no_second_is_skipped_between_the_end_of_a_thread_and_the_word_of_it() -> None:
    async with asyncio.timeout(HOUR):
        for _ in range(1_000):
            await asyncio.to_thread(int)


async def test_no_second_is_skipped_while_a_thread_works_that_nobody_waits_for() -> None:
    loop, go_on = asyncio.get_running_loop(), threading.Event()
    begun, told = asyncio.Event(), asyncio.Event()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait()
        time.sleep(0.05)
        loop.call_soon_threadsafe(told.set)

    waiting = asyncio.create_task(asyncio.to_thread(work))
    await begun.wait()
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    go_on.set()
    async with asyncio.timeout(HOUR):
        await told.wait()


async def test_no_second_is_skipped_while_there_is_a_connection() -> None:
    near, far = socket.socketpair()
    with far:
        reader, writer = await asyncio.open_connection(sock=near)
        sending = threading.Timer(0.05, far.send, [b"x"])
        sending.start()
        async with asyncio.timeout(HOUR):
            assert await reader.read(1) == b"x"
        sending.join()
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(HOUR)
