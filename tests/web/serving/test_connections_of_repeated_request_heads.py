"""A connection does the same with a repeated head on it: where its requests end, their order, and its own end."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.listening_gateway import Listening, Wire, gateway, timeless, wire
from tests.support.protocol_connections import answered, connected
from tests.support.repeated_request_heads import body, ids, ordinary, post, taught, title, titled
from upstream.embedded import EmbeddedUpstream
from web.repeated_request_cache import LONGEST

__all__ = ["gateway", "ordinary", "wire"]


@pytest.mark.parametrize(
    "headers", [("Host: gateway", "Content-Length: 11"), ("Transfer-Encoding: chunked",)]
)
async def test_a_head_with_two_lengths_is_refused_as_before(
    gateway: Listening, wire: Wire, headers: tuple[str, ...]
) -> None:
    await taught(gateway, wire)
    before = gateway.parsed
    wire.writer.write(post(body(id=7), *headers))
    assert (await wire.rest()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert gateway.parsed == before


@pytest.mark.parametrize(
    "length", ["0{}", "+{}", "{} ", " {}", "00000{}", "{}\t", "0x{}", "-{}", "{}.0", "\uff15"]
)
async def test_another_way_to_write_the_length_is_another_head(
    gateway: Listening, ordinary: Listening, wire: Wire, length: str
) -> None:
    await taught(gateway, wire)
    sent = body(id=(await ids(gateway))[5])
    request = post(sent, length=length.format(len(sent)))
    before = gateway.parsed
    wire.writer.write(request)
    async with ordinary.connect() as other:
        other.writer.write(request)
        assert timeless(await wire.answer()) == timeless(await other.answer())
    assert gateway.parsed - before in (0, 1)


async def test_a_body_that_is_longer_or_shorter_than_told_is_cut_as_before(
    gateway: Listening, ordinary: Listening, wire: Wire
) -> None:
    await taught(gateway, wire)
    first, second, third, fourth, *_ = await ids(gateway)
    before = gateway.parsed
    # Two requests in one piece: the body of the first one is told to end before the second.
    wire.writer.write(post(body(id=first)) + post(body(id=second)))
    titles = [await title(gateway, each) for each in (first, second, third)]
    assert [titled(await wire.answer()) for _ in range(2)] == titles[:2]
    assert gateway.parsed == before + 2
    # More is told than has come: the rest is waited for.
    sent = post(body(id=third))
    for place in (len(sent) - 1, len(sent) - 30, len(sent) - len(body(id=third))):
        wire.writer.write(sent[:place])
        await asyncio.sleep(0.02)
        wire.writer.write(sent[place:])
        assert titled(await wire.answer()) == titles[2]
    # Less is told: what is behind it would be the next request, and is no HTTP.
    whole = body(id=fourth)
    less = post(whole + b" " * 5, length=str(len(whole)))
    wire.writer.write(less)
    async with ordinary.connect() as other:
        other.writer.write(less)
        assert await wire.rest() == await other.rest()


async def test_a_thousand_requests_in_one_piece_are_answered_in_their_order(
    gateway: Listening, wire: Wire
) -> None:
    await taught(gateway, wire)
    known = await ids(gateway)
    sent = [known[number % len(known)] for number in range(1_000)]
    titles = [await title(gateway, id) for id in sent]
    wire.writer.write(b"".join(post(body(id=id)) for id in sent))
    assert [titled(await wire.answer()) for _ in sent] == titles


async def test_a_head_is_known_on_its_connection_alone(gateway: Listening, wire: Wire) -> None:
    await taught(gateway, wire)
    first, second, third, *_ = await ids(gateway)
    before = gateway.parsed
    async with gateway.connect() as other:
        await other.ask(post(body(id=first)))
        assert gateway.parsed == before + 1
    await wire.ask(post(body(id=second), "X-More: 1"))
    assert gateway.parsed == before + 2
    await wire.ask(post(body(id=third), "X-More: 1"))
    assert gateway.parsed == before + 2


@pytest.mark.parametrize("header", ["Connection: close", "Expect: 100-continue"])
async def test_a_head_that_asks_something_of_its_connection_is_not_known(
    gateway: Listening, header: str
) -> None:
    for id in (await ids(gateway))[:4]:
        before = gateway.parsed
        async with gateway.connect() as wire:
            wire.writer.write(post(body(id=id), header))
            await wire.answer()
        assert gateway.parsed == before + 1


async def test_what_is_under_way_to_a_client_that_does_not_read_takes_the_ordinary_way(
    embedded: EmbeddedUpstream,
) -> None:
    query = "query($n: Int!) { packages(first: $n) { totalCount } }"
    async with connected(embedded) as (protocol, pieces):
        for number in (1, 2):
            await answered(protocol, post(body(query, n=number)))
        pieces.written.clear()
        begun = protocol._begun
        protocol.data_received(post(body(query, n=3)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert protocol._begun == begun
        assert b"".join(pieces.written).startswith(b"HTTP/1.1 200 OK\r\n")
        pieces.written.clear()
        protocol.pause_writing()
        protocol.data_received(post(body(query, n=4)))
        await asyncio.sleep(0.05)
        assert (protocol._begun, pieces.written) == (begun + 1, [])
        protocol.resume_writing()
        async with asyncio.timeout(30):
            while not protocol.cycle.response_complete:  # noqa: ASYNC110 - it has no event for others
                await asyncio.sleep(0)
        assert b"".join(pieces.written).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_no_request_is_answered_at_once_while_the_process_stops(embedded: EmbeddedUpstream) -> None:
    query = "query($n: Int!) { packages(first: $n) { totalCount } }"
    async with connected(embedded) as (protocol, pieces):
        for number in (1, 2):
            await answered(protocol, post(body(query, n=number)))
        protocol.shutdown()
        pieces.written.clear()
        await answered(protocol, post(body(query, n=3)))
        assert b"\r\nconnection: close\r\n" in b"".join(pieces.written)


@pytest.mark.parametrize("is_long", [True, False])
async def test_an_idle_connection_keeps_nothing_of_a_request_whose_head_cannot_be_learnt(
    embedded: EmbeddedUpstream, is_long: bool
) -> None:
    query = "query($n: Int!) { packages(first: $n) { totalCount } }"
    async with connected(embedded) as (protocol, _):
        for number in (1, 2):
            await answered(protocol, post(body(query, n=number), "X-First: 1"))
        sent = post(body(query, n=3) + b" " * (LONGEST if is_long else 0))
        if not is_long:
            protocol.data_received(sent[:-9])
        await answered(protocol, sent if is_long else sent[-9:])
        assert protocol._served is not None
        assert (protocol._served.request, protocol._served.learn_head) == (None, None)
