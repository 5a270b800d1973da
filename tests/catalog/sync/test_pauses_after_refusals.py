"""A refused crawl is no outage: it is confirmed after longer and longer pauses, until it is accepted."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.refused_crawls import RefusedCrawl
from catalog.storage.sqlite_storage import Storage
from catalog.sync.crawl_guard import CatalogRefused
from catalog.sync.refresh_backoff import Attempts
from catalog.sync.refused_crawl_acceptance import accept_refused
from tests.support.settings_for_tests import SCHEDULE, UPSTREAM_URL
from tests.support.sync_in_process import catalog_of, following, syncing, until
from upstream.client.upstream_errors import UpstreamTimeout
from upstream.embedded import EmbeddedUpstream


def refusal(known: int = 300, *, is_whole: bool = True) -> CatalogRefused:
    crawl = RefusedCrawl(datetime.now(UTC), "Gone.", (), known, 0, 0, 0, known, 0.0, is_whole=is_whole)
    return CatalogRefused(crawl, None, is_new=False)


def test_pauses_after_refused_crawls_grow_up_to_that_between_ordinary_crawls() -> None:
    attempts = Attempts(probe=15, first_retry=15, longest_retry=900, crawl=21600)
    pauses = [attempts.failed(refusal(), has_answered=True) for _ in range(15)]
    for number, pause in enumerate(pauses):
        assert 0.9 <= pause / min(15 * 2**number, 21600) <= 1.1
    assert attempts.failed(UpstreamTimeout("slow"), has_answered=True) <= 990


@pytest.mark.parametrize("error", [refusal(known=0), refusal(is_whole=False)], ids=["cold", "cut short"])
def test_pauses_stay_short_where_nothing_is_known_and_where_a_crawl_was_not_read_to_its_end(
    error: CatalogRefused,
) -> None:
    attempts = Attempts(probe=15, first_retry=15, longest_retry=900, crawl=21600)
    assert max(attempts.failed(error, has_answered=True) for _ in range(15)) <= 990


async def test_the_pause_after_a_refused_crawl_ends_when_that_is_accepted(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    schedule = replace(SCHEDULE, first_retry=3600, crawl=21600, probe=0.001, look=0.01)
    async with syncing(embedded, path, schedule=schedule) as sync, following(sync):
        await until(lambda: sync.snapshot)
        for id in list(embedded.catalog.packages)[:200]:
            embedded.catalog.remove_package(id)
        sync.want()
        await until(lambda: sync.attempts.outcomes["refused"])
        with closing(Storage(str(path))) as storage:
            await asyncio.to_thread(accept_refused, storage, UPSTREAM_URL)
        await until(lambda: sync.attempts.failures_in_a_row == 0)
        assert len(catalog_of(sync).packages) == 100
