"""Tests an upstream where one request in ten fails and one in ten is slow. Clients do not notice, and the crawl
comes to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from catalog.indexed_catalog import Catalog
from tests.support.gateway_processes import (
    CANONICAL,
    STATUS,
    ask,
    catalog_of,
    gateway,
    sync,
    until,
    upstream_requests,
)
from tests.support.http_servers import serving
from upstream.embedded import Dropped, EmbeddedUpstream, Fault, Latency, StatusFault

QUERIES = 200
SHAKY = (
    Fault(Latency(0.3), rate=0.1, seed=1),
    Fault(StatusFault(500), rate=0.04, seed=2),
    Fault(StatusFault(503), rate=0.03, seed=3),
    Fault(Dropped(), rate=0.03, seed=4),
)
PACKAGE = "query($id: Int) { package(databaseId: $id) { databaseId slug grids { slug packages { slug } } } }"


def shake(embedded: EmbeddedUpstream) -> None:
    for fault in SHAKY:
        embedded.faults.add(fault)


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    return EmbeddedUpstream(packages=1000)


@pytest.fixture
def upstream(embedded: EmbeddedUpstream) -> Iterator[str]:
    with serving(embedded) as address:
        yield f"{address}/api/v4/"


async def all_at_once(address: httpx.URL, bodies: list[dict[str, Any]]) -> list[httpx.Response]:
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        return await asyncio.gather(*(client.post("/graphql", json=body) for body in bodies))


def test_200_queries_of_a_known_catalog_meet_no_error(
    embedded: EmbeddedUpstream, upstream: str, tmp_path: Path
) -> None:
    sync(upstream, tmp_path / "catalog.sqlite")
    catalog = catalog_of(upstream)
    shake(embedded)
    ids = list(catalog.packages)[: QUERIES - 1]
    bodies = [{"query": PACKAGE, "variables": {"id": id}} for id in ids]
    # The catalog is stale at once, so that a crawl of the shaky upstream runs meanwhile.
    with gateway(upstream, tmp_path / "catalog.sqlite", FRESH="0.001") as client:
        canonical, *answers = asyncio.run(all_at_once(client.base_url, [{"query": CANONICAL}, *bodies]))
        assert until(lambda: upstream_requests(client))  # The crawl has begun.
    assert {answer.status_code for answer in (canonical, *answers)} == {200}
    assert "errors" not in canonical.json()
    assert [answer.json() for answer in answers] == [expected(catalog, id) for id in ids]


def expected(catalog: Catalog, id: int) -> dict[str, Any]:
    package = catalog.packages[id]
    grids = [
        {
            "slug": grid.slug,
            "packages": [
                {"slug": catalog.packages[member].slug} for member in catalog.grid_packages[grid.id]
            ],
        }
        for grid in sorted(map(catalog.grids.__getitem__, package.grids), key=lambda grid: grid.title)
    ]
    return {"data": {"package": {"databaseId": id, "slug": package.slug, "grids": grids}}}


def test_a_cold_gateway_crawls_to_the_end_and_has_what_upstream_has(
    embedded: EmbeddedUpstream, upstream: str, tmp_path: Path
) -> None:
    catalog = catalog_of(upstream)
    shake(embedded)
    with gateway(upstream, tmp_path / "catalog.sqlite") as client:
        version = until(lambda: ask(client, STATUS)["data"]["catalog"]["version"])
        outcomes = upstream_requests(client)
    assert version == catalog.version
    assert outcomes["answered"] > 0
    assert outcomes["UPSTREAM_UNAVAILABLE"] > 0


def test_a_crawl_by_hand_of_a_shaky_upstream_stores_what_upstream_has(
    embedded: EmbeddedUpstream, upstream: str, tmp_path: Path
) -> None:
    catalog = catalog_of(upstream)
    shake(embedded)
    assert f"Version {catalog.version}: 1,000 packages, " in sync(upstream, tmp_path / "catalog.sqlite")
