"""Tests the search endpoint and its stale index (contract, section 4)."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.generated_upstreams import generated_upstream
from upstream.embedded import EmbeddedUpstream


@pytest.fixture(scope="module")
def upstream() -> EmbeddedUpstream:
    upstream = generated_upstream(300)
    upstream.catalog.insert_package(title="django-digits", slug="1234")
    upstream.catalog.insert_grid(title="Waffle backends", slug="waffle-backends")
    upstream.catalog.reindex()
    return upstream


@pytest.fixture
async def client(upstream: EmbeddedUpstream) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=upstream)
    async with httpx.AsyncClient(transport=transport, base_url="http://v4") as client:
        yield client


async def search(client: httpx.AsyncClient, query: str) -> list[dict[str, Any]]:
    answer = await client.get("/api/v4/search/", params={"q": query})
    assert answer.status_code == 200
    results: list[dict[str, Any]] = answer.json()
    return results


@pytest.mark.parametrize("query", ["cacheback", "cachback", "django-cacheback"])
async def test_a_package_is_found_by_word_title_or_misspelt(query: str, client: httpx.AsyncClient) -> None:
    assert (await search(client, query))[0]["slug"] == "django-cacheback"


async def test_there_are_at_most_20_results_of_20_keys(client: httpx.AsyncClient) -> None:
    results = await search(client, "django")
    assert len(results) == 20
    assert {len(result) for result in results} == {20}


async def test_one_short_word_finds_beginnings(client: httpx.AsyncClient) -> None:
    assert len(await search(client, "djan")) == 20


async def test_a_slug_of_digits_is_found(client: httpx.AsyncClient) -> None:
    assert "1234" in {result["slug"] for result in await search(client, "1234")}


async def test_grids_are_found_with_blank_counters(client: httpx.AsyncClient) -> None:
    grid = next(result for result in await search(client, "Waffle backends") if result["item_type"] == "grid")
    assert grid["absolute_url"] == "/grids/g/waffle-backends/"
    assert (grid["category"], grid["participants"], grid["repo_watchers"]) == ("", "", 0)
    assert grid["last_committed"] is grid["last_released"] is None


async def test_shortcodes_become_emoji_in_title_and_description_only(client: httpx.AsyncClient) -> None:
    result = next(one for one in await search(client, "rocket") if one["slug"] == "rocket-launcher")
    assert (result["title"], result["clean_title"]) == ("🚀 launcher", ":rocket: launcher")
    assert "🔥" in result["description"]


async def test_or_finds_either_and_minus_leaves_out(client: httpx.AsyncClient) -> None:
    assert (await search(client, "zzzzqqq OR cacheback"))[0]["slug"] == "django-cacheback"
    assert await search(client, "zzzzqqq smart") == []
    assert (await search(client, "smart caching"))[0]["slug"] == "django-cacheback"
    assert "django-cacheback" not in {one["slug"] for one in await search(client, "caching -smart")}


@pytest.mark.parametrize("query", ["", "  ", "(((", "zzzzqqq"])
async def test_nothing_is_found_for_nothing(query: str, client: httpx.AsyncClient) -> None:
    assert await search(client, query) == []


async def test_the_index_is_stale_until_it_is_rebuilt() -> None:
    upstream = generated_upstream(50)
    transport = httpx.ASGITransport(app=upstream)
    async with httpx.AsyncClient(transport=transport, base_url="http://v4") as client:
        upstream.catalog.update_package(1442, title="newname", slug="newname")
        upstream.catalog.remove_package(1599)
        assert (await search(client, "cacheback"))[0]["slug"] == "django-cacheback"
        assert (await search(client, "celery email"))[0]["slug"] == "django-celery-email"
        assert (await client.get("/api/v4/packages/django-cacheback/")).status_code == 404
        upstream.catalog.reindex()
        assert (await search(client, "newname"))[0]["slug"] == "newname"
        assert "django-celery-email" not in {one["slug"] for one in await search(client, "celery email")}
