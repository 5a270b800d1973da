"""Gives the tests of the gateway one with a history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from shutil import copyfile

import pytest

from catalog.catalog_source import CatalogSource
from catalog.indexed_catalog import Catalog
from catalog.storage.sqlite_storage import Storage
from tests.support.gateways_with_history import Gateways, open_gateways
from tests.support.generated_upstreams import generated_upstream
from tests.support.versioned_catalogs import Clock
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream

FEW = 40
"""How many packages the first version has. What the examples show is among them."""

EDITS: list[Callable[[EmbeddedCatalog], object]] = [
    lambda rows: None,
    lambda rows: rows.update_package(1599, repo_watchers=7, title="Another title"),
    lambda rows: rows.insert_package(slug="celery-email", title="Celery email"),
    lambda rows: rows.update_grid(15, title="Letters", description="email"),
    lambda rows: rows.remove_package(1599),
    lambda rows: rows.update_category(1, title="Applications"),
]
"""What happens at upstream before each crawl: what the examples show becomes another."""


@pytest.fixture(scope="session")
def _crawls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Catalog]]:
    """Return a file with a version of the embedded upstream for each edit, and their catalogs; none may be changed."""
    path = tmp_path_factory.mktemp("crawls") / "catalog.sqlite"
    rows = generated_upstream(FEW).catalog

    async def crawl(storage: Storage, clock: Clock, source: CatalogSource) -> list[Catalog]:
        catalogs = []
        for edit in EDITS:
            edit(rows)
            clock.go(hours=1)
            catalogs.append((await source.crawl()).snapshot.catalog)
        return catalogs

    async def catalogs() -> list[Catalog]:
        async for gateways in open_gateways(EmbeddedUpstream(catalog=rows), path, crawl):
            found = gateways.catalogs
        return found

    return path, asyncio.run(catalogs())


@pytest.fixture
async def crawled(_crawls: tuple[Path, list[Catalog]], tmp_path: Path) -> AsyncIterator[Gateways]:
    """Open gateways over versions of the embedded upstream, that differ in what the examples show."""
    path, catalogs = _crawls
    embedded = generated_upstream(FEW)
    copyfile(path, tmp_path / "catalog.sqlite")

    async def read(storage: Storage, clock: Clock, source: CatalogSource) -> list[Catalog]:
        for edit in EDITS:
            edit(embedded.catalog)
            clock.go(hours=1)
        return catalogs

    async for gateways in open_gateways(embedded, tmp_path / "catalog.sqlite", read):
        yield gateways
