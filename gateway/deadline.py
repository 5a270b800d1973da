"""Ends an operation when its time is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from types import TracebackType
from typing import Self, TypeVar

from engine import OutOfTime, Stopped
from gateway.run_until_first_wait import EagerAwaitable

T = TypeVar("T")


async def in_time(work: Awaitable[T], seconds: float) -> T:
    """Return the outcome of an operation that may take this many seconds.

    :raises Stopped: its time is over.
    """
    began = time.monotonic()
    begun = EagerAwaitable(work)
    # Nearly every operation is done before it waits, and what does not wait cannot be ended.
    if begun.is_done:
        return begun.result
    with Deadline(seconds, seconds - (time.monotonic() - began)):
        return await begun


class Deadline:
    """Cancels what runs inside when its time is over, and raises ``Stopped``.

    The whole operation has ``seconds``, of which ``left`` are left.

    It does what ``asyncio.timeout`` does in a quarter of the time, because nearly every operation is done long
    before.
    """

    __slots__ = ("_has_come", "_left", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float, left: float) -> None:
        self._seconds = seconds
        self._left = left
        self._has_come = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._timer = asyncio.get_running_loop().call_later(max(0, self._left), self._come)
        return self

    def __exit__(
        self,
        class_: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._has_come and self._task.uncancel() == 0 and class_ is asyncio.CancelledError:
            raise Stopped(OutOfTime(self._seconds)) from None

    def _come(self) -> None:
        self._has_come = True
        self._task.cancel()
