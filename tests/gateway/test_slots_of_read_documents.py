"""Tests that an operation whose document was read in a slot runs in it, and counts once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.admission_queue import Admission, AdmissionLimits
from gateway.current_caller import Caller, caller
from tests.support.impatient_clients import until
from tests.support.settings_for_tests import ADMISSION_LIMITS


async def test_an_operation_whose_document_was_read_in_a_slot_runs_in_it_before_others() -> None:
    admission, order = Admission(replace(ADMISSION_LIMITS, running=1, waiting=9, seconds=60)), list[str]()

    async def with_a_new_document(name: str) -> None:
        async with admission.turn_to_read():
            order.append(f"{name} is read")
            await asyncio.sleep(0)
        async with admission.turn(has_waited=True):
            order.append(f"{name} runs")
            await asyncio.sleep(0)

    await asyncio.gather(*(with_a_new_document(name) for name in "abc"))
    assert order == [f"{name} {step}" for name in "abc" for step in ("is read", "runs")]
    assert (admission.running, admission.waiting, admission.refused) == (0, 0, 0)


async def test_the_slot_of_a_read_document_is_kept_for_its_operation_until_the_next_step() -> None:
    admission = Admission(replace(ADMISSION_LIMITS, running=1, waiting=9, seconds=60))
    async with admission.turn_to_read():
        pass
    assert admission.slot_at_once(Caller("other", 1)) is None
    await asyncio.sleep(0)
    assert admission.slot_at_once(Caller("other", 1)) is not None


@pytest.mark.virtual_time
async def test_an_operation_whose_document_is_read_first_counts_once_for_an_overload() -> None:
    clock = asyncio.get_running_loop().time
    admission = Admission(AdmissionLimits(running=1, waiting=100, seconds=1), clock)

    async def ask_again(name: int) -> None:
        caller.set(Caller(str(name), name))
        while clock() < 1:
            async with admission.turn_to_read():
                await asyncio.sleep(0.005)
            async with admission.turn(has_waited=True):
                await asyncio.sleep(0.005)

    await asyncio.gather(*(ask_again(name) for name in range(20)))
    assert admission.refused == 0


@pytest.mark.virtual_time
async def test_operations_whose_documents_are_read_first_end_once_for_an_overload() -> None:
    clock = asyncio.get_running_loop().time
    admission = Admission(AdmissionLimits(running=1, waiting=500, seconds=1), clock)

    async def ask(name: int) -> None:
        caller.set(Caller(str(name), name))
        async with admission.turn_to_read():
            await asyncio.sleep(0.005)
        async with admission.turn(has_waited=True):
            await asyncio.sleep(0.005)

    asked = list[asyncio.Task[None]]()
    # Twice as many come as can be answered, which shows before any of them has waited for a second.
    while clock() < 0.9:
        asked.append(asyncio.create_task(ask(len(asked))))
        await asyncio.sleep(0.005)
    assert admission.refused > 0
    await asyncio.gather(*asked, return_exceptions=True)


async def test_a_read_document_is_not_refused_while_others_hold_all_slots() -> None:
    admission, may_end = (
        Admission(replace(ADMISSION_LIMITS, running=1, waiting=0, seconds=60)),
        asyncio.Event(),
    )

    async def other() -> None:
        async with admission.turn():
            await may_end.wait()

    async with admission.turn_to_read():
        pass
    holding = asyncio.create_task(other())
    await until(lambda: admission.running == 1)

    async def read_before() -> None:
        async with admission.turn(has_waited=True):
            pass

    running = asyncio.create_task(read_before())
    await until(lambda: admission.waiting == 1)
    may_end.set()
    await asyncio.gather(holding, running)
    assert admission.refused == 0
