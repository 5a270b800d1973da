"""Provides a loop whose clock moves only when everyone waits: seconds pass at once, and to the same places each
time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Clock(selectors.SelectSelector):
    """Waits for nothing, and counts for how long it should have."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0.0
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Clock()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run_in_virtual_time(main: Coroutine[Any, Any, T]) -> T:
    """Run it to its end, in which ``asyncio.sleep`` takes no time, and the loop's time is exact."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(main)
