"""Gives the tests of files a gateway that has crawled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from tests.support.gateway_in_process import app_over, client_of
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp


@dataclass
class Crawled:
    """Holds a gateway over 300 packages, in this process."""

    http: httpx.AsyncClient
    app: GatewayApp
    catalog: Catalog
    folder: Path

    def path(self, name: str) -> str:
        """Return the path of a file of its only version."""
        return f"/catalog/{self.catalog.version}/{name}"


@pytest.fixture
async def crawled(embedded: EmbeddedUpstream, _crawled: Catalog, tmp_path: Path) -> AsyncIterator[Crawled]:
    app = app_over(embedded, files=str(tmp_path / "files"))
    async with client_of(app) as http:
        snapshot = Snapshot(_crawled, datetime.now(UTC))
        await app.parts.source.publisher.publish(snapshot, None, len(_crawled.packages))
        yield Crawled(http, app, _crawled, tmp_path / "files")
        assert embedded.requests.total == 0
