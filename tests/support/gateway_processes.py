"""Provides gateways as processes, and upstreams over real HTTP: what the acceptance tests stand on."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
from prometheus_client.parser import text_string_to_metric_families
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from catalog.indexed_catalog import Catalog
from tests.support.forked_programs import run_forked
from tests.support.http_servers import free_port
from tests.support.processes import running_forked
from upstream.client.v4_records import CATEGORY, GRID, PACKAGE, Kind, R
from upstream.embedded import EmbeddedUpstream

ROOT = Path(__file__).parents[2]
CANONICAL = (ROOT / "examples" / "canonical.graphql").read_text(encoding="utf-8")
STATUS = "{ catalog { version refreshedAt ageSeconds stale packageCount gridCount categoryCount syncing } }"

T = TypeVar("T")


SERVE = ("server.py", "serve")
SERVE_WITH_A_SHORT_LEASE = ("-m", "uvicorn", "--factory", "tests.support.short_lease_app:app")


@contextmanager
def gateway(
    upstream: str, storage: Path, *flags: str, program: Sequence[str] = SERVE, **settings: str
) -> Iterator[httpx.Client]:
    """Return a gateway in a process of its own, and a client of it that connects anew for each request.

    ``settings`` are named as in the environment, without their prefix: ``FRESH="1"``.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [*program, "--port", str(port), *flags]
    settings |= {"UPSTREAM": upstream, "STORAGE": str(storage)}
    environment = {f"GATEWAY_{name}": value for name, value in settings.items()}
    # One connection would stay with one of several workers.
    with (
        running_forked(command, f"{address}/healthz", **environment),
        httpx.Client(base_url=address, headers={"Connection": "close"}, timeout=60, verify=False) as client,
    ):
        yield client


def sync(upstream: str, storage: Path) -> str:
    """Run ``server.py sync`` and return what it printed."""
    arguments = ["server.py", "sync", "--upstream", upstream]
    done = run_forked(arguments, os.environ | {"GATEWAY_STORAGE": str(storage)})
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(client: httpx.Client, document: str, *, receipt: bool = False, **variables: object) -> dict[str, Any]:
    """Return the body of the answer to one operation, of which the status is 200."""
    headers = {"X-Gateway-Receipt": "1"} if receipt else {}
    answer = client.post("/graphql", json={"query": document, "variables": variables}, headers=headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def upstream_requests(client: httpx.Client) -> dict[str, int]:
    """Return how many requests a gateway has sent upstream, by what came of them, as its metrics tell."""
    name = "gateway_upstream_request_duration_seconds_count"
    counts: Counter[str] = Counter()
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            if sample.name == name:
                counts[sample.labels["outcome"]] += int(sample.value)
    return dict(counts)


def catalog_of(upstream: str) -> Catalog:
    """Return everything that upstream has, read at one moment in three requests, with nothing of the gateway's
    but its records."""
    # Certificates take longer to load than the answers.
    with httpx.Client(base_url=upstream, timeout=60, verify=False) as client:
        return Catalog.build(_all(client, PACKAGE), _all(client, GRID), _all(client, CATEGORY))


def _all(client: httpx.Client, kind: Kind[R]) -> list[R]:
    answer = client.get(f"{kind.plural}/?limit=1000000")
    return kind.decode_page(answer.content).records


def until(found: Callable[[], T | None], seconds: float = 60) -> T:
    """Return what ``found`` gives as soon as that is anything true."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
    return value


async def eventually(found: Callable[[], T | None], seconds: float = 60) -> T:
    """Wait as ``until`` does, inside a running loop."""
    async with asyncio.timeout(seconds):
        while not (value := found()):  # noqa: ASYNC110 - what is looked at has no event
            await asyncio.sleep(0.02)
    return value


@contextmanager
def refusing(port: int) -> Iterator[None]:
    """Keep a port on which nobody listens, so that nobody else comes to listen there."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        yield


class Holding:
    """An upstream that keeps requests with ``held`` in their query waiting until it is told to refuse them."""

    def __init__(self, embedded: EmbeddedUpstream, held: bytes) -> None:
        self._embedded = embedded
        self._held = held
        self.reached = threading.Event()
        self.refuses = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._held in scope.get("query_string", b"") and not self.refuses.is_set():
            self.reached.set()
            await asyncio.to_thread(self.refuses.wait)
            await Response(status_code=503)(scope, receive, send)
        else:
            await self._embedded(scope, receive, send)
