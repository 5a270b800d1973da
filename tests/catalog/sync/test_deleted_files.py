"""A file that is deleted while gateways run gets its catalog back from the one that leads, without a crawl."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.generated_upstreams import generated_upstream
from tests.support.stored_catalogs import stored_in
from tests.support.sync_in_process import Sync, following, syncing, until
from upstream.embedded import EmbeddedUpstream

pytestmark = pytest.mark.virtual_time

LOST = "it has lost its catalog"


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """Return an upstream with two pages of packages."""
    return generated_upstream(110)


def delete(path: Path) -> None:
    """Delete the file as an operator does, with its log."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def error_of(sync: Sync) -> str | None:
    """Return why this process cannot use the storage."""
    return sync.publisher.storage_error


async def take(sync: Sync) -> None:
    """Look at the storage once, as a process does that follows another one."""
    await sync.publisher.take_newer(follows=True)


async def test_the_leader_stores_its_catalog_again_without_a_crawl(
    embedded: EmbeddedUpstream, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with syncing(embedded, path) as sync, following(sync):
        await until(lambda: sync.publisher.snapshot and sync.leads)
        await until(lambda: not sync.syncing)
        before, snapshot = stored_in(path), sync.snapshot
        requests = embedded.requests.total
        delete(path)
        await until(lambda: "The catalog could be stored again." in caplog.messages)
        assert error_of(sync) is None
        assert stored_in(path) == before
        assert not (await sync.changes(0, 10)).entries
        assert sync.snapshot is snapshot
        assert embedded.requests.total == requests


async def test_a_process_that_follows_says_that_the_file_has_no_catalog_until_it_has_one(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    async with syncing(embedded, path) as leader, syncing(embedded, path) as follower:
        await leader.crawl()
        await take(follower)
        served = follower.snapshot
        assert served is not None
        assert error_of(follower) is None
        delete(path)
        for _ in range(2):
            await take(follower)
            assert error_of(follower) == LOST
            assert follower.snapshot is served
        await leader.publisher.take_newer()
        assert error_of(leader) == LOST
        await leader.publisher.store_again()
        assert error_of(leader) is None
        await take(follower)
        assert error_of(follower) is None
        assert follower.snapshot is not None
        assert follower.snapshot.catalog.version == served.catalog.version
        assert not (await follower.changes(0, 10)).entries


async def test_a_file_that_never_had_a_catalog_has_lost_none(embedded: EmbeddedUpstream, path: Path) -> None:
    async with syncing(embedded, path) as sync:
        await take(sync)
        assert error_of(sync) is None
