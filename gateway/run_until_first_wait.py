"""Runs work at once, in the task of its caller, up to the first time that it has to wait.

Most work is done before that. Only work that waits needs a timer that ends it or a task that watches it, and to make
and to cancel these costs more than much of the work itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class EagerAwaitable(Generic[T]):
    """Holds work that has run up to its first wait, or to its end: then it ``is_done``, and has a ``result``.

    Await it to continue. An exception before its first wait is raised by the constructor.
    """

    __slots__ = ("_going_on", "_waits_for", "is_done", "result")

    result: T

    def __init__(self, work: Awaitable[T]) -> None:
        self._going_on: Generator[Any, Any, T] = work.__await__()
        self.is_done = False
        try:
            self._waits_for: Any = self._going_on.send(None)
        except StopIteration as end:
            self.is_done, self.result = True, end.value

    def __await__(self) -> Generator[Any, Any, T]:
        """Wait as the work does, and continue it until it is done."""
        while not self.is_done:
            try:
                sent = yield self._waits_for
            except BaseException as error:
                # A cancellation of the task, which the work may have to clean up after.
                self._go(partial(self._going_on.throw, error))
            else:
                self._go(partial(self._going_on.send, sent))
        return self.result

    def _go(self, step: partial[Any]) -> None:
        try:
            self._waits_for = step()
        except StopIteration as end:
            self.is_done, self.result = True, end.value
