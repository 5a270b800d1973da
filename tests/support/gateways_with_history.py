"""Opens gateways over a history of catalogs, each of which was also stored whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.catalog_source import CatalogSource
from catalog.freshness import Snapshot
from catalog.history import CatalogVersion
from catalog.indexed_catalog import Catalog
from catalog.storage.sqlite_storage import Storage
from gateway.gateway import Gateway
from gateway.graphql_answer import GraphQLAnswer
from gateway.prepared_request import GraphQLRequest
from tests.support.crawls import client_of
from tests.support.gateway_in_process import gateway_over, source_of
from tests.support.versioned_catalogs import Clock
from upstream.embedded import EmbeddedUpstream


@dataclass
class Gateways:
    """Holds a gateway with and one without the engine over one history, and the catalogs that were stored in it."""

    embedded: EmbeddedUpstream
    source: CatalogSource
    storage: Storage
    clock: Clock
    catalogs: list[Catalog]
    versions: list[CatalogVersion]
    """In the order of ``catalogs``."""
    gateways: list[Gateway]

    async def ask(
        self, query: str, variables: dict[str, Any] | None = None, gateway: int = 0
    ) -> GraphQLAnswer:
        return await self._answer(GraphQLRequest(query, variables), self.source.current(), gateway)

    async def _answer(
        self, request: GraphQLRequest, snapshot: Snapshot | None, gateway: int
    ) -> GraphQLAnswer:
        """Answer by one of the gateways a document that the first of them has read."""
        if gateway == 0:
            return await self.gateways[0].execute(request, snapshot)
        return await self.gateways[gateway].run(await self.gateways[0].prepare(request, snapshot))

    async def told(self, query: str, **variables: object) -> tuple[str, str]:
        """Return the message and the code of the only error, and expect that there are no data."""
        answer = (await self.ask(query, variables)).decoded()
        assert answer.keys() == {"errors"}
        (error,) = answer["errors"]
        return error["message"], error["extensions"]["code"]

    async def of_copy(self, query: str, variables: dict[str, Any] | None, number: int, gateway: int) -> bytes:
        """Return the answer from the whole copy of a version."""
        at = self.versions[number].at
        snapshot = Snapshot(self.catalogs[number], at, as_of=at)
        return (await self._answer(GraphQLRequest(query, variables), snapshot, gateway)).body


async def open_gateways(
    embedded: EmbeddedUpstream, path: Path, fill: Callable[[Storage, Clock, CatalogSource], Any]
) -> AsyncIterator[Gateways]:
    clock = Clock()
    storage = Storage(str(path), now=clock)
    async with client_of(embedded) as client, source_of(client, storage=storage) as source:
        catalogs = await fill(storage, clock, source)
        await source.publisher.load()
        clock.go(days=1)
        versions = storage.history.versions(limit=99)[::-1]
        gateways = [gateway_over(source, use_engine=use_engine) for use_engine in (True, False)]
        embedded.requests.reset()
        yield Gateways(embedded, source, storage, clock, catalogs, versions, gateways)
