"""Tests an upstream that has lost its packages, or some of them: what was known stays, in memory and on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from catalog.catalog_difference import RecordKey
from catalog.refused_crawls import Finding, GuardState, RefusedCrawl, RefusedDifference
from catalog.storage.sqlite_storage import Storage
from catalog.sync.crawl_guard import CatalogRefused
from tests.support.batcher_with_held_answers import Clock
from tests.support.corruptions import copy_of
from tests.support.crawls import asked, truth
from tests.support.generated_upstreams import generated_upstream
from tests.support.settings_for_tests import SCHEDULE
from tests.support.stored_catalogs import change, stored_in
from tests.support.sync_in_process import catalog_of, following, records_of, syncing, until
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream

AGAIN = replace(SCHEDULE, first_retry=0.01, longest_retry=0.02, probe=0.01, look=0.01)
"""Crawls that are refused are tried again at once."""


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

    def lose(rows: EmbeddedCatalog) -> EmbeddedCatalog:
        lost = copy_of(rows)
        for id in list(rows.packages)[:packages]:
            lost.remove_package(id)
        return lost

    return lose


def others(rows: EmbeddedCatalog) -> EmbeddedCatalog:
    """Return none of the packages, and a few that are new."""
    found = EmbeddedCatalog([], rows.grids.values(), rows.categories.values())
    for number in range(30):
        found.insert_package(id=100_000 + number)
    return found


LOSSES: dict[str, Loss] = {
    "no packages": without(210),
    "no categories": lambda rows: EmbeddedCatalog(rows.packages.values(), rows.grids.values(), []),
    "nothing": lambda rows: EmbeddedCatalog(),
    "a tenth gone": without(21),
    "nine tenths gone": without(189),
    "others in their place": others,
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


@pytest.fixture
def upstream() -> Losing:
    """Return an upstream of 210 packages, of which a tenth is more than may go."""
    return Losing(generated_upstream(210))


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
        assert sync.guard.refused is not None
        assert sync.guard.refused.reason == refused.value.crawl.reason
        assert stored_in(path) == stored
        assert await sync.changes(0, 100) == feed


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "no categories"])
async def test_a_look_after_a_loss_leads_to_a_crawl_and_takes_nothing(upstream: Losing, name: str) -> None:
    async with syncing(upstream) as sync:
        before = (await sync.crawl()).snapshot
        upstream.lose(LOSSES[name])
        for _ in range(2):
            assert await sync.look()
            with pytest.raises(CatalogRefused):
                await sync.crawl()
        assert sync.snapshot is before


async def test_what_comes_back_is_taken_at_once(upstream: Losing) -> None:
    async with syncing(upstream) as sync:
        version = (await sync.crawl()).snapshot.catalog.version
        upstream.lose_packages(70)
        with pytest.raises(CatalogRefused):
            await sync.crawl()
        upstream.recover()
        assert not await sync.look()
        synced = await sync.crawl()
        assert synced.snapshot.catalog.version == version
        assert (sync.guard.refused, sync.last_error) == (None, None)


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
        upstream.lose_packages(140)
        synced = await sync.crawl(accept=True)
        assert synced.stored
        assert records_of(sync) == await truth(upstream.now.catalog)


async def test_a_loss_is_tried_again_and_accepted_when_crawls_have_agreed_for_long_enough(
    upstream: Losing, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    async with syncing(upstream, schedule=AGAIN, clock=clock) as sync, following(sync):
        first = await until(lambda: sync.snapshot)
        upstream.lose_packages(140)
        sync.want()
        await until(lambda: sync.attempts.outcomes["refused"] >= 3)
        assert sync.snapshot is first
        clock.now += 24 * 3600
        await until(lambda: sync.snapshot is not first)
        assert len(catalog_of(sync).packages) == 70
        assert sync.guard.refused is None
    assert len(caplog.messages) == 2
    assert caplog.messages[0].endswith(
        "Upstream has lost 140 of 210 packages since the last crawl. The crawl is refused, and the previous "
        "catalog stays. It adds 0 records, changes 14 and removes 140."
    )
    assert caplog.messages[-1] == (
        "what was implausible is accepted: Upstream has lost 140 of 210 packages since the last crawl."
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
        upstream.lose_packages(140)
        leader.want()
        await until(lambda: leader.guard.refused)
        await by_hand.load()
        await by_hand.crawl(accept=True)
        await until(lambda: len(catalog_of(leader).packages) == 70)
        await until(lambda: leader.attempts.failures_in_a_row == 0)
        assert leader.guard.refused is None


async def test_what_is_refused_is_tried_again_after_a_pause_and_not_at_once(upstream: Losing) -> None:
    schedule = replace(SCHEDULE, first_retry=3600, longest_retry=3600, probe=0.001)
    async with syncing(upstream, schedule=schedule) as sync, following(sync):
        await until(lambda: sync.snapshot)
        upstream.lose_packages(140)
        sync.want()
        await until(lambda: sync.attempts.outcomes["refused"])
        sync.want()
        await sync.settled(0.05)
        assert Counter(asked(upstream.now))["categories/?limit=100&offset=0"] == 1


async def test_the_agreement_of_crawls_survives_a_restart(upstream: Losing, path: Path) -> None:
    clock = Clock()
    async with syncing(upstream, path, schedule=AGAIN, clock=clock) as first, following(first):
        await until(lambda: first.snapshot)
        upstream.lose_packages(140)
        first.want()
        await until(lambda: first.attempts.outcomes["refused"])
        clock.now += 23 * 3600
        refused = first.attempts.outcomes["refused"]
        await until(lambda: first.attempts.outcomes["refused"] > refused + 1)
    clock = Clock()  # of another machine start
    async with syncing(upstream, path, schedule=AGAIN, clock=clock) as second:
        await second.load()
        assert len(catalog_of(second).packages) == 210
        async with following(second):
            await until(lambda: second.leads)
            second.want()
            await until(lambda: second.attempts.outcomes["refused"])
            clock.now += 3600
            await until(lambda: second.attempts.outcomes["succeeded"])
        assert len(catalog_of(second).packages) == 70
    with closing(Storage(str(path))) as storage:
        assert storage.guard_state().refused is None
        assert storage.refused_difference() is None


async def test_a_restart_that_finds_another_loss_begins_the_agreement_anew(
    upstream: Losing, path: Path
) -> None:
    async with syncing(upstream, path) as first:
        await first.crawl()
    refuse(path, gone=range(1, 71), seconds=24 * 3600.0)
    upstream.lose_packages(140)
    async with syncing(upstream, path, schedule=AGAIN) as second, following(second):
        await second.load()
        second.want()
        await until(lambda: second.attempts.outcomes["refused"] >= 2)
        assert len(catalog_of(second).packages) == 210
    with closing(Storage(str(path))) as storage:
        refused, difference = storage.guard_state().refused, storage.refused_difference()
        assert refused is not None
        assert refused.agreed_seconds < 3600
        assert difference is not None
        assert len(difference.removed) == 140


async def test_a_new_package_found_meanwhile_does_not_end_the_agreement(upstream: Losing, path: Path) -> None:
    async with syncing(upstream, path) as sync:
        await sync.crawl()
        refuse(path, gone=range(1, 71), seconds=60)
        await sync.publisher.recall_guard(whole=True)
        upstream.before.catalog.insert_package(id=100_000)
        assert not await sync.look()
        assert len(catalog_of(sync).packages) == 211
        with closing(Storage(str(path))) as storage:
            refused, difference = storage.guard_state().refused, storage.refused_difference()
        assert refused is not None
        assert refused.agreed_seconds >= 60
        assert difference is not None
        assert len(difference.removed) == 70


@pytest.mark.parametrize("id", [0, 1])
async def test_a_damaged_row_of_what_was_refused_begins_the_agreement_anew(
    upstream: Losing, path: Path, id: int
) -> None:
    async with syncing(upstream, path) as sync:
        await sync.crawl()
        refuse(path, gone=range(1, 71), seconds=60)
        change(path, "UPDATE records SET body = x'00' WHERE kind = 'guard' AND id = ?", id)
        upstream.lose_packages(70)
        async with following(sync):
            await until(lambda: sync.leads)
            with pytest.raises(CatalogRefused):
                await sync.crawl()
        assert sync.guard.refused is not None
        assert sync.guard.refused.agreed_seconds < 60


def refuse(path: Path, gone: range, seconds: float) -> None:
    """Write into the file that a crawl was refused, which had lost these packages."""
    finding = Finding("packages removed", len(gone), 210, "They are gone.")
    removed = tuple(RecordKey("package", id) for id in gone)
    refused = RefusedCrawl(
        datetime.now(UTC), "They are gone.", (finding,), 210, 140, 0, 0, len(gone), seconds, is_whole=True
    )
    with closing(Storage(str(path))) as storage:
        storage.save_refused(GuardState(refused), RefusedDifference(removed))
