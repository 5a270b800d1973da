"""The ASGI app: its routes, and what it opens and closes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from upstream.source import Source
from web.endpoint import GraphQLEndpoint, refusal
from web.execution import Gateway
from web.health import healthz, readyz
from web.sockets import Sockets


def create_app(open_source: Callable[[], Source], *, use_engine: bool = True) -> Starlette:
    """The gateway over what ``open_source`` makes, once, when the app starts."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        source = open_source()
        await source.open()
        app.state.gateway = Gateway(source, use_engine=use_engine)
        try:
            yield
        finally:
            await source.aclose()

    routes = [
        Route("/graphql", GraphQLEndpoint),
        WebSocketRoute("/graphql", Sockets()),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", _metrics),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _http_error}, lifespan=lifespan)


async def _metrics(request: Request) -> Response:
    # Not at the start, which it would slow down by the import of what writes them.
    from web.metrics import metrics

    return await metrics(request)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    messages = {
        404: f"There is nothing at {request.url.path}; the GraphQL endpoint is /graphql.",
        405: f"{request.method} is not answered here; use GET or POST.",
    }
    headers = dict(error.headers) if error.headers else None
    return refusal(error.status_code, messages.get(error.status_code, error.detail), headers)
