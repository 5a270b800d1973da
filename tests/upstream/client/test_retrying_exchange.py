"""Tests asking upstream: which failures are worth another request, how many there are, and what is counted."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import httpx
import pytest

from tests.support.http_servers import serving
from tests.support.impatient_clients import IDS, answers, asking, outcomes, until
from upstream.client.http_transport import network
from upstream.client.upstream_errors import (
    UpstreamBadData,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from upstream.client.v4_records import CATEGORY, PACKAGE
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
from upstream.embedded.recorded_packages import seed_record

FOUND = httpx.Response(200, json=seed_record(1599))

PASSING: list[tuple[Effect, type[UpstreamError]]] = [
    (StatusFault(429), UpstreamRateLimited),
    (StatusFault(500), UpstreamUnavailable),
    (StatusFault(502), UpstreamUnavailable),
    (StatusFault(503), UpstreamUnavailable),
    (StatusFault(504), UpstreamUnavailable),
    (Dropped(), UpstreamUnavailable),
    (Truncated(), UpstreamUnavailable),
    (Latency(5), UpstreamTimeout),
]
"""Failures that another request can do better than."""


@pytest.mark.parametrize(("effect", "error"), PASSING)
@pytest.mark.parametrize("attempts", [1, 3])
@pytest.mark.virtual_time
async def test_a_failure_that_can_pass_is_asked_again_so_many_times(
    embedded: EmbeddedUpstream, effect: Effect, error: type[UpstreamError], attempts: int
) -> None:
    embedded.faults.add(Fault(effect))
    async with asking(embedded, attempts=attempts, exchange=0.5) as client:
        with pytest.raises(UpstreamError) as caught:
            await client.detail(PACKAGE, 1599)
    assert type(caught.value) is error
    assert embedded.requests.by_target == {"/api/v4/packages/1599/": attempts}
    assert client.exchanger.outcomes == {error.code: attempts}


@pytest.mark.parametrize(("effect", "error"), PASSING)
@pytest.mark.virtual_time
async def test_a_failure_that_passes_is_not_seen(
    embedded: EmbeddedUpstream, effect: Effect, error: type[UpstreamError]
) -> None:
    embedded.faults.add(Fault(effect, times=2))
    async with asking(embedded, attempts=3, exchange=0.5) as client:
        package = await client.detail(PACKAGE, 1599)
    assert package is not None
    assert package.id == 1599
    assert embedded.requests.total == 3
    assert client.exchanger.outcomes == {error.code: 2, "answered": 1}


@pytest.mark.parametrize(
    "effect",
    [StatusFault(404), StatusFault(301, location="/elsewhere/"), ContentType(), Truncated(framed=True)],
)
async def test_nonsense_is_asked_for_once(embedded: EmbeddedUpstream, effect: Effect) -> None:
    embedded.faults.add(Fault(effect))
    async with asking(embedded, attempts=3) as client:
        with pytest.raises(UpstreamBadData):
            await client.detail(PACKAGE, 1599)
    assert embedded.requests.by_target == {"/api/v4/packages/1599/": 1}


async def test_a_missing_record_is_asked_for_once(embedded: EmbeddedUpstream) -> None:
    async with asking(embedded, attempts=3) as client:
        await client.page(CATEGORY, limit=1)
        assert await client.detail(PACKAGE, 999_999) is None
    assert embedded.requests.by_target["/api/v4/packages/999999/"] == 1
    assert client.exchanger.outcomes == {"answered": 1, "missing": 1}


@pytest.mark.parametrize("status", [204, 304, 400, 401, 403, 405, 406, 408, 410, 425, 451])
async def test_another_status_is_bad_data_and_asked_for_once(status: int) -> None:
    transport, sent = answers(httpx.Response(status))
    async with asking(transport, attempts=3) as client:
        with pytest.raises(UpstreamBadData, match=f"with status {status}"):
            await client.detail(PACKAGE, 1)
    assert len(sent) == 1


@pytest.mark.parametrize("unforeseen", [ValueError("bad"), KeyError("bad"), RecursionError(), RuntimeError()])
async def test_whatever_else_the_http_library_raises_is_one_sentence_and_asked_for_again(
    unforeseen: Exception,
) -> None:
    transport, sent = answers(unforeseen)
    async with asking(transport, attempts=3) as client:
        with pytest.raises(UpstreamUnavailable) as caught:
            await client.detail(PACKAGE, 1)
    assert str(caught.value) == f"Asking upstream for /packages/1/ failed with {type(unforeseen).__name__}."
    assert caught.value.__cause__ is unforeseen
    assert len(sent) == 3
    assert client.exchanger.outcomes == {"UPSTREAM_UNAVAILABLE": 3}


async def test_memory_that_is_used_up_is_no_failure_of_upstream() -> None:
    transport, sent = answers(MemoryError())
    async with asking(transport, attempts=3) as client:
        with pytest.raises(MemoryError):
            await client.detail(PACKAGE, 1)
    assert len(sent) == 1
    assert client.exchanger.limiter.in_flight == 0


@pytest.mark.parametrize("status", [501, 505, 507, 599])
async def test_a_5xx_that_does_not_pass_is_asked_for_once(status: int) -> None:
    transport, sent = answers(httpx.Response(status))
    async with asking(transport, attempts=3) as client:
        with pytest.raises(UpstreamUnavailable, match=f"with status {status}"):
            await client.detail(PACKAGE, 1)
    assert len(sent) == 1


@pytest.mark.parametrize(
    "raised",
    [
        httpx.ConnectError("refused"),
        httpx.ReadError("cut"),
        httpx.WriteError("cut"),
        httpx.RemoteProtocolError("no HTTP"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        ConnectionResetError(),
        aiohttp.ServerDisconnectedError(),
    ],
)
async def test_a_connection_that_fails_is_tried_again(raised: Exception) -> None:
    transport, sent = answers(raised, raised, FOUND)
    async with asking(transport, attempts=3) as client:
        assert await client.detail(PACKAGE, 1599) is not None
    assert len(sent) == 3
    transport, sent = answers(raised)
    async with asking(transport, attempts=3) as client:
        with pytest.raises(UpstreamError):
            await client.detail(PACKAGE, 1)
    assert len(sent) == 3


async def test_the_attempts_end_with_the_first_answer_that_stays_as_it_is(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(500), times=1))
    embedded.faults.add(Fault(StatusFault(404), times=1))
    async with asking(embedded, attempts=10) as client:
        with pytest.raises(UpstreamBadData, match="with 404 and text/html"):
            await client.detail(PACKAGE, 1599)
    assert embedded.requests.total == 2


@pytest.mark.parametrize("attempts", [1, 2, 5])
async def test_a_caller_can_say_how_many_attempts_there_are(
    embedded: EmbeddedUpstream, attempts: int
) -> None:
    embedded.faults.add(Fault(StatusFault(500)))
    async with asking(embedded, attempts=3) as client:
        with pytest.raises(UpstreamUnavailable):
            await client.page(PACKAGE, limit=10, attempts=attempts)
    assert embedded.requests.total == attempts


async def test_an_upstream_that_is_not_there_is_tried_again_over_the_wire() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/api/v4/"
        async with asking(network(), url, attempts=4) as client:
            with pytest.raises(UpstreamUnavailable, match="could not be reached"):
                await client.detail(PACKAGE, 1)
    assert client.exchanger.outcomes == {"UPSTREAM_UNAVAILABLE": 4}


@pytest.mark.parametrize("effect", [Dropped(), Truncated(), StatusFault(502)])
async def test_the_requests_over_the_wire_are_as_many_as_the_attempts(
    embedded: EmbeddedUpstream, effect: Effect
) -> None:
    embedded.faults.add(Fault(effect, times=2))
    with serving(embedded) as address:
        async with asking(network(), f"{address}/api/v4/", attempts=3) as client:
            assert await client.detail(PACKAGE, 1599) is not None
    assert embedded.requests.total == 3
    assert client.exchanger.outcomes == {"UPSTREAM_UNAVAILABLE": 2, "answered": 1}


async def test_a_kept_connection_that_drops_costs_no_hidden_request(embedded: EmbeddedUpstream) -> None:
    with serving(embedded) as address:
        async with asking(network(), f"{address}/api/v4/", attempts=2) as client:
            await client.detail(PACKAGE, 1599)
            embedded.faults.add(Fault(Dropped()))
            with pytest.raises(UpstreamUnavailable):
                await client.detail(PACKAGE, 1599)
    assert embedded.requests.total == 1 + 2
    assert client.exchanger.outcomes == {"answered": 1, "UPSTREAM_UNAVAILABLE": 2}


@pytest.mark.virtual_time
async def test_those_who_failed_together_do_not_come_again_together(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(500), times=len(IDS)))
    limits = {"lowest_in_flight": len(IDS), "breaker_failures": 1000}
    async with asking(embedded, attempts=2, first_pause=0.05, **limits) as client:
        await asyncio.gather(*(client.detail(PACKAGE, id) for id in IDS))
    targets = [target for _, target in embedded.requests.listed]
    first, second = targets[: len(IDS)], targets[len(IDS) :]
    # Twenty pauses of random length: one order in twenty factorial is that of the first attempts.
    assert sorted(first) == sorted(second)
    assert first != second


@pytest.mark.virtual_time
async def test_nothing_is_sent_for_whoever_left_during_a_pause(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(503, retry_after="1"), times=1))
    async with asking(embedded, attempts=3) as client:
        asked = asyncio.create_task(client.detail(PACKAGE, 1599))
        await until(lambda: client.exchanger.outcomes.total() == 1)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        # This one waits for the end of the same pause.
        assert await client.detail(PACKAGE, 683) is not None
    assert embedded.requests.by_target == {"/api/v4/packages/1599/": 1, "/api/v4/packages/683/": 1}


@pytest.mark.virtual_time
async def test_whoever_leaves_during_an_exchange_gives_its_turn_back(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(Latency(0.3), path="/api/v4/packages/1599/"))
    async with asking(embedded, attempts=3, highest_in_flight=1) as client:
        asked = asyncio.create_task(client.detail(PACKAGE, 1599))
        waiting = asyncio.create_task(client.detail(PACKAGE, 683))
        await until(lambda: embedded.requests.total == 1)
        asked.cancel()
        assert await waiting is not None
        assert asked.cancelled()
    assert embedded.requests.by_target == {"/api/v4/packages/1599/": 1, "/api/v4/packages/683/": 1}
    assert client.exchanger.outcomes == {"given up": 1, "answered": 1}
    assert client.exchanger.limiter.in_flight == 0


@pytest.mark.virtual_time
async def test_every_request_is_counted_by_what_came_of_it(embedded: EmbeddedUpstream) -> None:
    faults: dict[int, Effect] = {
        683: StatusFault(503),
        1442: StatusFault(429),
        1686: StatusFault(404),
        2674: Latency(5),
    }
    for id, effect in faults.items():
        embedded.faults.add(Fault(effect, path=f"/api/v4/packages/{id}/"))
    async with asking(embedded, attempts=2, exchange=0.5) as client:
        await outcomes(client.detail(PACKAGE, id) for id in [1599, *faults, 999_999])
    assert client.exchanger.outcomes == {
        "answered": 1,
        "missing": 1,
        "UPSTREAM_UNAVAILABLE": 2,
        "UPSTREAM_RATE_LIMITED": 2,
        "UPSTREAM_BAD_DATA": 1,
        "UPSTREAM_TIMEOUT": 2,
    }
    assert client.exchanger.outcomes.total() == embedded.requests.total


async def test_every_byte_of_a_body_is_counted(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(StatusFault(500), path="/api/v4/packages/683/"))
    async with asking(embedded, attempts=2) as client:
        await outcomes([client.detail(PACKAGE, 1599), client.page(PACKAGE, limit=100)])
        good = embedded.requests.bytes
        assert client.exchanger.received == good > 50_000
        await outcomes([client.detail(PACKAGE, 683), client.detail(PACKAGE, 999_999)])
    assert client.exchanger.received == embedded.requests.bytes > good
