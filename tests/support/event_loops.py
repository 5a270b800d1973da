"""Provides the event loops of the tests, whose threads outlive them, because to start threads takes longer than most
tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from selectors import BaseSelector
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_threads = ThreadPoolExecutor(thread_name_prefix="tests")
"""As many as a loop has by default. One loop runs at a time, and ends when none of them works."""


class LoopWithSharedThreads(asyncio.SelectorEventLoop):
    """Runs what it is given for its default executor in the threads of all these loops."""

    def __init__(self, selector: BaseSelector | None = None) -> None:
        super().__init__(selector)
        self._borrowed = _BorrowedThreads()
        self.set_default_executor(self._borrowed)

    @property
    def threads_under_way(self) -> int:
        """Return how many of the threads work for this loop."""
        return len(self._borrowed.under_way)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as asyncio has it
        """Wait for what runs in the threads, without a thread to wait in as the method of ``asyncio`` has it."""
        if self._borrowed.under_way:
            await asyncio.wait(map(asyncio.wrap_future, list(self._borrowed.under_way)), timeout=timeout)


class _BorrowedThreads(ThreadPoolExecutor):
    """Is the default executor of one loop, which has to be of this class, and starts no thread of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way: set[Future[Any]] = set()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function in one of the shared threads."""
        future = _threads.submit(fn, *args, **kwargs)
        self.under_way.add(future)
        future.add_done_callback(self.under_way.discard)
        return future
