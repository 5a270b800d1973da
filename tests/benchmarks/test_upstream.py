"""Tests the upstream of `make bench`: the embedded one, and what some peers need beside it."""

from __future__ import annotations

import httpx
import pytest

from benchmarks.side_by_side.environments import Upstream
from benchmarks.side_by_side.upstream import WithIds
from upstream.embedded import EmbeddedUpstream


@pytest.fixture
def client(embedded: EmbeddedUpstream) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=WithIds(embedded)), base_url="http://upstream")


async def test_records_have_ids_beside_their_links(
    client: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    row = embedded.catalog.packages[1599]
    page = (await client.get("/x/api/v4/packages/?limit=300")).json()
    detail = (await client.get("/xxx/api/v4/packages/1599/")).json()
    assert detail in page["results"]
    assert detail["category_id"] == row.category
    assert detail["grid_refs"] == [{"id": key} for key in row.grids]
    grid = (await client.get(f"/x/api/v4/grids/{row.grids[0]}/")).json()
    assert {"id": 1599} in grid["package_refs"]


async def test_what_is_missing_stays_missing(client: httpx.AsyncClient) -> None:
    assert (await client.get("/x/api/v4/packages/999999/")).status_code == 404


async def test_caches_may_keep_an_answer_only_where_that_is_asked_for(client: httpx.AsyncClient) -> None:
    assert "Cache-Control" not in (await client.get("/x/api/v4/packages/1599/")).headers
    kept = await client.get("/c/api/v4/packages/1599/")
    assert kept.headers["Cache-Control"] == "public, max-age=3600"


async def test_requests_are_counted_without_the_prefix(
    client: httpx.AsyncClient, embedded: EmbeddedUpstream
) -> None:
    await client.get("/x/api/v4/packages/1599/")
    await client.get("/cc/api/v4/packages/1599/")
    assert embedded.requests.by_target == {"/api/v4/packages/1599/": 2}


@pytest.mark.parametrize("port", [8801, 54321])
def test_ids_of_packages_begin_at_a_multiple_of_eight_bytes(port: int) -> None:
    assert len(f"{Upstream(port, []).root('x')}/packages/") % 8 == 0
    assert "/x" in Upstream(port, []).root("x")
