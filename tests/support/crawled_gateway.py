"""Provides fixtures of a gateway that has crawled, in this process, and of a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from tests.support.gateway_in_process import app_over
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp

QUERY = '{ package(slug: "django-celery-email") { title repoWatchers } }'


@pytest.fixture
def app(embedded: EmbeddedUpstream) -> GatewayApp:
    return app_over(embedded)


@pytest.fixture
async def http(app: GatewayApp, _crawled: Catalog) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a gateway that knows what a crawl finds. All tests share it, and it is not stored."""
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client,
    ):
        app.parts.source.publisher.snapshot = Snapshot(_crawled, datetime.now(UTC))
        yield client
