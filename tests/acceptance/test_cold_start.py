"""Tests a cold gateway that many clients ask at once, over real HTTP. Upstream is asked for each thing once."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import aiohttp
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.http_servers import serving
from tests.support.settings_for_tests import CLIENT_LIMITS, settings_for_tests
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream
from web.pages.graphiql import CANONICAL
from wiring import make_app

CLIENTS = 200
PATIENT = replace(CLIENT_LIMITS, exchange=60, total=100)
"""Limits for a busy machine, on which many clients take long to start. Nothing is asked again because of that."""


class Door:
    """Lets the answers of upstream pass once a number of requests have come to the gateway."""

    def __init__(self, requests: int) -> None:
        self._missing = requests
        self._all_are_there = threading.Event()

    def at_gateway(self, app: ASGIApp) -> ASGIApp:
        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                self._missing -= 1
                if not self._missing:
                    self._all_are_there.set()
            await app(scope, receive, send)

        return counted

    def at_upstream(self, app: ASGIApp) -> ASGIApp:
        async def held(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                await asyncio.to_thread(self._all_are_there.wait)
            await app(scope, receive, send)

        return held


async def ask_together(address: str, document: str) -> list[bytes]:
    """Return the answers to a number of clients, each with a connection of its own."""

    async def ask(session: aiohttp.ClientSession) -> bytes:
        async with session.post(f"{address}/graphql", json={"query": document}) as answer:
            assert answer.status == 200
            return await answer.read()

    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        return await asyncio.gather(*(ask(session) for _ in range(CLIENTS)))


async def test_two_hundred_cold_canonical_queries_ask_upstream_for_each_thing_once(
    whole_embedded_catalog: EmbeddedCatalog,
) -> None:
    upstream = EmbeddedUpstream(catalog=whole_embedded_catalog, latency=0.005)
    door = Door(CLIENTS)
    with serving(door.at_upstream(upstream)) as upstream_address:
        base_url = f"{upstream_address}/api/v4/"

        settings = settings_for_tests(upstream=base_url, upstream_timeout=60, upstream_total_timeout=100)
        with serving(door.at_gateway(make_app(settings))) as address:
            answers = await ask_together(address, CANONICAL.read_text(encoding="utf-8"))

    (answer,) = set(answers)
    assert b'"errors"' not in answer
    assert b'"django-cacheback"' in answer
    (grid,) = whole_embedded_catalog.packages[1442].grids
    others = set(whole_embedded_catalog.grids[grid].packages) - {1442}
    assert upstream.requests.by_target == {
        "/api/v4/packages/django-cacheback/": 1,
        "/api/v4/categories/?limit=100&offset=0": 1,
        f"/api/v4/grids/{grid}/": 1,
    } | {f"/api/v4/packages/{id}/": 1 for id in others}
