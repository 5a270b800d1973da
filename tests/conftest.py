"""What most tests stand on: a small embedded upstream, and the gateway over it, both in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from upstream.client import Client, in_process
from upstream.embedded import Catalogue, EmbeddedUpstream, generated_catalogue
from web.app import create_app
from web.execution import Gateway, Request

ROOT = Path(__file__).parent.parent
UPSTREAM_URL = "http://upstream.test/api/v4/"

Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def embedded() -> EmbeddedUpstream:
    """The v4 API with a catalogue of 300 packages."""
    return EmbeddedUpstream(packages=300)


@pytest.fixture(scope="session")
def whole_catalogue() -> Catalogue:
    """The 5,400 packages with every trap of the contract. Shared: do not change it."""
    return generated_catalogue()


@pytest.fixture
async def client(embedded: EmbeddedUpstream) -> AsyncIterator[Client]:
    client = Client(UPSTREAM_URL, in_process(embedded))
    yield client
    await client.aclose()


@pytest.fixture
def ask(client: Client) -> Ask:
    """Runs a query and gives the body of its answer."""
    gateway = Gateway(client)

    async def ask(query: str, receipt: bool = False, **variables: object) -> dict[str, Any]:
        answer = await gateway.execute(Request(query, variables, receipt=receipt))
        return answer.body

    return ask


@pytest.fixture
def app(embedded: EmbeddedUpstream) -> Starlette:
    return create_app(lambda: Client(UPSTREAM_URL, in_process(embedded)))


@pytest.fixture
async def http(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the gateway."""
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as client,
    ):
        yield client
