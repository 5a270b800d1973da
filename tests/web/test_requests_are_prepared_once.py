"""A request is prepared once: whichever way it comes, one look at the catalog and one at its document are enough."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

import wiring
from catalog.catalog_source import CatalogSource
from catalog.freshness import Snapshot
from gateway.document_cache import DocumentCache
from gateway.gateway import Gateway
from gateway.request_document import RequestDocument
from tests.support.gateway_in_process import gateway_over, source_of
from tests.support.http_servers import serving
from tests.support.settings_for_tests import CLIENT_LIMITS, UPSTREAM_URL, settings_for_tests
from tests.support.streaming_gateway import GRAPHQL_TRANSPORT_WS, received, send, subscribe
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp, Parts
from web.cache_headers import CachePolicy
from web.graphql_endpoint import GraphQLEndpoint

WHOLE = "{ categories { slug } }"
DEFERRED = "{ categories { slug ... @defer { title } } }"


class CountedSource(CatalogSource):
    """Counts how often a catalog is taken to answer from."""

    taken = 0

    def current(self) -> Snapshot | None:
        self.taken += 1
        return super().current()


class CountedDocuments(DocumentCache):
    """Counts how often a document is looked up."""

    reads = 0

    async def find_aside(
        self,
        text: str,
        before_reading: Callable[[int], Awaitable[None]] | None = None,
        turn: AbstractAsyncContextManager[object] | None = None,
    ) -> RequestDocument:
        self.reads += 1
        return await super().find_aside(text, before_reading, turn)


class CountingApp(GatewayApp):
    """A gateway with a catalog, which counts."""

    source: CountedSource
    documents: CountedDocuments

    def __init__(self, upstream: EmbeddedUpstream, *, crawled: bool = True) -> None:
        self._upstream = upstream
        self._crawled = crawled
        super().__init__(self._opened(), ["*"])

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Parts]:
        settings = settings_for_tests(batch_limit=10)
        client = Client(UPSTREAM_URL, in_process(self._upstream), CLIENT_LIMITS)
        async with (
            source_of(client, source_class=CountedSource) as source,
            wiring.open_parts(settings, source) as parts,
        ):
            assert isinstance(source, CountedSource)
            if self._crawled:
                await source.crawl()
            usual = gateway_over(source)
            self.source = source
            self.documents = CountedDocuments(usual.limits)
            gateway = Gateway(
                source,
                self.documents,
                usual.persisted,
                answers=parts.gateway.answers,
                engine=usual.engine,
                limits=usual.limits,
                run_limits=usual.run_limits,
                router=usual.router,
                admission=usual.admission,
                subscriptions=usual.subscriptions,
                log=usual.log,
            )
            policy = CachePolicy(settings.max_age, source.freshness)
            endpoint = GraphQLEndpoint(
                gateway, parts.responses, parts.repeated_requests, policy, 10, public=True
            )
            yield Parts(
                source,
                gateway,
                parts.responses,
                parts.repeated_requests,
                endpoint,
                parts.connections,
                parts.history,
                parts.metrics,
                parts.assistants,
                parts.files,
            )

    def counts(self) -> tuple[int, int]:
        """Return how often a catalog was taken, and a document read, since the last time."""
        counts = self.source.taken, self.documents.reads
        self.source.taken = self.documents.reads = 0
        return counts


@pytest.fixture
def app(embedded: EmbeddedUpstream) -> CountingApp:
    return CountingApp(embedded)


@pytest.mark.parametrize(
    ("body", "accept", "media_type"),
    [
        ({"query": WHOLE}, "application/json", "application/json"),
        ({"query": DEFERRED}, "application/json", "application/json"),
        ({"query": DEFERRED}, "multipart/mixed", "multipart/mixed"),
        ({"query": WHOLE}, "text/event-stream", "text/event-stream"),
        ({"query": "subscription { catalogChanged }"}, "text/event-stream", "text/event-stream"),
        ({"query": "{ unknown }"}, "application/json", "application/graphql-response+json"),
    ],
    ids=["whole", "deferred, whole", "parts", "event", "subscription that cannot start", "unfit"],
)
def test_over_http_the_document_is_read_and_the_catalog_taken_once(
    app: CountingApp, body: dict[str, Any], accept: str, media_type: str
) -> None:
    with serving(app) as address:
        app.counts()
        response = httpx.post(f"{address}/graphql", json=body, headers={"Accept": accept}, timeout=60)
        assert response.headers["Content-Type"].startswith(media_type)
        assert app.counts() == (1, 1)


def test_the_same_bytes_again_take_the_catalog_once_and_read_no_document(app: CountingApp) -> None:
    with serving(app) as address:
        httpx.post(f"{address}/graphql", json={"query": WHOLE}, timeout=60)
        app.counts()
        httpx.post(f"{address}/graphql", json={"query": WHOLE}, timeout=60)
        assert app.counts() == (1, 0)


def test_the_requests_of_an_array_share_one_catalog(app: CountingApp) -> None:
    with serving(app) as address:
        app.counts()
        answers = httpx.post(
            f"{address}/graphql", json=[{"query": f"{{ a{n}: __typename }}"} for n in range(3)], timeout=60
        ).json()
        assert [*answers] == [{"data": {f"a{n}": "Query"}} for n in range(3)]
        assert app.counts() == (1, 3)


@pytest.mark.parametrize("count", [1, 3], ids=["one", "an array"])
def test_without_a_catalog_it_is_looked_for_once(embedded: EmbeddedUpstream, count: int) -> None:
    app = CountingApp(embedded, crawled=False)
    with serving(app) as address:
        app.counts()
        requests = [{"query": f'{{ a{n}: category(slug: "apps") {{ slug }} }}'} for n in range(count)]
        answers = httpx.post(
            f"{address}/graphql", json=requests if count > 1 else requests[0], timeout=60
        ).json()
        expected = [{"data": {f"a{n}": {"slug": "apps"}}} for n in range(count)]
        assert answers == (expected if count > 1 else expected[0])
        assert app.counts() == (1, count)


@pytest.mark.parametrize("query", [WHOLE, "subscription { catalogChanged }"], ids=["query", "subscription"])
async def test_over_a_websocket_the_document_is_read_and_the_catalog_taken_once(
    app: CountingApp, query: str
) -> None:
    with serving(app) as address:
        where = f"{address.replace('http', 'ws')}/graphql"
        async with connect(where, subprotocols=[GRAPHQL_TRANSPORT_WS]) as websocket:
            await send(websocket, type="connection_init")
            assert await received(websocket) == {"type": "connection_ack"}
            app.counts()
            await subscribe(websocket, "1", query)
            assert (await received(websocket))["type"] == ("next" if query == WHOLE else "error")
            assert app.counts() == (1, 1)
