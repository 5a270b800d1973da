"""Provides a loop whose clock moves only when everyone waits: seconds pass at once, and to the same places each
time. A test asks for it by the mark ``virtual_time``."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from typing import Any, TypeVarTuple

from tests.support.event_loops import LoopWithSharedThreads

Ts = TypeVarTuple("Ts")


def work_for(seconds: float) -> None:
    """Let time pass in the running loop without a turn of it, as if something used the processor."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LoopInVirtualTime)
    loop.pass_time(seconds)


class LoopInVirtualTime(LoopWithSharedThreads):
    """Waits for nothing but its threads and its connections, while which time passes as on any clock.

    ``time.monotonic`` is no clock of this loop: what the gateway measures by it takes as long as it takes.
    """

    def __init__(self) -> None:
        self._in_threads: set[asyncio.Future[Any]] = set()
        self._clock = _Clock(self._may_be_woken)
        super().__init__(self._clock)

    def time(self) -> float:
        """Return the seconds since the loop was made."""
        return self._clock.now

    def pass_time(self, seconds: float) -> None:
        """Put the clock forward."""
        self._clock.now += seconds

    def run_in_executor(self, executor: Any, func: Callable[[*Ts], Any], *args: *Ts) -> asyncio.Future[Any]:
        """Run a function in a thread, as ``asyncio`` has it, and remember who waits for it."""
        future = super().run_in_executor(executor, func, *args)
        self._in_threads.add(future)
        future.add_done_callback(self._in_threads.discard)
        return future

    def _may_be_woken(self) -> bool:
        """Return whether something outside of the loop works for it."""
        # Nobody waits for some threads that still work, and some that have ended have not told yet.
        return bool(self._in_threads or self.threads_under_way)


class _Clock(selectors.DefaultSelector):
    """Counts for how long it should have waited, and waits only for what is outside of the loop."""

    def __init__(self, may_be_woken: Callable[[], bool]) -> None:
        super().__init__()
        self.now = 0.0
        self._may_be_woken = may_be_woken

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # The loop itself has one file, by which threads wake it.
        has_connections = len(self.get_map()) > 1
        if timeout is not None and not has_connections and not self._may_be_woken():
            self.now += max(0.0, timeout)
            return []
        began = time.monotonic()
        ready = super().select(timeout)
        self.now += time.monotonic() - began
        return ready
