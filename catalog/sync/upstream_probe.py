"""Finds out whether upstream answers, for those who ask whether a gateway without a catalog is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from upstream.client import CATEGORY, Client, UpstreamError

PATIENCE = 2.0
"""Seconds in which upstream has to answer."""

LIVE_SECONDS = 60.0
"""Seconds for which an answer of upstream shows that the gateway is ready."""


class UpstreamProbe:
    """Asks upstream for a category, once for all who want to know, and remembers for a minute that it answers."""

    def __init__(self, client: Client, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._asking = asyncio.Lock()
        """Held by the task that asks upstream."""
        self._live_until = -inf
        """The time until which upstream is known to answer."""

    async def answers(self, *, follow: bool) -> bool:
        """Return whether upstream answers now.

        This neither waits for a pause that upstream asks for nor counts as the probe of an open circuit. The probe is
        left to the crawl, or to a request where nobody crawls: ``follow`` is whether this process does.
        """
        circuit = self._client.exchanger.breaker.state
        if circuit != "closed":
            return circuit == "half-open" and not follow
        try:
            async with asyncio.timeout(PATIENCE), self._asking:
                if self._clock() >= self._live_until:
                    await self._client.page(CATEGORY, limit=1, attempts=1, may_probe=False)
                    self._live_until = self._clock() + LIVE_SECONDS
        except (UpstreamError, TimeoutError):
            return False
        return True
