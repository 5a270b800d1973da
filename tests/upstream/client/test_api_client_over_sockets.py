"""Tests the v4 client over real sockets: every way a connection fails, and idle connections."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.support.http_servers import serving
from tests.support.settings_for_tests import CLIENT_LIMITS
from upstream.client.api_client import Client
from upstream.client.http_transport import IDLE_LIMIT, network
from upstream.client.upstream_errors import (
    UpstreamBadData,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from upstream.client.v4_records import PACKAGE
from upstream.embedded import (
    Dropped,
    EmbeddedUpstream,
    Fault,
    Slow,
    Truncated,
)
from upstream.embedded.recorded_packages import seed_record


@pytest.fixture
async def wire(embedded: EmbeddedUpstream) -> AsyncIterator[Client]:
    with serving(embedded) as address:
        client = Client(f"{address}/api/v4/", network(), CLIENT_LIMITS)
        yield client
        await client.aclose()


async def test_a_record_comes_over_the_wire(wire: Client) -> None:
    package = await wire.detail(PACKAGE, "django-celery-email")
    assert package is not None
    assert package.id == 1599
    assert await wire.detail(PACKAGE, 999_999) is None


@pytest.mark.parametrize(
    ("effect", "error", "sentence"),
    [
        (Dropped(), UpstreamUnavailable, "Upstream could not be reached for /packages/1599/."),
        (Truncated(), UpstreamUnavailable, "Upstream's answer to /packages/1599/ broke off."),
        (
            Truncated(framed=True),
            UpstreamBadData,
            "Upstream's answer to /packages/1599/ is not as the v4 API",
        ),
    ],
)
async def test_a_broken_answer_is_one_of_the_tree(
    wire: Client,
    embedded: EmbeddedUpstream,
    effect: Dropped | Truncated,
    error: type[UpstreamError],
    sentence: str,
) -> None:
    embedded.faults.add(Fault(effect))
    with pytest.raises(error) as caught:
        await wire.detail(PACKAGE, 1599)
    assert str(caught.value).startswith(sentence)
    embedded.faults.clear()
    assert await wire.detail(PACKAGE, 1599) is not None


async def test_an_upstream_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = Client(f"http://127.0.0.1:{unused.getsockname()[1]}/api/v4/", network(), CLIENT_LIMITS)
        with pytest.raises(UpstreamUnavailable, match="could not be reached"):
            await client.detail(PACKAGE, 1)
        await client.aclose()


async def test_what_is_no_http_is_unavailable() -> None:
    async def talk_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk_nonsense, "127.0.0.1", 0)
    client = Client(
        f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v4/", network(), CLIENT_LIMITS
    )
    with pytest.raises(UpstreamUnavailable, match="could not be reached"):
        await client.detail(PACKAGE, 1)
    await client.aclose()
    server.close()
    await server.wait_closed()


async def test_an_answer_that_trickles_meets_the_time_limit(
    embedded: EmbeddedUpstream,
) -> None:
    embedded.faults.add(Fault(Slow(chunk=16, pause=0.05)))
    with serving(embedded) as address:
        client = Client(f"{address}/api/v4/", network(), replace(CLIENT_LIMITS, exchange=0.2, attempts=1))
        with pytest.raises(UpstreamTimeout, match="did not answer /packages/1599/ within its time limit"):
            await client.detail(PACKAGE, 1599)
        await client.aclose()


async def test_an_idle_connection_is_dropped_before_upstream_closes_it() -> None:
    connections = 0
    record = json.dumps(seed_record(1599)).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (len(record), record)
                )
                await writer.drain()
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    client = Client(
        f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v4/", network(), CLIENT_LIMITS
    )
    for _ in range(3):
        assert await client.detail(PACKAGE, 1599) is not None
    assert connections == 1
    # Upstream closes at 2.0 seconds (contract section 6); a kept connection must be gone before.
    assert IDLE_LIMIT < 2.0
    await asyncio.sleep(IDLE_LIMIT + 0.1)
    assert await client.detail(PACKAGE, 1599) is not None
    assert connections == 2
    await client.aclose()
    server.close()
    await server.wait_closed()
