"""Tests what answers tell caches, and the questions of those who have one already."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from gateway import AnswerKey, GraphQLRequest
from tests.support.crawled_gateway import QUERY, app, http
from tests.support.settings_for_tests import FRESHNESS
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp
from web.cache_headers import CachePolicy

__all__ = ["app", "http"]

HOUR, DAY = 3600, 86_400
LIMITS = replace(FRESHNESS, fresh=6 * HOUR, while_revalidate=DAY, if_error=30 * DAY)


def told(age: float, max_age: int = 60) -> dict[bytes, bytes]:
    refreshed_at = datetime.now(UTC) - timedelta(seconds=age + 0.5)
    return dict(CachePolicy(max_age, LIMITS).headers(Snapshot(Catalog.build({}, {}, {}), refreshed_at)))


@pytest.mark.parametrize(
    ("age", "use", "control"),
    [
        (0, 60, "public, max-age=60, stale-while-revalidate=86340, stale-if-error=2591940"),
        (1000, 60, "public, max-age=1060, stale-while-revalidate=85340, stale-if-error=2590940"),
        (6 * HOUR - 10, 10, "public, max-age=21600, stale-while-revalidate=64800, stale-if-error=2570400"),
        (7 * HOUR, 0, "public, max-age=25200, stale-while-revalidate=61200, stale-if-error=2566800"),
        (2 * DAY, 0, "public, max-age=172800, stale-while-revalidate=0, stale-if-error=2419200"),
    ],
)
def test_an_answer_may_be_used_for_a_minute_more_while_the_catalog_is_fresh(
    age: int, use: int, control: str
) -> None:
    assert told(age) == {
        b"cache-control": control.encode(),
        b"age": str(age).encode(),
        b"x-accel-expires": str(use).encode(),
    }


def test_with_no_maximum_every_use_asks_again() -> None:
    assert told(1000, max_age=0)[b"cache-control"].startswith(b"public, max-age=1000,")


async def get(http: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await http.get("/graphql", params={"query": QUERY}, headers=headers)


async def test_an_answer_from_the_catalog_says_how_it_may_be_kept(http: httpx.AsyncClient) -> None:
    headers = (await get(http)).headers
    assert headers["Cache-Control"].startswith("public, max-age=")
    assert int(headers["Age"]) < 30
    assert headers["Vary"] == "Accept, Accept-Encoding, X-Gateway-Explain, X-Gateway-Receipt"
    assert headers["ETag"].startswith('"')


async def test_who_has_the_answer_is_told_so_and_nothing_is_run(
    app: GatewayApp, http: httpx.AsyncClient
) -> None:
    tag = (await get(http)).headers["ETag"]
    key = AnswerKey(GraphQLRequest("{ another }"))
    app.parts.gateway.answers.keep(key, "another", b"", present="another")  # which forgets the answer
    for listed in (tag, f"W/{tag}", f'"x", {tag}'):
        response = await get(http, **{"If-None-Match": listed})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["ETag"] == tag
        assert response.headers["Cache-Control"].startswith("public, ")
        assert response.headers["Vary"] == "Accept, Accept-Encoding, X-Gateway-Explain, X-Gateway-Receipt"
        assert "Age" in response.headers
    assert app.parts.gateway.engine is not None
    assert app.parts.gateway.engine.answered == 1


@pytest.mark.parametrize("listed", ['"x"', "x", ""])
async def test_who_has_another_answer_gets_this_one(http: httpx.AsyncClient, listed: str) -> None:
    assert (await get(http, **{"If-None-Match": listed})).status_code == 200


@pytest.mark.parametrize("is_cached", [True, False])
async def test_who_has_any_answer_is_told_so(http: httpx.AsyncClient, is_cached: bool) -> None:
    tag = (await get(http)).headers["ETag"] if is_cached else None
    response = await get(http, **{"If-None-Match": "*"})
    assert (response.status_code, response.content) == (304, b"")
    assert tag in (None, response.headers["ETag"])


@pytest.mark.parametrize(("query", "status"), [("{ nothing }", 422), ("{ catalog { ageSeconds } }", 200)])
async def test_who_has_any_answer_gets_one_that_cannot_be_kept(
    http: httpx.AsyncClient, query: str, status: int
) -> None:
    response = await http.get("/graphql", params={"query": query}, headers={"If-None-Match": "*"})
    assert response.status_code == status
    assert response.json()


async def test_the_tag_is_of_one_form_of_the_answer(http: httpx.AsyncClient) -> None:
    plain = await get(http)
    telling = await get(http, Accept="application/graphql-response+json")
    assert plain.headers["ETag"] != telling.headers["ETag"]


async def test_a_post_is_never_answered_by_304(http: httpx.AsyncClient) -> None:
    tag = (await get(http)).headers["ETag"]
    response = await http.post("/graphql", json={"query": QUERY}, headers={"If-None-Match": tag})
    assert response.status_code == 200
    assert response.json()["data"]


async def test_after_a_change_the_old_tag_is_none(
    app: GatewayApp, http: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    tag = (await get(http)).headers["ETag"]
    embedded.catalog.update_package(1599, title="another title")
    await app.parts.gateway.source.crawl()
    response = await get(http, **{"If-None-Match": tag})
    assert response.json()["data"]["package"]["title"] == "another title"


@pytest.mark.parametrize("query", ["{ nothing }", "{", ""])
async def test_an_error_is_not_to_be_kept(http: httpx.AsyncClient, query: str) -> None:
    response = await http.get("/graphql", params={"query": query})
    assert response.headers["Cache-Control"] == "no-store"
