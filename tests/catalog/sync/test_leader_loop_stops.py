"""A process that follows upstream ends when it is told to, whatever it is doing at that moment."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace

from catalog.storage.sqlite_storage import Storage
from tests.support.crawls import client_of
from tests.support.settings_for_tests import BUDGET, UPSTREAM_URL
from tests.support.sync_in_process import QUICK, Sync, until
from upstream.batching.batcher import Batcher
from upstream.embedded import EmbeddedUpstream


class SharedStorage(Storage):
    """A storage whose lease another process takes when the test says so."""

    is_taken = False

    def take_lease(self, holder: str, seconds: float) -> bool:
        return not self.is_taken and super().take_lease(holder, seconds)


async def test_a_leader_that_has_just_lost_its_lease_ends_when_it_is_told_to(
    embedded: EmbeddedUpstream,
) -> None:
    async with client_of(embedded) as client:
        batcher = Batcher(client, BUDGET)
        with closing(SharedStorage(":memory:")) as storage:
            sync = Sync(client, batcher, storage, UPSTREAM_URL, replace(QUICK, lease=0.03))
            following = asyncio.create_task(sync.run())
            await until(lambda: sync.leads)
            storage.is_taken = True
            while sync.leads:  # noqa: ASYNC110 - the very turn in which it stops leading
                await asyncio.sleep(0)
            following.cancel()
            await asyncio.wait([following], timeout=30)
            has_ended = following.done()
            following.cancel()  # once more, so that this test ends if it fails
            assert has_ended
        await batcher.aclose()
