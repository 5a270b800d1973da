"""Provides clients with small limits, so that what takes seconds in life takes milliseconds in a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import httpx

from tests.support.settings_for_tests import CLIENT_LIMITS
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.embedded import EmbeddedUpstream

UPSTREAM_URL = "http://upstream.test/api/v4/"

IDS = range(12, 32)
"""Twenty packages that the small embedded upstream has."""

T = TypeVar("T")


@asynccontextmanager
async def asking(
    upstream: EmbeddedUpstream | httpx.AsyncBaseTransport | Callable[..., Awaitable[None]],
    url: str = UPSTREAM_URL,
    /,
    **limits: Any,
) -> AsyncIterator[Client]:
    """Return a client of an app in this process, or over a transport, on the loop's clock. Without ``first_pause`` it
    repeats at once."""
    transport = upstream if isinstance(upstream, httpx.AsyncBaseTransport) else in_process(upstream)
    clock = asyncio.get_running_loop().time
    client = Client(url, transport, replace(CLIENT_LIMITS, **{"first_pause": 0.0} | limits), clock=clock)
    try:
        yield client
    finally:
        await client.aclose()


def answers(*responses: httpx.Response | Exception) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """Return a transport that gives these answers one after another, the last one for ever; what was sent over
    it."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        response = responses[min(len(sent), len(responses)) - 1]
        if isinstance(response, Exception):
            raise response
        return httpx.Response(response.status_code, headers=response.headers, content=response.content)

    return httpx.MockTransport(answer), sent


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a state of the client or of upstream."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is looked at has no event
            await asyncio.sleep(0.005)


async def outcomes(awaitables: Iterable[Awaitable[T]]) -> list[T | BaseException]:
    """Return what comes of each."""
    return await asyncio.gather(*awaitables, return_exceptions=True)
