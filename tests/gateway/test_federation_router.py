"""Tests a router in front of the gateway: its secret, and the traces that it begins."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.support.gateway_in_process import app_over
from tests.support.generated_upstreams import generated_upstream
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault
from web.app import GatewayApp

SECRET = "a-secret-of-the-router"
ENTITIES = '{ _entities(representations: [{ __typename: "Package", databaseId: 1599 }]) { __typename } }'
FOUND = {"data": {"_entities": [{"__typename": "Package"}]}}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream with a few packages, because their number changes nothing here."""
    return generated_upstream(20)


@asynccontextmanager
async def client_of(app: GatewayApp) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as client,
    ):
        yield client


async def asked(http: httpx.AsyncClient, query: str, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return (await http.post("/graphql", json={"query": query}, headers=named)).json()


@pytest.fixture
async def guarded(embedded: EmbeddedUpstream, use_engine: bool) -> AsyncIterator[httpx.AsyncClient]:
    engine = "on" if use_engine else "off"
    async with client_of(app_over(embedded, engine=engine, router_secret=SECRET)) as client:
        yield client


@pytest.mark.parametrize("shown", [None, "", "a-secret-of-the-route", f"{SECRET}s", "sécret", SECRET.upper()])
async def test_entities_are_refused_without_the_secret(guarded: httpx.AsyncClient, shown: str | None) -> None:
    headers = [] if shown is None else [(b"Router-Authorization", shown.encode())]
    body = (await guarded.post("/graphql", json={"query": ENTITIES}, headers=headers)).json()
    assert body["data"] is None
    (error,) = body["errors"]
    assert (
        error["message"]
        == "_entities is for the router only, and this request does not have the router's secret."
    )
    assert (error["path"], error["extensions"]) == (["_entities"], {"code": "FORBIDDEN"})


async def test_a_router_that_shows_the_secret_gets_entities_and_nobody_gets_them_after_it(
    embedded: EmbeddedUpstream, use_engine: bool
) -> None:
    """Answers are kept, but not these."""
    app = app_over(embedded, engine="on" if use_engine else "off", router_secret=SECRET)
    async with client_of(app) as http:
        await app.parts.source.crawl()
        for method in (http.post, http.get):
            request: dict[str, Any] = {"json" if method == http.post else "params": {"query": ENTITIES}}
            for _ in range(2):
                response = await method("/graphql", headers={"Router-Authorization": SECRET}, **request)
                assert response.json() == FOUND
                assert response.headers["Cache-Control"] == "no-store"
            assert (await method("/graphql", **request)).json()["errors"][0]["extensions"] == {
                "code": "FORBIDDEN"
            }


async def test_the_secret_guards_nothing_else(guarded: httpx.AsyncClient) -> None:
    for query in ("{ _service { sdl } }", '{ package(slug: "django-celery-email") { title } }'):
        assert "errors" not in await asked(guarded, query)


async def test_without_a_secret_entities_are_for_everyone_and_kept(
    embedded: EmbeddedUpstream, use_engine: bool
) -> None:
    app = app_over(embedded, engine="on" if use_engine else "off")
    async with client_of(app) as http:
        await app.parts.source.crawl()
        for trace in (TRACE, TRACE.replace("b7ad", "aaaa"), TRACE.replace("b7ad", "bbbb")):
            assert await asked(http, ENTITIES, traceparent=trace) == FOUND
        # Another trace is no other request.
        assert app.parts.responses.found == 2


async def test_a_router_that_shows_the_secret_gets_traces_of_fields(
    guarded: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(StatusFault(500), path="/api/v4/categories/"))
    query = '{ package(slug: "django-celery-email") { title category { title } } }'
    headers = {
        "Router_Authorization": SECRET,
        "apollo_federation_include_trace": "ftv1",
        "X_Gateway_Receipt": "1",
    }
    body = await asked(guarded, query, **headers)
    trace = b64decode(body["extensions"]["ftv1"])
    # A message of protobuf with the names of the fields that have resolvers.
    assert b"package" in trace
    assert b"category" in trace
    assert body["extensions"]["engine"]["used"] is False
    assert body["errors"][0]["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"
    for missing in ("Router_Authorization", "apollo_federation_include_trace"):
        others = {name: value for name, value in headers.items() if name != missing}
        assert "ftv1" not in (await asked(guarded, query, **others))["extensions"]


async def test_without_a_secret_nobody_gets_traces_of_fields(http: httpx.AsyncClient) -> None:
    body = await asked(http, "{ categories { title } }", apollo_federation_include_trace="ftv1")
    assert "extensions" not in body


@pytest.fixture
async def traced(embedded: EmbeddedUpstream) -> AsyncIterator[tuple[httpx.AsyncClient, list[dict[str, str]]]]:
    """Return a gateway, and the headers of all its requests to upstream."""
    sent: list[dict[str, str]] = []

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        sent.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await embedded(scope, receive, send)

    async with client_of(app_over(noting)) as http:
        yield http, sent


async def test_a_trace_is_continued_upstream_and_nothing_else_of_the_request(
    traced: tuple[httpx.AsyncClient, list[dict[str, str]]],
) -> None:
    http, sent = traced
    others = {"tracestate": "vendor=1", "baggage": "user=1", "Cookie": "a=b", "Authorization": "Bearer x"}
    body = await asked(
        http, '{ package(slug: "django-celery-email") { category { title } } }', traceparent=TRACE, **others
    )
    assert "errors" not in body
    assert len(sent) == 2
    for headers in sent:
        assert headers.pop("traceparent") == TRACE
        assert set(headers) == {"host", "accept", "accept-encoding", "user-agent"}


@pytest.mark.parametrize(
    "trace",
    [
        None,
        "x",
        TRACE.upper(),
        f"{TRACE}-00",
        f"{TRACE}\n",
        TRACE.replace("00-", "ff-"),
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    ],
)
async def test_what_is_no_trace_goes_nowhere(
    traced: tuple[httpx.AsyncClient, list[dict[str, str]]], trace: str | None
) -> None:
    http, sent = traced
    headers = {} if trace is None else {"traceparent": trace}
    await http.post("/graphql", json={"query": "{ categories { title } }"}, headers=headers)
    assert ["traceparent" in each for each in sent] == [False]


async def test_a_trace_ends_with_its_request(traced: tuple[httpx.AsyncClient, list[dict[str, str]]]) -> None:
    http, sent = traced
    await asked(http, "{ categories { title } }", traceparent=TRACE)
    await asked(http, '{ package(slug: "django-celery-email") { title } }')
    assert ["traceparent" in each for each in sent] == [True, False]
