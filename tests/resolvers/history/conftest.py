"""Provides an upstream that tests change between crawls, and the moments between these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from catalog.catalog_source import CatalogSource
from upstream.embedded import EmbeddedUpstream

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask

Crawl = Callable[[], Awaitable[datetime]]


@pytest.fixture
def embedded(few_embedded: EmbeddedUpstream) -> EmbeddedUpstream:
    return few_embedded


@pytest.fixture
def crawl(few_known: CatalogSource) -> Crawl:
    """Crawls, and returns a moment that is after this crawl and before all that come. A first catalog is stored
    already."""

    async def crawl() -> datetime:
        await few_known.crawl()
        return new_moment()

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
