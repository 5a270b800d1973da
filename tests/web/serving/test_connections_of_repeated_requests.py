"""A connection does the same with repeated requests on it: their order, its ends, and what it may not become."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from pathlib import Path
from ssl import CERT_NONE, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER, SSLContext

import pytest

from gateway.current_caller import Caller
from tests.support.bare_connections import request
from tests.support.crawled_gateway import QUERY
from tests.support.gateway_in_process import app_over
from tests.support.gateway_processes import eventually
from tests.support.listening_gateway import (
    POST,
    TIMES,
    Listening,
    Wire,
    gateway,
    get,
    learnt,
    listening,
    timeless,
    wire,
)
from tests.support.required_programs import need
from upstream.embedded import EmbeddedUpstream

__all__ = ["gateway", "wire"]


@pytest.mark.parametrize(
    "sent",
    [
        get(QUERY, version="1.0"),
        get(QUERY, "Connection: close"),
        request(QUERY, "Connection: close"),
    ],
)
async def test_what_does_not_keep_its_connection_is_not_learnt(gateway: Listening, sent: bytes) -> None:
    for _ in range(TIMES + 1):
        async with gateway.connect() as wire:
            wire.writer.write(sent)
            answer = await wire.rest()
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"\r\nconnection: close\r\n" in answer
    assert (gateway.unparsed, len(gateway.app.parts.repeated_requests)) == (0, 0)


async def test_what_expects_100_continue_is_not_learnt(gateway: Listening, wire: Wire) -> None:
    for _ in range(TIMES + 1):
        assert await wire.ask(request(QUERY, "Expect: 100-continue")) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert (await wire.answer()).startswith(b"HTTP/1.1 200 OK\r\n")
    assert (gateway.unparsed, len(gateway.app.parts.repeated_requests)) == (0, 0)


async def test_what_wants_to_upgrade_is_not_learnt(gateway: Listening, wire: Wire) -> None:
    await learnt(gateway, wire)
    for _ in range(TIMES + 1):
        async with gateway.connect() as other:
            upgrade = get(QUERY, "Connection: Upgrade", "Upgrade: other")
            assert (await other.ask(upgrade)).startswith(b"HTTP/1.1 200 OK\r\n")
        async with gateway.connect() as other:
            # A WebSocket may begin behind a repeated request.
            await other.ask(POST)
            websocket = (
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                "Sec-WebSocket-Protocol: graphql-transport-ws",
            )
            other.writer.write(get(QUERY, *websocket))
            switched = await other.reader.readuntil(b"\r\n\r\n")
            assert switched.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert (gateway.unparsed, len(gateway.app.parts.repeated_requests)) == (TIMES + 1, 1)


async def test_several_requests_in_one_piece_are_answered_in_their_order(
    gateway: Listening, wire: Wire
) -> None:
    ordinary = await learnt(gateway, wire)
    other = request("{ package(databaseId: 1599) { slug } }")
    wire.writer.write(POST + other + POST)
    assert timeless(await wire.answer()) == timeless(ordinary)
    assert b'{"data":{"package":{"slug":' in await wire.answer()
    assert timeless(await wire.answer()) == timeless(ordinary)
    assert gateway.unparsed == 0
    await wire.ask(POST)
    assert gateway.unparsed == 1


async def test_a_repeated_request_behind_one_that_is_being_answered_waits_for_it(
    gateway: Listening, wire: Wire
) -> None:
    ordinary = await learnt(gateway, wire)
    admission = gateway.app.parts.gateway.admission
    slow = "{ changes { totalCount } }"
    turns = [admission.turn() for _ in range(admission.limits.running)]
    for number, turn in enumerate(turns):
        turn._key = Caller(str(number), number)
        await turn.__aenter__()
    wire.writer.write(request(slow))
    while not admission.waiting:  # noqa: ASYNC110 - the number has no event
        await asyncio.sleep(0)
    wire.writer.write(POST)
    for turn in turns:
        await asyncio.sleep(0.01)
        await turn.__aexit__(None, None, None)
    assert b'"changes"' in await wire.answer()
    assert timeless(await wire.answer()) == timeless(ordinary)
    assert gateway.unparsed == 0


@pytest.mark.parametrize("place", [1, 40, POST.index(b"\r\n\r\n") + 2, len(POST) - 1])
async def test_a_repeated_request_in_two_pieces_is_parsed(gateway: Listening, wire: Wire, place: int) -> None:
    ordinary = await learnt(gateway, wire)
    wire.writer.write(POST[:place])
    await asyncio.sleep(0.02)
    wire.writer.write(POST[place:])
    assert timeless(await wire.answer()) == timeless(ordinary)
    assert gateway.unparsed == 0
    assert timeless(await wire.ask(POST)) == timeless(ordinary)
    assert gateway.unparsed == 1


async def test_a_repeated_request_as_the_body_of_another_is_its_body(gateway: Listening, wire: Wire) -> None:
    await learnt(gateway, wire)
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(POST)}"
    )
    wire.writer.write(head.encode() + b"\r\n\r\n")
    await asyncio.sleep(0.02)
    assert (await wire.ask(POST)).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert gateway.unparsed == 0


async def test_a_client_that_has_said_that_it_sends_no_more_is_answered_and_let_go(
    gateway: Listening, wire: Wire
) -> None:
    ordinary = await learnt(gateway, wire)
    wire.writer.write(POST)
    wire.writer.write_eof()
    assert timeless(await wire.rest()) == timeless(ordinary)


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Return a key and a certificate."""
    need("openssl")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-subj", "/CN=gateway", "-days", "2"]
    subprocess.run(
        [*command, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60
    )
    return key, certificate


async def test_over_tls_it_is_the_same(embedded: EmbeddedUpstream, tmp_path: Path) -> None:
    key, certificate = self_signed(tmp_path)
    ours, theirs = SSLContext(PROTOCOL_TLS_SERVER), SSLContext(PROTOCOL_TLS_CLIENT)
    ours.load_cert_chain(certificate, key)
    theirs.check_hostname, theirs.verify_mode = False, CERT_NONE
    async with listening(app_over(embedded), tls=ours) as gateway, gateway.connect(theirs) as wire:
        ordinary = await learnt(gateway, wire)
        assert timeless(await wire.ask(POST)) == timeless(ordinary)
        assert gateway.unparsed == 1


async def test_a_client_that_does_not_read_is_waited_for_on_the_ordinary_way(
    gateway: Listening, wire: Wire
) -> None:
    large = request("{ packages(first: 100) { nodes { title slug repoDescription commitsOver52 } } }")
    ordinary = await learnt(gateway, wire, large)
    loop, slow = asyncio.get_running_loop(), gateway.app.parts.connections.slow
    with socket.create_connection(("127.0.0.1", gateway.port)) as bare:
        bare.setblocking(False)
        await eventually(lambda: len(gateway.state.connections) == 2)
        sent = 0
        while not slow.unsent:
            assert sent * len(ordinary) < 50_000_000
            await loop.sock_sendall(bare, large)
            sent += 1
            while gateway.unparsed < sent:  # noqa: ASYNC110 - the number has no event
                await asyncio.sleep(0.001)
        # From here on what it asks waits until it has read.
        await loop.sock_sendall(bare, large)
        await asyncio.sleep(0.05)
        assert gateway.unparsed == sent > 1
        assert slow.unsent < len(ordinary) + 100_000
        received = 0
        async with asyncio.timeout(30):
            while received < (sent + 1) * len(ordinary):
                received += len(await loop.sock_recv(bare, 1_000_000))
        assert gateway.unparsed == sent
        await loop.sock_sendall(bare, large)
        await eventually(lambda: gateway.unparsed == sent + 1)


async def test_a_connection_without_another_request_ends_when_it_did_before(
    embedded: EmbeddedUpstream,
) -> None:
    async with listening(app_over(embedded), keep_alive=2) as gateway, gateway.connect() as wire:
        await learnt(gateway, wire)
        for _ in range(4):
            # Each of them lets it live on.
            await asyncio.sleep(0.6)
            asked = time.monotonic()
            await wire.ask(POST)
        assert gateway.unparsed == 4
        assert await wire.rest() == b""
        assert time.monotonic() - asked > 1.99


async def test_a_connection_that_began_with_a_repeated_request_is_not_taken_for_one_without_any(
    embedded: EmbeddedUpstream,
) -> None:
    async with listening(app_over(embedded, head_seconds=1)) as gateway, gateway.connect() as wire:
        await learnt(gateway, wire)
        async with gateway.connect() as other:
            await other.ask(POST)
            await asyncio.sleep(1.2)
            assert (await other.ask(POST)).startswith(b"HTTP/1.1 200 OK\r\n")
        assert gateway.unparsed == 2


async def test_headers_that_do_not_end_are_not_waited_for_behind_a_repeated_request(
    embedded: EmbeddedUpstream,
) -> None:
    async with listening(app_over(embedded, head_seconds=1)) as gateway, gateway.connect() as wire:
        await learnt(gateway, wire)
        await wire.ask(POST)
        wire.writer.write(POST[:50])
        assert await wire.rest() == b""
        assert gateway.unparsed == 1


async def test_at_a_stop_a_repeated_request_is_the_last_of_its_connection(
    gateway: Listening, wire: Wire
) -> None:
    await learnt(gateway, wire)
    await wire.ask(POST)
    for connection in list(gateway.state.connections):
        connection.shutdown()
    last = await wire.ask(POST)
    assert b"\r\nconnection: close\r\n" in last
    assert last.startswith(b"HTTP/1.1 200 OK\r\n")
    assert await wire.rest() == b""
    assert gateway.unparsed == 1
