"""Tests that newcomers without end keep nobody out, without a clock: each operation takes two milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count, islice, repeat

import pytest

from gateway.current_caller import Caller
from gateway.fair_queues import OLDER_EVERY, FairQueues, Line, Waiter

SECONDS = 0.002
ROOM = 20
"""The operations that may wait. The others are refused."""
SOON = 2 * ROOM
"""The turns in which all that wait have one each, while every second turn is that of the newest newcomer."""

each_number_of_newcomers = pytest.mark.parametrize("newcomers", [1, 2, 5])


class Queue:
    """Runs one operation in each turn, in which some newcomers come."""

    def __init__(self) -> None:
        self._queues = FairQueues(1)

    def come(self, caller: Caller) -> Line:
        """Let an operation wait, unless there is no room."""
        line = self._queues.line(caller)
        if self._queues.operations < ROOM:
            self._queues.wait(line, Waiter(0))
        return line

    def begin(self, line: Line) -> None:
        """Let an operation run for ever."""
        self._queues.begin(line)

    def turn(self, newcomers: Iterable[Caller] = ()) -> Line:
        """Let newcomers come, and run the next operation. Return its line."""
        for newcomer in newcomers:
            self.come(newcomer)
        found = self._queues.next()
        assert found is not None
        line, _ = found
        self._queues.begin(line)
        self._queues.end(line, SECONDS)
        return line


def clients() -> Iterator[Caller]:
    """Return one new client after another."""
    return (Caller(str(number), number) for number in count())


def connections() -> Iterator[Caller]:
    """Return one new connection of a client after another."""
    return (Caller("regular", number) for number in count())


@each_number_of_newcomers
@pytest.mark.parametrize("each", [clients, connections])
async def test_one_that_comes_again_has_its_share_of_the_turns(
    newcomers: int, each: Callable[[], Iterator[Caller]]
) -> None:
    queue, regular, others, had = Queue(), Caller("regular", "regular"), each(), 0
    queue.come(regular)
    line = queue.turn()
    queue.come(regular)
    for _ in range(5 * SOON):
        if queue.turn(islice(others, newcomers)) is line:
            had += 1
            queue.come(regular)
    assert had >= 5


@pytest.mark.parametrize("each", [clients, connections])
async def test_one_that_sends_more_while_it_waits_keeps_its_place(
    each: Callable[[], Iterator[Caller]],
) -> None:
    queue, regular = Queue(), Caller("regular", "regular")
    queue.come(regular)
    line = queue.turn()
    newcomers_and_more = chain.from_iterable(zip(each(), repeat(regular)))
    served = [queue.turn(islice(newcomers_and_more, 2)) for _ in range(5 * SOON)]
    assert served.count(line) >= 5


@each_number_of_newcomers
async def test_an_older_newcomer_has_its_turn_though_newer_ones_come(newcomers: int) -> None:
    queue, others = Queue(), clients()
    older = [queue.come(Caller(name, name)) for name in ("first", "second", "third")]
    served = [queue.turn(islice(others, newcomers)) for _ in range(len(older) * OLDER_EVERY)]
    assert set(older) <= set(served)


async def test_one_that_waited_for_its_own_connection_has_not_saved_up_time() -> None:
    queue, others = Queue(), clients()
    busy, regular = Caller("busy", "busy"), Caller("regular", "regular")
    queue.come(regular)
    queue.turn()
    queue.come(busy)
    queue.begin(queue.turn())
    queue.come(busy)
    for _ in range(5 * SOON):
        queue.turn(islice(others, 1))
    line = queue.come(regular)
    for number in range(ROOM // 2):
        queue.come(Caller("busy", number))
    assert line in [queue.turn() for _ in range(OLDER_EVERY)]
