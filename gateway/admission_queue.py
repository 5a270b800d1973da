"""Decides who runs next: a few operations run at once, and the others wait in a bounded queue that is fair to
connections.

All operations of a process share one thread. Whatever runs at once makes every turn of the event loop longer, and
with it the wait of a newcomer, who needs some turns to be accepted, read and answered. So only a few run at once. The
next one belongs alternately to the newest connection and to the one that has had the least time.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType

from gateway.calling_client import Caller, caller
from gateway.try_later import Overloaded

TURN = 0.005
"""The seconds of a turn of the event loop after which no more operations begin in it. Otherwise fifty clients whose
requests were read in one turn would all be answered in it, one after another, before anyone new is accepted."""

LONGEST_COUNTED = 0.02
"""The most seconds that one operation counts for, so that a client with an expensive one need not wait until all
others have had as much."""

REMEMBERED = 1000
"""How many idle connections are remembered with the time that they have had."""


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """Limits how many operations run and how many wait, and for how many ``seconds`` each may wait."""

    running: int
    waiting: int
    seconds: float


@dataclass(slots=True, eq=False)
class _WaitingLine:
    """Holds the waiting operations of one connection. ``had`` is how many seconds its operations have run."""

    had: float
    is_new: bool = True
    """Whether none of its operations has run yet."""
    running: int = 0
    waiting: deque[asyncio.Future[bool | None]] = field(default_factory=deque)
    """Each is told whether it has a slot, or has to go because others want to wait too; ``None`` when it is late."""


class Admission:
    """Gives out the slots in which operations run, and keeps the queue for them.

    ``refused`` counts the operations that found no room in the queue, or waited there for too long.
    """

    def __init__(self, limits: AdmissionLimits) -> None:
        self.limits = limits
        self.running = 0
        self.waiting = 0
        self.away = 0
        """How many operations gave up their slot because they wait for upstream."""
        self.refused = 0
        # A connection with many operations leaves a slot to others.
        self._most_of_one = max(1, limits.running - 1)
        self._lines: dict[Caller, _WaitingLine] = {}
        self._now = 0.0
        """The time that the connection let in last had had, with which a newcomer begins."""
        self._newest_is_next = True
        self._turn_since: float | None = None
        """When the first operation of this turn of the loop began."""

    def turn(self) -> Turn:
        """Return a slot for one operation of the present connection, as an asynchronous context manager."""
        return Turn(self, caller.get())

    async def _enter(self, key: Caller) -> _WaitingLine:
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _WaitingLine(self._now)
            if len(self._lines) > REMEMBERED:
                self._forget_idle(line)
        else:
            # Who has rested does not save up time.
            line.had = max(line.had, self._now)
        # Whoever waits beside a free slot is of a connection that has all the slots that it may have.
        if not line.waiting and self._can_run(line) and not self._turn_is_over():
            self._start(line)
            return line
        if self.waiting + self.away >= self.limits.waiting and not self._make_room_for(line):
            self._refuse_beyond_the_queue()
        await self._wait(line)
        return line

    def _make_room_for(self, line: _WaitingLine) -> bool:
        """Send away the last operation of the connection with the most, if that connection still has no fewer than
        ``line``.

        Otherwise one client with many operations on a few WebSockets would fill the queue and lock out all newcomers.
        """
        longest = max(self._lines.values(), key=lambda each: len(each.waiting))
        if len(longest.waiting) <= len(line.waiting) + 1:
            return False
        last = longest.waiting.pop()
        self.waiting -= 1
        # One that is done was cancelled in this turn of the loop.
        if not last.done():
            last.set_result(False)
        return True

    async def _wait(self, line: _WaitingLine) -> None:
        loop = asyncio.get_running_loop()
        free: asyncio.Future[bool | None] = loop.create_future()
        line.waiting.append(free)
        self.waiting += 1
        # What asyncio.timeout does, for a fifth of its time: under load most operations wait for a moment.
        late = loop.call_later(self.limits.seconds, _give_up, free)
        try:
            has_slot = await free
        except BaseException:
            # The slot can have come in the same turn of the loop as the end.
            if free.done() and not free.cancelled() and free.result():
                self._leave(line, 0.0)
            self._leave_the_queue(line, free)
            raise
        finally:
            late.cancel()
        if has_slot is None:
            self._leave_the_queue(line, free)
            self._refuse(f"The gateway is busy: no slot became free within {self.limits.seconds:g} seconds.")
        self._turn_is_over()
        if not has_slot:
            self._refuse_beyond_the_queue()

    def _leave_the_queue(self, line: _WaitingLine, free: asyncio.Future[bool | None]) -> None:
        if free in line.waiting:
            line.waiting.remove(free)
            self.waiting -= 1

    def _refuse_beyond_the_queue(self) -> None:
        self._refuse(f"The gateway is busy: {self.waiting + self.away:,} operations are waiting already.")

    def _refuse(self, sentence: str) -> None:
        self.refused += 1
        raise Overloaded(sentence, retry_after=max(1, round(self.limits.seconds)))

    def _can_run(self, line: _WaitingLine) -> bool:
        return self.running < self.limits.running and line.running < self._most_of_one

    def _turn_is_over(self) -> bool:
        now = time.monotonic()
        if self._turn_since is None:
            self._turn_since = now
            asyncio.get_running_loop().call_soon(self._begin_turn)
        return now - self._turn_since > TURN

    def _begin_turn(self) -> None:
        self._turn_since = None
        self._let_in()

    def _start(self, line: _WaitingLine) -> None:
        self.running += 1
        line.running += 1
        line.is_new = False
        self._now = max(self._now, line.had)

    def _leave(self, line: _WaitingLine, seconds: float) -> None:
        self.running -= 1
        line.running -= 1
        line.had += min(seconds, LONGEST_COUNTED)
        self._let_in()
        if not (self.running or self.waiting):
            # Nobody waits: whoever comes next begins like all others.
            self._lines.clear()
            self._now = 0.0

    def _let_in(self) -> None:
        while self.waiting:
            lines = [line for line in self._lines.values() if line.waiting and self._can_run(line)]
            if not lines:
                return
            line = self._next(lines)
            free = line.waiting.popleft()
            self.waiting -= 1
            # One that is done was cancelled in this turn of the loop.
            if not free.done():
                self._start(line)
                free.set_result(True)

    def _next(self, lines: list[_WaitingLine]) -> _WaitingLine:
        """Return alternately the newest connection, so that it need not wait for a whole round, and the one that has
        had the least."""
        newest = (
            next((line for line in reversed(lines) if line.is_new), None) if self._newest_is_next else None
        )
        self._newest_is_next = not self._newest_is_next
        return newest or min(lines, key=lambda line: line.had)

    def _forget_idle(self, newest: _WaitingLine) -> None:
        self._lines = {
            key: line for key, line in self._lines.items() if line is newest or line.running or line.waiting
        }


class Turn:
    """Holds the slot of one operation, from its beginning to its end."""

    def __init__(self, admission: Admission, key: Caller) -> None:
        self._admission = admission
        self._key = key
        self._line: _WaitingLine | None = None
        self._since = 0.0
        self._is_away = False

    async def __aenter__(self) -> Turn:
        """Wait for a slot.

        :raises Overloaded: no slot became free.
        """
        self._line = await self._admission._enter(self._key)
        self._since = time.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the slot to the next operation."""
        if self._is_away:
            self._is_away = False
            self._admission.away -= 1
        self._leave()

    def give_up(self) -> None:
        """Give up the slot for good, because the operation waits for upstream and others need not wait with it.

        Operations that wait for upstream count as waiting, so that the number of those without a slot is bounded.
        """
        if self._line is not None:
            self._is_away = True
            self._admission.away += 1
            self._leave()

    def _leave(self) -> None:
        if self._line is not None:
            self._admission._leave(self._line, time.monotonic() - self._since)
            self._line = None


def _give_up(free: asyncio.Future[bool | None]) -> None:
    if not free.done():
        free.set_result(None)
