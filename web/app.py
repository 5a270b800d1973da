"""The ASGI app: its routes, and what it opens and closes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from catalog.catalog_source import CatalogSource
from engine import DEFAULT_RUN_LIMITS, RunLimits
from gateway.admission_queue import Admission, AdmissionLimits, connection
from gateway.document_cache import DocumentCache
from gateway.federation_router import FederationRouter
from gateway.limits import DEFAULT_DOCUMENT_LIMITS, DocumentLimits
from gateway.persisted.document_lookup import PersistedDocuments
from gateway.request_execution import Gateway
from web.cache_headers import CachePolicy
from web.graphql_endpoint import EXPOSED, GraphQLEndpoint, refusal
from web.operations.health import healthz, readyz
from web.operations.traffic_history import remembering
from web.pages.documents import doc
from web.pages.explore_app import Explore
from web.pages.graphiql import graphiql_routes
from web.pages.home import favicon, home
from web.response_cache import ResponseCache
from web.schema_endpoint import schema_text
from web.serving.open_connections import ConnectionLimits, Connections
from web.websocket_endpoint import WebSocketEndpoint

MOST_HEADERS, MOST_HEADER_BYTES = 100, 32_000
"""Of one request, as Apache and nginx have it; a browser sends 20 in a few kilobytes."""

_TOO_MUCH_AHEAD = (
    f"The request has too many headers; it can have {MOST_HEADERS}, of {MOST_HEADER_BYTES:,} bytes together."
)

_NO_HOST = "The request has no Host header, or several; a request of HTTP/1.1 has exactly one."


@dataclass(frozen=True, slots=True)
class Options:
    """How the app answers."""

    use_engine: bool = True
    response_bytes: int = 64_000_000
    """How much memory kept answers may take."""
    max_age: int = 60
    """Seconds for which caches may answer without asking."""
    most_together: int = 0
    """How many requests a client may send in one array; 0 is none."""
    origins: tuple[str, ...] = ("*",)
    """The origins whose pages may read the answers (CORS)."""
    limits: DocumentLimits = DEFAULT_DOCUMENT_LIMITS
    run_limits: RunLimits = DEFAULT_RUN_LIMITS
    router: FederationRouter = field(default_factory=FederationRouter)
    admission: AdmissionLimits = field(default_factory=AdmissionLimits)
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)


class GatewayApp(Starlette):
    """The routes, and the endpoint, which does without what Starlette does for each request."""

    endpoint: ASGIApp
    """For an operation."""
    guarded: ASGIApp
    """For the questions of browsers before one, and for all where not every origin may read the answers."""
    public: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what came."""
        if scope["type"] != "lifespan":
            # Uvicorn puts a client behind a trusted proxy in the place of the proxy.
            connection.set(scope.get("client"))
        if scope["type"] == "http" and not _can_be_read(scope["headers"]):
            await refusal(431, _TOO_MUCH_AHEAD)(scope, receive, send)
        elif scope["type"] != "lifespan" and not _names_one_host(scope):
            await refusal(400, _NO_HOST)(scope, receive, send)
        elif scope["type"] != "http" or scope["path"] != "/graphql":
            await super().__call__(scope, receive, send)
        elif self.public and scope["method"] != "OPTIONS":
            await self.endpoint(scope, receive, send)
        else:
            await self.guarded(scope, receive, send)


def create_app(
    open_source: Callable[[], CatalogSource],
    options: Options = Options(),
    *,
    persisted: Callable[[DocumentCache], PersistedDocuments] = PersistedDocuments,
) -> GatewayApp:
    """The gateway over what ``open_source`` makes, once, when the app starts.

    :param persisted: makes, over the gateway's own, the documents that requests can name by an id.
    """
    cors: dict[str, Any] = {
        "allow_origins": options.origins,
        "allow_methods": ["GET", "HEAD", "POST"],
        "allow_headers": ["*"],
        "expose_headers": EXPOSED,
        "max_age": 86_400,
    }

    @asynccontextmanager
    async def lifespan(app: GatewayApp) -> AsyncIterator[dict[str, object]]:
        connections = app.state.connections = Connections(options.connections)
        source = open_source()
        await source.open()
        gateway = app.state.gateway = Gateway(
            source,
            use_engine=options.use_engine,
            limits=options.limits,
            run_limits=options.run_limits,
            persisted=persisted,
            router=options.router,
            admission=Admission(options.admission),
            subscriptions=connections.subscriptions,
        )
        gateway.persisted.open()
        policy = CachePolicy(options.max_age, source.freshness)
        app.state.responses = ResponseCache(options.response_bytes)
        app.public = "*" in options.origins
        app.endpoint = GraphQLEndpoint(
            gateway, app.state.responses, policy, options.most_together, public=app.public
        )
        app.guarded = CORSMiddleware(app.endpoint, **cors)
        try:
            async with remembering(gateway, app.state.responses) as app.state.history:
                # For the protocols of the server, where they are ours.
                yield {"connections": connections}
        finally:
            gateway.persisted.close()
            await source.aclose()

    routes = [
        Route("/", home),
        Route("/favicon.ico", favicon),
        Route("/docs/{name}", doc),
        WebSocketRoute("/graphql", WebSocketEndpoint(options.origins)),
        Route("/schema.graphql", schema_text),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", _metrics),
        *graphiql_routes(),
        Mount("/explore", Explore()),
    ]
    return GatewayApp(
        routes=routes,
        middleware=[Middleware(CORSMiddleware, **cors)],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )


def _can_be_read(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether headers are few and short enough. Uvicorn takes any; some are joined, and kept to be known again."""
    return len(headers) <= MOST_HEADERS and sum(map(len, chain.from_iterable(headers))) <= MOST_HEADER_BYTES


def _names_one_host(scope: Scope) -> bool:
    """Whether a request says which host it asks, once (RFC 9112, section 3.2): else servers in a row disagree."""
    hosts = sum(name == b"host" for name, _value in scope["headers"])
    return hosts == 1 or (not hosts and scope["http_version"] != "1.1")


async def _metrics(request: Request) -> Response:
    # Not at the start, which it would slow down by the import of what writes them.
    from web.operations.metrics import metrics

    return await metrics(request)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    messages = {
        404: f"There is nothing at {request.url.path}; the GraphQL endpoint is /graphql.",
        405: f"{request.method} is not answered here; use {_alternatives(error.headers)}.",
    }
    headers = dict(error.headers) if error.headers else None
    message = messages.get(error.status_code, error.detail)
    return refusal(error.status_code, message, headers)


def _alternatives(headers: Mapping[str, str] | None) -> str:
    return " or ".join(sorted((headers or {}).get("Allow", "").split(", ")))
