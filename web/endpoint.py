"""The GraphQL endpoint: POST and GET of operations, and the page for a browser."""

from __future__ import annotations

import msgspec
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, Response

from web.execution import Answer, Gateway
from web.graphiql import graphiql_page
from web.requests import BadRequest, read_get, read_post

GRAPHQL_JSON = "application/graphql-response+json"
"""Its status tells whether the operation ran; with plain JSON the status is 200 (GraphQL over HTTP, 6.4)."""


class GraphQLEndpoint(HTTPEndpoint):
    """Serves the :class:`~web.execution.Gateway` that it finds in ``app.state.gateway``."""

    async def post(self, http: HttpRequest) -> Response:
        """Run an operation."""
        try:
            request = await read_post(http)
        except BadRequest as error:
            return refusal(error.status, str(error))
        gateway: Gateway = http.app.state.gateway
        return _response(http, await gateway.execute(request))

    async def get(self, http: HttpRequest) -> Response:
        """Run an operation, or show GraphiQL to a browser that brings none."""
        if "query" not in http.query_params and "text/html" in http.headers.get("Accept", ""):
            return HTMLResponse(graphiql_page())
        try:
            request = read_get(http)
        except BadRequest as error:
            return refusal(error.status, str(error))
        gateway: Gateway = http.app.state.gateway
        return _response(http, await gateway.execute(request))


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """The answer to an HTTP request that is no GraphQL request: a GraphQL error, so that clients show it."""
    body = {"errors": [{"message": message, "extensions": {"code": "BAD_REQUEST"}}]}
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def _response(http: HttpRequest, answer: Answer) -> Response:
    if GRAPHQL_JSON in http.headers.get("Accept", ""):
        media_type, status = GRAPHQL_JSON, 200 if answer.ran else 400
    else:
        media_type, status = "application/json", 200
    content_type = {"Content-Type": f"{media_type}; charset=utf-8"}
    return Response(msgspec.json.encode(answer.body), status, content_type)
