"""Fair use at gateways that share a Valkey server, and what their clients can have used."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from gateway.fair_use import FairUse
from gateway.local_allowances import WINDOW
from gateway.retry_later_errors import RateLimited
from sharing.valkey_address import ValkeyAddress
from sharing.valkey_allowances import SharedAllowances
from sharing.valkey_connection import ValkeyConnection
from tests.support.valkey_servers import PATIENCE, ValkeyServer

FEW = 12
"""Units of an allowance of which one comes back in five seconds, and all are asked for one by one."""
KEY = "{djangopackages}:fair-use:a"
"""Where the server keeps the client that takes units."""
CHEAP = {"query": "{ __typename }"}


@asynccontextmanager
async def gateway_on(url: str, units: int, patience: float = PATIENCE) -> AsyncIterator[FairUse]:
    server = SharedAllowances(ValkeyConnection(ValkeyAddress.of(url), patience))
    async with aclosing(FairUse(units, {}, server)) as fair_use:
        yield fair_use


class Refill:
    """Counts the units that can have come back since it was made."""

    def __init__(self, units: int) -> None:
        self._rate = units / WINDOW
        self._began = time.monotonic()

    @property
    def units(self) -> float:
        return (time.monotonic() - self._began) * self._rate


async def takes(fair_use: FairUse, units: int = 1) -> bool:
    """Return whether a client may have units at a gateway."""
    try:
        await fair_use.take("a", units)
    except RateLimited:
        return False
    return True


def commands(server: ValkeyServer) -> int:
    """Return how many scripts the server has run, or refused to run."""
    stats: dict[str, dict[str, int]] = server.client.info("commandstats")
    counts = stats.get("cmdstat_eval", {})
    return counts.get("calls", 0) + counts.get("rejected_calls", 0)
