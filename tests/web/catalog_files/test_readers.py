"""Other people's programs read the files over HTTP: DuckDB by parts of the Parquet, datasette the SQLite file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from fsspec.implementations.http import HTTPFileSystem
from pyarrow import parquet
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog.catalog_source import CatalogSource
from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from tests.support.gateway_in_process import app_of, source_over
from tests.support.generated_upstreams import generated_upstream
from tests.support.http_servers import serving

DATASETTE = "datasette==0.65.5"


@dataclass
class Counted:
    """Passes requests on to an app, and counts the bytes of the answers."""

    app: ASGIApp
    bodies: int = 0
    statuses: list[int] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])
            elif message["type"] == "http.response.body":
                self.bodies += len(message.get("body", b""))
            await send(message)

        await self.app(scope, receive, counted)


class ImmutableFiles(HTTPFileSystem):  # type: ignore[misc]  # it has no types
    """Tells DuckDB what it asks of files before it reads them."""

    def modified(self, path: str) -> datetime:
        """Return the same moment for ever."""
        return datetime(2026, 1, 1, tzinfo=UTC)

    async def _exists(self, path: str, **_settings: Any) -> bool:
        # Not by a GET of the whole file, as fsspec has it.
        return bool((await self._info(path))["type"] == "file")


def files_by_parts() -> ImmutableFiles:
    return ImmutableFiles(cache_type="none", block_size=2**16, skip_instance_cache=True)


@dataclass
class Reached:
    """Holds a gateway on a real port."""

    address: str
    counted: Counted
    catalog: Catalog
    size: int = 0
    """The bytes of the Parquet file of the packages."""

    @property
    def parquet(self) -> str:
        """Return the address of the packages; what was counted before is forgotten."""
        path = httpx.get(f"{self.address}/catalog/latest/packages.parquet", timeout=60).headers["Location"]
        self.size = int(httpx.head(f"{self.address}{path}").headers["Content-Length"])
        self.counted.bodies = 0
        self.counted.statuses.clear()
        return f"{self.address}{path}"


@pytest.fixture(scope="module")
def reached(whole_catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reached]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[CatalogSource]:
        async with source_over(generated_upstream(20)) as source:
            source.publisher.snapshot = Snapshot(whole_catalog, datetime.now(UTC))
            yield source

    counted = Counted(app_of(opened(), files=str(tmp_path_factory.mktemp("files"))))
    with serving(counted) as address:
        yield Reached(address, counted, whole_catalog)


def test_duckdb_reads_the_parquet_by_parts(reached: Reached) -> None:
    """The file system of fsspec stands for DuckDB's own one for HTTP, which would have to be downloaded.

    DuckDB fetches so small a file in one part.
    """
    address = reached.parquet
    with duckdb.connect() as connection:
        connection.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
        connection.register_filesystem(files_by_parts())
        rows = connection.execute(
            f"SELECT category_slug, count(*), sum(repo_watchers) FROM read_parquet('{address}') GROUP BY 1"
        ).fetchall()
    assert {slug: (count, stars) for slug, count, stars in rows} == by_category(reached.catalog)
    assert 206 in reached.counted.statuses
    assert 0 < reached.counted.bodies <= reached.size


def test_one_column_is_read_without_the_others(reached: Reached) -> None:
    with parquet.ParquetFile(files_by_parts().open(reached.parquet)) as file:
        stars = file.read(columns=["repo_watchers"]).column(0).to_pylist()
    assert stars == [package.repo_watchers for package in reached.catalog.packages.values()]
    assert 206 in reached.counted.statuses
    assert 0 < reached.counted.bodies < reached.size / 4


def by_category(catalog: Catalog) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for package in catalog.packages.values():
        slug = catalog.categories[package.category].slug
        count, stars = found.get(slug, (0, 0))
        found[slug] = count + 1, stars + package.repo_watchers
    return found


def test_the_code_of_the_document_proves_that_a_mirror_has_a_version(reached: Reached) -> None:
    document = (Path(__file__).parents[3] / "docs" / "files.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    assert run(sys.executable, "-c", code.replace("http://127.0.0.1:8000", reached.address)) == "True\n"


def test_datasette_serves_the_sqlite_file(reached: Reached, tmp_path: Path) -> None:
    """It runs in an environment of its own, and asks itself without a port."""
    file = tmp_path / "catalog.sqlite"
    address = f"{reached.address}/catalog/latest/catalog.sqlite"
    file.write_bytes(httpx.get(address, follow_redirects=True, timeout=60).content)
    uv = str(Path(sys.executable).with_name("uv"))
    interpreter = str(tmp_path / "venv" / "bin" / "python")
    run(uv, "venv", "--quiet", "--python", sys.executable, str(tmp_path / "venv"))
    run(uv, "pip", "install", "--quiet", "--python", interpreter, DATASETTE)
    ask = (interpreter, "-m", "datasette", str(file), "--get")
    grids = json.loads(run(*ask, "/catalog/grids.json?_shape=array&_size=max&_sort=id"))
    assert {row["slug"] for row in grids} == {grid.slug for grid in reached.catalog.grids.values()}
    package = next(iter(reached.catalog.packages.values()))
    page = run(*ask, f"/catalog/packages?id={package.id}")
    # The reference to its category is followed.
    assert f"/catalog/categories/{package.category}" in page


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
