"""Tests that the next operation is one of the connection that has had the least of the processor, on a clock on which
nothing else takes any time."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from gateway.admission_queue import Admission
from gateway.current_caller import Caller, caller
from tests.support.impatient_clients import until
from tests.support.settings_for_tests import ADMISSION_LIMITS
from tests.support.virtual_time import work_for

pytestmark = pytest.mark.virtual_time


def with_slots(running: int = ADMISSION_LIMITS.running) -> Admission:
    """Return a queue for so many operations at once, in which nobody waits for too long."""
    limits = replace(ADMISSION_LIMITS, running=running, seconds=60)
    return Admission(limits, asyncio.get_running_loop().time)


async def test_the_next_is_one_of_the_connection_that_has_had_the_least() -> None:
    admission, order = with_slots(1), list[str]()

    async def operation(name: str, seconds: float) -> None:
        caller.set(Caller(name[0], name[0]))
        async with admission.turn():
            order.append(name)
            work_for(seconds)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(operation(f"a{number}", 0.02)) for number in range(20)]
    await until(lambda: len(order) >= 3)
    before = len(order)
    tasks.append(asyncio.create_task(operation("newcomer", 0.0)))
    await asyncio.gather(*tasks)
    assert order.index("newcomer") <= before + 2


async def test_a_newcomer_is_ahead_of_fifty_who_ask_again_and_again() -> None:
    admission, ended = with_slots(), Counter[str]()

    async def busy(name: str) -> None:
        caller.set(Caller(name, name))
        while not ended["newcomer"]:
            async with admission.turn():
                work_for(0.001)
                await asyncio.sleep(0)
            ended["busy"] += 1
            await asyncio.sleep(0)

    async def newcomer() -> int:
        caller.set(Caller("newcomer", "newcomer"))
        before = ended["busy"]
        async with admission.turn():
            pass
        ended["newcomer"] += 1
        return ended["busy"] - before

    others = [asyncio.create_task(busy(str(number))) for number in range(50)]
    await until(lambda: ended["busy"] > 100)
    assert await newcomer() <= 10
    await asyncio.gather(*others)


async def test_a_newcomer_is_ahead_of_fifty_in_the_midst_of_their_round() -> None:
    admission, order = with_slots(1), list[str]()

    async def operation(name: str) -> None:
        caller.set(Caller(name, name))
        async with admission.turn():
            order.append(name)
            work_for(0.005)
            await asyncio.sleep(0)

    async def busy(name: str) -> None:
        for _ in range(3):
            await operation(name)

    tasks = [asyncio.create_task(busy(str(number))) for number in range(50)]
    await until(lambda: len(order) >= 5)
    before = len(order)
    await operation("newcomer")
    assert order.index("newcomer") <= before + 2
    await asyncio.gather(*tasks)


async def test_newcomers_without_end_do_not_keep_the_others_out() -> None:
    admission, served, newcomers = with_slots(1), asyncio.Event(), 0

    async def newcomer(number: int) -> None:
        caller.set(Caller(str(number), number))
        async with admission.turn():
            work_for(0.002)
            await asyncio.sleep(0)

    async def regular() -> None:
        caller.set(Caller("regular", "regular"))
        for _ in range(5):
            async with admission.turn():
                work_for(0.002)
                await asyncio.sleep(0)
        served.set()

    tasks = [asyncio.create_task(newcomer(-number)) for number in range(1, 5)]
    tasks.append(asyncio.create_task(regular()))
    while not served.is_set():
        newcomers += 1
        tasks.append(asyncio.create_task(newcomer(newcomers)))
        await asyncio.sleep(0.002)
        assert newcomers < 5000
    await asyncio.gather(*tasks)


async def test_a_client_with_many_connections_has_no_more_than_one_with_a_single_one() -> None:
    admission, order = with_slots(1), list[str]()

    async def operation(client: str, connection: int) -> None:
        caller.set(Caller(client, connection))
        async with admission.turn():
            order.append(client)
            work_for(0.005)
            await asyncio.sleep(0)

    async def quiet() -> None:
        for _ in range(5):
            await operation("quiet", 0)

    flood = [asyncio.create_task(operation("flood", number)) for number in range(50)]
    await until(lambda: len(order) >= 3)
    before = len(order)
    await quiet()
    # At most about one of the other client before each.
    assert order.index("quiet") <= before + 2
    assert len(order) - before <= 15
    await asyncio.gather(*flood)
