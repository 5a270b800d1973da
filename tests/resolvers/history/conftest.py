"""Provides an upstream that tests change between crawls, and the moments between these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from catalog.catalog_source import CatalogSource
from tests.support.generated_upstreams import generated_upstream
from upstream.embedded import EmbeddedUpstream

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask

Crawl = Callable[[], Awaitable[datetime]]


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    return generated_upstream(20)


@pytest.fixture
async def crawl(source: CatalogSource) -> Crawl:
    """Crawls, and returns a moment that is after this crawl and before all that come. One crawl is done already."""

    async def crawl() -> datetime:
        await source.crawl()
        return new_moment()

    await crawl()
    return crawl


def new_moment() -> datetime:
    """Return a moment between all that is past and all that comes: the clock has gone on before it and after it."""
    began = datetime.now(UTC)
    while (moment := datetime.now(UTC)) == began:
        pass
    while datetime.now(UTC) == moment:
        pass
    return moment


async def data(ask: Ask, query: str, **variables: object) -> Any:
    """Return the data of an answer without errors."""
    body = await ask(query, **variables)
    assert "errors" not in body, body["errors"]
    return body["data"]
