"""Provides what most tests stand on: a small embedded upstream, and the gateway over it, both in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from catalog.catalog_source import CatalogSource
from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from tests.support.gateway_in_process import Ask, app_over, asking, crawled_catalog, source_over
from tests.support.generated_upstreams import generated_upstream, shared_rows
from upstream.client.api_client import Client
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream
from web.app import GatewayApp


@pytest.fixture(scope="session")
def _crawled() -> Catalog:
    return crawled_catalog(300)


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return the v4 API with a catalog of 300 packages, which the test may change: rows are only ever replaced."""
    return generated_upstream(300)


@pytest.fixture(scope="session")
def whole_embedded_catalog() -> EmbeddedCatalog:
    """Return the 5,400 packages with every trap of the contract. Shared: do not change it."""
    return shared_rows()


@pytest.fixture(scope="session")
def whole_catalog() -> Catalog:
    """Return the same as a gateway knows it when it has crawled."""
    return crawled_catalog()


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
    """Run every test of the graph both ways."""
    return bool(request.param == "engine")


@pytest.fixture
def ask(source: CatalogSource, use_engine: bool) -> Ask:
    """Runs a query and gives the body of its answer."""
    return asking(source, use_engine=use_engine)


@pytest.fixture
def known_source(source: CatalogSource, _crawled: Catalog) -> CatalogSource:
    """Return the source when it knows the catalog, which all tests share and which is not stored."""
    source.publisher.snapshot = Snapshot(_crawled, datetime.now(UTC))
    return source


@pytest.fixture
def ask_catalog(known_source: CatalogSource) -> Ask:
    """Runs a query by the engine alone when the catalog is known; no request to upstream has been counted."""
    return asking(known_source)


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
