"""Gives the tests of files a gateway that has crawled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from tests.support.gateway_in_process import app_over, client_of, source_over
from tests.support.generated_upstreams import generated_upstream, shared_rows
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp


@dataclass
class Crawled:
    """Holds a gateway that knows its catalog, in this process."""

    http: httpx.AsyncClient
    app: GatewayApp
    catalog: Catalog
    folder: Path

    def path(self, name: str) -> str:
        """Return the path of a file of its only version."""
        return f"/catalog/{self.catalog.version}/{name}"


@pytest.fixture(scope="module")
def packages() -> int:
    """Return of how many packages the files are, whose list a crawl reads in two pages."""
    return 120


@pytest.fixture(scope="module")
def read_catalog(packages: int) -> Catalog:
    """Return what a crawl reads."""

    async def crawl() -> Catalog:
        async with source_over(EmbeddedUpstream(catalog=shared_rows(packages))) as source:
            return (await source.crawl()).snapshot.catalog

    return asyncio.run(crawl())


@pytest.fixture
async def crawled(packages: int, read_catalog: Catalog, tmp_path: Path) -> AsyncIterator[Crawled]:
    embedded = generated_upstream(packages)
    app = app_over(embedded, files=str(tmp_path / "files"))
    async with client_of(app) as http:
        snapshot = Snapshot(read_catalog, datetime.now(UTC))
        await app.parts.source.publisher.publish(snapshot, None, len(read_catalog.packages))
        yield Crawled(http, app, read_catalog, tmp_path / "files")
        assert embedded.requests.total == 0
