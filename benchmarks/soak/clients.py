"""Runs the clients of a soak: good ones, bad ones, those that leave and those that are slow, over each transport.

Each uses a connection of its own and returns what came of it in a word or two.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from web.pages.graphiql import CANONICAL

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
SoakClient = Callable[["Doors"], Awaitable[str]]

KNOWN = (
    CANONICAL.read_text(encoding="utf-8"),
    "{ stats { packageCount gridCount } categories { slug title } }",
    "{ packages(first: 20, orderBy: STARS_DESC) { nodes { slug stars grids { slug } } } }",
    '{ package(slug: "django-cacheback") { title category { title } participants } }',
)
"""Documents that the catalog answers, whatever is wrong with upstream."""

WRONG = (
    b"{",
    b'{"query": "{"}',
    b'{"query": "{ nobody }"}',
    b'{"query": 7}',
    json.dumps({"query": "{ a " * 40 + "}" * 40}).encode(),
    json.dumps(
        {"query": "{ packages(first: 100) { nodes { grids { packages { grids { slug } } } } } }"}
    ).encode(),
    json.dumps({"query": "{ package(by: {}) { slug } }"}).encode(),
)
"""Bodies that cannot be answered."""

LARGE = (
    "{ packages(first: 100) { nodes { title repoDescription participants commitsOver52 grids { title } } } }"
)
EVENTS = "subscription { catalogChanged { slug } }"
PARTS = "{ package(databaseId: 1599) { slug ... @defer { grids { title packages { slug } } } } }"


class Doors:
    """Holds the way to a gateway on loopback, and chance, which is the same in each run with one ``seed``."""

    def __init__(self, port: int, seed: int) -> None:
        self.port = port
        self.random = Random(seed)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Open one, and drop it in the end whatever is still under way on it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**16)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


async def good(doors: Doors) -> str:
    """Ask for what the catalog knows, three times on one connection."""
    async with doors.connection() as (reader, writer):
        for _ in range(3):
            writer.write(_post(doors, {"query": doors.random.choice(KNOWN)}))
            status, body = await _answer(reader)
            if status != 200 or b'"errors"' in body:
                return f"{status} with errors"
    return "200"


async def good_with_a_new_text(doors: Doors) -> str:
    """Ask for what the catalog knows in words that nobody has used before."""
    async with doors.connection() as (reader, writer):
        text = f"{doors.random.choice(KNOWN)} # {doors.random.random()}"
        writer.write(_post(doors, {"query": text}))
        status, body = await _answer(reader)
        return f"{status} with errors" if b'"errors"' in body else str(status)


async def bad(doors: Doors) -> str:
    """Send what cannot be answered."""
    async with doors.connection() as (reader, writer):
        writer.write(_raw_post(doors, doors.random.choice(WRONG)))
        return str((await _answer(reader))[0])


async def lost(doors: Doors) -> str:
    """Ask for an address that is none."""
    async with doors.connection() as (reader, writer):
        writer.write(f"GET /no-such-page HTTP/1.1\r\nHost: 127.0.0.1:{doors.port}\r\n\r\n".encode())
        return str((await _answer(reader))[0])


async def curious(doors: Doors) -> str:
    """Ask for what only upstream knows: a name that the catalog does not have, and a search."""
    async with doors.connection() as (reader, writer):
        name = f"none-{doors.random.randrange(10**9)}"
        text = f'{{ package(slug: "{name}") {{ slug }} search(query: "{name}", first: 5) {{ totalCount }} }}'
        writer.write(_post(doors, {"query": text}))
        return str((await _answer(reader))[0])


async def leaving(doors: Doors) -> str:
    """Ask, and leave before the answer."""
    async with doors.connection() as (_reader, writer):
        name = f"none-{doors.random.randrange(10**9)}"
        query = doors.random.choice((LARGE, f'{{ package(slug: "{name}") {{ slug }} }}', *KNOWN))
        writer.write(_post(doors, {"query": query}))
        await asyncio.sleep(doors.random.random() * 0.05)
    return "left"


async def slow_writer(doors: Doors) -> str:
    """Send a request byte by byte, for three seconds."""
    async with doors.connection() as (reader, writer):
        request = _post(doors, {"query": doors.random.choice(KNOWN)})
        writer.write(request[:-15])
        for byte in request[-15:]:
            await asyncio.sleep(0.2)
            writer.write(bytes((byte,)))
        return str((await _answer(reader))[0])


async def slow_reader(doors: Doors) -> str:
    """Read a large answer slowly for three seconds, and leave."""
    async with doors.connection() as (reader, writer):
        writer.write(_post(doors, {"query": f"{LARGE} # {doors.random.random()}"}))
        for _ in range(15):
            await reader.read(1_000)
            await asyncio.sleep(0.2)
    return "left"


async def silent(doors: Doors) -> str:
    """Begin the head of a request, and say nothing more until the gateway closes the connection."""
    async with doors.connection() as (reader, writer):
        writer.write(b"POST /graphql HTTP/1.1\r\nX-Slow: ")
        await reader.read()
        return "closed"


async def events(doors: Doors) -> str:
    """Subscribe by server-sent events, and leave after some seconds."""
    async with doors.connection() as (reader, writer):
        writer.write(_post(doors, {"query": EVENTS}, accept="text/event-stream"))
        status = (await reader.readline()).split()[1].decode()
        await asyncio.sleep(doors.random.random() * 5)
        return status


async def parts(doors: Doors) -> str:
    """Ask for an answer in parts; half of the clients leave after the first."""
    async with doors.connection() as (reader, writer):
        writer.write(_post(doors, {"query": PARTS}, accept="multipart/mixed"))
        status = (await reader.readline()).split()[1].decode()
        if doors.random.random() < 0.5:
            return "left"
        await reader.readuntil(b"\r\n0\r\n\r\n")  # the last chunk
        return status


async def socket(doors: Doors) -> str:
    """Subscribe and ask over a WebSocket, and leave without a word."""
    opening = connect(
        f"ws://127.0.0.1:{doors.port}/graphql",
        subprotocols=[Subprotocol("graphql-transport-ws")],
        compression=None,
    )
    async with opening as connection:
        await connection.send('{"type":"connection_init"}')
        await connection.recv()
        for number, query in enumerate((EVENTS, doors.random.choice(KNOWN))):
            message = {"id": str(number), "type": "subscribe", "payload": {"query": query}}
            await connection.send(json.dumps(message))
        kind = json.loads(await connection.recv())["type"]
        await asyncio.sleep(doors.random.random() * 3)
        connection.transport.abort()
    return str(kind)


SHARES: dict[SoakClient, int] = {
    good: 8,
    good_with_a_new_text: 6,
    bad: 5,
    lost: 1,
    curious: 4,
    leaving: 6,
    slow_writer: 1,
    slow_reader: 2,
    silent: 1,
    events: 2,
    parts: 2,
    socket: 2,
}
"""How many of 40 clients are of which sort."""


def _post(doors: Doors, request: dict[str, Any], accept: str = "application/json") -> bytes:
    return _raw_post(doors, json.dumps(request).encode(), accept)


def _raw_post(doors: Doors, body: bytes, accept: str = "application/json") -> bytes:
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{doors.port}\r\nContent-Type: application/json\r\n"
        f"Accept: {accept}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one answer that says its length."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return status, await reader.readexactly(int(lengths[0].split(b":")[1]) if lengths else 0)
