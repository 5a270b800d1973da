"""Limits how many subscriptions run, and ends them when the gateway stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from gateway.current_caller import caller
from gateway.quota_counter import ConcurrentQuota
from gateway.retry_later_errors import Overloaded

RETRY_AFTER = 30
"""Seconds after which a refused client may try again: subscriptions are long."""

T = TypeVar("T")


class Subscriptions:
    """Holds all subscriptions of a process. Each waits for its next event until that comes, or :meth:`end_all` is
    called."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self.quota = ConcurrentQuota("subscriptions", most, most_of_one)
        self._ended = False
        self._waiting: set[asyncio.Timeout] = set()

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a subscription of the present client.

        :raises Overloaded: there are too many.
        """
        client = caller.get().client
        refused = self.quota.take(client)
        if refused is not None:
            raise Overloaded(refused, RETRY_AFTER)
        try:
            yield
        finally:
            self.quota.give_back(client)

    def check(self) -> None:
        """Check that the present client could begin one now.

        :raises Overloaded: there are too many.
        """
        refused = self.quota.why_none(caller.get().client)
        if refused is not None:
            raise Overloaded(refused, RETRY_AFTER)

    async def next_of(self, events: AsyncGenerator[T, None]) -> T | None:
        """Return the next event; ``None`` if there are no more, or the gateway stops."""
        if self._ended:
            return None
        limit = asyncio.timeout(None)
        self._waiting.add(limit)
        try:
            async with limit:
                return await anext(events, None)
        except TimeoutError:
            if not limit.expired():
                raise
            return None
        finally:
            self._waiting.discard(limit)

    def end_all(self) -> None:
        """End each subscription as if no more events came."""
        self._ended = True
        for limit in self._waiting:
            limit.reschedule(0)
