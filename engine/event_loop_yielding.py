"""Shares the turns of the event loop, so that long work lets everything else continue in between.

All operations on one loop share a slice of each turn, so that many of them together hold it up no longer than one does
alone. An operation that finds the slice used up waits in line for a later turn.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Generator
from time import perf_counter
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

SLICE = 0.008
"""Seconds of work in one turn. Even with the work that is under way at their end, a turn takes less than 20 ms."""

LET_ON = 8
"""How many waiters continue in one turn, because the next step of each is often short."""


T = TypeVar("T")


class Turns:
    """Hands out the turns of one event loop."""

    def __init__(self) -> None:
        self._since = 0.0
        self._is_working = False
        """Whether work began in the present turn, at ``_since``."""
        self._line: deque[asyncio.Future[None]] = deque()

    def is_over(self) -> bool:
        """Return whether the slice of the present turn is used up; asking this first begins the slice."""
        if not self._is_working:
            self._is_working = True
            self._since = perf_counter()
            asyncio.get_running_loop().call_soon(self._end)
            return False
        return perf_counter() - self._since > SLICE

    async def next(self) -> None:
        """Wait for a turn whose slice is not used up."""
        while self.is_over():
            waiting = asyncio.get_running_loop().create_future()
            self._line.append(waiting)
            if len(self._line) == 1:
                asyncio.get_running_loop().call_soon(self._let_on)
            await waiting

    def _end(self) -> None:
        self._is_working = False

    def _let_on(self) -> None:
        for _ in range(min(LET_ON, len(self._line))):
            waiting = self._line.popleft()
            if not waiting.done():  # it is if whoever waits was cancelled
                waiting.set_result(None)
        if self._line:
            asyncio.get_running_loop().call_soon(self._let_on)


class InTurn(Generic[T]):
    """Wraps an awaitable so that it begins, and later continues, when there is time in a turn.

    Thousands may begin in one turn. Without a catalog, the part of each before its first wait is short, so that all of
    them reach their loader in time for one batch. A coroutine that is never awaited, because everything was cancelled,
    is closed.
    """

    __slots__ = ("_awaitable",)

    def __init__(self, awaitable: Awaitable[T]) -> None:
        self._awaitable: Awaitable[T] | None = awaitable

    def __await__(self) -> Generator[Any, None, T]:
        return self._outcome().__await__()

    def __del__(self) -> None:
        if inspect.iscoroutine(self._awaitable):
            self._awaitable.close()

    async def _outcome(self) -> T:
        await turns().next()
        awaitable, self._awaitable = self._awaitable, None
        assert awaitable is not None
        value = await awaitable
        await turns().next()
        return value


class AtTurn(Generic[T]):
    """Wraps a value so that its waiter continues when there is time in a turn."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, None, T]:
        yield from turns().next().__await__()
        return self._value


def turns() -> Turns:
    """Return the turns of the running loop."""
    loop = asyncio.get_running_loop()
    found = _of_loop.get(loop)
    if found is None:
        found = _of_loop[loop] = Turns()
    return found


_of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()
