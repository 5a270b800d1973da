"""Tests the header ``Vary``: it names every header of a request that can change the answer to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest

from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from tests.support.crawled_gateway import QUERY
from tests.support.gateway_in_process import app_over, crawled_catalog
from tests.support.generated_upstreams import generated_upstream
from upstream.embedded import EmbeddedUpstream
from web.request_headers import READ_HEADERS

PACKAGES = 20
SECRET = "a secret of the router"
OURS = "https://ours.example"
ENTITIES = '{ _entities(representations: [{__typename: "Grid", slug: "email"}]) { __typename } }'
CHANGES = {
    "Accept": ["application/graphql-response+json", "text/event-stream"],
    "Accept-Encoding": ["gzip"],
    "X-Gateway-Receipt": ["1"],
    "X-Gateway-Explain": ["1"],
    "Router-Authorization": [SECRET],
    "Apollo-Federation-Include-Trace": ["ftv1"],
    "Traceparent": ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
    "Origin": [OURS],
}
"""Values by the names of the headers of a GET that the endpoint, or what is around it, reads."""


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    return generated_upstream(PACKAGES)


@pytest.fixture(scope="module")
def known() -> Catalog:
    return crawled_catalog(PACKAGES)


@asynccontextmanager
async def gateway(
    embedded: EmbeddedUpstream, known: Catalog, *origins: str, secret: str = SECRET
) -> AsyncIterator[httpx.AsyncClient]:
    app = app_over(embedded, cors_origins=",".join(origins) or "*", router_secret=secret)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport, base_url="http://gateway.test", headers={"Accept-Encoding": "identity"}
        ) as client,
    ):
        app.parts.source.publisher.snapshot = Snapshot(known, datetime.now(UTC))
        yield client


def told(response: httpx.Response) -> tuple[object, ...]:
    """Return what a client sees of an answer, without what changes by the second."""
    seen = ("content-type", "content-encoding", "cache-control", "access-control-allow-origin")
    length = len(response.content) // 100  # a trace has times in it, of about as many digits
    return response.status_code, length, *(response.headers.get(name) for name in seen)


def names(response: httpx.Response) -> set[str]:
    return {name.strip().lower() for name in response.headers["Vary"].split(",")}


@pytest.mark.parametrize("origins", [(), (OURS,)])
@pytest.mark.parametrize(
    "query", [QUERY, ENTITIES, "{ packages(first: 50) { nodes { title slug } } }", "{ nothing }"]
)
async def test_a_header_that_changes_an_answer_is_in_vary(
    embedded: EmbeddedUpstream, known: Catalog, origins: tuple[str, ...], query: str
) -> None:
    async with gateway(embedded, known, *origins) as http:
        plain = await http.get("/graphql", params={"query": query})
        # The trace is for the router alone, so both headers are looked at together too.
        both = {"Router-Authorization": SECRET, "Apollo-Federation-Include-Trace": "ftv1"}
        asked = [{name: value} for name, values in CHANGES.items() for value in values]
        for headers in [*asked, both]:
            changed = await http.get("/graphql", params={"query": query}, headers=headers)
            if told(changed) != told(plain):
                assert {name.lower() for name in headers} <= names(plain) & names(changed), headers


def test_every_header_that_the_endpoint_reads_is_tried() -> None:
    of_posts = {"content-type", "content-encoding"}
    # It asks whether the answer is still the same one, so that it selects none.
    conditional = {"if-none-match"}
    tried = {name.lower() for name in CHANGES} - {"origin"}
    assert {name.decode() for name in READ_HEADERS} == tried | of_posts | conditional


async def test_without_a_router_and_for_pages_of_every_origin_a_cache_keeps_one_answer_for_all_of_them(
    embedded: EmbeddedUpstream, known: Catalog
) -> None:
    async with gateway(embedded, known, secret="") as http:
        response = await http.get("/graphql", params={"query": QUERY})
    assert response.headers["Vary"] == "Accept, Accept-Encoding, X-Gateway-Explain, X-Gateway-Receipt"
