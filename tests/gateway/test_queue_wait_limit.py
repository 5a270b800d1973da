"""Tests the queue with more operations than can be answered, on a clock that moves only when everyone waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import chain, repeat

import pytest

from gateway.admission_queue import Admission, AdmissionLimits
from gateway.current_caller import Caller, caller
from gateway.queue_wait_limit import DOUBTED, ENDS, PERIODS, RUNS
from gateway.retry_later_errors import Overloaded
from tests.support.numbers_of_examples import examples

pytestmark = pytest.mark.virtual_time

RUN = 0.01
"""The seconds of one operation, so that one slot answers a hundred in a second."""


GROWING = PERIODS * ENDS * RUN
"""The seconds after which a queue that grows fast is an overload."""
MOMENT = RUNS * RUN
"""The seconds that an operation may wait in an overload."""


class Clients:
    """Ask for operations of :data:`RUN` seconds, of a queue with one slot."""

    def __init__(self, admission: Admission | None = None) -> None:
        self.clock = asyncio.get_running_loop().time
        limits = AdmissionLimits(running=1, waiting=500, seconds=1)
        self.admission = admission or Admission(limits, self.clock)
        self.answered: list[tuple[float, float]] = []
        """When each came that was answered, and after how many seconds it was."""
        self.refused: list[tuple[float, float]] = []
        self._tasks: list[asyncio.Task[bool]] = []
        self._numbers: Iterator[int] = iter(range(1_000_000))
        self.runs: Iterator[float] = repeat(RUN)
        """The seconds of the operations, in the order in which they run."""

    async def come(
        self, every: float, count: int, client: str | None = None, connections: int = 1_000_000
    ) -> None:
        """Let so many operations come one after another, each of another client unless one is named, and over another
        connection unless there are fewer."""
        for _ in range(count):
            number = next(self._numbers)
            caller.set(Caller(client or str(number), number % connections))
            self._tasks.append(asyncio.create_task(self._ask()))
            await asyncio.sleep(every)

    async def ask_again(
        self, name: int, until: float, after_refusal: float = 1, client: str | None = None
    ) -> None:
        """Ask again and again, as soon as there is an answer, or so many seconds after a refusal, which says 1."""
        caller.set(Caller(client or f"again {name}", name))
        while self.clock() < until:
            if not await self._ask():
                await asyncio.sleep(after_refusal)

    async def leave(self) -> None:
        """Wait until all are answered or refused."""
        await asyncio.gather(*self._tasks)

    async def _ask(self) -> bool:
        """Return whether it was answered."""
        came = self.clock()
        try:
            async with self.admission.turn():
                await asyncio.sleep(next(self.runs))
        except Overloaded:
            self.refused.append((came, self.clock() - came))
            return False
        self.answered.append((came, self.clock() - came))
        return True


def slowest(answers: list[tuple[float, float]], since: float, until: float = 1e9) -> float:
    return max(seconds for came, seconds in answers if since <= came < until)


async def test_at_twice_the_capacity_half_is_refused_and_the_others_are_answered_soon() -> None:
    clients = Clients()
    await clients.come(RUN / 2, 2_000)
    await clients.leave()
    # Ten seconds answer a thousand.
    assert 990 <= len(clients.answered) <= 1_010
    # What is not answered within a second is refused within one.
    assert slowest(clients.refused, 0) <= 1.001
    assert slowest(clients.answered, 0) <= 1.011
    # It is found after a part of a second, and those who are answered then wait for a moment at most.
    found = 1.2 * GROWING
    assert slowest(clients.answered, found, DOUBTED) <= MOMENT + 1.1 * RUN
    assert slowest(clients.refused, found, DOUBTED) <= MOMENT + 0.1 * RUN
    # It is doubted after 2 and 8 seconds. Then some wait until it is found again.
    waited = sum(seconds > MOMENT + 1.1 * RUN for _, seconds in clients.answered)
    assert waited <= 0.05 * len(clients.answered)


async def test_what_comes_over_connections_that_are_kept_is_answered_as_soon() -> None:
    clients = Clients()
    # Each connection is used again a second after its last operation, as long as that may wait.
    await clients.come(RUN / 2, 2_000, client="all", connections=200)
    await clients.leave()
    assert slowest(clients.answered, 1.2 * GROWING, DOUBTED) <= MOMENT + 1.1 * RUN
    assert 990 <= len(clients.answered) <= 1_010


@pytest.mark.parametrize("times", [2, 10])
async def test_when_less_comes_again_all_are_answered_at_once(times: int) -> None:
    clients = Clients()
    await clients.come(RUN / times, 500 * times)
    calm = clients.clock()
    refused = len(clients.refused)
    await clients.come(2 * RUN, 100)
    await clients.leave()
    # One may come while the last of those before it run.
    assert [came for came, _ in clients.refused if came > calm + RUN] == []
    assert len(clients.refused) - refused <= 3 * times
    assert slowest(clients.answered, calm) <= MOMENT + 1.1 * RUN
    assert slowest(clients.answered, calm + 3 * MOMENT) <= 1.1 * RUN


async def test_what_comes_at_once_and_can_be_answered_within_a_second_is_answered() -> None:
    clients = Clients()
    for _ in range(5):
        await clients.come(0, 95)
        await asyncio.sleep(1)
    await clients.leave()
    assert (len(clients.answered), len(clients.refused)) == (5 * 95, 0)


async def test_those_who_ask_again_when_they_are_answered_are_all_answered_within_a_second() -> None:
    clients = Clients()
    await asyncio.gather(*(clients.ask_again(name, until=5) for name in range(40)))
    assert clients.refused == []
    assert len(clients.answered) >= 490
    assert slowest(clients.answered, 0) < 1


async def test_those_who_come_again_when_they_are_told_to_do_not_keep_the_overload_up() -> None:
    clients = Clients()
    await asyncio.gather(
        # A second for which nobody is answered, and more at once than can be answered in another one.
        clients.come(0, 150),
        *(clients.ask_again(name, until=8) for name in range(50)),
    )
    await clients.leave()
    assert clients.refused
    assert max(came for came, _ in clients.refused) < 5
    assert slowest(clients.answered, 5) < 1


async def test_a_few_who_come_again_at_once_when_they_are_refused_do_not_keep_the_overload_up() -> None:
    clients = Clients()
    # More than are answered one after another within a moment, which a browser or a load test may well have.
    few = 8 * RUNS
    times_a_second = examples(1_000)
    await asyncio.gather(
        clients.come(0, 150),
        *(clients.ask_again(name, until=8, after_refusal=1 / times_a_second) for name in range(few)),
    )
    await clients.leave()
    assert clients.refused
    assert max(came for came, _ in clients.refused) < 5


async def test_a_client_with_many_connections_has_no_more_than_one_with_a_single_one() -> None:
    clients = Clients()
    flood = asyncio.create_task(clients.come(RUN / 10, 5_000, client="flood"))
    await asyncio.sleep(2)
    quiet = Clients(clients.admission)
    # Half of what can be answered, one after another.
    await quiet.come(2 * RUN, 100, client="quiet")
    await asyncio.gather(flood, quiet.leave(), clients.leave())
    assert quiet.refused == []
    assert slowest(quiet.answered, 0) <= 3.1 * RUN
    assert clients.refused


@pytest.mark.parametrize("client", ["one", None])
async def test_a_first_operation_that_takes_long_delays_its_connection_by_a_few_rounds(
    client: str | None,
) -> None:
    clients = Clients()
    # The second is compiled, which takes as long as fifty others.
    clients.runs = chain([0.001, 0.05], repeat(0.001))
    await asyncio.gather(*(clients.ask_again(name, until=2, client=client) for name in range(32)))
    a_round = 32 * 0.001
    assert slowest(clients.answered, 0.051) <= 3.1 * a_round
    assert clients.refused == []


async def test_few_wait_for_long_until_an_overload_is_found() -> None:
    clients = Clients()
    # The connections are known to the queue, so that none of them comes first because it is new.
    await clients.come(2 * RUN, 200, client="all", connections=60)
    await clients.come(RUN / 2, 400, client="all", connections=60)
    await clients.leave()
    assert sum(seconds > MOMENT + 1.1 * RUN for _, seconds in clients.answered) <= 10
    assert slowest(clients.answered, 0) <= 20 * RUN
    assert len(clients.answered) >= 395
