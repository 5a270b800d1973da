"""Tests in which order exactly operations are taken out of fair queues, without a clock."""

from __future__ import annotations

import pytest

from gateway.current_caller import Caller
from gateway.fair_queues import OLDER_EVERY, REMEMBERED, FairQueues, Line, Waiter


class Queues:
    """Holds operations by their names, such as ``a.1-x``: the client, a dot and the connection, a hyphen and any text.

    A name may have the client alone.
    """

    def __init__(self, most_of_one: int = 1) -> None:
        self.queues = FairQueues(most_of_one)
        self.waiters: dict[str, Waiter] = {}

    def line(self, name: str) -> Line:
        """Return the line of the connection that the operation belongs to."""
        client, _, connection = name.partition("-")[0].partition(".")
        return self.queues.line(Caller(client, connection))

    def run(self, name: str, seconds: float) -> Line:
        """Run an operation that has not waited."""
        line = self.line(name)
        self.queues.begin(line)
        self.queues.end(line, seconds)
        return line

    def wait(self, *names: str) -> None:
        """Let operations wait, one after another."""
        for name in names:
            self.waiters[name] = Waiter(0)
            self.queues.wait(self.line(name), self.waiters[name])

    def served(self, number: int, seconds: float = 1, newest_first: bool = False) -> list[str]:
        """Run so many of those that wait, one after another, each for so many seconds. Return their names."""
        names = []
        for _ in range(number):
            found = self.queues.next(newest_first)
            assert found is not None
            line, waiter = found
            self.queues.begin(line)
            self.queues.end(line, seconds)
            names.append(self.name(waiter))
        return names

    def name(self, waiter: Waiter) -> str:
        """Return the name of an operation."""
        return next(name for name, each in self.waiters.items() if each is waiter)

    def taken_for(self, name: str) -> str | None:
        """Return the name of the operation that has to make room for one of this connection, if any has."""
        waiter = self.queues.last_of_the_most(self.line(name))
        return None if waiter is None else self.name(waiter)


each_level = pytest.mark.parametrize("client", ["", "one."], ids=["clients", "connections of one client"])
"""Clients share the turns, and so do the connections of a client."""


@each_level
async def test_one_that_rested_is_not_ahead_of_one_that_waited_meanwhile(client: str) -> None:
    queues = Queues()
    for name, seconds in (("rested", 1), ("waited", 5), ("busy", 1)):
        queues.run(client + name, seconds)
    queues.wait(f"{client}waited")
    for _ in range(10):
        queues.run(f"{client}busy", 2)
    queues.wait(f"{client}rested")
    assert queues.served(2) == [f"{client}waited", f"{client}rested"]


@each_level
async def test_one_that_comes_again_at_once_still_has_what_it_had(client: str) -> None:
    queues = Queues()
    for name, seconds in (("a", 1), ("b", 1), ("a", 10), ("b", 30), ("c", 0)):
        queues.run(client + name, seconds)
    queues.wait(f"{client}a", f"{client}b", f"{client}c")
    assert queues.served(3) == [f"{client}c", f"{client}a", f"{client}b"]


@each_level
async def test_the_newest_and_the_one_that_had_the_least_have_turns_one_after_the_other(client: str) -> None:
    queues = Queues()
    for name, seconds in (("a", 1), ("b", 1), ("a", 1), ("b", 2), ("busy", 1)):
        queues.run(client + name, seconds)
    queues.wait(f"{client}a", f"{client}b")
    for _ in range(10):
        queues.run(f"{client}busy", 2)
    queues.wait(*(f"{client}new{number}" for number in range(4)))
    assert queues.served(6) == [f"{client}{name}" for name in ("new3", "a", "new2", "b", "new1", "new0")]


@each_level
async def test_a_new_one_begins_with_what_each_had_on_average(client: str) -> None:
    queues = Queues()
    queues.wait(f"{client}a", f"{client}b", f"{client}c")
    queues.run(f"{client}first", 12)
    line = queues.line(f"{client}new")
    assert (line.had if client else line.client.had) == 12 / 4
    # One that is known changes nothing when it ends. When it began, all others had less.
    queues.run(f"{client}first", 40)
    line = queues.line(f"{client}newer")
    assert (line.had if client else line.client.had) == 12


@each_level
async def test_a_new_one_begins_with_no_less_after_one_that_waited_for_long(client: str) -> None:
    queues = Queues()
    for name in ("waits", "busy"):
        queues.run(client + name, 1)
    queues.wait(f"{client}waits")
    for _ in range(3):
        queues.run(f"{client}busy", 10)
    assert queues.served(1, seconds=2) == [f"{client}waits"]
    waited, new = queues.line(f"{client}waits"), queues.line(f"{client}new")
    assert (waited.had, new.had) == (24, 22) if client else (waited.client.had, new.client.had) == (24, 22)


@each_level
async def test_among_those_that_had_the_same_the_last_that_came_is_next(client: str) -> None:
    queues = Queues()
    names = [client + name for name in "abc"]
    for name in names:
        queues.run(name, 1)
    queues.wait(*names)
    assert queues.served(3) == names[::-1]


async def test_the_turn_for_the_oldest_is_every_eighth() -> None:
    queues = Queues()
    queues.wait(*map(str, range(2 * OLDER_EVERY + 3)))
    served = queues.served(2 * OLDER_EVERY + 3)
    assert served == [
        "18",
        "17",
        "16",
        "15",
        "14",
        "13",
        "12",
        "0",
        "11",
        "10",
        "9",
        "8",
        "7",
        "6",
        "5",
        "1",
        "4",
        "3",
        "2",
    ]


async def test_the_operations_of_a_connection_keep_their_order() -> None:
    queues = Queues()
    queues.wait("a.1-x", "a.1-y", "a.1-z")
    assert queues.served(3) == ["a.1-x", "a.1-y", "a.1-z"]


async def test_the_newest_connection_of_a_client_is_next_where_the_newest_are_first() -> None:
    queues = Queues()
    for connection in "123":
        queues.run(f"a.{connection}", 1)
    queues.wait("a.1", "a.2", "a.3-x", "a.3-y")
    assert queues.served(4, newest_first=True) == ["a.3-x", "a.3-y", "a.2", "a.1"]


async def test_a_connection_with_all_that_may_run_is_passed_over() -> None:
    queues = Queues(most_of_one=2)
    line = queues.line("a.1")
    for may_run in (True, True, False):
        assert queues.queues.may_run(line) is may_run
        queues.queues.begin(line)
    queues.wait("a.1-x", "b.1", "a.2", "a.1-y")
    assert sorted(queues.served(2)) == ["a.2", "b.1"]
    assert queues.queues.next() is None
    queues.queues.end(line, 1)
    assert queues.queues.next() is None
    queues.queues.end(line, 1)
    assert queues.served(2) == ["a.1-x", "a.1-y"]


async def test_who_leaves_is_gone_once_and_leaves_the_others_in_their_places() -> None:
    queues = Queues()
    queues.wait("a.1-x", "a.1-y", "a.2", "b.1")
    for name in ("a.1-x", "a.1-x", "b.1"):
        queues.queues.leave(queues.line(name), queues.waiters[name])
    assert queues.queues.operations == 2
    assert sorted(queues.served(2)) == ["a.1-y", "a.2"]
    assert (queues.queues.operations, queues.queues.next()) == (0, None)


async def test_all_that_are_late_are_taken_wherever_they_wait() -> None:
    queues = Queues()
    queues.wait("a.1-late", "a.1-x", "a.1-too late", "a.2-late", "b.1-late", "c.1-late", "b.2", "d.1")
    taken = queues.queues.take_all_that(lambda waiter: "late" in queues.name(waiter))
    assert list(map(queues.name, taken)) == ["a.1-late", "a.1-too late", "a.2-late", "b.1-late", "c.1-late"]
    assert queues.queues.operations == 3
    assert sorted(queues.served(3)) == ["a.1-x", "b.2", "d.1"]


@pytest.mark.parametrize(
    ("waiting", "comes", "taken"),
    [
        ("", "a.1", None),
        ("a.1-x", "b.1", None),
        ("a.1-x a.1-y", "b.1", "a.1-y"),
        # The last of the connection with the most is taken, and among equals of the one that began to wait last.
        ("a.1-x a.2-x a.1-y a.1-z a.2-y", "b.1", "a.1-z"),
        ("a.1-x a.2-x a.3-x", "b.1", "a.3-x"),
        ("a.1-x a.1-y b.1-x b.1-y b.1-z", "c.1", "b.1-z"),
        ("a.1-x a.1-y b.1-x b.1-y b.1-z", "a.1", None),
        ("a.1-x a.1-y b.1-x b.1-y b.1-z b.1-w", "a.1", "b.1-w"),
        # Its own client has the most, so that its connections are compared.
        ("a.1-x a.1-y b.1-x", "a.2", "a.1-y"),
        ("a.1-x a.1-y b.1-x", "a.1", None),
        ("a.1-x a.1-y a.2-x", "a.2", None),
        ("a.1-x a.1-y a.1-z a.2-x", "a.2", "a.1-z"),
        # No other client has more, and its own connections neither.
        ("a.1-x b.1-x b.2-x", "b.1", None),
    ],
)
async def test_the_last_of_the_most_makes_room(waiting: str, comes: str, taken: str | None) -> None:
    queues = Queues()
    queues.wait(*waiting.split())
    assert queues.taken_for(comes) == taken
    left = [name for name in waiting.split() if name != taken]
    assert queues.queues.operations == len(left)
    assert sorted(queues.served(len(left))) == sorted(left)


async def test_who_has_left_counts_no_more_when_room_is_made() -> None:
    queues = Queues()
    queues.wait("a.1-v", "a.1-w", "a.1-x", "a.1-y", "a.1-z", "b.1-x", "b.1-y", "b.1-z")
    queues.queues.leave(queues.line("a.1"), queues.waiters["a.1-v"])
    taken = [queues.taken_for("c.1") for _ in range(6)]
    assert taken == ["a.1-z", "a.1-y", "b.1-z", "a.1-x", "b.1-y", None]


async def test_idle_connections_are_forgotten_when_there_are_too_many_and_no_others() -> None:
    queues = Queues()
    names = [
        "running.1",
        "waits.1",
        "waits.2",
        "idle.1",
        *(f"more.{number}" for number in range(REMEMBERED - 4)),
    ]
    lines = {name: queues.line(name) for name in names}
    queues.queues.begin(lines["running.1"])
    queues.wait("waits.1")
    assert all(queues.line(name) is line for name, line in lines.items())
    newest = queues.line("newest.1")
    assert queues.line("newest.1") is newest
    kept = [name for name, line in lines.items() if queues.line(name) is line]
    assert kept == ["running.1", "waits.1"]
    assert queues.line("idle.1").client is not lines["idle.1"].client


async def test_connections_that_are_forgotten_no_longer_count() -> None:
    queues = Queues()
    for number in range(REMEMBERED + 1):
        newest = queues.line(f"a.{number}")
    # It alone is left, so that there is room for the others.
    others = [queues.line(f"b.{number}") for number in range(REMEMBERED - 1)]
    assert queues.line(f"a.{REMEMBERED}") is newest
    assert queues.line("b.0") is others[0]
    queues.line("c.1")
    assert queues.line("b.0") is not others[0]


async def test_all_begin_anew_when_all_is_forgotten() -> None:
    queues = Queues()
    queues.run("a.1", 30)
    line = queues.line("a.1")
    queues.queues.forget_all()
    again = queues.line("a.1")
    assert again is not line
    assert (again.had, again.client.had, again.is_new, again.client.is_new) == (0, 0, True, True)
    # The old line leads no more to itself, so that the garbage collector does not have to look for it.
    assert line.client.lines == {}
    others = [queues.line(f"a.{number}") for number in range(REMEMBERED)]
    assert queues.line("a.1") is again
    queues.line("b.1")
    assert queues.line("a.2") is not others[2]
