"""Sends requests as attackers do, and reads the answers or does not, over connections of every kind."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from benchmarks.attack.target import Target

LARGEST_READ = 2_000_000_000
"""Bytes of one answer that are read at most."""
KEPT = 2_000_000
"""Bytes of an answer that are kept, to see what it says."""


@dataclass
class Sent:
    """Counts what an attack sent and got. ``answers`` counts statuses, codes of errors, and connections that broke."""

    bytes_in: int = 0
    bytes_out: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    note: str = ""

    def got(self, status: int, size: int, body: bytes) -> None:
        """Count an answer."""
        self.bytes_out += size
        code = _code(body)
        self.answers[f"{status} {code}" if code else str(status)] += 1


class AttackClient:
    """Sends requests over connections that it keeps, up to ``connections`` of them."""

    def __init__(self, target: Target, sent: Sent, connections: int = 0) -> None:
        self._address = target.address
        self._sent = sent
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections or 1000, force_close=False),
            timeout=aiohttp.ClientTimeout(total=None),
            # Bytes are counted as they are before any packing.
            headers={"Accept-Encoding": "identity"},
            read_bufsize=2**20,
        )

    async def __aenter__(self) -> AttackClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def post(self, query: str, variables: dict[str, Any] | None = None, **more: Any) -> None:
        """Send a GraphQL request and read its answer."""
        headers = more.pop("headers", {})
        body = json.dumps({"query": query} | ({"variables": variables} if variables else {}) | more).encode()
        await self.send("POST", "/graphql", body, {"Content-Type": "application/json", **headers})

    async def send(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> None:
        """Send any request and read its answer."""
        self._sent.bytes_in += len(body or b"") + (len(path) if method == "GET" else 0)
        size, start = 0, bytearray()
        try:
            async with self._session.request(
                method, self._address + path, data=body, headers=headers
            ) as answer:
                async for chunk in answer.content.iter_any():
                    size += len(chunk)
                    if len(start) < KEPT:
                        start += chunk
                    if size > LARGEST_READ:
                        break
            self._sent.got(answer.status, size, bytes(start))
        except (aiohttp.ClientError, OSError) as error:
            self._sent.bytes_out += size
            self._sent.answers[type(error).__name__] += 1


async def again_and_again(
    clients: int, seconds: float, most: int, do: Callable[[int], Awaitable[None]]
) -> None:
    """Let so many clients do something one after the other, each in a row, until the time is up or it is enough."""
    number = iter(range(most))
    ends = time.monotonic() + seconds

    async def one() -> None:
        while time.monotonic() < ends and (turn := next(number, None)) is not None:
            await do(turn)

    tasks = [asyncio.create_task(one()) for _ in range(clients)]
    _done, late = await asyncio.wait(tasks, timeout=seconds + 1)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def connected(
    target: Target, count: int, first: bytes = b""
) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open so many connections and send ``first`` on each; what cannot be connected in 5 s is left out."""

    async def one() -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection(target.host, target.port, limit=2**16)
                writer.write(first)
                return reader, writer
        return None

    made = []
    for start in range(0, count, 100):
        made += await asyncio.gather(*(one() for _ in range(min(100, count - start))))
    return [each for each in made if each is not None]


def raw(target: Target, body: bytes, path: str = "/graphql") -> bytes:
    """Return a POST as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def still_open(connections: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> int:
    """Return how many the gateway has not closed; they are closed then."""
    count = 0
    for reader, writer in connections:
        with suppress(OSError, TimeoutError):
            try:
                async with asyncio.timeout(0.001):
                    while await reader.read(2**16):
                        pass
            except TimeoutError:
                count += 1
        writer.close()
    return count


def _code(body: bytes) -> str:
    """Return the code of the first error of an answer, if it has one."""
    try:
        errors = json.loads(body).get("errors")
        return str(errors[0]["extensions"]["code"])
    except (ValueError, AttributeError, KeyError, IndexError, TypeError):
        return ""
