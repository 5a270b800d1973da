"""Makes the HTTP client of upstream when it is first needed: what is answered from the catalog never waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from upstream.client.client_limits import ClientLimits
from upstream.client.upstream_address import credentials, without_credentials

if TYPE_CHECKING:
    import httpx

USER_AGENT = "djangopackages-graphql"


class LazyHttpClient:
    """Holds the HTTP client for one upstream.

    ``transport`` carries the requests. If it is a function that makes one, it is called for the first request, and the
    HTTP library is not imported before that either.
    """

    def __init__(
        self,
        base_url: str,
        transport: httpx.AsyncBaseTransport | Callable[[], httpx.AsyncBaseTransport],
        limits: ClientLimits,
    ) -> None:
        self._base_url = base_url
        self._limits = limits
        self._make_transport = transport if callable(transport) else None
        self._made = None if callable(transport) else self._over(transport)

    def get(self) -> httpx.AsyncClient:
        """Return the HTTP client, the same one each time."""
        if self._made is None:
            assert self._make_transport is not None
            self._made = self._over(self._make_transport())
        return self._made

    async def aclose(self) -> None:
        """Close the connections, if there are any."""
        if self._made is not None:
            await self._made.aclose()

    def _over(self, transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
        from http.cookiejar import CookieJar, DefaultCookiePolicy

        import httpx

        return httpx.AsyncClient(
            # aiohttp takes them from one place alone, and errors could show an address.
            base_url=without_credentials(self._base_url),
            auth=credentials(self._base_url),
            transport=transport,
            headers={"Accept": "application/json", "User-Agent": USER_AGENT},
            # Upstream's site pages set cookies; none is kept.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(self._limits.exchange, connect=self._limits.connect),
            trust_env=False,
        )
