"""Limits what waits to be written to clients that read slowly: how much it may be, and for how long."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

LEAST = 10_000
"""The fewest bytes a second that a client has to take of an answer that waits for it. A slow telephone takes more."""


@dataclass(slots=True, eq=False)
class _Reader:
    unsent: int
    """The bytes that waited when the reader was last checked."""
    timer: asyncio.TimerHandle


class SlowReaders:
    """Watches the connections to which more waits to be written than the transport's buffer is meant to hold.

    A client that takes less than ``LEAST`` bytes a second is cut off after ``seconds``. Up to ``most`` bytes may wait
    for all together. Beyond that, the client that has been slow for longest is cut off. ``most_of_one`` is the limit
    for each client. ``cut_off`` counts the clients that were cut off.
    """

    def __init__(self, seconds: float, most_of_one: int, most: int) -> None:
        self.cut_off = 0
        self._seconds = seconds
        self._most_of_one = most_of_one
        self._most = most
        self._readers: dict[asyncio.Transport, _Reader] = {}

    @property
    def unsent(self) -> int:
        """Return the bytes that wait for all of them."""
        return sum(transport.get_write_buffer_size() for transport in self._readers)

    def begin(self, transport: asyncio.Transport) -> None:
        """Watch a connection whose client does not keep up."""
        unsent = transport.get_write_buffer_size()
        if transport not in self._readers:
            self._readers[transport] = _Reader(unsent, self._look_later(transport))
        if unsent > self._most_of_one:
            self._cut_off(transport)
        # The first one has been there for longest. Aborting it frees its bytes at once.
        while self._readers and self.unsent > self._most:
            self._cut_off(next(iter(self._readers)))

    def end(self, transport: asyncio.Transport) -> None:
        """Stop watching a connection: its client has kept up, or is gone."""
        reader = self._readers.pop(transport, None)
        if reader is not None:
            reader.timer.cancel()

    def _look_later(self, transport: asyncio.Transport) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._seconds, self._look, transport)

    def _look(self, transport: asyncio.Transport) -> None:
        reader, unsent = self._readers[transport], transport.get_write_buffer_size()
        if reader.unsent - unsent < LEAST * self._seconds:
            self._cut_off(transport)
        else:
            reader.unsent, reader.timer = unsent, self._look_later(transport)

    def _cut_off(self, transport: asyncio.Transport) -> None:
        self.cut_off += 1
        self.end(transport)
        transport.abort()
