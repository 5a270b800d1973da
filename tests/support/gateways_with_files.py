"""Opens gateways that serve the catalog as files, over a history of made catalogs or of an embedded upstream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import httpx
import zstandard

from catalog.catalog_source import CatalogSource
from catalog.freshness import Freshness
from catalog.indexed_catalog import Catalog
from catalog.storage.sqlite_storage import Storage
from tests.support import crawls, gateway_in_process
from tests.support.generated_upstreams import generated_upstream
from tests.support.versioned_catalogs import Clock, keep_versions
from upstream.embedded import EmbeddedUpstream

KINDS = {"package": "packages", "grid": "grids", "category": "categories"}
"""The kinds in the order in which a version is the hash of their records, and the names of their files."""

Records = dict[str, dict[int, dict[str, Any]]]
"""Records by kind and id, as a client keeps them."""


YEARS = 100 * 365 * 86_400.0
LASTING = Freshness(fresh=YEARS, while_revalidate=YEARS, if_error=YEARS)
"""Made catalogs are of a fixed day, and are to be served on any."""


@dataclass
class Filed:
    """Holds a gateway, its parts, and the catalogs that it has stored."""

    http: httpx.AsyncClient
    source: CatalogSource
    embedded: EmbeddedUpstream
    catalogs: list[Catalog]
    folder: Path


@asynccontextmanager
async def gateway_with_files(path: Path, *, versions: int, **settings: object) -> AsyncIterator[Filed]:
    """Open a gateway over so many made versions, whose files lie below ``path``."""
    clock, embedded, folder = Clock(), generated_upstream(20), path / "files"
    storage = Storage(str(path / "catalog.sqlite"), now=clock)
    catalogs = keep_versions(storage, clock, versions, Random(19))

    @asynccontextmanager
    async def opened() -> AsyncIterator[CatalogSource]:
        async with (
            crawls.client_of(embedded) as client,
            gateway_in_process.source_of(client, storage=storage, freshness=LASTING) as source,
        ):
            sources.append(source)
            yield source

    sources: list[CatalogSource] = []
    app = gateway_in_process.app_of(opened(), files=str(folder), **settings)
    async with gateway_in_process.client_of(app) as http:
        clock.go(days=1)
        embedded.requests.reset()
        yield Filed(http, sources[0], embedded, catalogs, folder)


def lines_in(body: bytes) -> list[bytes]:
    """Return the lines of a file that is compressed by Zstandard, in one step, as simple programs do it."""
    return zstandard.ZstdDecompressor().decompress(body).splitlines()


async def downloaded(http: httpx.AsyncClient, version: str) -> Records:
    """Return the records of a version, from its files."""
    records: Records = {}
    for kind, name in KINDS.items():
        answer = await http.get(f"/catalog/{version}/{name}.ndjson.zst")
        assert answer.status_code == 200, answer.text
        read = (json.loads(line) for line in lines_in(answer.content))
        records[kind] = {record["id"]: record for record in read}
    return records


def replayed(records: Records, changes: bytes) -> Records:
    """Return records after what a file of changes says, by nothing but what ``docs/files.md`` says of it."""
    found = {kind: dict(of_kind) for kind, of_kind in records.items()}
    for line in changes.splitlines():
        change = json.loads(line)
        of_kind, id = found[change["kind"]], change["id"]
        if change["change"] == "removed":
            del of_kind[id]
        elif change["change"] == "added":
            of_kind[id] = change["fields"]
        else:
            of_kind[id] = of_kind[id] | change["fields"]
            if of_kind[id].get("unfit", ()) is None:
                del of_kind[id]["unfit"]
    return found


def hash_of(records: Records) -> str:
    """Return the version that records make up, by nothing but the standard library."""
    version = sha256()
    for kind in KINDS:
        version.update(b"\n")
        for id in sorted(records[kind], reverse=True):
            version.update(json.dumps(records[kind][id], separators=(",", ":"), ensure_ascii=False).encode())
    return version.hexdigest()[:32]
