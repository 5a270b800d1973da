"""What most tests stand on: a small embedded upstream, and the gateway over it, both in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from catalog.catalog_source import CatalogSource
from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from tests.support.gateway_in_process import Ask, app_over, asking, source_over
from tests.support.leaving_the_process import leaves_the_process
from upstream.client.api_client import Client
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream, generated_catalog
from web.app import GatewayApp


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that leave the process, so that they can be left out."""
    for item in items:
        if isinstance(item, pytest.Function) and leaves_the_process(item):
            item.add_marker("leaves_the_process")


@pytest.fixture(scope="session")
def _generated() -> EmbeddedCatalog:
    return generated_catalog(300)


@pytest.fixture
def embedded(_generated: EmbeddedCatalog) -> EmbeddedUpstream:
    """Return the v4 API with a catalog of 300 packages, which the test may change: rows are only ever replaced."""
    rows = (_generated.packages.values(), _generated.grids.values(), _generated.categories.values())
    return EmbeddedUpstream(catalog=EmbeddedCatalog(*rows))


@pytest.fixture(scope="session")
def whole_embedded_catalog() -> EmbeddedCatalog:
    """Return the 5,400 packages with every trap of the contract. Shared: do not change it."""
    return generated_catalog()


@pytest.fixture(scope="session")
def whole_catalog(whole_embedded_catalog: EmbeddedCatalog) -> Catalog:
    """Return the same as a gateway knows it when it has crawled."""

    async def crawl() -> Catalog:
        async with source_over(EmbeddedUpstream(catalog=whole_embedded_catalog)) as source:
            return (await source.crawl()).snapshot.catalog

    return asyncio.run(crawl())


@pytest.fixture
async def whole_source(
    whole_embedded_catalog: EmbeddedCatalog, whole_catalog: Catalog
) -> AsyncIterator[CatalogSource]:
    """Return a source that knows all of it."""
    async with source_over(EmbeddedUpstream(catalog=whole_embedded_catalog)) as source:
        source.publisher.snapshot = Snapshot(whole_catalog, datetime.now(UTC))
        yield source


@pytest.fixture
async def source(embedded: EmbeddedUpstream) -> AsyncIterator[CatalogSource]:
    """Return the embedded upstream as the gateway sees it, without a catalog."""
    async with source_over(embedded) as source:
        yield source


@pytest.fixture
def client(source: CatalogSource) -> Client:
    return source.client


@pytest.fixture(params=["engine", "strawberry"])
def use_engine(request: pytest.FixtureRequest) -> bool:
    """Return every test of the graph runs both ways."""
    return bool(request.param == "engine")


@pytest.fixture
def ask(source: CatalogSource, use_engine: bool) -> Ask:
    """Runs a query and gives the body of its answer."""
    return asking(source, use_engine=use_engine)


@pytest.fixture
async def ask_catalog(source: CatalogSource, embedded: EmbeddedUpstream) -> Ask:
    """Return the same when everything has been crawled, by the engine alone; no request to upstream has been
    counted."""
    await source.crawl()
    embedded.requests.reset()
    return asking(source)


@pytest.fixture
def app(embedded: EmbeddedUpstream, use_engine: bool) -> GatewayApp:
    return app_over(embedded, engine="on" if use_engine else "off")


@pytest.fixture
async def http(app: GatewayApp) -> AsyncIterator[httpx.AsyncClient]:
    """Return an HTTP client of the gateway."""
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as client,
    ):
        yield client
