"""The GraphQL endpoint: POST and GET of operations, and the page for a browser."""

from __future__ import annotations

import asyncio

import msgspec
from starlette.endpoints import HTTPEndpoint
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, Response

from web.events import event_stream, wants_events
from web.execution import Answer, Gateway, Request
from web.graphiql import graphiql_page
from web.requests import BadRequest, read_get, read_post

GRAPHQL_JSON = "application/graphql-response+json"
"""Its status tells whether the operation ran; with plain JSON the status is 200 (GraphQL over HTTP, 6.4)."""

CLIENT_LEFT = 499
"""The status for a client that left before its answer: nobody reads it but the servers in between."""


class GraphQLEndpoint(HTTPEndpoint):
    """Serves the :class:`~web.execution.Gateway` that it finds in ``app.state.gateway``."""

    async def post(self, http: HttpRequest) -> Response:
        """Run an operation."""
        try:
            request = await read_post(http)
        except BadRequest as error:
            return refusal(error.status, str(error))
        except ClientDisconnect:
            return Response(status_code=CLIENT_LEFT)
        return await self._answer(http, request)

    async def get(self, http: HttpRequest) -> Response:
        """Run an operation, or show GraphiQL to a browser that brings none."""
        if "query" not in http.query_params and "text/html" in http.headers.get("Accept", ""):
            return HTMLResponse(graphiql_page())
        try:
            request = read_get(http)
        except BadRequest as error:
            return refusal(error.status, str(error))
        return await self._answer(http, request)

    async def _answer(self, http: HttpRequest, request: Request) -> Response:
        """Run it as long as the client is there to read the answer."""
        gateway: Gateway = http.app.state.gateway
        if wants_events(http, request):
            return event_stream(gateway, request)
        running = asyncio.create_task(gateway.execute(request))
        leaving = asyncio.create_task(self._client_leaves())
        try:
            await asyncio.wait([running, leaving], return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                return Response(status_code=CLIENT_LEFT)
            return _response(http, running.result())
        finally:
            leaving.cancel()
            running.cancel()
            await asyncio.gather(running, leaving, return_exceptions=True)

    async def _client_leaves(self) -> None:
        # A GET's body, if there is one, passes by here.
        while (await self.receive())["type"] != "http.disconnect":
            pass


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
    return Response(answer.body, status, content_type)
