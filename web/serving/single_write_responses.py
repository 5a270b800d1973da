"""Writes a whole response in one piece. Uvicorn would check each header, and write the head and the body separately.

The gateway makes these headers from nothing that a client sent, so they need no check. A response goes out in the
ordinary way if the client does not keep up, or if something between the server and the app wants to see it.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from web.cache_headers import Headers, JoinedHeaders
from web.repeated_head_cache import RepeatedHead
from web.request_counts import CountedSend
from web.serving.coalesced_writes import CoalescedWrites


class ServedRequest:
    """Implements the server's extension for one request: see :class:`web.own_server_extension.ServerExtension`."""

    __slots__ = ("_cycle", "_of_server", "_writes", "learn_head", "request", "was_tried")

    def __init__(
        self,
        cycle: RequestResponseCycle,
        of_server: JoinedHeaders,
        writes: CoalescedWrites,
        was_tried: bool,
    ) -> None:
        self.request: bytes | None = None
        self.was_tried = was_tried
        self.learn_head: Callable[[bytes], RepeatedHead | None] | None = None
        # It leads back here, and would wait for the garbage collector. So it is forgotten when the response is written.
        self._cycle: RequestResponseCycle | None = cycle
        self._of_server = of_server
        self._writes = writes

    def learnt_head(self) -> RepeatedHead | None:
        """Return the head of the request if it is known from now on. It is learnt at the first call."""
        learn, self.learn_head = self.learn_head, None
        return None if learn is None or self.request is None else learn(self.request)

    def write(self, send: Send, status: int, headers: Headers, body: bytes) -> bool:
        """Write a response, if ``send`` is the server's own and nothing stands in the way."""
        cycle = self._cycle
        counted = send if isinstance(send, CountedSend) else None
        if cycle is None or (send if counted is None else counted.send) != cycle.send:
            return False
        if cycle.response_started or cycle.disconnected or cycle.flow.write_paused:
            return False
        parts = [STATUS_LINE[status], self._of_server(cycle.default_headers)]
        for name, value in headers:
            parts += (name, b": ", value, b"\r\n")
        parts.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
        if cycle.scope["method"] != "HEAD":
            parts.append(body)
        self._writes.add(cycle.transport, b"".join(parts))
        if counted is not None:
            counted.begin(status)
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        if not cycle.keep_alive:
            self._writes.write_of(cycle.transport)
            cycle.transport.close()
        cycle.on_response()
        self._cycle = None
        return True
