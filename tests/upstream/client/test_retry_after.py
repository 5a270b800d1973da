"""Tests what upstream asks for by ``Retry-After`` (RFC 9110, 10.2.3): nobody asks it sooner, and nobody waits too
long."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from tests.support.impatient_clients import IDS, answers, asking, outcomes, until
from tests.support.settings_for_tests import CLIENT_LIMITS
from upstream.client.api_client import Client
from upstream.client.circuit_breaker import CircuitOpen
from upstream.client.upstream_errors import (
    UpstreamError,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from upstream.client.v4_records import PACKAGE
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault


def in_seconds() -> tuple[str, float]:
    return "1", 1.0


def by_date() -> tuple[str, float]:
    """Return the next whole second that is not too near: dates have no smaller parts."""
    now = time.time()
    date = math.ceil(now + 1)
    return formatdate(date, usegmt=True), date - now


def passed() -> float:
    """Return the seconds that have passed: those that the gateway computed, and those that its loop waited."""
    return time.monotonic() + asyncio.get_running_loop().time()


class Refusing:
    """Refuses the first request until some time, and counts who comes before that."""

    def __init__(self, behind: EmbeddedUpstream, status: int, when: Callable[[], tuple[str, float]]) -> None:
        self._behind = behind
        self._status = status
        self._when = when
        self._time = 0.0
        self.refused = 0
        self.early = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._time:
            self.early += passed() < self._time
            await self._behind(scope, receive, send)
            return
        retry_after, seconds = self._when()
        self._time = passed() + seconds
        self.refused += 1
        headers = [(b"retry-after", retry_after.encode())]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body"})


@pytest.mark.virtual_time
@pytest.mark.parametrize(("status", "when"), [(429, in_seconds), (503, by_date)])
async def test_nobody_asks_before_the_time_that_upstream_named(
    embedded: EmbeddedUpstream, status: int, when: Callable[[], tuple[str, float]]
) -> None:
    upstream = Refusing(embedded, status, when)
    async with asking(upstream, attempts=2, highest_in_flight=1) as client:
        waiting = asyncio.gather(*(client.detail(PACKAGE, id) for id in IDS))
        await until(lambda: client.exchanger.outcomes.total() == 1)
        late = asyncio.gather(*(client.detail(PACKAGE, id, background=id % 2 == 0) for id in IDS))
        assert client.exchanger.breaker.state == "open"
        await waiting
        await late
    assert (upstream.refused, upstream.early) == (1, 0)
    assert embedded.requests.total == 2 * len(IDS)


@asynccontextmanager
async def about_to_be_probed(embedded: EmbeddedUpstream) -> AsyncIterator[Client]:
    """Return a client whose upstream has asked for a pause that is over. Its next answer takes a while."""
    embedded.faults.add(Fault(StatusFault(503, retry_after="0"), times=1))
    async with asking(embedded, attempts=1, longest_pause=0.0) as client:
        with pytest.raises(UpstreamUnavailable):
            await client.detail(PACKAGE, 1599)
        assert client.exchanger.breaker.state == "half-open"
        embedded.requests.reset()
        embedded.latency = 0.05
        yield client


@pytest.mark.virtual_time
async def test_whoever_comes_during_the_probe_is_answered_after_it(embedded: EmbeddedUpstream) -> None:
    async with about_to_be_probed(embedded) as client:
        asked = asyncio.gather(*(client.detail(PACKAGE, id) for id in IDS))
        await until(lambda: embedded.requests.total == 1)
        while client.exchanger.breaker.state == "half-open":
            assert embedded.requests.total == 1
            await asyncio.sleep(0.001)
        await asked
    assert embedded.requests.total == len(IDS)


@pytest.mark.virtual_time
async def test_whoever_comes_during_the_probe_shares_its_fate(embedded: EmbeddedUpstream) -> None:
    async with about_to_be_probed(embedded) as client:
        embedded.faults.add(Fault(StatusFault(429, retry_after="3600")))
        errors = await outcomes(client.detail(PACKAGE, id) for id in IDS)
    assert Counter(map(type, errors)) == {UpstreamRateLimited: 1, CircuitOpen: len(IDS) - 1}
    assert embedded.requests.total == 1


@pytest.mark.virtual_time
async def test_a_probe_that_is_given_up_is_followed_by_another(embedded: EmbeddedUpstream) -> None:
    async with about_to_be_probed(embedded) as client:
        probe, *others = [asyncio.create_task(client.detail(PACKAGE, id)) for id in IDS]
        await until(lambda: embedded.requests.total == 1)
        probe.cancel()
        await asyncio.gather(*others)
        assert probe.cancelled()
    assert embedded.requests.total == len(IDS)


@pytest.mark.parametrize(("status", "error"), [(429, UpstreamRateLimited), (503, UpstreamUnavailable)])
async def test_too_long_a_pause_is_an_error_at_once_and_keeps_later_requests_back(
    embedded: EmbeddedUpstream, status: int, error: type[UpstreamError]
) -> None:
    transport, sent = answers(httpx.Response(status, headers={"Retry-After": "6"}))
    async with asking(transport, attempts=3, longest_pause=5.0) as client:
        with pytest.raises(UpstreamError) as first:
            await client.detail(PACKAGE, 1599)
        later = await outcomes(client.detail(PACKAGE, id, background=id % 2 == 0) for id in IDS)
    assert (type(first.value), first.value.retry_after) == (error, 6.0)
    assert all(
        isinstance(each, CircuitOpen) and each.retry_after and 5 < each.retry_after <= 6 for each in later
    )
    assert len(sent) == 1


async def test_a_client_of_the_gateway_is_told_when_to_come_again(
    http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(StatusFault(429, retry_after="3600")))
    query = {"query": "{ package(databaseId: 1599) { title } }"}
    (first,) = (await http.post("/graphql", json=query)).json()["errors"]
    (later,) = (await http.post("/graphql", json=query)).json()["errors"]
    assert first["extensions"] == {"code": "UPSTREAM_RATE_LIMITED", "retryAfter": 300.0}
    assert later["message"] == "Upstream asked for a pause, so it gets no requests for now."
    assert later["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"
    # Whatever upstream has asked for, it is asked again after five minutes.
    assert 290 < later["extensions"]["retryAfter"] <= 300
    assert embedded.requests.total == 1


@pytest.mark.virtual_time
async def test_a_pause_ends_with_the_total_limit(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(503, retry_after="2")))
    async with asking(embedded, attempts=3, longest_pause=5.0, total=0.5) as client:
        with pytest.raises(UpstreamTimeout, match=r"did not answer /packages/1599/ in time"):
            await client.detail(PACKAGE, 1599)
        with pytest.raises(UpstreamTimeout):
            await client.detail(PACKAGE, 683)
    assert embedded.requests.total == 1


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("0", 0.0),
        ("000", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 -0000", 0.0),
        ("300", 300.0),
        ("301", CLIENT_LIMITS.longest_retry_after),
        ("9" * 400, CLIENT_LIMITS.longest_retry_after),
        ("Fri, 31 Dec 9999 23:59:59 GMT", CLIENT_LIMITS.longest_retry_after),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("\u0661", None),
        ("soon", None),
        ("Mon, 99999999999999999999 Jan 2030 00:00:00 GMT", None),
        ("Mon, 01 Jan 12345678901234 00:00:00 GMT", None),
        ("Mon, 01 Jan 2030 00:00:00 +99999999999999", None),
    ],
)
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_any_value_is_read_as_seconds_or_not_at_all(
    status: int, retry_after: str, seconds: float | None
) -> None:
    transport, sent = answers(httpx.Response(status, headers=[(b"Retry-After", retry_after.encode())]))
    async with asking(transport, attempts=2, longest_pause=0.0) as client:
        with pytest.raises(UpstreamError) as caught:
            await client.detail(PACKAGE, 1)
    assert caught.value.retry_after == seconds
    assert len(sent) == (1 if seconds else 2)
    assert client.exchanger.breaker.state == {None: "closed", 0.0: "half-open"}.get(seconds, "open")
