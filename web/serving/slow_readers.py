"""What waits to be written to clients that read slowly: how much it may be, and for how long."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

LEAST = 10_000
"""Bytes a second that a client takes at least of an answer that waits for it: a slow telephone takes more."""


@dataclass(slots=True, eq=False)
class _Reader:
    unsent: int
    """Bytes that waited when this was last looked at."""
    timer: asyncio.TimerHandle


class SlowReaders:
    """The connections to which more waits to be written than the transport's buffer is meant to have.

    A client that takes less than ``LEAST`` bytes a second is cut off after ``seconds``. ``most`` is how many bytes may
    wait for all together: beyond it, whoever has been waited for longest is cut off. ``most_of_one`` is the same for
    each. ``cut_off`` counts those.
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
        # The first has been there for longest. Aborted, it frees what it has at once.
        while self._readers and self.unsent > self._most:
            self._cut_off(next(iter(self._readers)))

    def end(self, transport: asyncio.Transport) -> None:
        """Watch it no more: its client has kept up, or is gone."""
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
