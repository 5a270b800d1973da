"""Provides requests with one operation and many variables, and connections on which their heads are known."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.gateway_in_process import app_over
from tests.support.listening_gateway import Listening, Wire, listening
from upstream.embedded import EmbeddedUpstream

ONE = "query($id: Int!) { package(databaseId: $id) { title slug category { title } } }"
MANY = (
    "query($first: Int!) { packages(first: $first) { nodes { title slug repoWatchers category { title } } } }"
)


def body(query: str = ONE, **variables: object) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()


def post(sent: bytes, *headers: str, length: str | None = None, name: str = "Content-Length") -> bytes:
    head = ["POST /graphql HTTP/1.1", "Host: gateway", f"{name}: {length or len(sent)}"]
    return "\r\n".join([*head, "Content-Type: application/json", *headers, "", ""]).encode() + sent


async def ids(gateway: Listening, count: int = 60) -> list[int]:
    """Return the ids of packages that the catalog has, none of which were asked for."""
    snapshot = gateway.app.parts.source.latest
    assert snapshot is not None
    return list(snapshot.catalog.packages)[-count:]


async def taught(gateway: Listening, wire: Wire, *headers: str, name: str = "Content-Length") -> None:
    """Let the plans of the operations be known, and the head of this connection."""
    first, second, third, *_ = await ids(gateway, 3)
    async with gateway.connect() as other:
        for number in (0, 1, 2):
            await other.ask(post(body(id=-number)))
            await other.ask(post(body(MANY, first=number)))
            await other.ask(post(body(id=first)))
            await other.ask(post(body(id=second)))
    assert (await wire.ask(post(body(id=third), *headers, name=name))).startswith(b"HTTP/1.1 200 OK\r\n")


async def title(gateway: Listening, id: int) -> str:
    snapshot = gateway.app.parts.source.latest
    assert snapshot is not None
    return snapshot.catalog.packages[id].title


def titled(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])["data"]["package"]["title"]


@pytest.fixture
async def ordinary(embedded: EmbeddedUpstream) -> AsyncIterator[Listening]:
    """Return another gateway over the same upstream, which answers each connection once."""
    async with listening(app_over(embedded)) as gateway:
        yield gateway


async def on_ordinary_way(ordinary: Listening, sent: bytes) -> bytes:
    before = ordinary.parsed
    async with ordinary.connect() as wire:
        answer = await wire.ask(sent)
    assert ordinary.parsed == before + 1
    return answer
