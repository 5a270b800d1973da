"""An upstream that has lost its packages, or some of them: what was known stays, in memory and on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from catalog.storage.record_rows import StoredDoubt
from catalog.storage.sqlite_storage import Storage
from catalog.sync.catalog_guard import CatalogRefused
from tests.support.crawls import asked, truth
from tests.support.settings_for_tests import SCHEDULE
from tests.support.stored_catalogs import change, stored_in
from tests.support.syncs import catalog_of, following, records_of, syncing, until
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream


class Losing:
    """The embedded upstream, whose rows can be lost and come back. ``now`` is what it is at present."""

    def __init__(self, embedded: EmbeddedUpstream) -> None:
        self.before = self.now = embedded

    async def __call__(self, *exchange: Any) -> None:
        await self.now(*exchange)

    def lose(self, loss: Loss) -> None:
        self.now = EmbeddedUpstream(catalog=loss(self.before.catalog))

    def lose_packages(self, number: int) -> None:
        self.lose(without(number))

    def recover(self) -> None:
        self.now = self.before


Loss = Callable[[EmbeddedCatalog], EmbeddedCatalog]


def without(packages: int) -> Loss:
    """Return all but the oldest packages, so many of them."""
    return lambda rows: EmbeddedCatalog(
        list(rows.packages.values())[packages:], rows.grids.values(), rows.categories.values()
    )


def others(rows: EmbeddedCatalog) -> EmbeddedCatalog:
    """Return none of the packages, and a few that are new."""
    found = EmbeddedCatalog([], rows.grids.values(), rows.categories.values())
    for number in range(30):
        found.insert_package(id=100_000 + number)
    return found


LOSSES: dict[str, Loss] = {
    "no packages": without(300),
    "no categories": lambda rows: EmbeddedCatalog(rows.packages.values(), rows.grids.values(), []),
    "nothing": lambda rows: EmbeddedCatalog(),
    "a tenth gone": without(30),
    "nine tenths gone": without(270),
    "others in their place": others,
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


@pytest.fixture
def upstream(embedded: EmbeddedUpstream) -> Losing:
    return Losing(embedded)


@every_loss
async def test_a_crawl_after_a_loss_is_refused_and_what_was_known_stays(
    upstream: Losing, path: Path, loss: Loss
) -> None:
    async with syncing(upstream, path) as sync:
        before = (await sync.crawl()).snapshot
        stored, feed = stored_in(path), await sync.changes(0, 100)
        upstream.lose(loss)
        for _ in range(3):
            with pytest.raises(CatalogRefused) as refused:
                await sync.crawl()
        assert sync.snapshot is before
        assert sync.last_error is refused.value
        assert sync.guard.doubt is refused.value.doubt
        assert stored_in(path) == stored
        assert await sync.changes(0, 100) == feed


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "no categories"])
async def test_a_look_after_a_loss_leads_to_a_crawl_and_takes_nothing(upstream: Losing, name: str) -> None:
    async with syncing(upstream) as sync:
        before = (await sync.crawl()).snapshot
        upstream.lose(LOSSES[name])
        for _ in range(2):
            assert await sync.look_for_new_packages()
            with pytest.raises(CatalogRefused):
                await sync.crawl()
        assert sync.snapshot is before


async def test_what_comes_back_is_taken_at_once(upstream: Losing) -> None:
    async with syncing(upstream) as sync:
        version = (await sync.crawl()).snapshot.catalog.version
        upstream.lose_packages(100)
        with pytest.raises(CatalogRefused):
            await sync.crawl()
        upstream.recover()
        assert not await sync.look_for_new_packages()
        synced = await sync.crawl()
        assert synced.snapshot.catalog.version == version
        assert (sync.guard.doubt, sync.last_error) == (None, None)


@pytest.mark.parametrize("name", ["no packages", "no categories", "nothing"])
async def test_an_empty_upstream_is_refused_even_if_nothing_is_known(upstream: Losing, name: str) -> None:
    upstream.lose(LOSSES[name])
    async with syncing(upstream) as sync:
        with pytest.raises(CatalogRefused, match=r"^Upstream says that it has .* The crawl is refused"):
            await sync.crawl()
        assert sync.snapshot is None


async def test_a_loss_is_accepted_when_it_is_to_be(upstream: Losing, path: Path) -> None:
    async with syncing(upstream, path) as sync:
        await sync.crawl()
        upstream.lose_packages(200)
        synced = await sync.crawl(accept=True)
        assert synced.stored
        assert records_of(sync) == await truth(upstream.now.catalog)


async def test_a_loss_is_tried_again_and_accepted_when_crawls_have_agreed_for_long_enough(
    upstream: Losing, caplog: pytest.LogCaptureFixture
) -> None:
    schedule = replace(SCHEDULE, first_retry=0.01, longest_retry=0.02, probe=0.01, agreement=0.2)
    async with syncing(upstream, schedule=schedule) as sync, following(sync):
        first = await until(lambda: sync.snapshot)
        upstream.lose_packages(200)
        sync.want()
        await until(lambda: sync.snapshot is not first)
        assert sync.attempts.outcomes["refused"] >= 1
        assert len(catalog_of(sync).packages) == 100
        assert sync.guard.doubt is None
    assert caplog.messages[0].endswith(
        "Upstream has lost 200 of 300 packages since the last crawl. The crawl is refused, and the previous "
        "catalog stays."
    )
    assert caplog.messages[-1] == (
        "what was implausible is accepted: Upstream has lost 200 of 300 packages since the last crawl."
    )


async def test_what_a_crawl_by_hand_accepts_ends_the_doubt_of_the_gateway_that_runs(
    upstream: Losing, path: Path
) -> None:
    schedule = replace(SCHEDULE, lease=0.03, first_retry=0.05, longest_retry=0.05, probe=0.01)
    async with (
        syncing(upstream, path, schedule=schedule) as leader,
        syncing(upstream, path) as by_hand,
        following(leader),
    ):
        await until(lambda: leader.snapshot)
        upstream.lose_packages(200)
        leader.want()
        await until(lambda: leader.guard.doubt)
        await by_hand.load()
        await by_hand.crawl(accept=True)
        await until(lambda: len(catalog_of(leader).packages) == 100)
        await until(lambda: leader.attempts.failures_in_a_row == 0)
        assert leader.guard.doubt is None


async def test_what_is_refused_is_tried_again_after_a_pause_and_not_at_once(upstream: Losing) -> None:
    schedule = replace(SCHEDULE, first_retry=3600, longest_retry=3600, probe=0.001)
    async with syncing(upstream, schedule=schedule) as sync, following(sync):
        await until(lambda: sync.snapshot)
        upstream.lose_packages(200)
        sync.want()
        await until(lambda: sync.attempts.outcomes["refused"])
        sync.want()
        await sync.settled(0.05)
        assert Counter(asked(upstream.now))["categories/?limit=100&offset=0"] == 1


async def test_the_agreement_of_crawls_survives_a_restart(upstream: Losing, path: Path) -> None:
    schedule = replace(SCHEDULE, first_retry=0.01, longest_retry=0.02, probe=0.01, agreement=3600)
    async with syncing(upstream, path, schedule=schedule) as first, following(first):
        await until(lambda: first.snapshot)
        upstream.lose_packages(200)
        first.want()
        await until(lambda: first.attempts.outcomes["refused"] >= 2)
    with closing(Storage(str(path))) as storage:
        refused = storage.refused()
        assert refused is not None
        assert 0 < refused.seconds < 3600
        assert (refused.reason, refused.known, refused.read, len(refused.gone)) == (
            "packages gone",
            300,
            100,
            200,
        )
        storage.save_refused(msgspec.structs.replace(refused, seconds=3600.0))
    async with syncing(upstream, path, schedule=schedule) as second:
        await second.load()
        assert len(catalog_of(second).packages) == 300
        second.want()
        async with following(second):
            await until(lambda: second.attempts.outcomes["succeeded"])
        assert len(catalog_of(second).packages) == 100
        assert second.attempts.outcomes["refused"] == 0
    with closing(Storage(str(path))) as storage:
        assert storage.refused() is None


async def test_a_restart_that_finds_another_loss_begins_the_agreement_anew(
    upstream: Losing, path: Path
) -> None:
    schedule = replace(SCHEDULE, first_retry=0.01, longest_retry=0.02, probe=0.01, agreement=3600)
    async with syncing(upstream, path, schedule=schedule) as first:
        await first.crawl()
    gone = frozenset(range(1, 101))
    with closing(Storage(str(path))) as storage:
        storage.save_refused(StoredDoubt("packages gone", 300, 200, gone, 3600.0))
    upstream.lose_packages(200)
    async with syncing(upstream, path, schedule=schedule) as second, following(second):
        await second.load()
        second.want()
        await until(lambda: second.attempts.outcomes["refused"] >= 2)
        assert len(catalog_of(second).packages) == 300
    with closing(Storage(str(path))) as storage:
        refused = storage.refused()
        assert refused is not None
        assert refused.seconds < 3600
        assert len(refused.gone) == 200


async def test_a_new_package_found_meanwhile_does_not_end_the_agreement(upstream: Losing, path: Path) -> None:
    async with syncing(upstream, path) as sync:
        await sync.crawl()
        lost = StoredDoubt("packages gone", 300, 200, frozenset(range(1, 101)), 60.0)
        sync.guard.recall(lost)
        upstream.before.catalog.insert_package(id=100_000)
        assert not await sync.look_for_new_packages()
        assert len(catalog_of(sync).packages) == 301
        with closing(Storage(str(path))) as storage:
            refused = storage.refused()
        assert refused is not None
        assert refused.seconds >= 60
        assert refused.gone == lost.gone


async def test_a_damaged_row_of_what_was_refused_begins_the_agreement_anew(
    upstream: Losing, path: Path
) -> None:
    async with syncing(upstream, path) as sync:
        await sync.crawl()
        change(path, "INSERT INTO records VALUES ('refused', 0, x'00')")
        async with following(sync):
            await until(lambda: sync.leads)
            assert sync.guard.doubt is None
