"""Tests lists and their links (contract, section 2), beyond what the recordings show."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from upstream.embedded import EmbeddedUpstream


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=EmbeddedUpstream(packages=50))
    async with httpx.AsyncClient(transport=transport, base_url="http://v4") as client:
        yield client


async def packages(client: httpx.AsyncClient, query: str) -> dict[str, Any]:
    answer = await client.get(f"/api/v4/packages/?{query}")
    assert answer.status_code == 200
    page: dict[str, Any] = answer.json()
    return page


async def test_walking_the_next_links_visits_every_package_once_newest_first(
    client: httpx.AsyncClient,
) -> None:
    seen: list[int] = []
    url: str | None = "/api/v4/packages/?limit=7"
    while url is not None:
        page = (await client.get(url)).json()
        seen += [record["id"] for record in page["results"]]
        url = page["next"]
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 50


@pytest.mark.parametrize("limit", ["%2B3", "+3", "%203%20", "0_3", "%D9%A3"])
async def test_a_limit_is_read_as_python_reads_numbers(limit: str, client: httpx.AsyncClient) -> None:
    assert len((await packages(client, f"limit={limit}"))["results"]) == 3


@pytest.mark.parametrize("limit", ["0", "-1", "abc", "3.0", "1e1", ""])
async def test_a_bad_limit_is_the_default(limit: str, client: httpx.AsyncClient) -> None:
    page = await packages(client, f"limit={limit}")
    assert len(page["results"]) == 20
    assert page["next"] == "http://v4/api/v4/packages/?limit=20&offset=20"


async def test_there_is_no_maximum_limit_below_the_size_of_a_bigint(client: httpx.AsyncClient) -> None:
    assert len((await packages(client, f"limit={2**63 - 1}"))["results"]) == 50
    assert (await client.get(f"/api/v4/packages/?limit={2**63}")).status_code == 500


async def test_all_arguments_are_kept_and_sorted_by_name(client: httpx.AsyncClient) -> None:
    page = await packages(client, "offset=1&foo=bar&limit=1&foo=baz&empty=")
    assert page["next"] == "http://v4/api/v4/packages/?empty=&foo=bar&foo=baz&limit=1&offset=2"
    assert page["previous"] == "http://v4/api/v4/packages/?empty=&foo=bar&foo=baz&limit=1"


async def test_an_insertion_repeats_a_record_and_a_removal_skips_one() -> None:
    upstream = EmbeddedUpstream(packages=50)
    transport = httpx.ASGITransport(app=upstream)
    async with httpx.AsyncClient(transport=transport, base_url="http://v4") as client:
        first = (await packages(client, "limit=2"))["results"]
        upstream.catalog.insert_package()
        second = (await packages(client, "limit=2&offset=2"))["results"]
        assert second[0] == first[1]
        upstream.catalog.remove_package(first[0]["id"])
        third = (await packages(client, "limit=2&offset=4"))["results"]
        assert second[1]["id"] not in {record["id"] for record in third}


async def test_a_record_is_the_same_in_a_list_and_alone(client: httpx.AsyncClient) -> None:
    for kind in ("packages", "grids", "categories"):
        for record in (await client.get(f"/api/v4/{kind}/?limit=3&offset=1")).json()["results"]:
            assert (await client.get(f"/api/v4/{kind}/{record['id']}/")).json() == record


async def test_packages_of_equal_titles_change_places_when_one_page_holds_all_grids() -> None:
    upstream = EmbeddedUpstream(packages=5)
    twins = [upstream.catalog.insert_package(title="zz", slug=f"twin-{key}") for key in range(2)]
    grid = upstream.catalog.insert_grid(packages=[1599, *twins])
    transport = httpx.ASGITransport(app=upstream)
    async with httpx.AsyncClient(transport=transport, base_url="http://v4") as client:
        alone = (await client.get(f"/api/v4/grids/{grid}/")).json()
        paged = (await client.get("/api/v4/grids/?limit=1")).json()["results"][0]
        whole = (await client.get("/api/v4/grids/?limit=100")).json()["results"][0]
    assert alone == paged
    assert alone["packages"] == [f"http://v4/api/v4/packages/{key}/" for key in (1599, *twins)]
    assert whole["packages"] == [f"http://v4/api/v4/packages/{key}/" for key in (1599, *reversed(twins))]


async def test_a_change_shows_at_once_in_detail_list_and_grid() -> None:
    upstream = EmbeddedUpstream(packages=50)
    transport = httpx.ASGITransport(app=upstream)
    async with httpx.AsyncClient(transport=transport, base_url="http://v4") as client:
        before = (await client.get("/api/v4/packages/1599/")).json()
        upstream.catalog.update_package(1599, title="renamed", grids=[39])
        after = (await client.get("/api/v4/packages/1599/")).json()
        assert (before["title"], after["title"]) == ("django-celery-email", "renamed")
        assert after["grids"] == ["http://v4/api/v4/grids/39/"]
        assert "packages/1599/" in (await client.get("/api/v4/grids/39/")).text
        assert "packages/1599/" not in (await client.get("/api/v4/grids/15/")).text
