"""Provides gateways that have crawled, shared by the tests of one file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import httpx
import pytest
import pytest_asyncio

from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from tests.support.gateway_in_process import app_over, client_of, crawled_catalog
from tests.support.generated_upstreams import generated_upstream
from tests.support.streaming_gateway import Served, served
from upstream.embedded import EmbeddedUpstream

PACKAGES = 120
"""The packages of the catalog, whose list a crawl reads in two pages."""

in_the_loop_of_the_file = pytest.mark.asyncio(loop_scope="module")
"""Runs a test in the loop in which the gateway that it shares with others lives."""


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return the v4 API with a catalog of two pages of packages, which the test may change."""
    return generated_upstream(PACKAGES)


@pytest.fixture(scope="session")
def _crawled() -> Catalog:
    return crawled_catalog(PACKAGES)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("storage") / "catalog.sqlite") as gateway:
        yield gateway


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["engine", "strawberry"])
async def live_http(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a gateway without a catalog, for tests whose requests change nothing: each runs both ways."""
    app = app_over(generated_upstream(PACKAGES), engine="on" if request.param == "engine" else "off")
    async with client_of(app) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_http(_crawled: Catalog) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a gateway in this process, for tests whose requests change nothing.

    It keeps no answers, so none is there because another test has asked for it.
    """
    app = app_over(generated_upstream(PACKAGES), response_cache_bytes=0)
    async with client_of(app) as client:
        app.parts.source.publisher.snapshot = Snapshot(_crawled, datetime.now(UTC))
        yield client
