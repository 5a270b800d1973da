"""Tests a crawler whose connection to the server hangs while it publishes: what arrives after a takeover changes
nothing."""

from __future__ import annotations

from dataclasses import replace

from tests.support.gateway_processes import eventually
from tests.support.port_forwarding import forwarding
from tests.support.settings_for_tests import SCHEDULE
from tests.support.sharing_gateways import all_serve, sharing_source
from tests.support.valkey_servers import ValkeyServer
from upstream.embedded import EmbeddedUpstream

QUICK = replace(SCHEDULE, lease=3.0, look=0.05)


async def test_a_publication_that_arrives_after_another_gateway_has_taken_over_is_refused(
    embedded: EmbeddedUpstream, valkey: ValkeyServer
) -> None:
    def published() -> str:
        return str(valkey.client.hget("{djangopackages}:state", "catalog"))

    with forwarding(valkey.port) as hanging:
        hanging.cut_at = b"{djangopackages}:changes:1\r"
        url = f"valkey://127.0.0.1:{hanging.port}/0"
        async with sharing_source(embedded, url, schedule=QUICK) as late:
            await eventually(hanging.is_cut.is_set)
            assert late.leader.leads
            old = late.latest
            assert old is not None
            new = embedded.catalog.insert_package()
            async with sharing_source(embedded, valkey.url, schedule=QUICK) as other:
                await eventually(lambda: other.latest and other.latest.catalog.version in published())
                assert other.latest is not None
                assert new in other.latest.catalog.packages
                hanging.is_cut.clear()
                await all_serve(other, late)
                assert other.latest.catalog.version in published()
                assert old.catalog.version not in published()
                await eventually(lambda: late.leader.leads != other.leader.leads)
