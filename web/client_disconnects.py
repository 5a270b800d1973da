"""Ends work for a client that leaves before its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.types import Receive

from gateway import EagerAwaitable

T = TypeVar("T")


class ClientLeft(Exception):
    """Says that the client closed its connection, so that nobody waits for the answer."""


async def as_long_as_there(receive: Receive, work: Awaitable[T]) -> T:
    """Return the outcome of ``work``, which is cancelled if the client leaves.

    :raises ClientLeft: the client left.
    """
    begun = EagerAwaitable(work)
    if begun.is_done:
        return begun.result
    task = asyncio.current_task()
    assert task is not None
    watch = _Watch(receive, task)
    watching = asyncio.create_task(watch.watch())
    try:
        return await begun
    except asyncio.CancelledError:
        if watch.client_left and task.uncancel() == 0:
            raise ClientLeft from None
        raise
    finally:
        watching.cancel()


class _Watch:
    def __init__(self, receive: Receive, working: asyncio.Task[object]) -> None:
        self.client_left = False
        self._receive = receive
        self._working = working

    async def watch(self) -> None:
        # The body of a GET, if there is one, is ignored.
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.client_left = True
        self._working.cancel()
