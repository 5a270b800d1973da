"""Tests how long an answer may take: to connect, for one exchange, and in all."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.http_servers import serving
from tests.support.impatient_clients import IDS, asking, outcomes, until
from upstream.client.api_client import Client
from upstream.client.http_transport import network
from upstream.client.upstream_errors import UpstreamTimeout, UpstreamUnavailable
from upstream.client.v4_records import GRID, PACKAGE, PackageRecord
from upstream.embedded import EmbeddedUpstream, Fault, Latency, Slow, StatusFault

NEVER = 3600.0


@contextmanager
def unreachable() -> Iterator[str]:
    """Return the address of a server that lets nobody connect: the queue of connections is full."""
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}/api/v4/"


async def test_connecting_has_its_own_limit() -> None:
    with unreachable() as url:
        limits = {"connect": 0.05, "exchange": NEVER, "total": NEVER}
        async with asyncio.timeout(10), asking(network(), url, attempts=2, **limits) as client:
            with pytest.raises(UpstreamTimeout) as caught:
                await client.detail(PACKAGE, 1599)
    assert str(caught.value) == "Upstream did not answer /packages/1599/ within its time limit."
    assert client.exchanger.outcomes == {"UPSTREAM_TIMEOUT": 2}


@pytest.mark.parametrize("effect", [Latency(3), Slow(chunk=10, pause=0.05)])
async def test_an_exchange_ends_at_its_limit_before_or_in_the_midst_of_the_answer(
    embedded: EmbeddedUpstream, effect: Latency | Slow
) -> None:
    embedded.faults.add(Fault(effect))
    with serving(embedded) as address:
        # Long enough for a busy machine to connect in.
        limits = {"exchange": 1.0, "total": NEVER}
        async with asking(network(), f"{address}/api/v4/", attempts=2, **limits) as client:
            with pytest.raises(UpstreamTimeout) as caught:
                await client.detail(PACKAGE, 1599)
    assert str(caught.value) == "Upstream did not answer /packages/1599/ within its time limit."
    assert embedded.requests.total == 2
    assert client.exchanger.outcomes == {"UPSTREAM_TIMEOUT": 2}


@pytest.mark.virtual_time
async def test_all_attempts_together_end_at_the_total_limit(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(Latency(5)))
    limits = {"exchange": 0.2, "total": 1.0, "breaker_failures": 1000}
    async with asking(embedded, attempts=1000, **limits) as client:
        with pytest.raises(UpstreamTimeout) as caught:
            await client.detail(PACKAGE, 1599)
        sent = embedded.requests.total
        # Another one is asked and answered later: by then nothing more was sent for the first.
        embedded.faults.clear()
        assert await client.detail(PACKAGE, 683) is not None
    assert str(caught.value) == "Upstream did not answer /packages/1599/ in time."
    assert 1 < sent <= 6
    assert embedded.requests.total == sent + 1


async def holding_the_turn(client: Client, embedded: EmbeddedUpstream) -> asyncio.Task[object]:
    """Someone who holds the only turn for longer than the total limit."""
    embedded.faults.add(Fault(Latency(1.5), path="/api/v4/grids/"))
    holder: asyncio.Task[object] = asyncio.create_task(client.detail(GRID, 15, background=True))
    await until(lambda: embedded.requests.total == 1)
    return holder


@pytest.mark.virtual_time
async def test_waiting_for_a_turn_counts_towards_the_total_limit(embedded: EmbeddedUpstream) -> None:
    async with asking(embedded, highest_in_flight=1, total=0.05) as client:
        holder = await holding_the_turn(client, embedded)
        errors = await outcomes(client.detail(PACKAGE, id) for id in IDS)
        assert Counter(map(type, errors)) == {UpstreamTimeout: len(IDS)}
        await holder
    assert embedded.requests.by_target == {"/api/v4/grids/15/": 1}
    assert client.exchanger.limiter.in_flight == 0


@pytest.mark.virtual_time
async def test_whoever_is_in_the_background_waits_longer_than_the_total_limit(
    embedded: EmbeddedUpstream,
) -> None:
    async with asking(embedded, highest_in_flight=1, total=0.05) as client:
        holder = await holding_the_turn(client, embedded)
        waiting = [asyncio.create_task(client.detail(PACKAGE, id, background=True)) for id in IDS]
        await asyncio.sleep(0)
        with pytest.raises(UpstreamTimeout):
            await client.detail(PACKAGE, 1599)
        assert not holder.done()
        found = await asyncio.gather(*waiting)
        assert Counter(map(type, found)) == {PackageRecord: len(IDS)}
        await holder
    assert embedded.requests.total == 1 + len(IDS)


@pytest.mark.virtual_time
async def test_the_background_waits_for_a_pause_longer_than_the_total_limit(
    embedded: EmbeddedUpstream,
) -> None:
    embedded.faults.add(Fault(StatusFault(503, retry_after="1"), times=1))
    async with asking(embedded, attempts=2, total=0.05) as client:
        page = asyncio.create_task(client.page(PACKAGE, limit=10, background=True))
        await until(lambda: embedded.requests.total == 1)
        with pytest.raises(UpstreamTimeout):
            await client.detail(PACKAGE, 1599)
        assert len((await page).results) == 10
    assert embedded.requests.by_target == {"/api/v4/packages/?limit=10&offset=0": 2}


@pytest.mark.virtual_time
async def test_the_background_has_the_limits_of_an_exchange_and_of_attempts(
    embedded: EmbeddedUpstream,
) -> None:
    embedded.faults.add(Fault(Latency(5)))
    async with asking(embedded, attempts=3, exchange=0.5, total=NEVER) as client:
        with pytest.raises(UpstreamTimeout, match="within its time limit"):
            await client.page(PACKAGE, limit=10, background=True)
        embedded.faults.clear()
        embedded.faults.add(Fault(StatusFault(502)))
        with pytest.raises(UpstreamUnavailable):
            await client.page(PACKAGE, limit=10, background=True)
    assert embedded.requests.total == 6
