"""Gives the tests of files a gateway that has crawled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from tests.support.gateway_in_process import app_over, client_of, crawled_catalog
from tests.support.generated_upstreams import generated_upstream
from tests.web.conftest import PACKAGES
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
    """Return of how many packages the files are."""
    return PACKAGES


@pytest.fixture(scope="module")
def read_catalog(packages: int) -> Catalog:
    """Return what a crawl reads."""
    return crawled_catalog(packages)


@pytest.fixture
async def crawled(packages: int, read_catalog: Catalog, tmp_path: Path) -> AsyncIterator[Crawled]:
    async with _gateway_that_knows(packages, read_catalog, tmp_path / "files") as crawled:
        yield crawled


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_crawled(
    packages: int, read_catalog: Catalog, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Crawled]:
    """Return a gateway for tests that only ask how files are sent: another test may have had them made."""
    folder = tmp_path_factory.mktemp("shared") / "files"
    async with _gateway_that_knows(packages, read_catalog, folder) as crawled:
        yield crawled


@asynccontextmanager
async def _gateway_that_knows(packages: int, catalog: Catalog, folder: Path) -> AsyncIterator[Crawled]:
    embedded = generated_upstream(packages)
    app = app_over(embedded, files=str(folder))
    async with client_of(app) as http:
        snapshot = Snapshot(catalog, datetime.now(UTC))
        await app.parts.source.publisher.publish(snapshot, None, len(catalog.packages))
        yield Crawled(http, app, catalog, folder)
        assert embedded.requests.total == 0
