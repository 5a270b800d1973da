"""Tests answers that are kept: the same bytes at once, and only while they are right."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.current_caller import Caller, caller
from tests.support.crawled_gateway import QUERY, app, http
from tests.support.gateway_in_process import app_over
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp
from web.pages.graphiql import CANONICAL
from web.response_cache import ResponseCache

__all__ = ["app", "http"]

PACKAGES = "{ packages(first: 50) { nodes { title slug category { title } } } }"


def found(app: GatewayApp) -> tuple[int, int, int]:
    """Return how the answer was found: by bytes, by meaning, or not."""
    responses: ResponseCache = app.parts.responses
    return responses.found, responses.answers.found, responses.answers.missed


async def post(http: httpx.AsyncClient, body: str | bytes, **headers: str) -> httpx.Response:
    return await http.post("/graphql", content=body, headers={"Content-Type": "application/json"} | headers)


async def ask(http: httpx.AsyncClient, query: str, **variables: object) -> httpx.Response:
    return await post(http, json.dumps({"query": query, "variables": variables}))


async def test_the_same_bytes_get_the_same_bytes(app: GatewayApp, http: httpx.AsyncClient) -> None:
    first, second = await ask(http, QUERY), await ask(http, QUERY)
    assert first.content == second.content
    assert first.headers == second.headers
    assert found(app) == (1, 0, 1)
    assert app.parts.gateway.engine is not None
    assert app.parts.gateway.engine.answered == 1


async def test_the_same_request_in_other_bytes_is_found_too(app: GatewayApp, http: httpx.AsyncClient) -> None:
    query = "query Q($slug: String, $id: Int) { package(slug: $slug, databaseId: $id) { title } }"
    body = {"query": query, "operationName": "Q", "variables": {"slug": None, "id": 1599}}
    turned = {"variables": {"id": 1599, "slug": None}, "query": query, "operationName": "Q", "x": 1}
    one = await post(http, json.dumps(body))
    other = await post(http, json.dumps(turned, indent=2))
    by_get = await http.get("/graphql", params={**body, "variables": json.dumps(body["variables"])})  # type: ignore[dict-item]
    assert one.content == other.content == by_get.content
    assert found(app) == (0, 2, 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"variables": {"id": 1599}}, {"variables": {"id": 2}}),
        (
            {"variables": {"id": 1599}, "operationName": "A"},
            {"variables": {"id": 1599}, "operationName": "B"},
        ),
    ],
    ids=["variables", "operation"],
)
async def test_what_means_something_else_is_answered_by_itself(
    app: GatewayApp, http: httpx.AsyncClient, one: dict[str, Any], other: dict[str, Any]
) -> None:
    document = (
        "query A($id: Int) { package(databaseId: $id) { id } } "
        "query B($id: Int) { package(databaseId: $id) { slug } }"
    )
    for params in (one, other):
        await post(http, json.dumps({"query": document, "operationName": "A"} | params))
    assert found(app) == (0, 0, 2)


async def test_a_new_version_of_the_catalog_is_answered_anew(
    app: GatewayApp, http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    before = await ask(http, QUERY)
    embedded.catalog.update_package(1599, title="another title")
    await app.parts.gateway.source.crawl()
    after = await ask(http, QUERY)
    assert after.json()["data"]["package"]["title"] == "another title"
    assert after.headers["ETag"] != before.headers["ETag"]
    assert found(app) == (0, 0, 2)


async def test_a_crawl_that_finds_nothing_new_keeps_the_answers(
    app: GatewayApp, http: httpx.AsyncClient
) -> None:
    await ask(http, QUERY)
    await app.parts.gateway.source.crawl()
    await ask(http, QUERY)
    assert found(app) == (1, 0, 1)


@pytest.mark.parametrize(
    "query",
    [
        "{ catalog { version } }",
        "{ stats { active { packageCount } } }",
        "{ packages(filter: {activeWithinDays: 100}) { totalCount } }",
        '{ package(slug: "django-celery-email") { commitActivity { daysSinceLastCommit } } }',
        "{ changes { totalCount } }",
        '{ search(query: "django", first: 5) { totalCount } }',
        "{ package(databaseId: 999999) { title } }",
        '{ package(slug: "x", databaseId: 3) { title } }',
        "{ nothing }",
    ],
)
async def test_what_can_be_answered_otherwise_a_moment_later_is_not_kept(
    app: GatewayApp, http: httpx.AsyncClient, query: str
) -> None:
    for _ in range(2):
        response = await ask(http, query)
        assert response.headers["Cache-Control"] == "no-store"
        assert "ETag" not in response.headers
    assert found(app)[:2] == (0, 0)
    assert len(app.parts.responses.answers) == 0


async def test_what_the_operations_of_the_examples_answer_is_the_same_kept_or_not(
    app: GatewayApp, http: httpx.AsyncClient
) -> None:
    kept = 0
    for path in sorted(CANONICAL.parent.glob("*.graphql")):
        body = json.dumps({"query": path.read_text()})
        first, second, third = [await post(http, body) for _ in range(3)]
        if "ETag" in first.headers:
            kept += 1
            assert first.json()["data"]
            assert first.content == second.content == third.content
    # The first of each was made, the others were found.
    assert kept > 3
    assert found(app)[0] == 2 * kept


async def test_the_receipt_is_of_its_own_request(app: GatewayApp, http: httpx.AsyncClient) -> None:
    body = json.dumps({"query": QUERY})
    await post(http, body)
    with_receipt = await post(http, body, **{"X-Gateway-Receipt": "1"})
    assert with_receipt.json()["extensions"]["engine"] == {"used": True, "handedOver": None}
    assert with_receipt.headers["Cache-Control"] == "no-store"
    assert "extensions" not in (await post(http, body)).json()


async def test_an_answer_is_compressed_once(app: GatewayApp, http: httpx.AsyncClient) -> None:
    plain = await http.get("/graphql", params={"query": PACKAGES}, headers={"Accept-Encoding": "identity"})
    tags = {plain.headers["ETag"]}
    for encoding in ("zstd", "br", "gzip"):
        for _ in range(2):
            response = await http.get(
                "/graphql", params={"query": PACKAGES}, headers={"Accept-Encoding": encoding}
            )
            assert response.headers["Content-Encoding"] == encoding
            assert int(response.headers["Content-Length"]) < len(plain.content)
            assert response.content == plain.content
        tags.add(response.headers["ETag"])
    assert len(tags) == 4
    assert found(app) == (3, 3, 1)


async def test_what_fits_into_a_packet_is_not_compressed(http: httpx.AsyncClient) -> None:
    response = await http.get("/graphql", params={"query": QUERY}, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in response.headers


async def test_without_room_every_answer_is_made_anew(embedded: EmbeddedUpstream) -> None:
    app = app_over(embedded, response_cache_bytes=0)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as http,
    ):
        await app.parts.gateway.source.crawl()
        first, second = await ask(http, QUERY), await ask(http, QUERY)
        assert first.content == second.content
        assert found(app) == (0, 0, 2)
        assert app.parts.gateway.engine is not None
        assert app.parts.gateway.engine.answered == 2


async def test_a_live_answer_is_not_kept(embedded: EmbeddedUpstream, tmp_path: Path) -> None:
    app = app_over(embedded)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as http,
    ):
        response = await ask(http, QUERY)
        assert response.json()["data"]["package"]["title"]
        assert response.headers["Cache-Control"] == "no-store"
        assert len(app.parts.responses.answers) == 0


async def test_an_answer_from_an_older_catalog_drives_out_none_from_the_present(
    embedded: EmbeddedUpstream,
) -> None:
    app, waits, comes = app_over(embedded, limit_running=2), ("192.0.2.1", 1), ("192.0.2.2", 1)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=waits), base_url="http://gateway.test"
        ) as waiting,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=comes), base_url="http://gateway.test"
        ) as coming,
    ):
        gateway = app.parts.gateway
        await gateway.source.crawl()
        caller.set(Caller(*waits))
        async with gateway.admission.turn():
            # The one place of its client is taken: it waits with the catalog that it came for.
            older = asyncio.create_task(ask(waiting, PACKAGES))
            while not gateway.admission.waiting:  # noqa: ASYNC110 - the number has no event
                await asyncio.sleep(0)
            embedded.catalog.update_package(1599, title="renamed")
            await gateway.source.crawl()
            await ask(coming, QUERY)
        assert (await older).status_code == 200
        assert found(app) == (0, 0, 2)
        await ask(coming, QUERY)
        assert found(app) == (1, 0, 2)
