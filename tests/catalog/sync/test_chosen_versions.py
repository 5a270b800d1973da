"""Every process that shares the file serves what an operator pins or rolls back to, and goes on from there."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from catalog.catalog_source import CatalogSource
from catalog.storage.sqlite_storage import Storage
from tests.support.corruptions import copy_of
from tests.support.crawls import client_of
from tests.support.generated_upstreams import generated_upstream
from tests.support.settings_for_tests import BUDGET, FRESHNESS, GUARD_LIMITS, UPSTREAM_URL
from tests.support.stored_catalogs import begin, change, stored_in
from tests.support.sync_in_process import QUICK, Sync, following, syncing, until
from upstream.batching.batcher import Batcher
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream

pytestmark = pytest.mark.virtual_time


@dataclass
class Gateways:
    """A process that leads and one that follows, over one file with two versions; and the operator's own storage."""

    embedded: EmbeddedUpstream
    leading: Sync
    following: Sync
    operator: Storage
    one: str
    two: str

    def served(self) -> set[str | None]:
        """Return the versions that the processes serve."""
        snapshots = [sync.publisher.served for sync in (self.leading, self.following)]
        return {None if snapshot is None else snapshot.catalog.version for snapshot in snapshots}

    async def serve(self, version: str) -> None:
        """Wait until both serve a version."""
        await until(lambda: self.served() == {version})

    def pin(self, version: str) -> None:
        self.operator.history.pin(self.operator.history.named(version))

    def roll_back(self, version: str) -> None:
        self.operator.history.roll_back(self.operator.history.named(version))

    async def crawl(self, **fields: object) -> str:
        """Change a package upstream, let the leader crawl, and return the new version."""
        self.embedded.catalog.update_package(1599, **fields)
        return (await self.leading.crawl()).snapshot.catalog.version

    async def tell(self, *stars: tuple[int, int]) -> None:
        """Expect that the feed comes to tell exactly this of the stars of the package that changes."""
        async with asyncio.timeout(30):
            while len(told := await self._told()) < len(stars):  # noqa: ASYNC110 - it is read from a file
                await asyncio.sleep(0.002)
        assert told == list(stars)

    async def _told(self) -> list[tuple[int, int]]:
        """Return what the feed has told since the first version."""
        entries = (await self.following.changes(1, 100)).entries
        fields = [field for entry in entries for field in entry.change.fields]
        return [(field.old, field.new) for field in fields if field.name == "repo_watchers"]


@dataclass(frozen=True)
class TwoVersions:
    """A file with two versions, and the rows that upstream had at the second. Shared: use copies of both."""

    file: Path
    rows: EmbeddedCatalog
    one: str
    two: str


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory: pytest.TempPathFactory) -> TwoVersions:
    return asyncio.run(_two_versions(tmp_path_factory.mktemp("versions") / "catalog.sqlite"))


async def _two_versions(file: Path) -> TwoVersions:
    embedded = generated_upstream(110)
    async with syncing(embedded, file) as sync:
        await sync.crawl()
        versions = []
        for stars in (1, 2):
            embedded.catalog.update_package(1599, repo_watchers=stars)
            versions.append((await sync.crawl()).snapshot.catalog.version)
    return TwoVersions(file, embedded.catalog, *versions)


@pytest.fixture
def embedded(two_versions: TwoVersions) -> EmbeddedUpstream:
    """Return an upstream with two pages of packages."""
    return EmbeddedUpstream(catalog=copy_of(two_versions.rows))


@pytest.fixture
def operator(path: Path, two_versions: TwoVersions) -> Iterator[Storage]:
    shutil.copy(two_versions.file, path)
    with closing(Storage(str(path))) as storage:
        yield storage


@pytest.fixture
async def gateways(
    embedded: EmbeddedUpstream, path: Path, operator: Storage, two_versions: TwoVersions
) -> AsyncIterator[Gateways]:
    async with AsyncExitStack() as stack:
        leading, other = [await stack.enter_async_context(syncing(embedded, path)) for _ in range(2)]
        await leading.load()
        await stack.enter_async_context(following(leading))
        await until(lambda: leading.attempts.outcomes["succeeded"])
        await other.load()
        await stack.enter_async_context(following(other))
        yield Gateways(embedded, leading, other, operator, two_versions.one, two_versions.two)


async def test_all_serve_what_is_pinned_while_crawls_go_on_into_history(gateways: Gateways) -> None:
    gateways.pin(gateways.one)
    await gateways.serve(gateways.one)
    three = await gateways.crawl(repo_watchers=3)
    assert gateways.operator.history.versions(limit=1)[0].version == three
    # The one that follows has taken the crawl, and serves what is pinned even so.
    await until(lambda: gateways.following.snapshot and gateways.following.snapshot.catalog.version == three)
    assert gateways.served() == {gateways.one}
    gateways.operator.history.unpin()
    await gateways.serve(three)


async def test_the_feed_tells_of_what_is_served(gateways: Gateways) -> None:
    await gateways.tell((1, 2))
    gateways.pin(gateways.one)
    await gateways.serve(gateways.one)
    await gateways.tell((1, 2), (2, 1))
    await gateways.crawl(repo_watchers=3)
    three = await gateways.crawl(repo_watchers=4)
    await gateways.tell((1, 2), (2, 1))
    gateways.operator.history.unpin()
    await gateways.serve(three)
    await gateways.tell((1, 2), (2, 1), (1, 4))


async def test_a_pin_can_move(gateways: Gateways) -> None:
    three = await gateways.crawl(repo_watchers=3)
    for version in (gateways.one, gateways.two, three):
        gateways.pin(version)
        await gateways.serve(version)


async def test_a_process_that_starts_serves_what_is_pinned_from_its_first_answer(
    gateways: Gateways, path: Path
) -> None:
    gateways.pin(gateways.one)
    async with syncing(gateways.embedded, path) as started:
        await started.load()
        served = started.publisher.served
        assert served is not None
        assert served.catalog.version == gateways.one
        assert started.snapshot is not None
        assert started.snapshot.catalog.version == gateways.two


async def test_a_pinned_version_that_is_damaged_is_said_in_the_log_and_what_is_served_stays(
    gateways: Gateways, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gateways.pin(gateways.one)
    await gateways.serve(gateways.one)
    change(path, "DELETE FROM record_changes")
    async with syncing(gateways.embedded, path) as started:
        await started.load()
        served = started.publisher.served
        assert served is not None
        assert served.catalog.version == gateways.two
    (message,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert message.startswith(
        f"The pinned version {gateways.one} cannot be served. Version {gateways.one} of "
    )
    assert gateways.served() == {gateways.one}


async def test_all_serve_what_is_rolled_back_to_until_a_crawl_finds_another(gateways: Gateways) -> None:
    gateways.embedded.catalog.insert_package(slug="came-with-the-second")
    await gateways.leading.crawl()
    gateways.roll_back(gateways.one)
    await gateways.serve(gateways.one)
    # A look would bring back the newest packages.
    assert await gateways.leading.look() is False
    assert gateways.served() == {gateways.one}
    three = await gateways.crawl(repo_watchers=3)
    await gateways.serve(three)
    await gateways.tell((1, 2), (2, 1), (1, 3))
    causes = [version.cause for version in gateways.operator.history.versions(limit=3)]
    assert causes == ["crawl", "rollback", "crawl"]


async def test_what_was_read_before_a_clock_was_set_back_does_not_keep_out_what_is_read_after(
    gateways: Gateways, embedded: EmbeddedUpstream
) -> None:
    stored = gateways.operator.load()
    assert stored is not None
    ahead = replace(
        stored, packages=stored.packages[1:], refreshed_at=stored.refreshed_at + timedelta(days=999)
    )
    gateways.operator.save(**vars(replace(ahead, version=f"{UPSTREAM_URL} of-the-future")))
    number = len(ahead.packages)
    # The one that leads has to have it too: else its crawl may find what it knows, before it takes this one.
    both = (gateways.leading, gateways.following)
    await until(lambda: all(each.snapshot and len(each.snapshot.catalog.packages) == number for each in both))
    gateways.leading.want()
    await gateways.serve(gateways.two)


async def test_a_start_with_a_catalog_of_the_future_crawls_at_once(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    async with syncing(embedded, path) as sync:
        await sync.crawl()
    stored = stored_in(path)
    assert stored is not None
    begin(path, replace(stored, refreshed_at=stored.refreshed_at + timedelta(days=999)))
    async with syncing(embedded, path) as sync:
        await sync.load()
        assert sync.snapshot is not None
        assert sync.snapshot.is_of_the_future()
        async with following(sync):
            await until(lambda: sync.snapshot and not sync.snapshot.is_of_the_future())


@asynccontextmanager
async def source_that_does_not_crawl(embedded: EmbeddedUpstream, path: Path) -> AsyncIterator[CatalogSource]:
    async with client_of(embedded) as client:
        batcher = Batcher(client, BUDGET)
        with closing(Storage(str(path))) as storage:
            source = CatalogSource(
                client,
                batcher,
                storage,
                origin=UPSTREAM_URL,
                follow=False,
                schedule=QUICK,
                guard=GUARD_LIMITS,
                freshness=FRESHNESS,
                crawl_wait=0,
                search_wait=0,
            )
            await source.open()
            try:
                yield source
            finally:
                await source.aclose()
        await batcher.aclose()


async def test_a_process_that_does_not_crawl_follows_too(gateways: Gateways, path: Path) -> None:
    async with source_that_does_not_crawl(gateways.embedded, path) as source:
        gateways.pin(gateways.one)
        await until(lambda: source.latest and source.latest.catalog.version == gateways.one)


async def test_what_is_pinned_is_served_whatever_its_age_and_says_how_old_it_is(
    gateways: Gateways, path: Path
) -> None:
    change(path, "UPDATE versions SET refreshed_at = '2020-01-02T00:00:00.000000+00:00'")
    gateways.pin(gateways.one)
    await gateways.serve(gateways.one)
    async with source_that_does_not_crawl(gateways.embedded, path) as source:
        snapshot = source.current()
        assert snapshot is not None
        status = source.status(snapshot)
        assert (status.version, status.stale) == (gateways.one, True)
        assert status.refreshed_at is not None
        assert status.refreshed_at.isoformat() == "2020-01-02T00:00:00+00:00"
        assert await source.ready() == "catalog"
        assert (await source.first_catalog()).version == gateways.one
