"""A signal: something that happens again and again, and that tasks of one event loop wait for."""

from __future__ import annotations

import asyncio


class Signal:
    """Counts how often it was sent, so that nobody misses what was sent before they began to wait."""

    def __init__(self) -> None:
        self.sent = 0
        self._next = asyncio.Event()

    def send(self) -> None:
        """Let everyone go on who waits for the next one."""
        self.sent += 1
        sent, self._next = self._next, asyncio.Event()
        sent.set()

    async def wait(self, seen: int) -> None:
        """Wait until it was sent more than ``seen`` times."""
        while self.sent <= seen:
            await self._next.wait()
