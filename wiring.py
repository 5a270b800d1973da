"""Makes the parts of the gateway from the settings, and opens them in order and closes them in the opposite order.

Each layer opens what it adds to the one before:

    open_source   storage, client, batcher                              -> what the command `sync` runs on
    make_gateway  documents, persisted documents, engine, router, queue -> what the command `query` runs on
    open_parts    connections, cached answers, history, endpoints        -> what the server runs on

The parts are imported when they are made, so that no command waits for those of another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, closing, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from setting_groups import (
    admission_limits,
    client_limits,
    connection_limits,
    crawl_wait,
    document_limits,
    fair_use,
    freshness,
    guard_limits,
    is_loopback,
    run_limits,
    schedule,
    trusted_proxies,
)
from settings import EMBEDDED, Settings
from storage_wiring import (
    ROOT,
    hearing,
    make_storage,
    open_server,
    path_of,
    shared_pace,
    shared_server,
    sharing_documents,
)

if TYPE_CHECKING:
    from pathlib import Path

    from httpx import AsyncBaseTransport

    from catalog import CatalogSource
    from catalog.export import FileFolder
    from gateway import FairUse, Gateway
    from web.app import GatewayApp, Parts

EMBEDDED_CATALOG = ROOT / ".cache" / "embedded-catalog.msgpack"
"""The file that caches the catalog of the embedded upstream once it has been generated."""

EMBEDDED_URL = "http://embedded.invalid/api/v4/"
"""The name of the embedded upstream in its own links; ``.invalid`` resolves nowhere (RFC 2606)."""

ALLOWANCE_PATIENCE = 0.5
"""Seconds that a request waits at most for the server that gateways share to count what its client uses."""


def make_app(settings: Settings) -> GatewayApp:
    """Make the ASGI app. Its parts are opened when the server under it starts, and closed when that stops."""
    from web.app import GatewayApp

    return GatewayApp(build(settings), origins=settings.cors_origins.split(","))


@asynccontextmanager
async def build(settings: Settings, transport: AsyncBaseTransport | None = None) -> AsyncIterator[Parts]:
    """Open all parts. ``transport`` carries the requests to upstream in place of the one in the settings.

    :raises StorageUnavailable: the file of the catalog cannot be used, or the catalog of another upstream is stored.
    """
    from telemetry import gateway_version, traced

    async with (
        traced(gateway_version(), settings.traces),
        open_source(settings, transport) as source,
        open_parts(settings, source) as parts,
    ):
        yield parts


@asynccontextmanager
async def open_source(
    settings: Settings, transport: AsyncBaseTransport | None = None
) -> AsyncIterator[CatalogSource]:
    """Open the source, which knows the catalog and the way to upstream.

    :raises StorageUnavailable: the file of the catalog cannot be used, or the catalog of another upstream is stored.
    """
    from catalog import CatalogSource
    from upstream.batching import Batcher
    from upstream.client import Client, without_credentials

    address = EMBEDDED_URL if settings.upstream == EMBEDDED else settings.upstream
    async with open_server(settings) as server, AsyncExitStack() as opened:
        storage = opened.enter_context(closing(make_storage(settings, server)))
        pace = (
            None
            if server is None
            else await opened.enter_async_context(aclosing(shared_pace(settings, server)))
        )
        client = Client(address, transport or _transport(settings), client_limits(settings), pace)
        await opened.enter_async_context(aclosing(client))
        # Without a server, each of several workers gets its share of the budget.
        budget = settings.upstream_budget / (settings.workers if pace is None else 1)
        batcher = Batcher(client, budget, pace=pace)
        await opened.enter_async_context(aclosing(batcher))
        source = CatalogSource(
            client,
            batcher,
            storage,
            origin=without_credentials(settings.upstream),
            embedded=settings.upstream == EMBEDDED,
            follow=settings.crawl == "on",
            schedule=schedule(settings),
            guard=guard_limits(settings),
            freshness=freshness(settings),
            crawl_wait=crawl_wait(settings),
            search_wait=settings.search_wait,
            news=asyncio.sleep if server is None else await opened.enter_async_context(hearing(server)),
        )
        await opened.enter_async_context(aclosing(source))
        await source.open()
        if source.latest is None:
            # The first client is answered live, and is not to wait until the HTTP library has been imported.
            client.get_ready()
        yield source


def make_gateway(settings: Settings, source: CatalogSource, limit: FairUse | None = None) -> Gateway:
    """Make the gateway, which answers GraphQL requests from this source. Its persisted documents still have to be
    opened.

    ``limit`` is that of each client, if there are others than the commands of an operator.
    """
    from engine import ByteBudget, Engine
    from gateway import (
        Admission,
        AnswerCache,
        DocumentCache,
        FederationRouter,
        Gateway,
        OperationLog,
        Subscriptions,
    )
    from gateway.persisted import PersistedDocuments, TrustedDocuments
    from schema import schema
    from telemetry import span

    documents = DocumentCache(document_limits(settings))
    mode = settings.trusted_documents_mode
    trusted = None if mode == "off" else TrustedDocuments(manifest_path(settings), documents)
    automatic = settings.automatic_persisted_queries == "on"
    return Gateway(
        source,
        documents,
        PersistedDocuments(documents, trusted, only_trusted=mode == "only", automatic=automatic),
        answers=AnswerCache(ByteBudget(settings.response_cache_bytes)),
        engine=Engine(schema, settings.limit_answer_bytes, span) if settings.engine == "on" else None,
        limits=document_limits(settings),
        run_limits=run_limits(settings),
        router=FederationRouter(settings.router_secret, settings.limit_entities),
        admission=Admission(admission_limits(settings)),
        subscriptions=Subscriptions(settings.limit_subscriptions, settings.limit_subscriptions_per_address),
        log=OperationLog(settings.slow),
        fair_use=limit,
    )


@asynccontextmanager
async def open_parts(settings: Settings, source: CatalogSource) -> AsyncIterator[Parts]:
    """Open the parts that serve this source, which is open, over HTTP and WebSockets."""
    from assistants import AssistantEndpoint
    from catalog.export import OnDemandExport
    from telemetry import WorkerMetricFiles
    from web.app import Parts
    from web.cache_headers import CachePolicy
    from web.catalog_files import CatalogFileRoutes
    from web.graphql_endpoint import GraphQLEndpoint
    from web.monitoring import Metrics, remembering
    from web.repeated_request_cache import RepeatedRequests
    from web.response_cache import ResponseCache
    from web.serving.connection_and_websocket_limits import Connections

    limit = fair_use(settings, shared_server(settings, ALLOWANCE_PATIENCE))
    gateway = make_gateway(settings, source, limit)
    proxies = trusted_proxies(settings)
    connections = Connections(connection_limits(settings), gateway.subscriptions, proxies, gateway.router)
    responses = ResponseCache(gateway.answers)
    policy = CachePolicy(settings.max_age, source.freshness)
    public = settings.cors_origins == "*"
    metrics = Metrics(gateway, responses, connections, WorkerMetricFiles.of_this_server())
    known = RepeatedRequests(
        source,
        gateway.persisted,
        responses,
        metrics.requests,
        policy,
        connections.clients,
        gateway.fair_use,
    )
    endpoint = GraphQLEndpoint(gateway, responses, known, policy, settings.batch_limit, public=public)
    hosts = settings.mcp_hosts.split(",") if settings.mcp_hosts else []
    assistants = AssistantEndpoint(gateway, hosts) if serves_assistants(settings) else None
    files = None
    if settings.files != "off":
        files = CatalogFileRoutes(source, OnDemandExport(source, file_folder(settings)), settings.max_age)
    with closing(gateway.persisted):
        gateway.persisted.open()
        async with (
            nullcontext() if limit is None else aclosing(limit),
            sharing_documents(settings, gateway.persisted),
            metrics.measuring(),
            remembering(gateway, responses) as history,
        ):
            yield Parts(
                source,
                gateway,
                responses,
                known,
                endpoint,
                connections,
                history,
                metrics,
                assistants,
                files,
            )


def serves_assistants(settings: Settings) -> bool:
    """Return whether ``/mcp`` is served. Unless that is set, it is served if only programs of this machine reach it."""
    return settings.mcp == "on" or (settings.mcp == "auto" and is_loopback(settings))


def file_folder(settings: Settings) -> FileFolder:
    """Give the folder of the catalog's files, which is made with its first file."""
    from catalog.export import FileFolder

    return FileFolder(path_of(settings.files, settings), settings.files_bytes)


def manifest_path(settings: Settings) -> Path:
    """Give the file of the trusted documents."""
    return ROOT / settings.trusted_documents


def _transport(settings: Settings) -> AsyncBaseTransport | Callable[[], AsyncBaseTransport]:
    def make() -> AsyncBaseTransport:
        from upstream.client import in_process, network

        if settings.upstream != EMBEDDED:
            return network()
        from upstream.embedded import EmbeddedUpstream, cached_catalog, generated_catalog

        catalog = cached_catalog(EMBEDDED_CATALOG, generated_catalog)
        return in_process(EmbeddedUpstream(catalog=catalog, today=lambda: datetime.now(UTC).date()))

    # A gateway that does not crawl may never ask upstream. One that does makes it before the first client comes.
    return make() if settings.crawl == "on" else make
