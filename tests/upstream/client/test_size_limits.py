"""Tests answers that are too large: not more is read of them than the limit allows."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from functools import cache

import httpx
import pytest

from tests.support.http_servers import serving
from tests.support.impatient_clients import answers, asking
from upstream.client.http_transport import network
from upstream.client.upstream_errors import UpstreamBadData, UpstreamUnavailable
from upstream.client.v4_records import PACKAGE
from upstream.embedded import EmbeddedUpstream, Fault, Oversized, Slow, StatusFault

LIMIT = 100_000
READ_AT_ONCE = 16 * 1024
"""Bytes that the transport hands over at a time."""

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Talk = Callable[[asyncio.StreamWriter], Coroutine[None, None, None]]


class RawUpstream:
    """Answers each request by writing what it likes to the socket."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.requests = 0
        self.hung_up = asyncio.Event()
        """Set when a client hangs up before the answer has ended."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            try:
                await self._talk(writer)
            except ConnectionError:
                self.hung_up.set()
        writer.close()


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[tuple[RawUpstream, str]]:
    upstream = RawUpstream(talk)
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    yield upstream, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v4/"
    server.close()
    await server.wait_closed()


async def test_an_answer_may_have_as_many_bytes_as_the_limit_and_not_one_more(
    embedded: EmbeddedUpstream,
) -> None:
    embedded.faults.add(Fault(Oversized(bytes=LIMIT)))
    async with asking(embedded, attempts=3, answer_bytes=LIMIT) as client:
        assert await client.detail(PACKAGE, 1599) is not None
    assert client.exchanger.received == LIMIT
    embedded.requests.reset()
    async with asking(embedded, attempts=3, answer_bytes=LIMIT - 1) as client:
        with pytest.raises(UpstreamBadData) as caught:
            await client.detail(PACKAGE, 1599)
    assert str(caught.value) == "Upstream's answer to /packages/1599/ has more than 99,999 bytes."
    assert embedded.requests.total == 1
    assert client.exchanger.outcomes == {"UPSTREAM_BAD_DATA": 1}


@pytest.mark.parametrize("framing", [b"Connection: close\r\n\r\n", b"Content-Length: 1000000000000\r\n\r\n"])
async def test_a_body_without_end_is_left_at_the_limit(framing: bytes) -> None:
    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + framing)
        while True:
            writer.write(b" " * 1000)
            await writer.drain()

    async with (
        talking(talk) as (upstream, url),
        asking(network(), url, attempts=3, answer_bytes=LIMIT) as client,
    ):
        with pytest.raises(UpstreamBadData, match="has more than 100,000 bytes"):
            await client.detail(PACKAGE, 1599)
        async with asyncio.timeout(30):
            await upstream.hung_up.wait()
    assert upstream.requests == 1
    assert LIMIT < client.exchanger.received <= LIMIT + READ_AT_ONCE


async def test_chunks_without_end_are_left_at_the_limit() -> None:
    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1\r\n \r\n" * 1000)
            await writer.drain()

    async with talking(talk) as (upstream, url), asking(network(), url, answer_bytes=LIMIT) as client:
        with pytest.raises(UpstreamBadData, match="has more than 100,000 bytes"):
            await client.detail(PACKAGE, 1599)
        async with asyncio.timeout(30):
            await upstream.hung_up.wait()
    assert LIMIT < client.exchanger.received <= LIMIT + READ_AT_ONCE


async def test_the_limit_is_met_while_the_answer_still_trickles(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(Oversized(bytes=3 * LIMIT)))
    embedded.faults.add(Fault(Slow(chunk=LIMIT // 100, pause=0.001)))
    with serving(embedded) as address:
        async with asking(network(), f"{address}/api/v4/", answer_bytes=LIMIT) as client:
            with pytest.raises(UpstreamBadData, match="has more than 100,000 bytes"):
                await client.detail(PACKAGE, 1599)
            assert embedded.requests.bytes == 0, "upstream has not ended its answer yet"
    assert LIMIT < client.exchanger.received <= LIMIT + READ_AT_ONCE


async def test_a_compressed_answer_is_measured_unpacked() -> None:
    body = gzip.compress(b" " * (LIMIT + 1))
    assert len(body) < 1000
    response = httpx.Response(200, headers={"Content-Type": "application/json"}, content=body)
    response.headers["Content-Encoding"] = "gzip"
    transport, sent = answers(response)
    async with asking(transport, attempts=3, answer_bytes=LIMIT) as client:
        with pytest.raises(UpstreamBadData, match="has more than 100,000 bytes"):
            await client.detail(PACKAGE, 1599)
    assert len(sent) == 1


@cache
def compressed(times: int) -> bytes:
    """Return 100 MB of blanks, compressed so many times."""
    if not times:
        return b" " * 100_000_000
    body = compressed(times - 1)
    return gzip.compress(body, compresslevel=9 if len(body) < 1_000_000 else 1)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_compressed_answer_without_end_does_not_fill_the_memory(times: int) -> None:
    body = compressed(times)

    async def talk(writer: asyncio.StreamWriter) -> None:
        encoding = ", ".join(["gzip"] * times)
        writer.write(HEAD + f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        writer.write(body)
        await writer.drain()

    async with talking(talk) as (_, url), asking(network(), url, answer_bytes=LIMIT) as client:
        tracemalloc.start()
        try:
            with pytest.raises(UpstreamBadData):
                await client.detail(PACKAGE, 1599)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    # One chunk is unpacked at a time, and unpacks to a thousand times its size at most.
    assert most < 3 * 1032 * READ_AT_ONCE


async def test_an_error_page_that_is_too_large_is_the_error_that_its_status_says(
    embedded: EmbeddedUpstream,
) -> None:
    embedded.faults.add(Fault(Oversized(bytes=LIMIT + 1)))
    embedded.faults.add(Fault(StatusFault(503)))
    async with asking(embedded, attempts=2, answer_bytes=LIMIT) as client:
        with pytest.raises(UpstreamUnavailable, match="with status 503"):
            await client.detail(PACKAGE, 1599)
    assert embedded.requests.total == 2
