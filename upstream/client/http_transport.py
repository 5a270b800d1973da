"""Carries requests to upstream over the network. It is imported only if they go there, because aiohttp takes a
while."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - Looking up a host imports it, and the first request would wait for that.
import ssl

import aiohttp
import httpx
import httpx_aiohttp

IDLE_LIMIT = 1.5
"""Seconds that an idle connection is kept; upstream closes its side after 2.0 (contract section 6)."""


def network() -> httpx.AsyncBaseTransport:
    """Return a transport over the network, by aiohttp. It costs a seventh of httpx's own transport at 10 requests in
    flight."""

    def session() -> aiohttp.ClientSession:
        # The limiter bounds the connections.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_LIMIT)
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, middlewares=(_once,)
        )

    # The session verifies upstream's certificate. The transport would read all certificates again for sessions that it
    # makes itself, of which there are none.
    unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx_aiohttp.AiohttpTransport(verify=unused, client=session)


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request once. When a connection drops, aiohttp would send it anew by itself, uncounted."""
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        # aiohttp does that for these two, and not for the classes above them.
        raise aiohttp.ClientConnectionError(str(error)) from error
