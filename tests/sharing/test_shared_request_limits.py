"""Gateways that share a Valkey server send upstream together what one would, and leave it alone together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from sharing.valkey_address import ValkeyAddress
from sharing.valkey_connection import ValkeyConnection
from sharing.valkey_request_limits import SharedPace
from tests.support.gateway_processes import eventually
from tests.support.settings_for_tests import CLIENT_LIMITS, UPSTREAM_URL
from tests.support.valkey_servers import PATIENCE, ValkeyServer, valkey_server
from upstream.batching.batcher import Batcher
from upstream.client.api_client import Client
from upstream.client.circuit_breaker import CircuitOpen
from upstream.client.in_process_transport import in_process
from upstream.client.upstream_errors import BudgetSpent, UpstreamError
from upstream.client.v4_records import PACKAGE
from upstream.embedded import EmbeddedUpstream
from upstream.embedded.faults import Fault, Latency, StatusFault


@asynccontextmanager
async def sharing_client(
    embedded: EmbeddedUpstream, url: str, *, budget: float = 60.0
) -> AsyncIterator[tuple[Client, Batcher]]:
    server = ValkeyConnection(ValkeyAddress.of(url), PATIENCE)
    try:
        async with (
            aclosing(SharedPace(server, longest=60.0, rest=5.0, per_minute=budget)) as pace,
            aclosing(Client(UPSTREAM_URL, in_process(embedded), CLIENT_LIMITS, pace)) as client,
            aclosing(Batcher(client, budget, pace=pace)) as batcher,
        ):
            yield client, batcher
    finally:
        server.close()
        await server.aclose()


async def test_all_gateways_together_have_as_many_requests_in_flight_as_one(
    embedded: EmbeddedUpstream, valkey: ValkeyServer
) -> None:
    embedded.faults.add(Fault(Latency(0.2)))
    ids = sorted(embedded.catalog.packages)[:6]
    async with (
        sharing_client(embedded, valkey.url) as (one, _),
        sharing_client(embedded, valkey.url) as (two, _),
        sharing_client(embedded, valkey.url) as (three, _),
    ):
        clients = [one, two, three]
        for client in clients:
            client.exchanger.limiter._highest = client.exchanger.limiter._limit = 4.0
        await asyncio.gather(*(client.detail(PACKAGE, id) for client in clients for id in ids))
    assert embedded.requests.total == 18
    assert 1 < embedded.requests.max_concurrency <= 4


async def test_a_pause_that_upstream_asks_one_for_is_kept_by_all(
    embedded: EmbeddedUpstream, valkey: ValkeyServer
) -> None:
    embedded.faults.add(Fault(StatusFault(429, retry_after="60"), times=1))
    async with (
        sharing_client(embedded, valkey.url) as (one, _),
        sharing_client(embedded, valkey.url) as (two, _),
    ):
        with pytest.raises(UpstreamError):
            await one.detail(PACKAGE, 1)
        await eventually(lambda: valkey.client.exists("{djangopackages}:left-alone"))
        with pytest.raises(CircuitOpen) as refused:
            await two.detail(PACKAGE, 1)
        assert refused.value.asked_for
        assert 0 < refused.value.left <= 60
        assert two.exchanger.breaker.state == "open"
        assert embedded.requests.total == 1


async def test_an_open_circuit_of_one_is_that_of_all_and_one_request_probes(
    embedded: EmbeddedUpstream, valkey: ValkeyServer
) -> None:
    embedded.faults.add(Fault(StatusFault(500), times=CLIENT_LIMITS.breaker_failures))
    async with (
        sharing_client(embedded, valkey.url) as (one, _),
        sharing_client(embedded, valkey.url) as (two, _),
    ):
        for _ in range(CLIENT_LIMITS.breaker_failures):
            with pytest.raises(UpstreamError):
                await one.detail(PACKAGE, 1)
        await eventually(lambda: valkey.client.exists("{djangopackages}:left-alone"))
        # However long this machine takes.
        valkey.client.hset("{djangopackages}:left-alone", "until", "9999999999999")
        sent = embedded.requests.total
        with pytest.raises(CircuitOpen):
            await two.detail(PACKAGE, 1)
        assert embedded.requests.total == sent
        # The rest is over, and another gateway's request finds out whether upstream answers.
        valkey.client.hset("{djangopackages}:left-alone", "until", "1")
        valkey.client.set("{djangopackages}:probe", "another")
        async with sharing_client(embedded, valkey.url) as (three, _):
            with pytest.raises(CircuitOpen):
                await three.detail(PACKAGE, 1)
            assert embedded.requests.total == sent
        valkey.client.delete("{djangopackages}:probe")
        async with sharing_client(embedded, valkey.url) as (four, _):
            await four.detail(PACKAGE, min(embedded.catalog.packages))
        assert embedded.requests.total == sent + 1
        assert not valkey.client.exists("{djangopackages}:left-alone")


async def test_searches_of_all_gateways_draw_on_one_budget(
    embedded: EmbeddedUpstream, valkey: ValkeyServer
) -> None:
    async with (
        sharing_client(embedded, valkey.url, budget=3) as (_, one),
        sharing_client(embedded, valkey.url, budget=3) as (_, two),
    ):
        for batcher, query in ((one, "a"), (two, "b"), (one, "c")):
            await batcher.search(query)
        for batcher in (one, two):
            with pytest.raises(BudgetSpent) as spent:
                await batcher.search("d")
            assert spent.value.retry_after is not None
            assert 0 < spent.value.retry_after <= 20
    assert embedded.requests.total == 3


async def test_a_key_that_there_is_costs_no_gateway_anything(
    embedded: EmbeddedUpstream, valkey: ValkeyServer
) -> None:
    ids = sorted(embedded.catalog.packages)[:6]
    async with (
        sharing_client(embedded, valkey.url, budget=1) as (_, one),
        sharing_client(embedded, valkey.url, budget=1) as (_, two),
    ):
        for batcher, id in zip((one, two) * 3, ids, strict=True):
            found = await batcher.fetch(PACKAGE, [id], doubtful=[id])
            assert getattr(found[id], "id", found[id]) == id
            await eventually(
                lambda: float(valkey.client.hget("{djangopackages}:budget", "left") or b"0") >= 1
            )


async def test_without_the_server_each_keeps_to_its_own_limits(embedded: EmbeddedUpstream) -> None:
    with valkey_server() as server:
        async with sharing_client(embedded, server.url, budget=2) as (client, batcher):
            server.kill()
            assert await client.detail(PACKAGE, min(embedded.catalog.packages)) is not None
            await batcher.search("a")
            await batcher.search("b")
            with pytest.raises(BudgetSpent):
                await batcher.search("c")
