"""Tests who runs when there is more to do than can run at once: places, the queue, and who is refused."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from gateway.admission_queue import Admission, AdmissionLimits
from gateway.current_caller import Caller, caller
from gateway.retry_later_errors import Overloaded
from tests.support.impatient_clients import until
from tests.support.settings_for_tests import ADMISSION_LIMITS
from tests.support.virtual_time import work_for


class Work:
    """Operations that run until they are told to end, in a queue."""

    def __init__(self, running: int = 2, waiting: int = 100, seconds: float = 30) -> None:
        self.admission = Admission(AdmissionLimits(running, waiting, seconds))
        self.began: list[str] = []
        self.may_end = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def begin(self, name: str, client: str | None = None) -> asyncio.Task[None]:
        """Begin an operation of the connection that the first letter names, and of a client of the same name unless
        another is given."""
        task = asyncio.create_task(self._operation(name, client or name[0]))
        self.tasks.append(task)
        return task

    async def end_all(self) -> None:
        self.may_end.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        assert (self.admission.running, self.admission.waiting, self.admission.away) == (0, 0, 0)

    async def _operation(self, name: str, client: str) -> None:
        caller.set(Caller(client, name[0]))
        async with self.admission.turn():
            self.began.append(name)
            await self.may_end.wait()


async def test_so_many_run_at_once_and_the_others_wait() -> None:
    work = Work(running=3)
    for name in "abcdefgh":
        work.begin(name)
    await until(lambda: work.admission.waiting == 5)
    # Which three depends on the length of a turn of the loop.
    assert len(work.began) == 3
    await work.end_all()
    assert sorted(work.began) == list("abcdefgh")


async def test_one_connection_leaves_a_place_to_others() -> None:
    work = Work(running=3)
    for number in range(50):
        work.begin(f"a{number}")
    await until(lambda: work.admission.waiting == 48)
    newcomer = work.begin("b")
    await until(lambda: "b" in work.began)
    assert len(work.began) == 3
    await work.end_all()
    assert newcomer.done()


@pytest.mark.virtual_time
async def test_a_turn_of_the_loop_begins_few_operations_however_many_requests_it_read() -> None:
    clock = asyncio.get_running_loop().time
    admission, turn = Admission(replace(ADMISSION_LIMITS, seconds=60), clock), 0
    by_turn = Counter[int]()

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    async def operation(name: int) -> None:
        caller.set(Caller(str(name), name))
        async with admission.turn():
            by_turn[turn] += 1
            work_for(0.006)

    counting = asyncio.create_task(count_turns())
    await asyncio.gather(*(operation(number) for number in range(30)))
    counting.cancel()
    assert by_turn.total() == 30
    assert max(by_turn.values()) <= admission.limits.running


async def test_an_operation_beyond_the_queue_is_refused_in_a_sentence() -> None:
    work = Work(running=1, waiting=2)
    for name in "abc":
        work.begin(name)
    await until(lambda: work.admission.waiting == 2)
    with pytest.raises(
        Overloaded, match=r"^The gateway is busy: 2 operations are waiting already\.$"
    ) as refused:
        await work.begin("d")
    assert refused.value.retry_after == 30
    assert work.admission.refused == 1
    await work.end_all()


async def test_one_connection_that_fills_the_queue_locks_no_newcomer_out() -> None:
    work = Work(running=2, waiting=10)
    flood = [work.begin(f"a{number}") for number in range(11)]
    await until(lambda: work.admission.waiting == 10)
    work.begin("b")
    newcomers = [work.begin(name) for name in "cde"]
    await until(lambda: work.admission.refused == 3)
    assert "b" in work.began
    assert [number for number, each in enumerate(flood) if each.done()] == [8, 9, 10]
    with pytest.raises(Overloaded, match=r"^The gateway is busy: 10 operations are waiting already\.$"):
        await flood[10]
    assert work.admission.waiting == 10
    await work.end_all()
    assert all(newcomer.exception() is None for newcomer in newcomers)


async def test_one_client_that_fills_the_queue_by_many_connections_locks_no_newcomer_out() -> None:
    work = Work(running=2, waiting=10)
    flood = [work.begin(f"{connection}", client="flood") for connection in "abcdefghijkl"]
    await until(lambda: work.admission.waiting == 10)
    newcomers = [work.begin(name) for name in "zyx"]
    await until(lambda: work.admission.refused == 3)
    # The last of its connections make room.
    assert [number for number, each in enumerate(flood) if each.done()] == [9, 10, 11]
    assert work.admission.waiting == 10
    # One more of its connections makes no room for itself.
    with pytest.raises(Overloaded):
        await work.begin("m", client="flood")
    await work.end_all()
    assert all(newcomer.exception() is None for newcomer in newcomers)


async def test_in_a_full_queue_nobody_takes_the_place_of_one_who_waits_with_as_much() -> None:
    work = Work(running=1, waiting=4)
    for name in ("z", "a1", "a2", "b1", "b2"):
        work.begin(name)
    await until(lambda: work.admission.waiting == 4)
    with pytest.raises(Overloaded):
        await work.begin("a3")
    last = work.begin("c1")
    await until(lambda: work.admission.refused == 2)
    with pytest.raises(Overloaded):
        await work.begin("c2")
    await work.end_all()
    assert last.exception() is None


async def test_who_is_sent_away_and_leaves_in_the_same_turn_gives_no_place_back() -> None:
    work = Work(running=1, waiting=2)
    for name in ("z", "a1", "a2"):
        work.begin(name)
    await until(lambda: work.admission.waiting == 2)
    work.begin("b")
    await asyncio.sleep(0)
    work.tasks[2].cancel()
    await asyncio.gather(work.tasks[2], return_exceptions=True)
    assert (work.admission.running, work.admission.waiting) == (1, 2)
    await work.end_all()
    assert sorted(work.began) == ["a1", "b", "z"]


async def test_an_operation_that_waits_too_long_is_refused_in_a_sentence() -> None:
    work = Work(running=1, seconds=0.05)
    work.begin("a")
    sentence = r"^The gateway is busy: no slot became free in time\.$"
    with pytest.raises(Overloaded, match=sentence) as refused:
        await work.begin("b")
    assert refused.value.retry_after == 1
    assert (work.admission.running, work.admission.waiting) == (1, 0)
    await work.end_all()


async def test_who_leaves_the_queue_is_not_waited_for() -> None:
    work = Work(running=1)
    for name in "abc":
        work.begin(name)
    await until(lambda: work.admission.waiting == 2)
    work.tasks[1].cancel()
    await until(lambda: work.admission.waiting == 1)
    await work.end_all()
    assert work.began == ["a", "c"]


async def test_who_leaves_in_the_turn_in_which_the_place_comes_gives_it_back() -> None:
    work = Work(running=1)
    for name in "abc":
        work.begin(name)
    await until(lambda: work.admission.waiting == 2)
    work.may_end.set()
    await work.tasks[0]
    work.tasks[1].cancel()
    await work.end_all()
    assert "c" in work.began


async def test_who_waits_for_upstream_leaves_the_place_to_the_next() -> None:
    admission, answered = (
        Admission(replace(ADMISSION_LIMITS, running=1, waiting=2, seconds=60)),
        asyncio.Event(),
    )

    async def from_upstream() -> None:
        async with admission.turn() as turn:
            turn.give_up()
            turn.give_up()  # a second wait changes nothing
            await answered.wait()

    waiting = [asyncio.create_task(from_upstream()) for _ in range(2)]
    await until(lambda: admission.away == 2)
    async with admission.turn():
        assert admission.running == 1
        # They count as waiting, so that there is an end to them too.
        with pytest.raises(Overloaded):
            await from_upstream()
    answered.set()
    await asyncio.gather(*waiting)
    assert (admission.running, admission.waiting, admission.away) == (0, 0, 0)


async def test_who_comes_when_a_read_document_does_not_run_is_not_ahead_of_those_who_wait() -> None:
    work, may_go = Work(running=2), asyncio.Event()

    async def read() -> None:
        async with work.admission.turn_to_read():
            await may_go.wait()

    async def come_again() -> None:
        caller.set(Caller("known", "known"))
        async with work.admission.turn():
            pass
        await may_go.wait()
        await work._operation("known", "known")

    reading, coming = asyncio.create_task(read()), asyncio.create_task(come_again())
    await until(lambda: work.admission.running == 1)
    work.begin("blocks")
    await until(lambda: work.admission.running == 2)
    work.begin("waits")
    await until(lambda: work.admission.waiting == 1)
    may_go.set()
    await until(lambda: work.admission.waiting == 1 and len(work.began) == 2)
    assert work.began == ["blocks", "waits"]
    await work.end_all()
    await asyncio.gather(reading, coming)
