"""A damaged row of history is told as such, and as no defect of the gateway."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from catalog.catalog_source import CatalogSource
from tests.support.gateway_in_process import asking, source_over
from tests.support.generated_upstreams import generated_upstream
from tests.support.stored_catalogs import change
from upstream.embedded import EmbeddedUpstream


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a catalog file with two versions, the second without a package of the first. Shared: do not change it."""
    path = tmp_path_factory.mktemp("history") / "catalog.sqlite"

    async def store() -> None:
        embedded = generated_upstream(20)
        async with source_over(embedded, storage=str(path)) as source:
            await source.crawl()
            embedded.catalog.remove_package(1599)
            await source.crawl()

    asyncio.run(store())
    return path


@pytest.fixture
def path(tmp_path: Path, stored: Path) -> Path:
    """Return the place of a copy, which tests damage."""
    return Path(shutil.copy(stored, tmp_path))


@pytest.fixture
async def source(embedded: EmbeddedUpstream, path: Path) -> AsyncIterator[CatalogSource]:
    """Return a source that has loaded the copy."""
    async with source_over(embedded, storage=str(path)) as source:
        yield source


@pytest.mark.parametrize("use_engine", [True, False])
@pytest.mark.parametrize(
    "damage",
    [
        'UPDATE record_changes SET body = \'{"slug":"x"}\' WHERE sort = 2',
        "UPDATE record_changes SET body = x'ff' WHERE sort = 2",
        "UPDATE versions SET at = '2026-13-13' WHERE number = 2",
    ],
)
async def test_a_removed_package_that_is_damaged_is_a_fault_of_the_storage(
    source: CatalogSource, path: Path, use_engine: bool, damage: str
) -> None:
    change(path, damage)
    body = await asking(source, use_engine=use_engine)("{ removedPackages { nodes { at } } }")
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "STORAGE_UNAVAILABLE"


async def test_strangers_cannot_fill_the_log_with_a_fault_of_the_storage(
    source: CatalogSource, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each field that failed wrote a line: a request of two kilobytes wrote forty."""
    change(path, "DROP TABLE versions")
    fields = " ".join(f"a{number}: removedPackages {{ nodes {{ at }} }}" for number in range(40))
    ask = asking(source)
    for _ in range(2):
        answer = await ask(f"{{ {fields} }}")
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"STORAGE_UNAVAILABLE"}
        assert len(answer["errors"]) == 40
    lines = [
        record
        for record in caplog.records
        if record.name.startswith("gateway.") and record.name != "gateway.operation_log"  # which has a limit
    ]
    assert len(lines) == 1
