"""Opens gateways in this process that share a Valkey server, with a schedule that the tests set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, aclosing, asynccontextmanager
from typing import Any

from catalog.catalog_source import CatalogSource
from catalog.freshness import Freshness
from catalog.sync.schedule import Schedule
from sharing.valkey_address import ValkeyAddress
from sharing.valkey_connection import ValkeyConnection
from sharing.valkey_request_limits import SharedPace
from storage_wiring import hearing
from tests.support.gateway_in_process import source_of
from tests.support.gateway_processes import eventually
from tests.support.settings_for_tests import BUDGET, CLIENT_LIMITS, FRESHNESS, SCHEDULE, UPSTREAM_URL
from tests.support.valkey_servers import PATIENCE, storage_on
from upstream.batching.batcher import Batcher
from upstream.client.api_client import Client
from upstream.client.http_transport import network
from upstream.client.in_process_transport import in_process


@asynccontextmanager
async def sharing_source(
    upstream: Callable[..., Any] | str,
    url: str,
    *,
    hears: bool = True,
    schedule: Schedule = SCHEDULE,
    freshness: Freshness = FRESHNESS,
) -> AsyncIterator[CatalogSource]:
    """Open a source that shares the server at ``url``; ``hears`` is whether announcements reach it.

    ``upstream`` is an app in this process, or an address.
    """
    server = ValkeyConnection(ValkeyAddress.of(url), PATIENCE)
    origin, transport = (
        (upstream, network()) if isinstance(upstream, str) else (UPSTREAM_URL, in_process(upstream))
    )
    pace = SharedPace(server, longest=60.0, rest=5.0, per_minute=BUDGET)
    client = Client(origin, transport, CLIENT_LIMITS, pace)
    with ExitStack() as opened:
        storage = opened.enter_context(storage_on(url))
        try:
            async with aclosing(pace), hearing(server) as news:
                given: dict[str, Any] = {"news": news} if hears else {}
                async with source_of(
                    client,
                    Batcher(client, BUDGET, pace=pace),
                    storage,
                    origin=origin,
                    follow=True,
                    schedule=schedule,
                    freshness=freshness,
                    **given,
                ) as source:
                    yield source
        finally:
            server.close()
            await server.aclose()


def version(source: CatalogSource) -> str | None:
    return None if source.latest is None else source.latest.catalog.version


async def all_serve(version_of: CatalogSource, *sources: CatalogSource) -> None:
    """Wait until all serve the version of one."""
    await eventually(lambda: all(version(each) == version(version_of) is not None for each in sources))
