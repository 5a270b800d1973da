"""Tests ``server.py catalog accept``, run as an operator runs it, beside gateways that run."""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from catalog.storage.sqlite_storage import Storage
from catalog.sync.crawl_guard import CatalogRefused
from tests.support.command_line import server
from tests.support.corruptions import Corruptible, gone, with_bad_slugs, without_last_page
from tests.support.sync_in_process import catalog_of, following, syncing, until
from upstream.embedded import EmbeddedUpstream

ROOT = Path(__file__).parent.parent.parent
UPSTREAM = "http://upstream.test/api/v4/"


def run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return server("catalog", "--upstream", UPSTREAM, *arguments, GATEWAY_STORAGE=str(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


@pytest.fixture
def upstream(embedded: EmbeddedUpstream) -> Corruptible:
    return Corruptible(embedded)


async def test_a_refused_crawl_is_shown_and_accepted_and_running_gateways_follow(
    upstream: Corruptible, path: Path
) -> None:
    async with syncing(upstream, path) as leader, syncing(upstream, path) as follower:
        version = (await leader.crawl()).snapshot.catalog.version
        upstream.corrupt(gone(0.3))
        async with following(leader):
            await until(lambda: leader.leads)
            async with following(follower):
                leader.want()
                await until(lambda: leader.guard.refused)
                await until(lambda: follower.guard.refused)
                assert follower.guard.refused is not None
                assert follower.guard.refused.removed == 90

                done = await asyncio.to_thread(run, path)
                lines = done.stdout.splitlines()
                assert lines[0].startswith(version)
                assert lines[3].endswith(
                    "is refused. Upstream has lost 90 of 300 packages since the last crawl."
                )
                assert lines[4].startswith("It adds 0 records, changes ")
                assert lines[5] == "If it is right, `python server.py catalog accept` accepts it."

                done = await asyncio.to_thread(run, path, "accept")
                assert (done.returncode, done.stderr) == (0, "")
                assert "210 packages, 24 grids, 6 categories." in done.stdout.splitlines()[0]
                assert "Removed: 90" in done.stdout.splitlines()

                for sync in (leader, follower):
                    await until(lambda sync=sync: len(catalog_of(sync).packages) == 210)  # type: ignore[misc]
                    await until(lambda sync=sync: sync.guard.refused is None)  # type: ignore[misc]
                assert leader.last_error is None
                feed = await leader.changes(0, 1000)
                removed = [entry.change.id for entry in feed.entries if entry.change.sort == "removed"]
                assert len(removed) == 90


async def test_what_is_accepted_stays_accepted_in_the_crawls_after_it(
    upstream: Corruptible, path: Path
) -> None:
    upstream.corrupt(with_bad_slugs)
    async with syncing(upstream, path) as sync:
        with pytest.raises(CatalogRefused):
            await sync.crawl()
    done = run(path)
    assert done.stdout.splitlines()[0] == "No catalog is stored."
    assert run(path, "accept").returncode == 0
    async with syncing(upstream, path) as sync:
        await sync.load()
        version = catalog_of(sync).version
        assert (await sync.crawl()).snapshot.catalog.version == version


async def test_there_is_nothing_to_accept_where_nothing_is_refused(upstream: Corruptible, path: Path) -> None:
    async with syncing(upstream, path) as sync:
        await sync.crawl()
    done = run(path, "accept")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "No crawl is refused, so there is nothing to accept.\n"


async def test_a_crawl_that_could_not_be_read_to_its_end_cannot_be_accepted(
    upstream: Corruptible, path: Path
) -> None:
    async with syncing(upstream, path) as sync:
        await sync.crawl()
        upstream.corrupt(without_last_page)
        with pytest.raises(CatalogRefused):
            await sync.crawl()
    done = run(path)
    assert "accept" not in done.stdout
    done = run(path, "accept")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "The refused crawl could not be read to its end, so it cannot be accepted. Upstream's packages changed during "
        "each of 5 readings.\n"
    )
    with closing(Storage(str(path))) as storage:
        assert storage.guard_state().refused is not None


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    for arguments in ((), ("accept",)):
        done = run(tmp_path, *arguments)
        assert done.returncode == 2
        assert done.stderr == f"The catalog file {tmp_path} cannot be used: it is a directory.\n"
