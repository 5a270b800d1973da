"""Tests which pages may read the answers (CORS): those of every origin, or of some."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.support.gateway_in_process import app_over
from upstream.embedded import EmbeddedUpstream

TITLE = {"query": '{ category(slug: "apps") { title } }'}
OURS, THEIRS = "https://ours.example", "https://theirs.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type, apollo-require-preflight",
}


@asynccontextmanager
async def gateway(embedded: EmbeddedUpstream, *origins: str) -> AsyncIterator[httpx.AsyncClient]:
    app = app_over(embedded, cors_origins=",".join(origins) or "*")
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as client,
    ):
        yield client


@pytest.mark.parametrize("origin", [OURS, None, "null"])
async def test_by_default_pages_of_every_origin_may_read_the_answers(
    embedded: EmbeddedUpstream, origin: str | None
) -> None:
    async with gateway(embedded) as http:
        headers = {} if origin is None else {"Origin": origin}
        for method, sent in (("POST", {"json": TITLE}), ("GET", {"params": TITLE})):
            response = await http.request(method, "/graphql", headers=headers, **sent)  # type: ignore[arg-type]
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert (
                response.headers["Access-Control-Expose-Headers"]
                == "Age, ETag, Retry-After, RateLimit, RateLimit-Policy"
            )
            # One answer for all, so that a cache between needs to keep one.
            assert response.headers["Vary"] == "Accept, Accept-Encoding, X-Gateway-Explain, X-Gateway-Receipt"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "QUERY"])
@pytest.mark.parametrize("origins", [(), (OURS,)])
async def test_a_preflight_allows_every_method_that_the_endpoint_serves(
    embedded: EmbeddedUpstream, origins: tuple[str, ...], method: str
) -> None:
    async with gateway(embedded, *origins) as http:
        asked = PREFLIGHT | {"Origin": OURS, "Access-Control-Request-Method": method}
        response = await http.options("/graphql", headers=asked)
        served = set((await http.options("/graphql")).headers["Allow"].split(", ")) - {"OPTIONS"}
    assert response.status_code == 200
    assert set(response.headers["Access-Control-Allow-Methods"].split(", ")) == served


@pytest.mark.parametrize("method", ["PUT", "DELETE", "BREW"])
async def test_a_preflight_refuses_other_methods(embedded: EmbeddedUpstream, method: str) -> None:
    async with gateway(embedded) as http:
        asked = PREFLIGHT | {"Origin": OURS, "Access-Control-Request-Method": method}
        assert (await http.options("/graphql", headers=asked)).status_code == 400


async def test_a_preflight_for_a_page_allows_reading_it_alone(embedded: EmbeddedUpstream) -> None:
    async with gateway(embedded) as http:
        for address in ("/", "/schema.graphql", "/healthz"):
            response = await http.options(address, headers=PREFLIGHT | {"Origin": OURS})
            assert response.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
            assert response.status_code == 400  # it asked for POST


async def test_browsers_that_ask_before_they_send_are_told_yes(embedded: EmbeddedUpstream) -> None:
    async with gateway(embedded) as http:
        response = await http.options("/graphql", headers={"Origin": OURS} | PREFLIGHT)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "apollo-require-preflight" in response.headers["Access-Control-Allow-Headers"]
    assert response.headers["Access-Control-Max-Age"] == "86400"


async def test_options_without_a_browser_are_told_the_methods(embedded: EmbeddedUpstream) -> None:
    async with gateway(embedded) as http:
        response = await http.options("/graphql")
    assert (response.status_code, response.headers["Allow"]) == (204, "GET, HEAD, POST, QUERY, OPTIONS")


async def test_errors_can_be_read_as_well(embedded: EmbeddedUpstream) -> None:
    async with gateway(embedded) as http:
        response = await http.post("/graphql", content="{", headers={"Origin": OURS})
    assert response.status_code == 415
    assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_streams_of_events_can_be_read_as_well(embedded: EmbeddedUpstream) -> None:
    headers = {"Origin": OURS, "Accept": "text/event-stream"}
    async with gateway(embedded) as http:
        response = await http.post("/graphql", json=TITLE, headers=headers)
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Vary"] == "Accept, Accept-Encoding, X-Gateway-Explain, X-Gateway-Receipt"


async def test_some_origins_may_be_all(embedded: EmbeddedUpstream) -> None:
    async with gateway(embedded, OURS, "https://also.example") as http:
        ours = await http.post("/graphql", json=TITLE, headers={"Origin": OURS})
        theirs = await http.post("/graphql", json=TITLE, headers={"Origin": THEIRS})
        nobodys = await http.post("/graphql", json=TITLE)
        refused = await http.options("/graphql", headers={"Origin": THEIRS} | PREFLIGHT)
    assert ours.headers["Access-Control-Allow-Origin"] == OURS
    assert "Access-Control-Allow-Origin" not in theirs.headers
    assert "Access-Control-Allow-Origin" not in nobodys.headers
    # A cache between must not give the answer without the header to a page that may read it.
    assert all("Origin" in response.headers["Vary"] for response in (ours, theirs, nobodys))
    assert refused.status_code == 400


async def test_the_other_addresses_follow_the_same_rule(embedded: EmbeddedUpstream) -> None:
    async with gateway(embedded) as http:
        response = await http.get("/healthz", headers={"Origin": OURS})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
