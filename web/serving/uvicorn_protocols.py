"""Defines the server's HTTP and WebSocket protocols, with limits that Uvicorn's do not have, and an orderly stop.

They are small subclasses of Uvicorn's protocols, which parse and write. ``tests/web/serving/test_uvicorn_protocols.py``
lists what they use of Uvicorn's internals, and says what to do when that changes. The app is the same under any other
ASGI server, without these limits.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httptools
import msgspec
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from web.client_identity import UNKNOWN
from web.security_headers import SECURITY_HEADERS
from web.serving.connection_and_websocket_limits import Connections
from web.serving.pipelined_requests import MAX_PIPELINE, PipelineFlow

GRACE = 0.25
"""Seconds at a stop in which requests that clients have just sent are read and answered."""

LONGEST_STOP = 9.0
"""Seconds at a stop after which connections with unfinished answers are cut off."""

NOT_HTTP = "The request is not HTTP."
UNKNOWN_METHOD = "The server does not know the method of the request."
NO_HANDSHAKE = "A WebSocket is opened by a GET without a body, whose headers have at most 8,000 bytes each."
_REQUEST_LINE = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,40} [!-~]{1,40000} HTTP/1\.[01]\r\n")
"""The first line of a request of HTTP/1.1 (RFC 9112, section 3), whatever its method is."""

STOPPING = "The gateway is stopping."


class HttpProtocol(HttpToolsProtocol):
    """Adds limits in time and number to Uvicorn's protocol, and at a stop finishes the answers that it has begun."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all: Connections = app_state["connections"]
        self._is_counted = False
        self._counts_for: str | None = None
        """The client of the connection, if it has a single one."""
        self._refused: str | None = None
        """Why this connection is one too many. The client is told after it has asked, because it would not read it
        before."""
        self._running: RequestResponseCycle | None = None
        """The request that is answered now, or was answered last."""
        self._timer: asyncio.TimerHandle | None = None
        """Ends the connection if no headers of a request, or no end of it, come in time."""

    @property
    def _peer(self) -> str | None:
        return self.client[0] if self.client else None

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    # The transport calls these.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, if one more is allowed."""
        super().connection_made(transport)
        self.flow = PipelineFlow(transport, self.pipeline)
        self._counts_for = self._all.clients.of_connection(self._peer)
        self._refused = self._all.open.take(self._counts_for)
        self._is_counted = self._refused is None
        self._close_after(self._all.limits.head_seconds if self._is_counted else GRACE)
        if self._all.stopping.is_set():
            self.shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_timer()
        self._all.writes.write_of(self.transport)
        self._all.slow.end(self.transport)
        if self._is_counted:
            self._all.open.give_back(self._counts_for)
        super().connection_lost(exc)
        # Uvicorn tells only the last request of a pipeline.
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Read what came. The time for the headers of a request runs from its first byte, and more bytes do not renew
        it."""
        if self.transport.is_closing():
            return
        if self._refused is not None:
            self._refuse(503, self._refused)
            return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            if isinstance(error, httptools.HttpParserInvalidMethodError) and _REQUEST_LINE.match(data):
                self._refuse(501, UNKNOWN_METHOD)
                return
            self._all.note_garbage()
            self._refuse(400, NOT_HTTP)
            return
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
                return
        if self._timer is None and not self._is_answering and not self.transport.is_closing():
            self._close_after(self._all.limits.head_seconds)

    def eof_received(self) -> None:
        """Write what is ready. The transport closes when this returns."""
        self._all.writes.write_of(self.transport)
        super().eof_received()

    def pause_writing(self) -> None:
        """Watch a client that reads more slowly than it is written to."""
        super().pause_writing()
        self._all.slow.begin(self.transport)

    def resume_writing(self) -> None:
        """Watch it no more: it has kept up."""
        super().resume_writing()
        self._all.slow.end(self.transport)

    # The parser and the server call these.

    def on_message_begin(self) -> None:
        """Begin to read a request.

        :raises ValueError: too many wait. The parser ends with this, as it does with what is not HTTP.
        """
        if len(self.pipeline) >= MAX_PIPELINE:
            raise ValueError(f"More than {MAX_PIPELINE:,} requests wait behind one another.")
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to answer a request; at a stop it is the last of its connection."""
        self._stop_timer()
        super().on_headers_complete()
        if self._all.stopping.is_set() and self._is_answering:
            self.cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the client to read the last answer."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._close()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to the other protocol, if one more WebSocket is allowed.

        This is refused behind a request that is being answered: its answer would continue in the midst of the
        frames, and nobody would tell it that the client has left.
        """
        if self._is_answering:
            self._close()
            return
        clients = self._all.clients
        client = clients.of_request(self._peer, clients.telling(self.headers))
        refused = STOPPING if self._all.stopping.is_set() else self._all.sockets.take(client)
        if refused is not None:
            self._refuse(503, refused)
            return
        # From here on the other protocol forgets the connection.
        self._stop_timer()
        self._is_counted = False
        super().handle_websocket_upgrade()
        protocol = self.transport.get_protocol()
        assert isinstance(protocol, SocketProtocol)
        protocol.client_of_connection, protocol.client_of_socket = self._counts_for, client
        if protocol.conn.handshake_exc is not None and not self.transport.is_closing():
            # The library wants the client to close, which nobody would wait for.
            self._refuse(400, NO_HANDSHAKE)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection on which no request came."""
        self._close()

    def shutdown(self) -> None:
        """Finish the answer, or answer a request that the client may have sent by now, and then close."""
        self._all.stop()
        if self._is_answering:
            self.cycle.keep_alive = False
        else:
            self._unset_keepalive_if_required()
            self._stop_timer()
            self._close_after(GRACE)
        self.loop.call_later(LONGEST_STOP, self.transport.abort)

    # Ends

    def _close_after(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        """Close when everything is written, for which the client has a limited time."""
        self._stop_timer()
        self._all.writes.write_of(self.transport)
        self.transport.close()
        self._timer = self.loop.call_later(self._all.limits.read_seconds, self.transport.abort)

    def _refuse(self, status: int, sentence: str) -> None:
        """Refuse a request that the app could not answer, and close. Nothing is written into an answer that is under
        way."""
        if not self._is_answering:
            code = "OVERLOADED" if status == 503 else "BAD_REQUEST"
            body = msgspec.json.encode({"errors": [{"message": sentence, "extensions": {"code": code}}]})
            headers = [b"content-type: application/json; charset=utf-8", b"cache-control: no-store"]
            headers += [b"%b: %b" % header for header in SECURITY_HEADERS]
            if status == 503:
                headers.append(b"retry-after: 5")
            headers += [b"connection: close", b"content-length: %d" % len(body), b"", body]
            self._all.writes.write_of(self.transport)
            self.transport.write(STATUS_LINE[status] + b"\r\n".join(headers))
        self._close()


class SocketProtocol(WebSocketsSansIOProtocol):
    """Extends Uvicorn's protocol, and cuts off slow readers. At a stop the app closes the connection when its
    operations are done."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all: Connections = app_state["connections"]
        self.client_of_connection: str | None = None
        """The client of the connection. Uvicorn asks the transport again, which no longer knows it once the client
        has gone."""
        self.client_of_socket: str = UNKNOWN
        """The client of the WebSocket, which differs if the connection is that of a proxy."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._all.slow.end(self.transport)
        self._all.sockets.give_back(self.client_of_socket)
        self._all.open.give_back(self.client_of_connection)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Watch a client that reads more slowly than it is written to."""
        super().pause_writing()
        self._all.slow.begin(self.transport)

    def resume_writing(self) -> None:
        """Watch it no more: it has kept up."""
        super().resume_writing()
        self._all.slow.end(self.transport)

    async def send(self, message: Any) -> None:
        """Send a message when the client has kept up. If several wait, one is sent at a time."""
        while not self.writable.is_set():
            await self.writable.wait()
        await super().send(message)

    def shutdown(self) -> None:
        """Let the app close the connection. The client has little time to agree."""
        self._all.stop()
        self.close_timeout = GRACE
        if not self.handshake_complete:
            super().shutdown()
        self.loop.call_later(LONGEST_STOP, self.transport.abort)
