"""Every answer tells browsers not to guess its type, and every page what it may load and that nobody may frame it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.routing import Mount, Route

from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from tests.support.crawled_gateway import app, http
from tests.support.gateway_in_process import app_over, client_of
from tests.support.generated_upstreams import generated_upstream
from tests.web.conftest import PACKAGES, in_the_loop_of_the_file
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp

__all__ = ["app", "http"]

PLACES = {
    "/docs/{path:path}": ["/docs/", "/docs/http.md", "/docs/nobody.md"],
    "/graphql/persisted/{id}": ["/graphql/persisted/unknown"],
    "/graphql/persisted/{id}/": ["/graphql/persisted/unknown/"],
    "/graphql/persisted/{id}/{operation_name}": ["/graphql/persisted/unknown/Name"],
    "/pages/{path:path}": ["/pages/styles/tokens.css", "/pages/nobody.css"],
    "/explore": ["/explore", "/explore/", "/explore/packages"],
    "/graphiql/source": ["/graphiql/source/cdn.js"],
    "/graphiql": ["/graphiql", "/graphiql/page.js"],
}
"""Addresses of the routes whose paths have parameters, or lead to folders."""
DEFERRED = "{ categories { slug ... @defer { title } } }"
REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "an answer": ("POST", "/graphql", {"json": {"query": "{ __typename }"}}),
    "an answer of the catalog": ("GET", "/graphql?query={stats{packageCount}}", {}),
    "an answer by QUERY": ("QUERY", "/graphql", {"json": {"query": "{ __typename }"}}),
    "an array": ("POST", "/graphql", {"json": [{"query": "{ __typename }"}]}),
    "an answer in parts": (
        "POST",
        "/graphql",
        {"json": {"query": DEFERRED}, "headers": {"Accept": "multipart/mixed"}},
    ),
    "events": (
        "POST",
        "/graphql",
        {"json": {"query": "{ __typename }"}, "headers": {"Accept": "text/event-stream"}},
    ),
    "GraphiQL": ("GET", "/graphql", {"headers": {"Accept": "text/html"}}),
    "a shared query": ("GET", "/graphql?query={__typename}", {"headers": {"Accept": "text/html"}}),
    "a preflight": (
        "OPTIONS",
        "/graphql",
        {"headers": {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}},
    ),
    "no GraphQL": ("POST", "/graphql", {"json": {"query": "{"}}),
    "no JSON": ("POST", "/graphql", {"content": "{", "headers": {"Content-Type": "application/json"}}),
    "another type": ("POST", "/graphql", {"content": "{}", "headers": {"Content-Type": "text/plain"}}),
    "an Accept of nothing": ("GET", "/graphql?query={a}", {"headers": {"Accept": "image/png"}}),
    "a method that is not allowed": ("DELETE", "/graphql", {}),
    "a page by another method": ("POST", "/", {}),
    "nothing": ("GET", "/nobody", {"headers": {"Accept": "text/html"}}),
    "an unknown dialect": ("GET", "/schema.graphql?dialect=nobody", {}),
    "too many headers": ("GET", "/", {"headers": {f"X-{number}": "a" for number in range(200)}}),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole_app(_crawled: Catalog) -> AsyncIterator[GatewayApp]:
    """Return a gateway with all routes, which tests share: none of them changes what is served."""
    app = app_over(generated_upstream(PACKAGES), mcp="on", batch_limit=2, response_cache_bytes=0)
    async with app.router.lifespan_context(app):
        app.parts.source.publisher.snapshot = Snapshot(_crawled, datetime.now(UTC))
        yield app


def client(app: GatewayApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test")


def check(response: httpx.Response) -> None:
    """Check the headers of any answer."""
    headers = response.headers
    assert headers.get_list("X-Content-Type-Options") == ["nosniff"], response.request.url
    assert headers.get_list("Referrer-Policy") == ["no-referrer"], response.request.url
    if headers.get("Content-Type", "").startswith("text/html"):
        (policy,) = headers.get_list("Content-Security-Policy")
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules["frame-ancestors"] == "'none'"
        assert rules["base-uri"] == "'none'"
        assert rules["default-src"] in ("'none'", "'self'")
        assert "unsafe" not in rules.get("script-src", "")


@in_the_loop_of_the_file
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
async def test_every_route_has_them(whole_app: GatewayApp, accept: str) -> None:
    paths = [route.path for route in whole_app.router.routes if isinstance(route, (Route, Mount))]
    unknown = re.compile(r"\{[^}]*\}")
    addresses = [address for path in paths for address in PLACES.get(path, [unknown.sub("0", path)])]
    assert len(addresses) > len(paths) > 12
    for address in addresses:
        check(await client(whole_app).get(address, headers={"Accept": accept}))


@in_the_loop_of_the_file
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_every_kind_of_answer_has_them(
    whole_app: GatewayApp, request_: tuple[str, str, dict[str, Any]]
) -> None:
    method, address, more = request_
    check(await client(whole_app).request(method, address, **more))


async def test_an_answer_that_is_known_already_and_one_that_has_not_changed_have_them(
    http: httpx.AsyncClient,
) -> None:
    address = "/graphql?query={stats{packageCount}}"
    for _ in range(3):
        answer = await http.get(address)
        check(answer)
    unchanged = await http.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert unchanged.status_code == 304
    check(unchanged)


async def test_they_are_there_where_not_every_origin_may_read_the_answers(embedded: EmbeddedUpstream) -> None:
    async with client_of(app_over(embedded, cors_origins="https://a.example")) as http:
        check(await http.get("/graphql?query={__typename}"))
        check(await http.get("/"))
