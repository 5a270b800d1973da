"""Repeated requests are counted, limited and logged as all others are, and there are none under another server."""

from __future__ import annotations

import logging
import re
import socket

import httpx

from tests.support.bare_connections import serve
from tests.support.gateway_in_process import app_over
from tests.support.http_servers import serving
from tests.support.listening_gateway import (
    POST,
    TIMES,
    Listening,
    Wire,
    gateway,
    learnt,
    listening,
    timeless,
    wire,
)
from upstream.embedded import EmbeddedUpstream

__all__ = ["gateway", "wire"]


async def test_one_connection_too_many_is_refused_whatever_it_asks(embedded: EmbeddedUpstream) -> None:
    async with (
        listening(app_over(embedded, limit_connections_per_address=1)) as gateway,
        gateway.connect() as wire,
    ):
        await learnt(gateway, wire)
        async with gateway.connect() as other:
            other.writer.write(POST)
            assert (await other.rest()).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert gateway.unparsed == 0


async def test_a_repeated_request_is_counted_as_all_others_are(gateway: Listening, wire: Wire) -> None:
    await learnt(gateway, wire)
    for _ in range(5):
        await wire.ask(POST)
    metrics = (await wire.ask(b"GET /metrics HTTP/1.1\r\nHost: gateway\r\n\r\n")).decode()
    counts = {("hit", "unparsed"): 5, ("hit", "bytes"): 2, ("hit", "meaning"): 0, ("miss", "meaning"): 1}
    for (result, stage), count in counts.items():
        labels = f'result="{result}",stage="{stage}"'
        assert f"gateway_response_cache_requests_total{{{labels}}} {count}.0\n" in metrics
    assert 'http_requests_total{handler="/graphql",method="POST",status="200"} 8.0\n' in metrics
    assert 'http_request_duration_seconds_count{handler="/graphql"} 8.0\n' in metrics
    assert gateway.app.parts.history.lately().sum.from_memory == 8
    assert gateway.state.total_requests == 9


async def test_with_an_access_log_every_request_is_logged(embedded: EmbeddedUpstream) -> None:
    logger, logged = logging.getLogger("uvicorn.access"), Logged()
    logger.addHandler(logged)
    logger.setLevel(logging.INFO)
    try:
        async with listening(app_over(embedded), access_log=True) as gateway, gateway.connect() as wire:
            for _ in range(TIMES + 2):
                await wire.ask(POST)
            assert gateway.unparsed == 0
    finally:
        logger.removeHandler(logged)
        logger.setLevel(logging.NOTSET)
    assert len(logged.lines) == TIMES + 2
    assert all('"POST /graphql HTTP/1.1" 200' in line for line in logged.lines)


class Logged(logging.Handler):
    """Collects lines of a log."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def test_the_server_of_the_command_line_answers_repeated_requests() -> None:
    with serve() as gateway, gateway.wire() as wire:
        answers = []
        for _ in range(6):
            wire.sendall(POST)
            answers.append(timeless(re.sub(rb"\r\ndate: [^\r]+", b"", whole_answer(wire))))
        assert len(set(answers)) == 1
        assert gateway.metric('response_cache_requests_total{result="hit",stage="unparsed"}') == 6 - TIMES


def whole_answer(wire: socket.socket) -> bytes:
    """Return the next answer, whose head and body can come one after the other."""
    with wire.makefile("rb") as answer:
        lines = list(iter(answer.readline, b"\r\n"))
        (length,) = [int(line.split()[1]) for line in lines if line.startswith(b"content-length:")]
        return b"".join([*lines, b"\r\n", answer.read(length)])


def test_under_another_server_the_app_answers_as_before(embedded: EmbeddedUpstream) -> None:
    app = app_over(embedded)
    with serving(app) as address, httpx.Client(timeout=60) as http:
        answers = [
            http.post(f"{address}/graphql", json={"query": "{ categories { title } }"}) for _ in range(5)
        ]
        assert {answer.content for answer in answers} == {answers[0].content}
        assert app.parts.responses.found_unparsed == len(app.parts.repeated_requests) == 0
