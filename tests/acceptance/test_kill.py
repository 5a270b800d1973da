"""Kills a gateway at any moment of its crawl and of its save. It leaves the old catalog or the new one, as a whole."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from catalog.indexed_catalog import Catalog
from catalog.storage.sqlite_storage import Storage
from tests.support.gateway_processes import ROOT, catalog_of
from tests.support.http_servers import serving
from upstream.embedded import EmbeddedUpstream

KILLS = 50


class Crawls:
    """Crawls upstream into a catalog file, each time in a process of its own, which is killed."""

    def __init__(self, upstream: str, storage: Path) -> None:
        command = [sys.executable, "-m", "tests.support.killed_crawls", upstream, str(storage)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def crawl(self, after: str = "list", seconds: float | None = None) -> dict[str, Any]:
        """Crawl in a process that is killed some seconds after its ``begin`` or its last ``list``, and return its
        outcome."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"after": after, "seconds": seconds}) + "\n")
        self._process.stdin.flush()
        went: dict[str, Any] = json.loads(self._process.stdout.readline())
        return went

    def close(self) -> None:
        self._process.communicate(timeout=60)


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    return EmbeddedUpstream(packages=150)


@pytest.fixture
def upstream(embedded: EmbeddedUpstream) -> Iterator[str]:
    with serving(embedded) as address:
        yield f"{address}/api/v4/"


def change(embedded: EmbeddedUpstream, turn: int) -> None:
    """Change half of the packages, with one more and one less."""
    catalog = embedded.catalog
    ids = sorted(catalog.packages)
    for id in ids[turn % 2 :: 2]:
        # The guard would refuse a crawl in which half of the packages have come to one number.
        catalog.update_package(id, repo_watchers=id + turn)
    catalog.remove_package(ids[-1])
    catalog.insert_package(title=f"Inserted {turn}", slug=f"inserted-{turn}")


def stored_version(storage: Path, upstream: str) -> str:
    """Return the version of the stored catalog, which must be that of its content."""
    with closing(Storage(str(storage))) as file:
        stored = file.load()
    assert stored is not None
    catalog = Catalog.build(stored.packages, stored.grids, stored.categories)
    assert stored.version == f"{upstream} {catalog.version}"
    return catalog.version


def test_after_50_kills_the_storage_has_always_been_whole(
    embedded: EmbeddedUpstream, upstream: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage = tmp_path / "catalog.sqlite"
    with closing(Crawls(upstream, storage)) as crawls:
        assert crawls.crawl()["status"] == 0
        held = catalog_of(upstream).version
        assert stored_version(storage, upstream) == held

        change(embedded, 0)
        undisturbed = crawls.crawl()
        assert undisturbed["status"] == 0
        held = catalog_of(upstream).version
        assert stored_version(storage, upstream) == held
        spans = {"begin": undisturbed["sinceBegin"], "list": undisturbed["sinceList"]}
        left = {"old": 0, "new": 0}
        for turn in range(1, KILLS + 1):
            change(embedded, turn)
            new = catalog_of(upstream).version
            assert new != held
            # Half of them are killed at any moment, and half about the end of the save. The time moves earlier when it
            # was late for that, and later when it was early.
            after = ("begin", "list")[turn % 2]
            killed = crawls.crawl(after, spans[after] * random.uniform(0, 2 if after == "list" else 1))
            assert killed["status"] in (signal.SIGKILL, 0)
            found = stored_version(storage, upstream)
            assert found in (held, new)
            left["old" if found == held else "new"] += 1
            if after == "list":
                spans["list"] *= 1.15 if found == held else 1 / 1.15
            held = found
        # One outcome alone would prove nothing.
        assert min(left.values()) > 0, left

        change(embedded, KILLS + 1)
        assert crawls.crawl()["status"] == 0
        assert stored_version(storage, upstream) == catalog_of(upstream).version
    assert caplog.messages == []
    # No file was set aside.
    assert {path.name for path in tmp_path.iterdir()} == {"catalog.sqlite", "catalog.sqlite.lock"}
