"""Writes the responses that one turn of the event loop makes together, at its end.

A response that is written wakes its reader at once. If the reader runs on the same machine (a proxy, or a client in a
test), it takes the processor for a moment between any two responses, and empties the caches of the processor. With 32
connections that cost up to a third of the processor time of an answer.
"""

from __future__ import annotations

import asyncio


class CoalescedWrites:
    """Holds the responses of this turn of the loop that are not written yet.

    A protocol writes its own with :meth:`write_of` before it reads more from its connection or closes it, so that a
    client sees its responses in the order of its requests, and all of them.
    """

    def __init__(self) -> None:
        self._unwritten: dict[asyncio.WriteTransport, bytes] = {}

    def add(self, transport: asyncio.WriteTransport, response: bytes) -> None:
        """Write a response when the present callbacks of the loop are done."""
        if not self._unwritten:
            asyncio.get_running_loop().call_soon(self._write_all)
        earlier = self._unwritten.get(transport)
        self._unwritten[transport] = response if earlier is None else earlier + response

    def write_of(self, transport: asyncio.WriteTransport) -> None:
        """Write the responses that wait for this connection."""
        response = self._unwritten.pop(transport, None)
        if response is not None and not transport.is_closing():
            transport.write(response)

    def _write_all(self) -> None:
        unwritten, self._unwritten = self._unwritten, {}
        for transport, response in unwritten.items():
            if not transport.is_closing():
                transport.write(response)
