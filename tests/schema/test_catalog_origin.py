"""Where the data come from is told to programs and to people: a site, or the embedded demo."""

from __future__ import annotations

import httpx
import pytest

from tests.support.gateway_in_process import app_over, asking, source_over
from tests.support.generated_upstreams import generated_upstream
from web.pages.page_frame import DEMO

UPSTREAMS = [("embedded", "DEMO"), ("http://upstream.test/api/v4/", "SITE")]


@pytest.mark.parametrize("use_engine", [True, False])
@pytest.mark.parametrize(("upstream", "origin"), UPSTREAMS)
async def test_the_catalog_tells_where_its_data_come_from(
    upstream: str, origin: str, use_engine: bool
) -> None:
    async with source_over(generated_upstream(20), upstream=upstream) as source:
        ask = asking(source, use_engine=use_engine)
        expected = {"data": {"catalog": {"source": origin}}}
        assert await ask("{ catalog { source } }") == expected
        await source.crawl()
        assert await ask("{ catalog { source } }") == expected


@pytest.mark.parametrize(("upstream", "origin"), UPSTREAMS)
async def test_every_page_says_when_its_data_are_a_demo(upstream: str, origin: str) -> None:
    app = app_over(generated_upstream(20), upstream=upstream)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http,
    ):
        for address in ("/", "/graphql", "/docs/", "/docs/graph.md"):
            page = (await http.get(address, headers={"Accept": "text/html"})).text
            assert (DEMO in page) == (origin == "DEMO"), address
            assert ('href="/docs/operating.md#the-real-site"' in page) == (origin == "DEMO"), address
        told = (await http.get("/")).json()
        assert told["catalog"]["source"] == origin.lower()
