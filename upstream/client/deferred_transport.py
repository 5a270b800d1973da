"""A transport that is made with the first request: what never asks upstream does not wait for its parts."""

from __future__ import annotations

from collections.abc import Callable

import httpx


class DeferredTransport(httpx.AsyncBaseTransport):
    """Sends requests by the transport that ``make`` returns, and makes it for the first of them."""

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._make = make
        self._made: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        if self._made is None:
            self._made = self._make()
        return await self._made.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what was made."""
        if self._made is not None:
            await self._made.aclose()
