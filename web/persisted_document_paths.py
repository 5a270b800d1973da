"""Serves persisted documents by path: ``GET /graphql/persisted/<id>[/<operationName>]?variables=...``.

The paths have the form of the working group's draft (graphql/graphql-over-http, pull request 305). A cache or CDN that
looks at paths alone can tell documents apart, and be told how long to keep each.
"""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

PERSISTED = "/graphql/persisted/"
"""Where the paths begin."""


def as_parameters(scope: Scope) -> Scope | None:
    """Return a GET or HEAD of a path with the parameters that it stands for; None for another request."""
    id, _, operation_name = scope["path"].removeprefix(PERSISTED).partition("/")
    is_one = scope["path"].startswith(PERSISTED) and id and "/" not in operation_name
    if not is_one or scope["method"] not in ("GET", "HEAD"):
        return None
    named = {"documentId": id} | ({"operationName": operation_name} if operation_name else {})
    parts = [urlencode(named).encode(), scope["query_string"]]
    return {**scope, "query_string": b"&".join(filter(None, parts))}


def persisted_routes(endpoint: ASGIApp) -> list[BaseRoute]:
    """Return the paths as routes to the endpoint, which refuse other methods."""
    paths = ("{id}", "{id}/", "{id}/{operation_name}")
    return [Route(PERSISTED + path, _ByPath(endpoint), methods=["GET"]) for path in paths]


class _ByPath:
    def __init__(self, endpoint: ASGIApp) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._endpoint(as_parameters(scope) or scope, receive, send)
