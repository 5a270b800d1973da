"""Sends operations that hypothesis-graphql makes of the schema, over HTTP, as schemathesis does. None ends in a 5xx."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from schema import sdl
from tests.support.gateway_in_process import app_over, client_of
from tests.support.generated_upstreams import generated_upstream
from tests.support.numbers_of_examples import operations

OPERATIONS = operations(200)
MOMENTS = st.one_of(st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"), st.text(max_size=10)).map(
    nodes.String
)
Post = Callable[[str], httpx.Response]


@pytest.fixture(scope="module")
def post() -> Iterator[Post]:
    """Return what asks a gateway that has crawled."""
    app = app_over(generated_upstream(40), limit_seconds=60)
    opened = client_of(app)
    with asyncio.Runner() as runner:

        async def opening() -> httpx.AsyncClient:
            client = await opened.__aenter__()
            await app.parts.source.crawl()
            return client

        client = runner.run(opening())

        async def ask(text: str) -> httpx.Response:
            return await client.post("/graphql", json={"query": text})

        try:
            yield lambda text: runner.run(ask(text))
        finally:

            async def closing() -> None:
                await opened.__aexit__(None, None, None)

            runner.run(closing())


@settings(max_examples=OPERATIONS, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=queries(sdl("plain"), custom_scalars={"DateTime": MOMENTS}))
def test_no_generated_operation_is_answered_with_a_5xx(post: Post, text: str) -> None:
    answer = post(text)
    assert answer.status_code < 500, text
    body = answer.json()
    assert body.keys() & {"data", "errors"}, text
    codes = {error["extensions"]["code"] for error in body.get("errors", ())}
    assert "INTERNAL_SERVER_ERROR" not in codes, text
