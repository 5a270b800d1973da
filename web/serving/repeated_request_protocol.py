"""Answers repeated requests from the bytes that arrive, before anything is parsed.

Most requests of a busy gateway spend nearly all of their time between the socket and the answer: in a parser, a scope,
a task, an event and two messages. So bytes that arrive on a connection between two requests are looked up as they are.
If they are one whole request that was answered before, from the present catalog, the same head and body are written at
once, with the headers of this second. If only the head is known, the body is answered where that needs no waiting.

Everything else takes the ordinary way, which alone decides what a request is: several requests in one piece, or one in
several; requests that do not keep their connection alive (HTTP/1.0, ``Connection: close``), expect ``100 Continue``, or
want to upgrade; and all that arrive while an answer is under way, the client does not read, or the process stops. None
of these is learnt or looked up.

The bytes are compared whole, with all headers, so that only identical requests share an answer. They alone decide it,
because the endpoint uses the address of the client only to check its allowance.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.server import ServerState

from web.own_server_extension import extend
from web.repeated_head_cache import RepeatedHead
from web.repeated_request_cache import LONGEST, RepeatedRequests
from web.serving.single_write_responses import ServedRequest
from web.serving.uvicorn_protocols import HttpProtocol

METHODS = frozenset(["GET", "POST", "QUERY"])
"""The methods whose answers have the cached body. The answer to HEAD has no body."""


class RepeatedRequestProtocol(HttpProtocol):
    """Speaks HTTP/1.1, and parses only what is not known."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._known: RepeatedRequests = app_state["repeated_requests"]
        self._begun = self._ended = 0
        """Requests of which the parser has seen the beginning, and the end."""
        self._served: ServedRequest | None = None
        """The request whose headers were read last."""
        self._head: RepeatedHead | None = None
        """The head of a request that was answered at once."""
        self._was_tried = False
        """Whether that failed for the request that is parsed now."""
        self._answered_at = 0.0
        """When a request that was known was answered last, by the clock of the loop."""
        # Uvicorn's access log, and its limit on concurrency, work only on the ordinary way.
        self._may_know = not config.access_log and config.limit_concurrency is None

    def data_received(self, data: bytes) -> None:
        """Answer what is known; parse the rest, and offer it to be learnt if it is one whole request."""
        self._all.writes.write_of(self.transport)
        if not self._may_know or not self._is_between_requests or len(data) > LONGEST:
            super().data_received(data)
            return
        if not self.flow.write_paused and self._is_answered(data):
            return
        before = self._begun
        super().data_received(data)
        self._was_tried = False
        if self._served is not None and self._begun == self._ended == before + 1 and self._can_be_learnt:
            self._served.request = data

    def _is_answered(self, data: bytes) -> bool:
        came = perf_counter()
        known = self._known.find(data, self._peer)
        if known is not None:
            self.transport.write(self._response(known.status, known.head, self._known.age, known.body))
            known.counted.answered(perf_counter() - came)
            return True
        head = self._head = (self._served and self._served.learnt_head()) or self._head
        reply = None if head is None else head.answer(data)
        if head is not None and reply is not None:
            self._all.writes.add(self.transport, self._response(200, reply.head, reply.age, reply.body))
            head.counted.answered(perf_counter() - came)
            return True
        if head is not None and head.has_failed:
            self._head, self._was_tried = None, True
        return False

    @property
    def _is_between_requests(self) -> bool:
        return (
            self._begun == self._ended
            and not self._is_answering
            and self._refused is None
            and not self._all.stopping.is_set()
            and not self.transport.is_closing()
        )

    @property
    def _can_be_learnt(self) -> bool:
        """Return whether the request that was parsed last asks nothing of its connection."""
        return (
            not self.parser.should_upgrade()
            and self.cycle.keep_alive
            and self.cycle.scope["method"] in METHODS
            and not self.expect_100_continue
        )

    def _response(self, status: int, head: bytes, age: bytes, body: bytes) -> bytes:
        self._stop_timer()
        self.server_state.total_requests += 1
        self._answered_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait_for_a_request(self.timeout_keep_alive)
        of_server = self._known.of_server(self.server_state.default_headers)
        return b"".join((STATUS_LINE[status], of_server, head, age, b"\r\n", body))

    def _wait_for_a_request(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection on which no request came. A timer for each repeated request would cost a tenth of it."""
        left = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._wait_for_a_request(left)
        else:
            super().timeout_keep_alive_handler()

    def on_message_begin(self) -> None:
        """Note that a request begins."""
        super().on_message_begin()
        self._begun += 1

    def on_headers_complete(self) -> None:
        """Begin to answer the request, and offer to write the answer in one piece."""
        super().on_headers_complete()
        if self._may_know and not self.parser.should_upgrade():
            writes = self._all.writes
            self._served = ServedRequest(self.cycle, self._known.of_server, writes, self._was_tried)
            extend(self.cycle.scope, self._served)

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        self._ended += 1
        super().on_message_complete()
