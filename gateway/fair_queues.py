"""Orders the operations that wait, so that no client and no connection has more than its share.

The next operation is, in turn, that of the newest client and that of the client that has had the least time. Among the
connections of that client, the choice is made in the same way. So a client with a hundred connections gets no more than
a client with one.

While more new clients come than can be served, the newest are served first, so that most of them wait for a moment.
Two rules let the others have their turns meanwhile. The time that a new client begins with rises with each new one that
was served, so that a client that comes again soon has less. And every eighth operation is that of the client that had
the least time when it came, which is an old newcomer if one waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Reversible
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.current_caller import Caller

REMEMBERED = 1000
"""How many idle connections are remembered with the time that they have had."""

OLDER_EVERY = 8
"""One of so many operations is that of the client that had the least when it came, though newer ones wait. Such clients
have waited for long. If more operations were theirs, more would be answered late until an overload is found."""


class Waiter:
    """Describes one operation that has waited since a time on the clock of the queue.

    ``told`` is ``True`` if it has a slot, ``False`` if it has to make room for others, and ``None`` if it is late.
    """

    __slots__ = ("since", "told")

    def __init__(self, since: float) -> None:
        self.since = since
        self.told: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()

    def tell(self, outcome: bool | None) -> None:
        """Tell it, unless it knows. One that is done was told or cancelled in this turn of the loop."""
        if not self.told.done():
            self.told.set_result(outcome)


@dataclass(slots=True, eq=False)
class _Share:
    """Holds the share of one client or connection. ``had`` is the number of seconds that its operations have run."""

    had: float
    is_new: bool = True
    """Whether none of its operations has ended yet."""


@dataclass(slots=True, eq=False, kw_only=True)
class _Client(_Share):
    name: str
    lines: dict[Hashable, Line] = field(default_factory=dict)
    waiting: dict[Hashable, Line] = field(default_factory=dict)
    """The connections with operations that wait."""
    operations: int = 0
    """How many operations wait."""
    newest_is_next: bool = True
    now: float = 0.0
    """The time that a new connection begins with: that of the connection that was let in with the most, or more."""


@dataclass(slots=True, eq=False, kw_only=True)
class Line(_Share):
    """Holds the operations of one connection."""

    client: _Client
    connection: Hashable
    running: int = 0
    waiting: deque[Waiter] = field(default_factory=deque)


S = TypeVar("S", bound=_Share)


class FairQueues:
    """Holds all operations that wait. A connection has at most ``most_of_one`` that run."""

    def __init__(self, most_of_one: int) -> None:
        self.operations = 0
        """How many operations wait."""
        self._most_of_one = most_of_one
        self._clients: dict[str, _Client] = {}
        self._waiting: dict[str, _Client] = {}
        """The clients with operations that wait."""
        self._connections = 0
        self._turns = 0
        self._now = 0.0

    def line(self, caller: Caller) -> Line:
        """Return the line of a connection. A connection that has rested has not saved up time."""
        client = self._clients.get(caller.client)
        if client is None:
            client = self._clients[caller.client] = _Client(self._now, name=caller.client)
        # One that waits keeps its place, however many of its operations come meanwhile.
        if not client.waiting:
            client.had = max(client.had, self._now)
        line = client.lines.get(caller.connection)
        if line is None:
            line = Line(client.now, client=client, connection=caller.connection)
            client.lines[caller.connection] = line
            self._connections += 1
            if self._connections > REMEMBERED:
                self._forget_idle(line)
        if not line.waiting:
            line.had = max(line.had, client.now)
        return line

    def may_run(self, line: Line) -> bool:
        """Return whether the connection may have one more operation that runs."""
        return line.running < self._most_of_one

    def begin(self, line: Line) -> None:
        """Note that an operation of the connection runs."""
        line.running += 1
        client = line.client
        # One that has waited has not saved up time either.
        self._now = client.had = max(self._now, client.had)
        client.now = line.had = max(client.now, line.had)

    def end(self, line: Line, seconds: float) -> None:
        """Note that one has run, which counts as this many seconds."""
        client = line.client
        line.running -= 1
        line.had += seconds
        client.had += seconds
        # That is what each had on average, this one and those that wait. If new ones all began with the same time, they
        # would always be ahead of those that have had a turn.
        if line.is_new:
            client.now += seconds / (len(client.waiting) + 1)
        if client.is_new:
            self._now += seconds / (len(self._waiting) + 1)
        line.is_new = client.is_new = False

    def wait(self, line: Line, waiter: Waiter) -> None:
        """Let an operation wait."""
        line.waiting.append(waiter)
        line.client.waiting[line.connection] = line
        line.client.operations += 1
        self._waiting[line.client.name] = line.client
        self.operations += 1

    def leave(self, line: Line, waiter: Waiter) -> None:
        """Let an operation wait no more, if it does."""
        if waiter in line.waiting:
            line.waiting.remove(waiter)
            self._has_left(line)

    def next(self, newest_first: bool = False) -> tuple[Line, Waiter] | None:
        """Take the next operation out of its line; ``None`` if none may run."""
        able = {
            client: lines
            for client in self._waiting.values()
            if (lines := [line for line in client.waiting.values() if self.may_run(line)])
        }
        if not able:
            return None
        self._turns += 1
        if self._turns % OLDER_EVERY:
            client = _choice(able, newest_is_next=self._turns % 2 == 1)
        else:
            client = min(able, key=lambda each: each.had)
        line = able[client][-1] if newest_first else _choice(able[client], client.newest_is_next)
        client.newest_is_next = not client.newest_is_next
        waiter = line.waiting.popleft()
        self._has_left(line)
        return line, waiter

    def take_all_that(self, are: Callable[[Waiter], bool]) -> list[Waiter]:
        """Take the operations for which ``are`` is true out of their lines."""
        taken = []
        for client in list(self._waiting.values()):
            for line in list(client.waiting.values()):
                for waiter in [each for each in line.waiting if are(each)]:
                    self.leave(line, waiter)
                    taken.append(waiter)
        return taken

    def last_of_the_most(self, line: Line) -> Waiter | None:
        """Take the last operation of the client with the most operations out of its line, if that client still has no
        fewer than the client of ``line`` will have. If it is the same client, its connections are compared. ``None`` if
        nobody has more.

        Otherwise one client with many operations would fill the queue and lock out all newcomers.
        """
        client = max(self._waiting.values(), key=lambda each: each.operations, default=line.client)
        if client.operations <= line.client.operations + 1:
            client = line.client
        if not client.waiting:
            return None
        longest = max(reversed(client.waiting.values()), key=lambda each: len(each.waiting))
        if client is line.client and len(longest.waiting) <= len(line.waiting) + 1:
            return None
        waiter = longest.waiting.pop()
        self._has_left(longest)
        return waiter

    def forget_all(self) -> None:
        """Begin anew when nothing waits or runs, so that the next client begins like all others."""
        for client in self._clients.values():
            client.lines.clear()  # They lead back to it, and would wait for the garbage collector.
        self._clients.clear()
        self._connections = 0
        self._now = 0.0

    def _has_left(self, line: Line) -> None:
        client = line.client
        client.operations -= 1
        self.operations -= 1
        if not line.waiting:
            del client.waiting[line.connection]
        if not client.waiting:
            del self._waiting[client.name]

    def _forget_idle(self, newest: Line) -> None:
        for client in list(self._clients.values()):
            client.lines = {
                key: line
                for key, line in client.lines.items()
                if line is newest or line.running or line.waiting
            }
            if not client.lines:
                del self._clients[client.name]
        self._connections = sum(len(client.lines) for client in self._clients.values())


def _choice(shares: Reversible[S], newest_is_next: bool) -> S:
    """Return the newest, so that it need not wait for a whole round, or the one that has had the least.

    New ones that are not the newest are left out, because they would be answered after a long wait.
    """
    newest = next((share for share in reversed(shares) if share.is_new), None)
    if newest and newest_is_next:
        return newest
    known_or_newest = (share for share in reversed(shares) if share is newest or not share.is_new)
    return min(known_or_newest, key=lambda share: share.had)
