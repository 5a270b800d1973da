"""Listens on the server's channel for news, so that no process has to poll every few milliseconds.

An announcement can be lost, so a process that waits also polls from time to time.
"""

from __future__ import annotations

import asyncio
import random

import redis

from sharing.replication_log import CHANNEL
from sharing.valkey_connection import ValkeyConnection, ended

PAUSE = 1.0
"""Seconds before listening begins anew after it has failed."""


class Announcements:
    """Listens from :meth:`open` on."""

    def __init__(self, connection: ValkeyConnection) -> None:
        self._connection = connection
        self._news = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to listen, inside the running loop."""
        self._listening = asyncio.create_task(self._listen())

    async def aclose(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            await ended(self._listening)

    async def wait(self, seconds: float) -> None:
        """Wait until something new is announced, for this many seconds at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    async def _listen(self) -> None:
        while True:
            channel = self._connection.listening()
            try:
                await channel.subscribe(CHANNEL)
                async for _ in channel.listen():
                    self._news.set()
            except (redis.RedisError, OSError):
                pass  # a process that waits polls as well, and then learns why the server cannot be used
            finally:
                await channel.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(PAUSE * random.uniform(0.5, 1.5))
