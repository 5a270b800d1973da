"""Tests clients that leave before their answer, over real HTTP on both sides of the gateway."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

import httpx
import pytest

from catalog.catalog_source import CatalogSource
from tests.support.gateway_in_process import app_of, source_of
from tests.support.http_servers import serving
from tests.support.impatient_clients import outcomes, until
from tests.support.settings_for_tests import CLIENT_LIMITS
from upstream.client.api_client import Client
from upstream.client.http_transport import network
from upstream.embedded import EmbeddedUpstream, Fault, Latency, StatusFault
from web.pages.graphiql import CANONICAL

COLD = CANONICAL.read_text()
LATER = '{ package(slug: "django-celery-email") { title } }'
LATE = 2
"""Seconds for which upstream keeps answers back. A client leaves within them, on a busy machine too."""


@dataclass(frozen=True)
class Running:
    """A gateway that is served, over an upstream that is served."""

    address: str
    http: httpx.AsyncClient
    sources: list[CatalogSource]

    def ask(self, query: str) -> asyncio.Task[httpx.Response]:
        return asyncio.create_task(self.http.post("/graphql", json={"query": query}))

    @property
    def in_flight(self) -> int:
        return self.sources[0].client.exchanger.limiter.in_flight

    @property
    def outcomes(self) -> dict[str, int]:
        return self.sources[0].client.exchanger.outcomes

    async def answers_another(self) -> None:
        """Someone else is answered, without an error."""
        body = (await self.ask(LATER)).json()
        assert body == {"data": {"package": {"title": "django-celery-email"}}}


@contextmanager
def gateway_over(embedded: EmbeddedUpstream) -> Iterator[tuple[str, list[CatalogSource]]]:
    sources: list[CatalogSource] = []

    @asynccontextmanager
    async def opened() -> AsyncIterator[CatalogSource]:
        client = Client(
            f"{upstream}/api/v4/", network(), replace(CLIENT_LIMITS, attempts=2, first_pause=0, total=60.0)
        )
        async with source_of(client, origin=upstream) as source:
            sources.append(source)
            yield source

    with ExitStack() as servers:
        upstream = servers.enter_context(serving(embedded))
        yield servers.enter_context(serving(app_of(opened()))), sources


@pytest.fixture
async def gateway(embedded: EmbeddedUpstream) -> AsyncIterator[Running]:
    with gateway_over(embedded) as (address, sources):
        async with httpx.AsyncClient(base_url=address, timeout=30) as http:
            yield Running(address, http, sources)


async def leave(asked: asyncio.Task[httpx.Response]) -> None:
    """End the connection on which this was asked."""
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    assert asked.cancelled()


async def test_a_client_that_stays_costs_these_requests(gateway: Running, embedded: EmbeddedUpstream) -> None:
    body = (await gateway.ask(COLD)).json()
    assert "errors" not in body
    assert embedded.requests.by_target["/api/v4/packages/django-cacheback/"] == 1
    assert embedded.requests.total == 3 + len(body["data"]["package"]["grids"][0]["packages"]) - 1


async def test_after_a_client_has_left_nothing_more_is_asked_for_it(
    gateway: Running, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(Latency(LATE)))
    asked = gateway.ask(COLD)
    await until(lambda: embedded.requests.total == 1)
    await leave(asked)
    await until(lambda: gateway.in_flight == 0)
    # Its answer takes as long and comes later than that of the request that was given up.
    await gateway.answers_another()
    assert embedded.requests.by_target == {
        "/api/v4/packages/django-cacheback/": 1,
        "/api/v4/packages/django-celery-email/": 1,
    }
    assert gateway.outcomes == {"given up": 1, "answered": 1}


async def test_a_client_may_leave_in_the_second_round(gateway: Running, embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(Latency(LATE), path="/api/v4/grids/"))
    asked = gateway.ask(COLD)
    await until(lambda: gateway.outcomes.get("answered") == 2)
    await until(lambda: embedded.requests.by_target["/api/v4/grids/39/"] == 1)
    await leave(asked)
    await until(lambda: gateway.in_flight == 0)
    embedded.faults.add(Fault(Latency(LATE)))
    await gateway.answers_another()
    assert embedded.requests.by_target == {
        "/api/v4/packages/django-cacheback/": 1,
        "/api/v4/categories/?limit=100&offset=0": 1,
        "/api/v4/grids/39/": 1,
        "/api/v4/packages/django-celery-email/": 1,
    }
    assert gateway.outcomes == {"given up": 1, "answered": 3}


async def test_a_client_that_leaves_while_many_requests_wait_for_a_turn_ends_them_all(
    gateway: Running, embedded: EmbeddedUpstream
) -> None:
    members = embedded.catalog.grids[15].packages
    embedded.faults.add(Fault(Latency(LATE), pattern=r"/packages/\d+/"))
    asked = gateway.ask('{ grid(slug: "email") { packages { title } } }')
    await until(lambda: gateway.in_flight == 4)
    await until(lambda: embedded.requests.total == 1 + 4)
    await leave(asked)
    await until(lambda: gateway.in_flight == 0)
    embedded.faults.add(Fault(Latency(LATE)))
    await gateway.answers_another()
    assert len(members) > 4
    assert embedded.requests.total == 1 + 4 + 1
    assert gateway.outcomes == {"given up": 4, "answered": 2}


async def test_a_failed_request_is_not_sent_again_for_a_client_that_has_left(
    gateway: Running, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(StatusFault(503, retry_after="3"), times=1))
    asked = gateway.ask(COLD)
    await until(lambda: gateway.outcomes.get("UPSTREAM_UNAVAILABLE") == 1)
    await leave(asked)
    # This one waits until the same pause is over.
    await gateway.answers_another()
    assert embedded.requests.by_target == {
        "/api/v4/packages/django-cacheback/": 1,
        "/api/v4/packages/django-celery-email/": 1,
    }
    assert gateway.in_flight == 0


@pytest.mark.parametrize("leaving", [0, 1])
async def test_of_two_who_wait_for_the_same_record_one_may_leave(
    gateway: Running, embedded: EmbeddedUpstream, leaving: int
) -> None:
    embedded.faults.add(Fault(Latency(1.5)))
    query = '{ package(slug: "django-celery-email") { title } }'
    first = gateway.ask(query)
    await until(lambda: embedded.requests.total == 1)
    second = gateway.ask(query)
    # The second is waiting as soon as a third, who came after it, is refused.
    assert (await gateway.ask("{ nonsense }")).json()["errors"]
    both = [first, second]
    await leave(both.pop(leaving))
    (staying,) = both
    assert (await staying).json() == {"data": {"package": {"title": "django-celery-email"}}}
    assert embedded.requests.by_target == {"/api/v4/packages/django-celery-email/": 1}
    assert gateway.outcomes == {"answered": 1}


async def test_of_many_who_leave_none_leaves_anything_behind(
    gateway: Running, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(Latency(5), times=20))
    asked = [gateway.ask(COLD) for _ in range(20)]
    while 'gateway_operations{state="away"} 20.0' not in (await gateway.http.get("/metrics")).text:
        assert embedded.requests.total <= 1
    for each in asked:
        each.cancel()
    await outcomes(asked)
    await until(lambda: gateway.in_flight == 0)
    embedded.faults.clear()
    body = (await gateway.ask(COLD)).json()
    assert "errors" not in body
    assert embedded.requests.by_target["/api/v4/packages/django-cacheback/"] == 2
    assert gateway.outcomes["given up"] == 1


async def connected(gateway: Running) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = gateway.address.removeprefix("http://").partition(":")
    return await asyncio.open_connection(host, int(port))


async def test_a_client_that_leaves_in_the_midst_of_its_own_request_is_no_fault_of_ours(
    gateway: Running, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await connected(gateway)
    head = "POST /graphql HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: 100"
    writer.write(f'{head}\r\n\r\n{{"query": '.encode())
    await writer.drain()
    await gateway.answers_another()
    writer.close()
    await writer.wait_closed()
    await gateway.answers_another()
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_get_does_not_wait_for_a_body(gateway: Running) -> None:
    reader, writer = await connected(gateway)
    target = "/graphql?query=%7Bcategories%7Btitle%7D%7D"
    writer.write(f"GET {target} HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100\r\n\r\n{{".encode())
    await writer.drain()
    async with asyncio.timeout(30):
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    writer.close()
    await writer.wait_closed()
