"""Tests the HTTP client of upstream: when its transport is made, and what its requests are."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from contextlib import aclosing

import httpx
import pytest

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


async def test_it_offers_every_compression_that_httpx_unpacks_with_what_is_installed() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(400)

    async with aclosing(Client(UPSTREAM_URL, httpx.MockTransport(answer), CLIENT_LIMITS)) as client:
        with pytest.raises(UpstreamBadData):
            await client.detail(PACKAGE, 1)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        assert asked[0].headers["Accept-Encoding"] == http.headers["Accept-Encoding"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://packages.example/api/v4/", "https://packages.example/api/v4/packages/?limit=5&offset=0"),
        ("https://packages.example/api/v4", "https://packages.example/api/v4/packages/?limit=5&offset=0"),
        ("http://me:secret@[::1]:8000/x/", "http://[::1]:8000/x/packages/?limit=5&offset=0"),
    ],
)
async def test_paths_are_below_the_address_of_upstream(address: str, expected: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(400)

    async with aclosing(Client(address, httpx.MockTransport(answer), CLIENT_LIMITS)) as client:
        with pytest.raises(UpstreamBadData):
            await client.page(PACKAGE, limit=5)
    assert asked == [expected]


async def test_the_user_and_password_of_the_address_are_sent_percent_decoded_and_nowhere_else() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(400)

    address = "https://m%40x:p%C3%A4ss%2F@packages.example/api/v4/"
    async with aclosing(Client(address, httpx.MockTransport(answer), CLIENT_LIMITS)) as client:
        with pytest.raises(UpstreamBadData):
            await client.detail(PACKAGE, 1)
    assert b64decode(asked[0].headers["Authorization"].removeprefix("Basic ")).decode() == "m@x:päss/"
    assert asked[0].url == "https://packages.example/api/v4/packages/1/"
