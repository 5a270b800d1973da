"""The inner names of Uvicorn, and the behaviour behind them, on which the gateway's protocol classes stand.

When one of these fails after an update of Uvicorn: read its ``httptools_impl.py``, ``websockets_sansio_impl.py``,
``server.py`` and ``supervisors/multiprocess.py`` for what took the place of the name, change
``web/serving/uvicorn_protocols.py``, ``web/serving/pipelined_requests.py``, ``web/serving/uvicorn_server.py``,
``web/serving/repeated_request_protocol.py`` or ``web/serving/worker_supervision.py`` accordingly, then run the tests of
repeated requests and heads beside this file, ``tests/acceptance/test_connections.py`` and ``test_stop_under_load.py``,
which hold what the classes are for. Repeated requests are not needed: with ``HttpProtocol`` in the place of
``RepeatedRequestProtocol`` in ``web/serving/uvicorn_server.py`` all else goes on. ``server:app`` under plain Uvicorn
goes on without them meanwhile.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.protocols.http import httptools_impl
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import Server, ServerState
from uvicorn.supervisors import Multiprocess

from web.serving.repeated_request_protocol import RepeatedRequestProtocol
from web.serving.uvicorn_protocols import HttpProtocol, SocketProtocol

HTTP_METHODS = {
    "connection_made",
    "connection_lost",
    "data_received",
    "eof_received",
    "pause_writing",
    "resume_writing",
    "on_headers_complete",
    "on_response_complete",
    "on_message_begin",
    "on_message_complete",
    "handle_websocket_upgrade",
    "timeout_keep_alive_handler",
    "shutdown",
    "_should_upgrade",
    "_unset_keepalive_if_required",
}
SOCKET_METHODS = {"connection_lost", "pause_writing", "resume_writing", "send", "shutdown"}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Fail, because no request comes here."""


def made(class_: Any) -> Any:
    return class_(
        Config(app, ws="websockets-sansio"),
        ServerState(),
        {"connections": None, "repeated_requests": None},
        None,
    )


@pytest.mark.parametrize(
    ("class_", "names"), [(HttpToolsProtocol, HTTP_METHODS), (WebSocketsSansIOProtocol, SOCKET_METHODS)]
)
def test_uvicorn_has_the_methods_that_are_overridden_or_called(class_: type, names: set[str]) -> None:
    assert names - set(dir(class_)) == set()


@pytest.mark.parametrize("class_", [HttpProtocol, RepeatedRequestProtocol, SocketProtocol])
def test_every_public_method_of_ours_is_one_of_uvicorns(class_: type) -> None:
    ours = {name for name in vars(class_) if not name.startswith("_")}
    assert ours <= (HTTP_METHODS | SOCKET_METHODS)


async def test_uvicorn_has_the_attributes_that_are_used() -> None:
    http = made(HttpToolsProtocol)
    assert {"cycle", "parser", "transport", "client", "loop", "server_state", "ws_protocol_class"} <= vars(
        http
    ).keys()
    assert http.cycle is None
    socket = made(WebSocketsSansIOProtocol)
    assert {"writable", "handshake_complete", "close_timeout", "client", "transport", "loop"} <= vars(
        socket
    ).keys()
    assert httptools_impl.STATUS_LINE[503] == b"HTTP/1.1 503 Service Unavailable\r\n"
    cycle = set(inspect.signature(RequestResponseCycle).parameters)
    assert "keep_alive" in cycle
    assert "response_complete" in inspect.getsource(RequestResponseCycle.__init__)


async def test_uvicorn_has_the_attributes_that_repeated_requests_use() -> None:
    http = made(RepeatedRequestProtocol)
    assert {"flow", "expect_100_continue", "timeout_keep_alive", "timeout_keep_alive_task"} <= vars(
        http
    ).keys()
    assert {"total_requests", "default_headers"} <= vars(http.server_state).keys()
    assert {"access_log", "limit_concurrency"} <= vars(http.config).keys()
    # A request that is known is written as this one is: the status, the headers of the server, those of the answer.
    sending = inspect.getsource(RequestResponseCycle.send)
    assert 'headers = self.default_headers + list(message.get("headers", []))' in sending
    assert "content = [STATUS_LINE[status_code]]" in sending
    assert 'content.extend([name, b": ", value, b"\\r\\n"])' in sending
    made_of = inspect.getsource(RequestResponseCycle.__init__)
    for name in ("response_started", "response_complete", "disconnected", "waiting_for_100_continue"):
        assert f"self.{name} = " in made_of
    for name in ("flow", "transport", "message_event", "on_response", "default_headers"):
        assert f"self.{name} = {name}" in made_of
    assert {"scope", "keep_alive"} <= inspect.signature(RequestResponseCycle).parameters.keys()


def test_what_is_done_at_the_end_of_an_answer_is_as_it_was_when_repeated_requests_began_to_do_without_it() -> (
    None
):
    lines = [line.strip() for line in inspect.getsource(HttpToolsProtocol.on_response_complete).splitlines()]
    assert [line for line in lines if line and not line.startswith("#")] == [
        "def on_response_complete(self) -> None:",
        "self.server_state.total_requests += 1",
        "if self.transport.is_closing():",
        "return",
        "self._unset_keepalive_if_required()",
        "self.flow.resume_reading()",
        "if self.pipeline:",
        "cycle, app = self.pipeline.pop()",
        "self._start_asgi_task(cycle, app)",
        "else:",
        "self.timeout_keep_alive_task = self.loop.call_later(",
        "self.timeout_keep_alive, self.timeout_keep_alive_handler",
        ")",
    ]
    # Another list each second, by which the joined headers are known to be those of another.
    assert "self.server_state.default_headers = date_header + " in inspect.getsource(Server.on_tick)


def test_requests_are_begun_and_read_by_what_was_replaced() -> None:
    assert "self.flow = FlowControl(transport)" in inspect.getsource(HttpToolsProtocol.connection_made)
    assert "self._start_asgi_task(" in inspect.getsource(HttpToolsProtocol.on_headers_complete)
    assert "self.pipeline.appendleft(" in inspect.getsource(HttpToolsProtocol.on_headers_complete)
    assert "self.flow.resume_reading()" in inspect.getsource(RequestResponseCycle.receive)
    pausing = inspect.getsource(FlowControl.pause_reading), inspect.getsource(FlowControl.resume_reading)
    assert all("self.read_paused = " in each for each in pausing)


def test_the_parsing_of_data_is_as_it_was_when_it_was_overridden() -> None:
    # It is the one method of Uvicorn's that ours does not call: if it does more now, ours has to as well.
    lines = [line.strip() for line in inspect.getsource(HttpToolsProtocol.data_received).splitlines()]
    assert lines == [
        "def data_received(self, data: bytes) -> None:",
        "self._unset_keepalive_if_required()",
        "",
        "try:",
        "self.parser.feed_data(data)",
        "except httptools.HttpParserError:",
        'msg = "Invalid HTTP request received."',
        "self.logger.warning(msg)",
        "self.send_400_response(msg)",
        "return",
        "except httptools.HttpParserUpgrade:",
        "if self._should_upgrade():",
        "self.handle_websocket_upgrade()",
        "else:",
        "self._unsupported_upgrade_warning()",
    ]


def test_the_server_and_its_supervisor_are_what_is_run() -> None:
    assert "sockets" in inspect.signature(Server.run).parameters
    assert {"config", "sockets"} <= inspect.signature(Multiprocess).parameters.keys()
    assert "terminate_all" in vars(Multiprocess)
    assert isinstance(STARTUP_FAILURE, int)
    # The loop by its import name, which each worker imports for itself.
    assert Config(app, loop="web.serving.accepting_loop:Loop").get_loop_factory() is not None
