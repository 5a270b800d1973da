"""Signals events that happen again and again to the tasks of one event loop that wait for them."""

from __future__ import annotations

import asyncio


class Signal:
    """Counts how often it was sent, so that no task misses a signal that was sent before it began to wait."""

    def __init__(self) -> None:
        self.sent = 0
        self._next = asyncio.Event()

    def send(self) -> None:
        """Wake all tasks that wait for the next signal."""
        self.sent += 1
        sent, self._next = self._next, asyncio.Event()
        sent.set()

    async def wait(self, seen: int) -> None:
        """Wait until it was sent more than ``seen`` times."""
        while self.sent <= seen:
            await self._next.wait()
