"""The ASGI app: its routes, and what it opens and closes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from upstream.client import Client
from web.endpoint import GraphQLEndpoint, refusal
from web.execution import Gateway


def create_app(open_client: Callable[[], Client]) -> Starlette:
    """The gateway over the upstream that ``open_client`` opens, once, when the app starts."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.gateway = gateway = Gateway(open_client())
        try:
            yield
        finally:
            await gateway.aclose()

    return Starlette(
        routes=[Route("/graphql", GraphQLEndpoint), Route("/healthz", _healthz)],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )


async def _healthz(_request: Request) -> Response:
    """Alive: the process answers. It does not ask upstream."""
    return JSONResponse({"status": "ok"})


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    messages = {
        404: f"There is nothing at {request.url.path}; the GraphQL endpoint is /graphql.",
        405: f"{request.method} is not answered here; use GET or POST.",
    }
    headers = dict(error.headers) if error.headers else None
    return refusal(error.status_code, messages.get(error.status_code, error.detail), headers)
