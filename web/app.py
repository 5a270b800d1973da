"""Defines the ASGI app: its routes over the parts, which it opens when it starts and closes when it stops."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from catalog import CatalogSource
from gateway import Caller, Gateway, caller
from web.catalog_files import EXPOSED as EXPOSED_OF_FILES
from web.catalog_files import CatalogFileRoutes
from web.content_negotiation import accept_of
from web.graphql_endpoint import EXPOSED, METHODS, GraphQLEndpoint
from web.http_responses import refusal
from web.mcp_route import AssistantRequests
from web.monitoring.health import Readiness, healthz
from web.monitoring.metrics import Metrics
from web.monitoring.traffic_history import History
from web.pages.documentation import Documentation
from web.pages.explore_app import Explore
from web.pages.graphiql import graphiql_routes
from web.pages.home import Home, favicon
from web.pages.llms_text import LlmsText
from web.pages.page_assets import page_asset
from web.pages.page_frame import Site
from web.persisted_document_paths import as_parameters, persisted_routes
from web.repeated_request_cache import RepeatedRequests
from web.request_counts import CountedSend, first_segment
from web.request_spans import describe_request, request_span
from web.response_cache import ResponseCache
from web.schema_endpoint import schema_text
from web.security_headers import SecurityHeaders
from web.serving.connection_and_websocket_limits import Connections
from web.slash_redirects import SlashRedirects
from web.websocket_endpoint import WebSocketEndpoint

ENDPOINT = ("/graphql", "/graphql/")
"""The paths of the endpoint. People and programs put a slash after addresses."""

MAX_HEADERS, MAX_HEADER_BYTES = 100, 32_000
"""The most headers of one request, as Apache and nginx have it; a browser sends 20 in a few kilobytes."""

MAX_ACCEPT_BYTES = 1_000
"""The most bytes that are read of the header Accept, if a request is refused for its headers."""

_TOO_MUCH_AHEAD = (
    f"The request has too many headers; it can have {MAX_HEADERS}, of {MAX_HEADER_BYTES:,} bytes together."
)

_log = logging.getLogger(__name__)

_NO_HOST = "The request has no Host header, or several; a request of HTTP/1.1 has exactly one."


@dataclass(frozen=True, slots=True)
class Parts:
    """Holds what the app serves with, which ``wiring.py`` makes and opens."""

    source: CatalogSource
    gateway: Gateway
    responses: ResponseCache
    repeated_requests: RepeatedRequests
    endpoint: GraphQLEndpoint
    connections: Connections
    history: History
    metrics: Metrics
    assistants: ASGIApp | None
    """The app that answers at ``/mcp``; ``None`` if nothing does."""
    files: CatalogFileRoutes | None
    """The routes under ``/catalog``; ``None`` if there are none."""


class GatewayApp(Starlette):
    """Serves the routes, and the endpoint without what Starlette does for each request.

    It has ``parts`` while its lifespan lasts.
    """

    parts: Parts
    guarded: ASGIApp
    """Answers the questions of browsers before an operation, and everything if not every origin may read the
    answers."""

    def __init__(self, opening: AbstractAsyncContextManager[Parts], origins: Sequence[str]) -> None:
        """``opening`` gives the parts when it is entered, once; pages of these ``origins`` may read the answers."""
        self.origins = origins
        self.public = "*" in origins
        self._opening = opening
        self._cors: dict[str, Any] = {
            "allow_origins": origins,
            "allow_headers": ["*"],
            "expose_headers": EXPOSED,
            "max_age": 86_400,
        }
        super().__init__(
            middleware=[
                Middleware(SecurityHeaders),
                Middleware(
                    CORSMiddleware,
                    allow_methods=["GET", "HEAD"],
                    **self._cors | {"expose_headers": sorted({*EXPOSED, *EXPOSED_OF_FILES})},
                ),
            ],
            exception_handlers={HTTPException: _http_error},
            lifespan=GatewayApp._lifespan,
        )
        self.router.redirect_slashes = False
        self.router.default = SlashRedirects(self.router)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._answer(scope, receive, send)
            return
        counted = CountedSend(send)
        with request_span(scope) as traced:
            try:
                await self._answer(scope, receive, counted)
            except Exception:
                counted.fail()
                raise
            finally:
                labels = counted.count(self.parts.metrics.requests, scope["method"], scope["path"])
                if traced.is_recorded:
                    describe_request(traced, scope, labels)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _can_be_read(scope["headers"]):
            await self._refused(scope, 431, _TOO_MUCH_AHEAD)(scope, receive, send)
            return
        if scope["type"] != "lifespan":
            peer, connection = scope.get("client") or (None, None)
            clients = self.parts.connections.clients
            caller.set(Caller(clients.of_request(peer, clients.telling(scope["headers"])), connection))
            if not _names_one_host(scope):
                await self._refused(scope, 400, _NO_HOST)(scope, receive, send)
                return
        if scope["type"] == "http" and scope["path"] in ENDPOINT:
            is_guarded = scope["method"] == "OPTIONS" or not self.public
            await (self.guarded if is_guarded else self.parts.endpoint)(scope, receive, send)
        elif scope["type"] == "http" and self.public and (asked := as_parameters(scope)):
            await self.parts.endpoint(asked, receive, send)
        else:
            await super().__call__(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[dict[str, object]]:
        async with self._opening as self.parts:
            guarded = CORSMiddleware(self.parts.endpoint, allow_methods=METHODS, **self._cors)
            self.guarded = SecurityHeaders(guarded)
            routes = self._routes(self.parts)
            self.router.routes[:] = routes
            paths = (each.path for each in routes if isinstance(each, Route | WebSocketRoute | Mount))
            self.parts.metrics.requests.handlers = frozenset(map(first_segment, paths))
            _log.info("A worker has started.")
            # The protocols of the gateway's own server read this.
            yield {"connections": self.parts.connections, "repeated_requests": self.parts.repeated_requests}
        _log.info("A worker has stopped.")

    def _refused(self, scope: Scope, status: int, sentence: str) -> ASGIApp:
        """Return the answer to a request that goes no further, which pages of other origins may read too."""
        # A header of any length may have come, and the parsed header is cached.
        accept = (accept_of(scope["headers"]) or "")[:MAX_ACCEPT_BYTES]
        return CORSMiddleware(refusal(status, sentence, accept), **self._cors)

    def _routes(self, parts: Parts) -> list[BaseRoute]:
        persisted = parts.gateway.persisted
        site = Site(parts.source.embedded, persisted.only_trusted, has_files=parts.files is not None)
        socket = WebSocketEndpoint(parts.gateway, parts.connections, self.origins)
        return [
            Route("/", Home(parts.source, parts.history, site).home),
            Route("/favicon.ico", favicon),
            Route("/docs/{path:path}", Documentation(site).document),
            *(WebSocketRoute(path, socket) for path in ENDPOINT),
            *persisted_routes(parts.endpoint),
            Route("/schema.graphql", schema_text),
            Route("/llms.txt", LlmsText(site, has_tools=parts.assistants is not None).text),
            Route("/healthz", healthz),
            Route("/readyz", Readiness(parts.source).readyz),
            Route("/metrics", parts.metrics.metrics),
            *graphiql_routes(),
            Route("/pages/{path:path}", page_asset),
            Mount("/explore", Explore(site)),
            *(
                [Route("/mcp", AssistantRequests(parts.assistants, parts.gateway.fair_use))]
                if parts.assistants
                else []
            ),
            *(parts.files.routes(site) if parts.files else []),
        ]


def _can_be_read(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Return whether headers are few and short enough. Uvicorn accepts any, and some are joined and cached."""
    return len(headers) <= MAX_HEADERS and sum(map(len, chain.from_iterable(headers))) <= MAX_HEADER_BYTES


def _names_one_host(scope: Scope) -> bool:
    """Return whether a request names its host exactly once (RFC 9112, section 3.2). Otherwise servers in a chain may
    disagree."""
    hosts = [name for name, _value in scope["headers"]].count(b"host")
    return hosts == 1 or (not hosts and scope["http_version"] != "1.1")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    messages = {
        404: f"There is nothing at {request.url.path}; the GraphQL endpoint is /graphql.",
        405: f"{request.method} is not allowed here; use {_alternatives(error.headers)}.",
    }
    headers = dict(error.headers) if error.headers else None
    message = messages.get(error.status_code, error.detail)
    return refusal(error.status_code, message, accept_of(request.headers.raw), headers)


def _alternatives(headers: Mapping[str, str] | None) -> str:
    return " or ".join(sorted((headers or {}).get("Allow", "").split(", ")))
