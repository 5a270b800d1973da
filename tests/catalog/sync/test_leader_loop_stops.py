"""A process that follows upstream ends when it is told to, whatever it is doing at that moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from tests.support.sync_in_process import QUICK, syncing, until
from upstream.embedded import EmbeddedUpstream


async def test_a_leader_that_has_just_lost_its_lease_ends_when_it_is_told_to(
    embedded: EmbeddedUpstream, tmp_path: Path
) -> None:
    async with syncing(embedded, tmp_path / "catalog.sqlite", schedule=replace(QUICK, lease=1.0)) as sync:
        following = asyncio.create_task(sync.run())
        await until(lambda: sync.leads)
        storage, holder = sync.leader._storage, sync.leader._holder
        # The leader may just be renewing the lease in a thread, and have it again.
        await until(lambda: storage.drop_lease(holder) or storage.take_lease("another", 1.9))  # type: ignore[func-returns-value]
        while sync.leads:  # noqa: ASYNC110 - the very turn in which it stops leading
            await asyncio.sleep(0)
        following.cancel()
        await asyncio.wait([following], timeout=30)
        has_ended = following.done()
        following.cancel()  # once more, so that this test ends if it fails
        assert has_ended
