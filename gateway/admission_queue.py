"""Gives operations a slot to run in: a few run at once, and the others wait for a moment in a bounded queue.

All operations of a process share one thread. Operations that run at once make every turn of the event loop longer, and
with it the wait of a new client, which needs several turns to be accepted, read and answered. So only a few operations
run at once. ``gateway/fair_queues.py`` orders the others fairly, and ``gateway/queue_wait_limit.py`` says how long they
may wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from gateway.current_caller import Caller, caller
from gateway.fair_queues import FairQueues, Line, Waiter
from gateway.queue_wait_limit import QueueWaitLimit
from gateway.retry_later_errors import Overloaded

TURN = 0.005
"""The seconds of a turn of the event loop after which no more operations begin in it. Otherwise fifty clients whose
requests were read in one turn would all be answered in it, one after another, before anyone new is accepted."""


RUNS_COUNTED = 2
"""The most usual operations that one operation counts for. Its connection then waits until the others have had as much,
which takes two or three rounds. The first operation of a kind, which is compiled, takes much longer than others."""


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """Limits how many operations run and how many wait, and for how many ``seconds`` each may wait."""

    running: int
    waiting: int
    seconds: float


class Admission:
    """Gives out the slots in which operations run, and keeps the queue for them.

    ``refused`` counts the operations that found no room in the queue, or waited there for too long. ``clock`` gives
    seconds.
    """

    def __init__(self, limits: AdmissionLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.clock = clock
        self.running = 0
        self.away = 0
        """How many operations gave up their slot because they wait for upstream."""
        self.refused = 0
        # A connection with many operations leaves a slot to others.
        self._lines = FairQueues(max(1, limits.running - 1))
        self._wait_limit = QueueWaitLimit(limits.seconds, clock)
        self._turn_since: float | None = None
        """When the first operation of this turn of the loop began."""
        self._lets_in_later = False
        """Whether a slot is kept until the end of this step of a task, for an operation whose document was read."""

    @property
    def waiting(self) -> int:
        """Return how many operations wait for a slot."""
        return self._lines.operations

    def turn(self, has_waited: bool = False) -> Turn:
        """Return a slot for one operation of the present caller, as an asynchronous context manager.

        ``has_waited`` is whether it had a slot already, in which its document was read.
        """
        return Turn(self, caller.get(), has_waited=has_waited)

    def turn_to_read(self) -> Turn:
        """Return a slot in which the document of an operation is read. When it is left, the operation can run in the
        same slot, before others, if it begins in the same step of its task."""
        return Turn(self, caller.get(), is_to_read=True)

    def slot_at_once(self, of: Caller) -> SlotAtOnce | None:
        """Return a slot for an operation of a caller that is done before anything else can run, as a context manager.

        ``None`` if the operation has to queue: its own connection waits or has all the slots that it may have, or
        enough has run in this turn of the loop. It need not queue behind other connections, because those who wait get
        their slots in each turn too. If it had to, a queue that one moment made would stay, because an operation that
        queues takes twice the time.
        """
        # Where nothing runs and nobody waits, nobody is left behind, so that there is nothing to be remembered.
        line = self._lines.line(of) if self.running or self.waiting else None
        if line is not None and (line.waiting or not self._lines.may_run(line)):
            return None
        if self._lets_in_later or self._turn_is_over():
            return None
        return SlotAtOnce(self, line)

    async def _enter(self, of: Caller, has_waited: bool) -> Line:
        if not has_waited and self._wait_limit.came(self.waiting):
            self._send_away_the_late()
        line = self._lines.line(of)
        # An operation that waits beside a free slot is of a connection that has all the slots that it may have.
        if self._has_slot() and (
            has_waited
            or not (
                self._lets_in_later or line.waiting or not self._lines.may_run(line) or self._turn_is_over()
            )
        ):
            self._start(line)
            return line
        if self._is_full() and not has_waited and not self._make_room_for(line):
            self._refuse_beyond_the_queue()
        await self._wait(line)
        return line

    def _is_full(self) -> bool:
        return self._wait_limit.is_too_long(self.waiting) or self.waiting + self.away >= self.limits.waiting

    def _make_room_for(self, line: Line) -> bool:
        last = self._lines.last_of_the_most(line)
        if last is None:
            return False
        last.tell(False)
        return True

    async def _wait(self, line: Line) -> None:
        waiter = Waiter(self.clock())
        self._lines.wait(line, waiter)
        # This does what asyncio.timeout does in a fifth of its time, because most operations wait briefly under load.
        late = asyncio.get_running_loop().call_later(self._wait_limit.seconds(), waiter.tell, None)
        try:
            has_slot = await waiter.told
        except BaseException:
            # The slot can have come in the same turn of the loop as the end.
            if waiter.told.done() and not waiter.told.cancelled() and waiter.told.result():
                self._leave(line, 0.0)
            self._lines.leave(line, waiter)
            raise
        finally:
            late.cancel()
        if has_slot is None:
            self._lines.leave(line, waiter)
            if self._wait_limit.was_late(waiter.since):
                self._send_away_the_late()
            self._refuse("The gateway is busy: no slot became free in time.")
        self._turn_is_over()
        if not has_slot:
            self._refuse_beyond_the_queue()

    def _send_away_the_late(self) -> None:
        """Refuse those who have waited too long for the overload that has begun, so that they are not in the way."""
        for waiter in self._lines.take_all_that(lambda waiter: self._wait_limit.is_over(waiter.since)):
            waiter.tell(None)

    def _refuse_beyond_the_queue(self) -> None:
        self._refuse(f"The gateway is busy: {self.waiting + self.away:,} operations are waiting already.")

    def _refuse(self, sentence: str) -> None:
        self.refused += 1
        raise Overloaded(sentence, retry_after=max(1, round(self.limits.seconds)))

    def _has_slot(self) -> bool:
        return self.running < self.limits.running

    def _turn_is_over(self) -> bool:
        now = self.clock()
        if self._turn_since is None:
            self._turn_since = now
            asyncio.get_running_loop().call_soon(self._begin_turn)
        return now - self._turn_since > TURN

    def _begin_turn(self) -> None:
        self._turn_since = None
        self._let_in()

    def _start(self, line: Line) -> None:
        self.running += 1
        self._lines.begin(line)

    def _leave(self, line: Line, seconds: float, is_to_read: bool = False) -> None:
        self.running -= 1
        self._lines.end(line, min(seconds, RUNS_COUNTED * self._wait_limit.each))
        if is_to_read:
            self._lets_in_later = True
            asyncio.get_running_loop().call_soon(self._let_in)
        else:
            self._let_in()
        if not (self.running or self.waiting):
            self._lines.forget_all()

    def _let_in(self) -> None:
        self._lets_in_later = False
        while self._has_slot() and (found := self._lines.next(self._wait_limit.newest_first())) is not None:
            line, waiter = found
            if waiter.told.done():
                continue
            if self._wait_limit.is_over(waiter.since):
                waiter.tell(None)
                continue
            self._start(line)
            waiter.tell(True)


class SlotAtOnce:
    """Holds the slot of one operation that does not wait, from its beginning to its end."""

    __slots__ = ("_admission", "_line", "_since")

    def __init__(self, admission: Admission, line: Line | None) -> None:
        self._admission = admission
        self._line = line

    def __enter__(self) -> None:
        """Begin."""
        self._admission._wait_limit.came(self._admission.waiting)
        if self._line is not None:
            self._since = self._admission.clock()
            self._admission._start(self._line)

    def __exit__(self, *_: object) -> None:
        """End."""
        if self._line is not None:
            self._admission._leave(self._line, self._admission.clock() - self._since)
        self._admission._wait_limit.ended(self._admission.running + self._admission.waiting)


class Turn:
    """Holds the slot of one operation, from its beginning to its end."""

    def __init__(
        self, admission: Admission, key: Caller, *, has_waited: bool = False, is_to_read: bool = False
    ) -> None:
        self._admission = admission
        self._key = key
        self._has_waited = has_waited
        self._is_to_read = is_to_read
        self._line: Line | None = None
        self._since = 0.0
        self._is_away = False

    async def __aenter__(self) -> Turn:
        """Wait for a slot.

        :raises Overloaded: no slot became free.
        """
        self._line = await self._admission._enter(self._key, self._has_waited)
        self._since = self._admission.clock()
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
            seconds = self._admission.clock() - self._since
            self._admission._leave(self._line, seconds, self._is_to_read)
            if not self._has_waited:
                self._admission._wait_limit.ended(self._admission.running + self._admission.waiting)
            self._line = None
