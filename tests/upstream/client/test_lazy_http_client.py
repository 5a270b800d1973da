"""Tests that a transport which is given as a function is made for the first request, and once."""

from __future__ import annotations

import asyncio

import httpx

from tests.support.settings_for_tests import CLIENT_LIMITS, UPSTREAM_URL
from upstream.client import PACKAGE, Client, UpstreamBadData


class Counted(httpx.AsyncBaseTransport):
    """Answers every request with an error, and counts how often it was made and closed."""

    made = closed = 0

    def __init__(self) -> None:
        Counted.made += 1

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return httpx.Response(400)

    async def aclose(self) -> None:
        Counted.closed += 1


async def test_a_transport_is_made_for_the_first_request_and_once() -> None:
    Counted.made = Counted.closed = 0
    client = Client(UPSTREAM_URL, Counted, CLIENT_LIMITS)
    assert Counted.made == 0
    for requests in (3, 1):
        ended = await asyncio.gather(
            *(client.detail(PACKAGE, id) for id in range(1, requests + 1)), return_exceptions=True
        )
        assert [type(each) for each in ended] == [UpstreamBadData] * requests
    await client.aclose()
    assert (Counted.made, Counted.closed) == (1, 1)


async def test_a_client_that_was_never_used_makes_no_transport() -> None:
    Counted.made = Counted.closed = 0
    await Client(UPSTREAM_URL, Counted, CLIENT_LIMITS).aclose()
    assert (Counted.made, Counted.closed) == (0, 0)
