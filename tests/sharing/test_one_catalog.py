"""Tests gateways that share a Valkey server: one crawls, all serve what it stored, and they agree again after an
absence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.gateway_processes import eventually
from tests.support.settings_for_tests import FRESHNESS, SCHEDULE
from tests.support.sharing_gateways import all_serve, sharing_source
from tests.support.valkey_servers import ValkeyServer, valkey_server
from upstream.client import StorageUnavailable
from upstream.embedded import EmbeddedUpstream

QUICK = replace(SCHEDULE, lease=3.0, look=0.05)


async def test_one_crawls_for_all(embedded: EmbeddedUpstream, valkey: ValkeyServer) -> None:
    async with sharing_source(embedded, valkey.url) as one:
        await eventually(lambda: one.latest)
        async with sharing_source(embedded, valkey.url) as two, sharing_source(embedded, valkey.url) as three:
            await all_serve(one, two, three)
            embedded.catalog.insert_package()
            await one.crawl()
            crawled = embedded.requests.total
            await all_serve(one, two, three)
            assert [each.leader.leads for each in (one, two, three)] == [True, False, False]
            assert embedded.requests.total == crawled


@pytest.mark.parametrize(
    ("hears", "look"),
    [pytest.param(True, 3600.0, id="announced"), pytest.param(False, 0.1, id="looked for")],
)
async def test_a_new_version_is_served_by_all(
    embedded: EmbeddedUpstream, valkey: ValkeyServer, hears: bool, look: float
) -> None:
    schedule = replace(SCHEDULE, look=look)
    async with sharing_source(embedded, valkey.url) as one:
        await eventually(lambda: one.latest)
        async with sharing_source(embedded, valkey.url, hears=hears, schedule=schedule) as two:
            if hears:
                await eventually(lambda: valkey.client.pubsub_numsub("{djangopackages}:news")[0][1] == 2)
            embedded.catalog.insert_package()
            await one.crawl()
            await all_serve(one, two)


async def test_the_next_leader_goes_on_from_what_is_stored(
    embedded: EmbeddedUpstream, valkey: ValkeyServer
) -> None:
    async with sharing_source(embedded, valkey.url, schedule=QUICK) as two:
        async with sharing_source(embedded, valkey.url, schedule=QUICK) as one:
            await eventually(lambda: one.latest and two.latest)
        before = embedded.requests.total
        await eventually(lambda: two.leader.leads)
        await eventually(lambda: two.leader.attempts.outcomes["succeeded"])
        # A look at the three lists at most, and no crawl: the catalog is fresh.
        assert embedded.requests.total - before <= 3


async def test_a_gateway_starts_without_the_server_and_takes_it_when_it_comes(
    embedded: EmbeddedUpstream,
) -> None:
    server = ValkeyServer()
    async with sharing_source(embedded, server.url, schedule=QUICK) as one:
        assert one.latest is None
        assert one.health().storage_error
        assert await one.ready() == "live"
        with pytest.raises(StorageUnavailable):
            await one.changes(0, 9)
        assert not one.leader.leads
        try:
            server.start()
            await eventually(lambda: one.latest)
            assert not one.health().storage_error
            async with sharing_source(embedded, server.url, schedule=QUICK) as two:
                await all_serve(one, two)
        finally:
            server.close()


async def test_without_the_server_each_crawls_alone_when_its_catalog_is_stale_and_they_agree_afterwards(
    embedded: EmbeddedUpstream,
) -> None:
    often, stale = replace(QUICK, crawl=1.0, newest=0.5), replace(FRESHNESS, fresh=1.0)
    with valkey_server() as server:
        async with (
            sharing_source(embedded, server.url, schedule=often, freshness=stale) as one,
            sharing_source(embedded, server.url, schedule=often, freshness=stale) as two,
        ):
            await eventually(lambda: one.latest and two.latest)
            server.kill()
            await eventually(lambda: one.health().storage_error and two.health().storage_error)
            new = embedded.catalog.insert_package()
            for each in (one, two):
                await eventually(lambda each=each: new in each.latest.catalog.packages)  # type: ignore[misc]
            server.start()
            await eventually(lambda: not one.health().storage_error and not two.health().storage_error)
            await eventually(lambda: one.leader.leads != two.leader.leads)
            new = embedded.catalog.insert_package()
            for each in (one, two):
                await eventually(lambda each=each: new in each.latest.catalog.packages)  # type: ignore[misc]


async def test_without_the_server_a_fresh_catalog_is_not_crawled_again(embedded: EmbeddedUpstream) -> None:
    with valkey_server() as server:
        schedule = replace(QUICK, lease=0.5)
        async with sharing_source(embedded, server.url, schedule=schedule) as one:
            await eventually(lambda: one.latest)
            server.kill()
            await eventually(lambda: not one.leader.leads)
            before = embedded.requests.total
            one.refresher.wanted.set()
            await eventually(lambda: one.health().storage_error)
            assert not one.leader.leads
            assert embedded.requests.total == before
            assert await one.ready() == "catalog"
