"""Provides the gateway over an upstream, both in this process and without HTTP between them, wired as the server wires
it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, closing
from functools import lru_cache
from typing import Any

import httpx

import wiring
from catalog.catalog_source import CatalogSource
from catalog.freshness import Freshness, Snapshot
from catalog.indexed_catalog import Catalog
from catalog.storage.sqlite_storage import Storage
from catalog.storage.storage_port import StoragePort
from catalog.sync.crawl_validators import GuardLimits
from catalog.sync.schedule import Schedule
from gateway.gateway import Gateway
from gateway.prepared_request import GraphQLRequest
from resolvers.loading.request_context import Context
from resolvers.loading.request_loaders import Loaders
from resolvers.work_budget import WorkBudget
from tests.support.generated_upstreams import shared_rows
from tests.support.settings_for_tests import (
    FRESHNESS,
    GUARD_LIMITS,
    SCHEDULE,
    SETTINGS,
    UPSTREAM_URL,
    settings_for_tests,
)
from upstream.batching.batcher import Batcher
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp, Parts

Ask = Callable[..., Awaitable[dict[str, Any]]]
Upstream = Callable[..., Any]
"""An ASGI app."""

ANY_NUMBER = 1_000_000


def source_over(upstream: Upstream, /, **settings: object) -> AbstractAsyncContextManager[CatalogSource]:
    """Open the source of a gateway with these settings; all of it is live."""
    return wiring.open_source(settings_for_tests(**settings), in_process(upstream))


@lru_cache(maxsize=10)
def crawled_catalog(*packages: int) -> Catalog:
    """Return what a crawl finds in an upstream of so many packages, or of the default size, which no test may change.

    No loop runs yet where this is called, such as in a fixture that is not asynchronous.
    """

    async def crawl() -> Catalog:
        async with source_over(EmbeddedUpstream(catalog=shared_rows(*packages))) as source:
            return (await source.crawl()).snapshot.catalog

    return asyncio.run(crawl())


@asynccontextmanager
async def source_of(
    client: Client,
    batcher: Batcher | None = None,
    storage: StoragePort | None = None,
    *,
    origin: str = UPSTREAM_URL,
    follow: bool = False,
    schedule: Schedule = SCHEDULE,
    guard: GuardLimits = GUARD_LIMITS,
    freshness: Freshness = FRESHNESS,
    crawl_wait: float = SETTINGS.crawl_wait,
    search_wait: float = SETTINGS.search_wait,
    news: Callable[[float], Awaitable[object]] = asyncio.sleep,
    clock: Callable[[], float] = time.monotonic,
    source_class: type[CatalogSource] = CatalogSource,
) -> AsyncIterator[CatalogSource]:
    """Open a source of parts that no settings describe, and close them all."""
    with closing(storage or Storage(":memory:")) as opened:
        async with (
            aclosing(client),
            aclosing(batcher or Batcher(client, SETTINGS.upstream_budget, clock)) as batching,
            aclosing(
                source_class(
                    client,
                    batching,
                    opened,
                    origin=origin,
                    follow=follow,
                    schedule=schedule,
                    guard=guard,
                    freshness=freshness,
                    crawl_wait=crawl_wait,
                    search_wait=search_wait,
                    news=news,
                    clock=clock,
                )
            ) as source,
        ):
            await source.open()
            yield source


def gateway_over(source: CatalogSource, *, use_engine: bool = True, **settings: object) -> Gateway:
    """Make a gateway that lets any number of operations run at once, for as long as a busy machine takes."""
    ours: dict[str, object] = {"engine": "on" if use_engine else "off", "limit_seconds": 60}
    ours |= {"limit_running": ANY_NUMBER, "limit_waiting": ANY_NUMBER}
    return wiring.make_gateway(settings_for_tests(**(ours | settings)), source)


def app_over(upstream: Upstream, /, **settings: object) -> GatewayApp:
    """Make the app of a gateway with these settings."""
    ours = settings_for_tests(**settings)
    return GatewayApp(wiring.build(ours, in_process(upstream)), ours.cors_origins.split(","))


def app_of(source: AbstractAsyncContextManager[CatalogSource], **settings: object) -> GatewayApp:
    """Make the app of a gateway over a source that is opened with it."""
    ours = settings_for_tests(**settings)

    @asynccontextmanager
    async def parts() -> AsyncIterator[Parts]:
        async with source as opened, wiring.open_parts(ours, opened) as made:
            yield made

    return GatewayApp(parts(), ours.cors_origins.split(","))


@asynccontextmanager
async def client_of(app: GatewayApp) -> AsyncIterator[httpx.AsyncClient]:
    """Open an app, and return a client of it."""
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as client,
    ):
        yield client


def context_over(loaders: Loaders, snapshot: Snapshot | None, source: CatalogSource) -> Context:
    """Make the state of one request."""
    gateway = gateway_over(source)
    return Context(loaders, snapshot, source, gateway.router.budget(None), WorkBudget(gateway.limits.work))


def asking(source: CatalogSource, *, use_engine: bool = True) -> Ask:
    gateway = gateway_over(source, use_engine=use_engine)

    async def ask(query: str, receipt: bool = False, **variables: object) -> dict[str, Any]:
        answer = await gateway.execute(GraphQLRequest(query, variables, receipt=receipt))
        return answer.decoded()

    return ask
