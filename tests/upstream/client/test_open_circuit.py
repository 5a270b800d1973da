"""An upstream that fails too often is left alone: what is sent to it, and what is not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.support.impatient_clients import IDS, answers, asking, outcomes, until
from upstream.client.api_client import Client
from upstream.client.circuit_breaker import CircuitOpen
from upstream.client.upstream_errors import UpstreamBadData, UpstreamTimeout, UpstreamUnavailable
from upstream.client.v4_records import CATEGORY, PACKAGE, PackageRecord
from upstream.embedded import (
    ContentType,
    Dropped,
    Effect,
    EmbeddedUpstream,
    Fault,
    Latency,
    StatusFault,
    Truncated,
)

pytestmark = pytest.mark.virtual_time


def state_of(client: Client) -> str:
    return client.exchanger.breaker.state


@asynccontextmanager
async def half_open(embedded: EmbeddedUpstream, rest: float = 0.01) -> AsyncIterator[Client]:
    """Return a client that has left upstream alone for the seconds of its ``rest``. The requests are counted from now
    on."""
    embedded.faults.state = "down"
    async with asking(embedded, attempts=1, breaker_failures=1, breaker_rest=rest) as client:
        with pytest.raises(UpstreamUnavailable):
            await client.detail(PACKAGE, 1599)
        await until(lambda: state_of(client) == "half-open")
        embedded.faults.clear()
        embedded.requests.reset()
        yield client


@pytest.mark.parametrize("failures", [1, 3, 10])
@pytest.mark.parametrize(
    "effect", [StatusFault(500), StatusFault(503), StatusFault(429), Dropped(), Latency(0.5)]
)
async def test_after_so_many_failures_nothing_is_sent(
    embedded: EmbeddedUpstream, effect: Effect, failures: int
) -> None:
    embedded.faults.add(Fault(effect))
    async with asking(embedded, attempts=1, exchange=0.05, breaker_failures=failures) as client:
        for n in range(failures):
            assert state_of(client) == "closed"
            await outcomes([client.detail(PACKAGE, n)])
        assert state_of(client) == "open"
        embedded.faults.clear()
        errors = await outcomes(client.detail(PACKAGE, id, background=id % 2 == 0) for id in IDS)
    assert Counter(map(type, errors)) == {CircuitOpen: len(IDS)}
    assert {str(error) for error in errors} == {
        "Upstream has failed too often, so it gets no requests for now."
    }
    assert embedded.requests.total == failures


async def test_the_attempts_for_one_answer_end_when_it_opens(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(503)))
    async with asking(embedded, attempts=10, breaker_failures=3) as client:
        with pytest.raises(CircuitOpen):
            await client.detail(PACKAGE, 1599)
    assert embedded.requests.total == 3


async def test_whoever_waits_for_a_turn_when_it_opens_is_not_sent(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(500)))
    async with asking(embedded, attempts=1, breaker_failures=3, highest_in_flight=1) as client:
        errors = await outcomes(client.detail(PACKAGE, id) for id in IDS)
    assert Counter(map(type, errors)) == {UpstreamUnavailable: 3, CircuitOpen: len(IDS) - 3}
    assert embedded.requests.total == 3


@pytest.mark.parametrize("effect", [ContentType(), StatusFault(404), Truncated(framed=True), None])
async def test_an_upstream_that_answers_is_not_left_alone_whatever_it_says(
    embedded: EmbeddedUpstream, effect: Effect | None
) -> None:
    async with asking(embedded, attempts=1, breaker_failures=2) as client:
        await client.page(CATEGORY, limit=1)  # or it would be asked for before the first 404 is believed
        for _ in range(5):
            embedded.faults.add(Fault(StatusFault(500), times=1))
            with pytest.raises(UpstreamUnavailable):
                await client.detail(PACKAGE, 1599)
            embedded.faults.clear()
            if effect is not None:
                embedded.faults.add(Fault(effect))
            await outcomes([client.detail(PACKAGE, 999_999 if effect is None else 1599)])
            embedded.faults.clear()
        assert state_of(client) == "closed"
    assert embedded.requests.total == 11


async def test_one_request_probes_while_nineteen_fail_at_once(embedded: EmbeddedUpstream) -> None:
    async with half_open(embedded) as client:
        embedded.latency = 0.05
        found = await outcomes(client.detail(PACKAGE, id) for id in IDS)
        assert Counter(map(type, found)) == {PackageRecord: 1, CircuitOpen: len(IDS) - 1}
        assert {str(each) for each in found if isinstance(each, CircuitOpen)} == {
            "Upstream failed before, and one request is probing it now."
        }
        assert embedded.requests.total == 1
        assert state_of(client) == "closed"
        found = await outcomes(client.detail(PACKAGE, id) for id in IDS)
        assert Counter(map(type, found)) == {PackageRecord: len(IDS)}
    assert embedded.requests.total == 1 + len(IDS)


async def test_a_probe_that_fails_is_not_repeated(embedded: EmbeddedUpstream) -> None:
    async with half_open(embedded, rest=0.5) as client:
        embedded.latency = 0.02
        embedded.faults.add(Fault(StatusFault(503)))
        errors = await outcomes(client.detail(PACKAGE, id) for id in IDS)
        assert Counter(map(type, errors)) == {UpstreamUnavailable: 1, CircuitOpen: len(IDS) - 1}
        assert embedded.requests.total == 1
        assert state_of(client) == "open"
        await until(lambda: state_of(client) == "half-open")
        embedded.faults.clear()
        await client.detail(PACKAGE, 1599)
    assert state_of(client) == "closed"
    assert embedded.requests.total == 2


async def test_a_probe_whose_client_leaves_makes_room_for_another(embedded: EmbeddedUpstream) -> None:
    async with half_open(embedded) as client:
        embedded.latency = 0.05
        probe = asyncio.create_task(client.detail(PACKAGE, 1599))
        await until(lambda: embedded.requests.total == 1)
        probe.cancel()
        await outcomes([probe])
        assert state_of(client) == "half-open"
        assert await client.detail(PACKAGE, 683) is not None
    assert state_of(client) == "closed"
    assert embedded.requests.total == 2


async def test_a_probe_that_gets_nonsense_has_found_an_upstream_that_answers(
    embedded: EmbeddedUpstream,
) -> None:
    async with half_open(embedded) as client:
        embedded.faults.add(Fault(ContentType(), times=1))
        with pytest.raises(UpstreamBadData):
            await client.detail(PACKAGE, 1599)
    assert state_of(client) == "closed"


async def test_an_upstream_that_hangs_is_left_alone_even_if_the_total_limit_comes_first(
    embedded: EmbeddedUpstream,
) -> None:
    embedded.faults.add(Fault(Latency(0.5)))
    async with asking(embedded, exchange=0.02, total=0.02, breaker_failures=3) as client:
        for _ in range(3):
            with pytest.raises(UpstreamTimeout):
                await client.detail(PACKAGE, 1599)
        with pytest.raises(CircuitOpen):
            await client.detail(PACKAGE, 1599)
    assert embedded.requests.total == 3


async def test_an_upstream_that_hangs_is_left_alone_even_if_its_clients_leave_first(
    embedded: EmbeddedUpstream,
) -> None:
    embedded.faults.add(Fault(Latency(60)))
    # They leave after more than half of the limit, with time to spare before its end on a busy machine.
    async with asking(embedded, exchange=2.0, breaker_failures=3) as client:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.detail(PACKAGE, 1599), 1.1)
        with pytest.raises(CircuitOpen):
            await client.detail(PACKAGE, 1599)
    assert embedded.requests.total == 3


async def test_clients_that_leave_soon_say_nothing_of_upstream(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(Latency(0.2)))
    async with asking(embedded, breaker_failures=3) as client:
        asked = [asyncio.create_task(client.detail(PACKAGE, id)) for id in range(4)]
        await until(lambda: embedded.requests.total == 4)
        for each in asked:
            each.cancel()
        await outcomes(asked)
        assert state_of(client) == "closed"
    assert client.exchanger.outcomes == {"given up": 4}


async def test_what_is_not_sent_is_not_counted() -> None:
    transport, sent = answers(httpx.Response(503))
    async with asking(transport, attempts=1, breaker_failures=2) as client:
        await outcomes(client.detail(PACKAGE, id) for id in IDS)
    assert client.exchanger.outcomes == {"UPSTREAM_UNAVAILABLE": len(sent)}


async def test_a_request_that_may_not_be_the_probe_leaves_it_to_another(embedded: EmbeddedUpstream) -> None:
    async with half_open(embedded) as client:
        with pytest.raises(CircuitOpen):
            await client.page(PACKAGE, limit=1, may_probe=False)
        assert embedded.requests.total == 0
        assert await client.detail(PACKAGE, 1599) is not None
        assert state_of(client) == "closed"
        assert (await client.page(PACKAGE, limit=1, may_probe=False)).records


async def test_a_request_that_may_not_be_the_probe_is_none_after_its_turn_either(
    embedded: EmbeddedUpstream,
) -> None:
    limits = {"attempts": 1, "breaker_failures": 1, "breaker_rest": 0.0, "highest_in_flight": 1}
    async with asking(embedded, **limits) as client:
        embedded.faults.add(Fault(StatusFault(503), times=1))
        # The second waits for the turn of the first, whose failure lets the breaker open and half-open at once.
        first = asyncio.create_task(client.detail(PACKAGE, 1599))
        await asyncio.sleep(0)
        second = asyncio.create_task(client.page(PACKAGE, limit=1, may_probe=False))
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [UpstreamUnavailable, CircuitOpen]
        assert embedded.requests.total == 1
