"""Provides a gateway that serves streams on a real port, over an embedded upstream, and the clients that read them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator, Set
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from catalog.catalog_source import CatalogSource
from gateway.gateway import Gateway
from tests.support.http_servers import serving
from tests.support.settings_for_tests import settings_for_tests
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp, Parts
from wiring import build

T = TypeVar("T")
Message = dict[str, Any]

GRAPHQL_TRANSPORT_WS = Subprotocol("graphql-transport-ws")
EVENT = """cursor action type databaseId slug at catalogVersion fields { name old new }
    node { id ... on Package { title category { slug } } ... on Grid { title } }"""
SUBSCRIPTION = f"subscription($since: String) {{ catalogChanged(since: $since) {{ {EVENT} }} }}"
CHANGES = f"query($since: String) {{ changes(since: $since, first: 100) {{ nodes {{ {EVENT} }} }} }}"


@dataclass
class Served:
    """A gateway with its first catalog, and the upstream under it."""

    address: str
    upstream: EmbeddedUpstream
    source: CatalogSource
    storage: Path
    app: GatewayApp = field(repr=False)
    _loop: asyncio.AbstractEventLoop = field(repr=False)
    _tasks_at_start: set[asyncio.Task[Any]] = field(init=False, repr=False)
    """The tasks that it has before anybody asks it anything. Some of them may end."""

    def __post_init__(self) -> None:
        self._tasks_at_start = self._tasks()

    @property
    def gateway(self) -> Gateway:
        return self.app.parts.gateway

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Take one of the places in which operations run, for as long as this is open."""
        turn = self.gateway.admission.turn()
        self.run(turn.__aenter__())
        yield
        self.run(turn.__aexit__(None, None, None))

    @property
    def graphql(self) -> str:
        return f"{self.address}/graphql"

    def crawl(self) -> None:
        """Let the gateway find what changed upstream."""
        self.run(self.source.crawl())

    def ask(self, query: str, **variables: object) -> Any:
        body = httpx.post(self.graphql, json={"query": query, "variables": variables}, timeout=60).json()
        assert "errors" not in body, body
        return body["data"]

    def cursor(self) -> str:
        cursor = self.ask("{ catalog { changesCursor } }")["catalog"]["changesCursor"]
        assert isinstance(cursor, str)
        return cursor

    def changes(self, since: str) -> list[Any]:
        nodes = self.ask(CHANGES, since=since)["changes"]["nodes"]
        assert isinstance(nodes, list)
        return nodes

    def tasks(self) -> set[asyncio.Task[Any]]:
        """Return the tasks that a client has caused."""
        return self._tasks() - self._tasks_at_start

    def _tasks(self) -> set[asyncio.Task[Any]]:
        async def others() -> set[asyncio.Task[Any]]:
            return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}

        return self.run(others())

    def wait_until_idle(self, but: Set[asyncio.Task[Any]] = frozenset()) -> None:
        """Wait until it has no task left that a client has caused, but some of these."""
        deadline = time.monotonic() + 60
        while left := self.tasks() - but:
            assert time.monotonic() < deadline, f"the gateway still has {left}"
            time.sleep(0.01)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


@contextmanager
def served(storage: Path, *, crawled: bool = True, packages: int = 20, **settings: Any) -> Iterator[Served]:
    """Serve a gateway with these settings."""
    upstream = EmbeddedUpstream(packages=packages)
    loops: list[asyncio.AbstractEventLoop] = []

    with serving(upstream) as upstream_address:
        ours = settings_for_tests(upstream=f"{upstream_address}/api/v4/", storage=str(storage), **settings)

        @asynccontextmanager
        async def opening() -> AsyncIterator[Parts]:
            loops.append(asyncio.get_running_loop())
            async with build(ours) as parts:
                yield parts

        app = GatewayApp(opening(), ours.cors_origins.split(","))
        with serving(app) as address:
            gateway = Served(address, upstream, app.parts.source, storage, app, loops[0])
            if crawled:
                gateway.crawl()
            yield gateway


async def server_sent(
    http: httpx.AsyncClient, query: str, accept: str = "text/event-stream", **variables: object
) -> AsyncGenerator[tuple[str, Any]]:
    """Yield the events of a POST: their names and data."""
    body = {"query": query, "variables": variables}
    async with http.stream("POST", "/graphql", json=body, headers={"Accept": accept}) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream"), await response.aread()
        assert response.status_code == 200
        async for event in events_of(response):
            yield event


async def events_of(response: httpx.Response) -> AsyncGenerator[tuple[str, Any]]:
    name = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data:"):
            data = line.removeprefix("data:").strip()
            yield name, json.loads(data) if data else None


def http_client(gateway: Served) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=gateway.address, timeout=30)


@asynccontextmanager
async def socket(gateway: Served, **options: Any) -> AsyncGenerator[ClientConnection]:
    """Return a WebSocket after its handshake."""
    address = gateway.graphql.replace("http", "ws")
    async with connect(address, subprotocols=[GRAPHQL_TRANSPORT_WS], **options) as websocket:
        await send(websocket, type="connection_init")
        assert await received(websocket) == {"type": "connection_ack"}
        yield websocket


async def subscribe(websocket: ClientConnection, id: str, query: str, **variables: object) -> None:
    await send(websocket, type="subscribe", id=id, payload={"query": query, "variables": variables})


async def send(websocket: ClientConnection, **message: object) -> None:
    await websocket.send(json.dumps(message))


async def received(websocket: ClientConnection) -> Message:
    text = await asyncio.wait_for(websocket.recv(), 30)
    assert isinstance(text, str)  # a binary frame is nothing for a client in a browser
    message: Message = json.loads(text)
    return message
