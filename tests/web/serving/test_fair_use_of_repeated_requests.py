"""A request that is known by its bytes costs its client a unit, and one too many is told why."""

from __future__ import annotations

from tests.support.crawled_gateway import QUERY
from tests.support.gateway_in_process import app_over
from tests.support.listening_gateway import POST, get, learnt, listening
from upstream.embedded import EmbeddedUpstream

COST = 2
"""The units of the query when it runs."""


async def test_a_repeated_request_costs_a_unit_and_one_too_many_is_answered_429(
    embedded: EmbeddedUpstream,
) -> None:
    learning = COST + 2
    app = app_over(embedded, fair_use=str(learning + 2))
    async with listening(app) as gateway, gateway.connect() as wire:
        fair_use = app.parts.gateway.fair_use
        assert fair_use is not None
        await app.parts.gateway.documents.find_aside(QUERY)
        await learnt(gateway, wire)
        assert fair_use.taken == learning
        for _ in range(2):
            assert (await wire.ask(POST)).startswith(b"HTTP/1.1 200 OK\r\n")
        assert (gateway.unparsed, fair_use.taken) == (2, learning + 2)
        refused = await wire.ask(POST)
        assert refused.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
        assert b"\r\nratelimit: " in refused
        assert b'"RATE_LIMITED"' in refused
        assert (gateway.unparsed, fair_use.refused) == (2, 1)


async def test_a_repeated_request_costs_the_client_that_a_proxy_names(embedded: EmbeddedUpstream) -> None:
    app = app_over(embedded, fair_use=str(COST + 3), trusted_proxies="127.0.0.1/32")
    async with listening(app) as gateway, gateway.connect() as wire:
        await app.parts.gateway.documents.find_aside(QUERY)
        await learnt(gateway, wire, get(QUERY, "X-Forwarded-For: 192.0.2.1"))
        for client, statuses in (("192.0.2.1", [200, 429]), ("192.0.2.2", [200] * 4)):
            for status in statuses:
                answer = await wire.ask(get(QUERY, f"X-Forwarded-For: {client}"))
                assert int(answer[9:12]) == status
