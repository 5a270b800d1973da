"""Provides a small upstream, and a source that has stored what a first crawl of it finds, without a crawl each time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from catalog.catalog_source import CatalogSource
from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from tests.support.gateway_in_process import source_over
from tests.support.generated_upstreams import generated_upstream
from upstream.embedded import EmbeddedUpstream

FEW = 20


@pytest.fixture
def few_embedded() -> EmbeddedUpstream:
    """Return an upstream of few packages, which the test may change."""
    return generated_upstream(FEW)


@pytest.fixture(scope="session")
def few_crawled() -> Catalog:
    """Return what a crawl of these few finds. All tests share it."""

    async def crawl() -> Catalog:
        async with source_over(generated_upstream(FEW)) as source:
            return (await source.crawl()).snapshot.catalog

    return asyncio.run(crawl())


@pytest.fixture
async def few_known(source: CatalogSource, few_crawled: Catalog) -> CatalogSource:
    """Return the source when it has published and stored them, as after a first crawl."""
    snapshot = Snapshot(few_crawled, datetime.now(UTC))
    assert await source.publisher.publish(snapshot, None, len(few_crawled.packages))
    return source
