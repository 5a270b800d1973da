"""The log says when a crawl begins, what it found, why it failed, and when upstream can be read again."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from tests.support.corruptions import Corruptible, gone
from tests.support.gateway_in_process import source_of
from tests.support.settings_for_tests import CLIENT_LIMITS, SCHEDULE, UPSTREAM_URL
from tests.support.sync_in_process import until
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

QUICK = replace(SCHEDULE, crawl=3600, newest=3600, probe=0.01, first_retry=0.01, longest_retry=0.02)


def fields_of(caplog: pytest.LogCaptureFixture, sentence: str) -> list[dict[str, Any]]:
    """Return the fields of each line with this sentence."""
    found = [record for record in caplog.records if record.getMessage() == sentence]
    return [getattr(record, "fields", {}) for record in found]


async def test_a_crawl_is_logged_with_what_it_changed(
    embedded: EmbeddedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    async with source_of(Client(UPSTREAM_URL, in_process(embedded), CLIENT_LIMITS)) as source:
        with caplog.at_level(logging.INFO, "catalog"):
            await source.crawl()
            embedded.catalog.remove_package(next(iter(embedded.catalog.packages)))
            result = await source.crawl()
    first, second = fields_of(caplog, "A crawl is done.")
    assert len(fields_of(caplog, "A crawl has begun.")) == 2
    assert (first["packages"], first["added"], first["removed"]) == (300, None, None)
    assert (second["packages"], second["added"], second["removed"], second["stored"]) == (299, 0, 1, True)
    assert second["catalog"] == result.snapshot.catalog.version[:16]


async def test_a_recovery_is_logged_once_with_the_failures_before_it(
    embedded: EmbeddedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    embedded.faults.add(Fault(StatusFault(500), path="/api/v4/grids/"))
    client = Client(UPSTREAM_URL, in_process(embedded), CLIENT_LIMITS)
    with caplog.at_level(logging.INFO, "catalog"):
        async with source_of(client, follow=True, schedule=QUICK) as source:
            await until(lambda: source.leader.attempts.failures_in_a_row == 2)
            embedded.faults.clear()
            await until(lambda: source.leader.attempts.outcomes["succeeded"])
            failures = source.leader.attempts.outcomes["UPSTREAM_UNAVAILABLE"]
    (recovered,) = fields_of(caplog, "The catalog can be refreshed again.")
    assert recovered["failures"] == failures


async def test_a_refused_crawl_is_logged_once_with_its_numbers(
    embedded: EmbeddedUpstream, caplog: pytest.LogCaptureFixture
) -> None:
    upstream = Corruptible(embedded)
    client = Client(UPSTREAM_URL, in_process(upstream), CLIENT_LIMITS)
    async with source_of(client, follow=True, schedule=QUICK) as source:
        await until(lambda: source.latest)
        upstream.corrupt(gone(0.9))
        source.refresher.wanted.set()
        await until(lambda: source.leader.attempts.failures_in_a_row == 3)
    refused = [record.getMessage() for record in caplog.records if "lost 270 of 300" in record.getMessage()]
    assert len(refused) == 1
    assert refused[0].endswith("It adds 0 records, changes 23 and removes 270.")
