"""Gives the tests of the gateway one with a history."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from catalog.catalog_source import CatalogSource
from catalog.indexed_catalog import Catalog
from catalog.storage.sqlite_storage import Storage
from tests.support.gateways_with_history import Gateways, open_gateways
from tests.support.versioned_catalogs import Clock
from upstream.embedded import EmbeddedUpstream


@pytest.fixture
async def crawled(embedded: EmbeddedUpstream, tmp_path: Path) -> AsyncIterator[Gateways]:
    """Open gateways over versions of the embedded upstream, that differ in what the examples show."""

    async def fill(storage: Storage, clock: Clock, source: CatalogSource) -> list[Catalog]:
        catalogs = []
        edits: list[Callable[[], object]] = [
            lambda: None,
            lambda: embedded.catalog.update_package(1599, repo_watchers=7, title="Another title"),
            lambda: embedded.catalog.insert_package(slug="celery-email", title="Celery email"),
            lambda: embedded.catalog.update_grid(15, title="Letters", description="email"),
            lambda: embedded.catalog.remove_package(1599),
            lambda: embedded.catalog.update_category(1, title="Applications"),
        ]
        for edit in edits:
            edit()
            clock.go(hours=1)
            catalogs.append((await source.crawl()).snapshot.catalog)
        return catalogs

    async for gateways in open_gateways(embedded, tmp_path / "catalog.sqlite", fill):
        yield gateways
