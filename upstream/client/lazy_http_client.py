"""Sends HTTP requests to upstream, over a transport that is made when it is first needed.

Answers from the catalog never wait for the HTTP library. Upstream needs nothing of what httpx's own client does for
each request: redirects are not followed, and cookies of site pages are not kept. Without that work a request takes half
of the processor time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from upstream.client.api_client_limits import ClientLimits
from upstream.client.upstream_address import authorization, without_credentials

if TYPE_CHECKING:
    import httpx

HEADERS = {
    "Accept": "application/json",
    # These are the encodings that httpx unpacks, with the packages that are installed beside it.
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "User-Agent": "djangopackages-graphql",
}


class LazyHttpClient:
    """Sends requests to one upstream.

    ``transport`` carries the requests. If it is a function that makes one, it is called for the first request, and the
    HTTP library is not imported before that either.
    """

    def __init__(
        self,
        base_url: str,
        transport: httpx.AsyncBaseTransport | Callable[[], httpx.AsyncBaseTransport],
        limits: ClientLimits,
    ) -> None:
        # The address has no password, because errors could show it.
        self._base_url = without_credentials(base_url).rstrip("/") + "/"
        self._own_headers = HEADERS | authorization(base_url)
        read, connect = limits.exchange, limits.connect
        self._extensions = {"timeout": {"connect": connect, "read": read, "write": read, "pool": read}}
        self._make_transport = transport if callable(transport) else None
        self._transport = None if callable(transport) else transport

    @asynccontextmanager
    async def get(
        self, path: str, params: Mapping[str, str | int], headers: Mapping[str, str]
    ) -> AsyncIterator[httpx.Response]:
        """Ask for a path below the address of upstream, and yield the answer, whose body is still to be read."""
        import httpx

        query = f"?{urlencode(params)}" if params else ""
        url = _parsed(f"{self._base_url}{path}{query}")
        request = httpx.Request("GET", url, headers=self._headers, extensions=self._extensions)
        if headers:
            request.headers.update(headers)
        response = await self.transport().handle_async_request(request)
        response.request = request
        try:
            yield response
        finally:
            await response.aclose()

    @cached_property
    def _headers(self) -> httpx.Headers:
        import httpx

        return httpx.Headers(self._own_headers)

    def transport(self) -> httpx.AsyncBaseTransport:
        """Return the transport, the same one each time."""
        if self._transport is None:
            assert self._make_transport is not None
            self._transport = self._make_transport()
        return self._transport

    async def aclose(self) -> None:
        """Close the connections, if there are any."""
        if self._transport is not None:
            await self._transport.aclose()


@lru_cache(maxsize=200)
def _parsed(url: str) -> httpx.URL:
    """Return the address, which nobody changes. Crawls ask for the same pages again and again."""
    import httpx

    return httpx.URL(url)
