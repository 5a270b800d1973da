"""The gateway over an embedded upstream, both in this process and without HTTP between them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from catalog.catalog_source import CatalogSource
from catalog.storage.sqlite_storage import Storage
from engine import RunLimits
from gateway.request_execution import Gateway, GraphQLRequest
from upstream.client.api_client import Client
from upstream.client.http_transport import in_process
from upstream.client.retrying_exchange import ClientLimits
from upstream.embedded import EmbeddedUpstream

UPSTREAM_URL = "http://upstream.test/api/v4/"

Ask = Callable[..., Awaitable[dict[str, Any]]]


def source_over(upstream: EmbeddedUpstream) -> CatalogSource:
    """All of it live. One attempt for each request, so that counts are plain: retries have their own tests."""
    client = Client(UPSTREAM_URL, in_process(upstream), ClientLimits(attempts=1))
    return CatalogSource(client, Storage(":memory:"), origin=UPSTREAM_URL, follow=False)


def asking(source: CatalogSource, *, use_engine: bool = True) -> Ask:
    # A busy machine takes its time.
    gateway = Gateway(source, use_engine=use_engine, run_limits=RunLimits(seconds=60))

    async def ask(query: str, receipt: bool = False, **variables: object) -> dict[str, Any]:
        answer = await gateway.execute(GraphQLRequest(query, variables, receipt=receipt))
        return answer.decoded()

    return ask
