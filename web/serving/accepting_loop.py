"""Defines the event loop of a server process, which accepts all waiting connections at once and refuses none that it
has let wait.

Since 1.51 (uvloop 0.23) libuv accepts one connection in a turn of the loop, so new clients wait for many turns. And
when the socket is closed at a stop, the kernel resets the connections in its queue, whose clients have already sent
their requests.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from array import array
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvloop

MAX_AT_ONCE = 100
"""The most connections that one turn of the loop accepts."""

PAUSE = 0.1
"""Seconds after which accepting is tried again if the system gives no connection, most likely because no descriptor
is left. Otherwise a waiting client would wake the loop again and again."""

_ATTACH_FILTER = 26
"""``SO_ATTACH_FILTER`` of Linux, which Python does not name."""

_WITHOUT_NEWCOMERS = b"".join(
    struct.pack("HBBI", *each)
    for each in [
        (0x30, 0, 0, 13),  # load the flags of the TCP header
        (0x45, 1, 0, 0x02),  # if SYN is among them, skip the next instruction
        (0x06, 0, 0, 0xFFFF_FFFF),  # take the packet, whole
        (0x06, 0, 0, 0),  # drop the packet
    ]
)
"""A packet filter for a listening socket, in the instructions of classic BPF. Connections that it still lets in inherit
it, so it must take all that they carry."""


def admit_no_more(listening: socket.socket) -> None:
    """Let the system take no new connection on a socket that is about to be closed, in whichever process.

    A client that comes now asks again after a second, and is refused then. Otherwise a connection that arrives after
    the last look into the queue would be reset by the close, when its client has sent a request already. Systems other
    than Linux keep that gap, which is short.
    """
    if sys.platform == "linux":
        code = array("B", _WITHOUT_NEWCOMERS)  # the system reads it by its address
        program = struct.pack("HL", len(code) // 8, code.buffer_info()[0])
        with suppress(OSError):
            listening.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)


class Loop(uvloop.Loop):
    """Extends uvloop's loop by the gateway's own listeners."""

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        *,
        sock: socket.socket,
        backlog: int,
        **_: Any,
    ) -> Listener:
        """Listen on a bound socket. Uvicorn calls this."""
        sock.setblocking(False)
        sock.listen(backlog)
        return Listener(self, protocol_factory, sock)


class Listener:
    """Accepts connections until it is closed. It has what Uvicorn uses of ``asyncio.Server``."""

    def __init__(
        self, loop: Loop, protocol_factory: Callable[[], asyncio.BaseProtocol], sock: socket.socket
    ) -> None:
        self.sockets = (sock,)
        self._loop = loop
        self._protocol_factory = protocol_factory
        self._socket = sock
        self._beginning: set[asyncio.Task[Any]] = set()
        self._again: asyncio.TimerHandle | None = None
        self._is_told = False
        """Whether it has been logged that nothing can be accepted."""
        loop.add_reader(sock, self._accept)

    def close(self) -> None:
        """Accept the connections that wait, and no others."""
        if self._socket.fileno() != -1:
            self._loop.remove_reader(self._socket)
            while self._accept():
                pass
            self._stop_waiting()
            self._socket.close()

    async def wait_closed(self) -> None:
        """Wait until every accepted connection is served."""
        if self._beginning:
            await asyncio.wait(self._beginning)

    def _stop_waiting(self) -> None:
        if self._again is not None:
            self._again.cancel()

    def _accept(self) -> bool:
        """Accept as many connections as one turn may, and return whether there can be more."""
        for _ in range(MAX_AT_ONCE):
            try:
                client, _address = self._socket.accept()
            except (BlockingIOError, InterruptedError):
                return False
            except ConnectionAbortedError:
                continue  # This client left before its turn.
            except OSError as error:
                if not self._is_told:
                    self._is_told = True
                    self._loop.call_exception_handler(
                        {"message": "A connection could not be accepted.", "exception": error}
                    )
                self._loop.remove_reader(self._socket)
                self._stop_waiting()
                self._again = self._loop.call_later(PAUSE, self._loop.add_reader, self._socket, self._accept)
                return False
            self._is_told = False
            beginning = self._loop.create_task(
                self._loop.connect_accepted_socket(self._protocol_factory, client)
            )
            self._beginning.add(beginning)
            beginning.add_done_callback(self._beginning.discard)
        return True
