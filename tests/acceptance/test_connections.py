"""Tests connections that hold on to the gateway, or send what is no request. Each has a limit and an end."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.support.bare_connections import Process, read_all, request, serve
from tests.support.gateway_processes import until

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n"
NO_HOST = "The request has no Host header, or several; a request of HTTP/1.1 has exactly one."


@pytest.fixture(scope="module")
def gateway() -> Iterator[Process]:
    with serve(HEAD_SECONDS=1, IDLE_SECONDS=1, READ_SECONDS=2) as gateway:
        yield gateway


def error_of(answer: bytes) -> tuple[bytes, Any]:
    """Return the status line of an answer, and its only error."""
    head, _, body = answer.partition(b"\r\n\r\n")
    (error,) = json.loads(body)["errors"]
    return head.partition(b"\r\n")[0], error


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTT", b"GET /healthz HTTP/1.1\r\nHost: gate", HEALTH])
def test_a_connection_without_a_whole_request_is_closed(gateway: Process, sent: bytes) -> None:
    with gateway.wire() as wire:
        wire.sendall(sent)
        answer = read_all(wire)
        assert answer.count(b"HTTP/1.1 200 OK") == (sent == HEALTH)


def test_headers_that_arrive_byte_by_byte_are_not_waited_for(gateway: Process) -> None:
    with gateway.wire() as wire:
        wire.sendall(HEALTH)
        with pytest.raises(OSError, match=r"reset|pipe"):
            send_slowly(wire)


def send_slowly(wire: socket.socket) -> None:
    """Send a header that never ends."""
    wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
    for _ in range(600):
        wire.sendall(b"a")
        time.sleep(0.05)


def test_hundreds_of_connections_that_ask_nothing_are_closed(gateway: Process) -> None:
    wires = [gateway.wire() for _ in range(400)]
    for wire in wires[:200]:
        # Some clients send slow headers, which are no request either. On a busy machine some may be too late.
        with suppress(ConnectionError):
            wire.sendall(b"GET /hea")
    for wire in wires:
        with wire, suppress(ConnectionError):
            assert read_all(wire) == b""
    until(lambda: gateway.metric('connections{kind="open"}') < 5)


def test_an_upgrade_behind_a_request_that_is_being_answered_closes_the_connection(gateway: Process) -> None:
    stream = (
        b"GET /graphql?query=subscription{catalogChanged{slug}} HTTP/1.1\r\n"
        b"Host: gateway\r\nAccept: text/event-stream\r\n\r\n"
    )
    upgrade = (
        b"GET /graphql HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )
    with gateway.wire() as wire:
        wire.sendall(stream)
        until(lambda: gateway.metric('connections{kind="subscription"}') == 1)
        wire.sendall(upgrade)
        assert b"101 Switching" not in read_all(wire)
    until(lambda: gateway.metric('connections{kind="subscription"}') == 0)
    assert gateway.metric('connections{kind="socket"}') == 0


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /healthz HTTP/1.1", b"HTTP/1.1 400 Bad Request"),
        ("GET /graphql?query={__typename} HTTP/1.1", b"HTTP/1.1 400 Bad Request"),
        ("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b", b"HTTP/1.1 400 Bad Request"),
    ],
)
def test_a_request_without_a_host_or_with_two_is_refused(gateway: Process, head: str, status: bytes) -> None:
    with gateway.wire() as wire:
        wire.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode())
        assert error_of(read_all(wire)) == (
            status,
            {"message": NO_HOST, "extensions": {"code": "BAD_REQUEST"}},
        )


@pytest.mark.parametrize("method", ["FOO", "BREW", "x-method"])
def test_m8_a_method_that_nobody_knows_is_a_501(gateway: Process, method: str) -> None:
    """M8 is a rule of GraphQL over HTTP; the other rules are in ``tests/web``."""
    with gateway.wire() as wire:
        wire.sendall(f"{method} /graphql HTTP/1.1\r\nHost: gateway\r\n\r\n".encode())
        assert error_of(read_all(wire)) == (
            b"HTTP/1.1 501 Not Implemented",
            {
                "message": "The server does not know the method of the request.",
                "extensions": {"code": "BAD_REQUEST"},
            },
        )


def test_before_http_1_1_a_request_needs_no_host(gateway: Process) -> None:
    with gateway.wire() as wire:
        wire.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert read_all(wire).startswith(b"HTTP/1.1 200 OK\r\n")


def test_what_is_no_http_is_counted_and_logged_once(capfd: pytest.CaptureFixture[str]) -> None:
    with serve() as gateway:
        for _ in range(50):
            with gateway.wire() as wire:
                wire.sendall(b"\x16\x03\x01 garbage\r\n\r\n")
                assert error_of(read_all(wire)) == (
                    b"HTTP/1.1 400 Bad Request",
                    {"message": "The request is not HTTP.", "extensions": {"code": "BAD_REQUEST"}},
                )
        for _ in range(20):
            with gateway.wire() as wire:
                wire.sendall(
                    HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close, upgrade\r\nUpgrade: other\r\n\r\n")
                )
                assert read_all(wire).startswith(b"HTTP/1.1 200 OK\r\n")
        assert gateway.metric("garbage_requests_total") == 50
        gateway.process.send_signal(signal.SIGTERM)
        said = gateway.ended()
    assert said.count("something that is not HTTP") == 1
    assert len(said.splitlines()) < 15, said


def test_connections_have_a_limit_for_all_and_for_an_address() -> None:
    for name, sentence in (
        ("LIMIT_CONNECTIONS", "The gateway has 5 connections, which is the limit."),
        ("LIMIT_CONNECTIONS_PER_ADDRESS", "Your address has 5 connections, which is the limit."),
    ):
        with serve(**{name: 5}) as gateway:
            wires = [gateway.wire() for _ in range(5)]
            until(
                lambda: httpx.get(f"{gateway.address}/healthz", verify=False, timeout=60).status_code == 503
            )
            refused = httpx.get(f"{gateway.address}/healthz", verify=False, timeout=60)
            assert refused.json()["errors"][0]["message"] == sentence
            assert refused.headers["Retry-After"] == "5"
            wires.pop().close()
            until(
                lambda: httpx.get(f"{gateway.address}/healthz", verify=False, timeout=60).status_code == 200
            )
            for wire in wires:
                wire.close()


LARGE = "{ packages(first: 100) { nodes { %s } } }"
"""An operation whose answer has 8 MB, and is not in the response cache."""


def test_clients_that_do_not_read_are_cut_off_and_cost_little() -> None:
    fields = " ".join(
        f"a{number}: grids {{ packages {{ title repoDescription commitsOver52 }} }}" for number in range(15)
    )
    # Each one is answered, however busy the machine is.
    most = {"LIMIT_VALUES": 10**8, "LIMIT_WORK": 10**8, "LIMIT_WAITING_SECONDS": 60, "LIMIT_SECONDS": 60}
    with serve(READ_SECONDS=2, RESPONSE_CACHE_BYTES=0, **most) as gateway:
        size = len(httpx.post(gateway.graphql, json={"query": LARGE % fields}, timeout=60).content)
        before = gateway.memory()
        wires = [gateway.wire() for _ in range(8)]
        for number, wire in enumerate(wires):
            wire.sendall(request(LARGE % fields.replace("a0", f"b{number}")))
        until(lambda: gateway.metric("slow_readers_total") == 8, seconds=120)
        assert gateway.metric("unsent_bytes") == 0
        assert gateway.memory() - before < 100_000_000
        assert httpx.get(f"{gateway.address}/healthz", verify=False, timeout=60).status_code == 200
        assert size > 8_000_000
        for wire in wires:
            wire.close()
