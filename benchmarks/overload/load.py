"""Sends operations at a rate that does not depend on the answers, and notes when each is answered and how."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

SMALL = '{package(slug:"%s"){title repoWatchers category{title}}}'
MIDDLING = "{packages(first:20){nodes{title slug grids{title}}}}"
LARGE = "{packages(first:100){nodes{title grids{title packages{title slug}}}}}"
KEPT = json.dumps({"query": "{categories{title}}"}).encode()
"""An operation that always has the same text, so that its answer is kept."""

CONNECTIONS = 450
"""The most connections, below what the gateway takes from one address. What finds none free counts as refused by it."""

_numbers = itertools.count()


@dataclass
class Answers:
    """Holds what was answered: for each request the time at which it was due, in seconds since the begin of its load,
    and the seconds from then on."""

    answered: list[tuple[float, float]] = field(default_factory=list)
    refused: list[tuple[float, float]] = field(default_factory=list)
    kept: list[tuple[float, float]] = field(default_factory=list)
    kept_refused: int = 0
    without_retry_after: int = 0
    """The number of refusals that did not say when to come again."""
    others: list[str] = field(default_factory=list)
    """What else happened: other statuses, broken connections, and no free connection."""


@dataclass(frozen=True)
class Operations:
    """Chooses operations by chance, some of which look packages up by these slugs."""

    slugs: Sequence[str]
    chance: random.Random

    def executed(self) -> bytes:
        """Return the body of one with a text that never comes again. Six of ten are small, and one is large."""
        kind = self.chance.random()
        query = LARGE if kind > 0.9 else MIDDLING if kind > 0.6 else SMALL % self.chance.choice(self.slugs)
        return json.dumps({"query": f"{query} # {next(_numbers)}"}).encode()


class _Connection(asyncio.Protocol):
    """Sends one request after another, and reads the answer of each to its end."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._read = bytearray()
        self._answer: asyncio.Future[bytes] | None = None
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not of that class

    def data_received(self, data: bytes) -> None:
        self._read += data
        end = self._read.find(b"\r\n\r\n")
        if end < 0 or self._answer is None:
            return
        head = bytes(self._read[:end]).lower()
        length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
        if len(self._read) >= end + 4 + length:
            self._read.clear()
            self._answer.set_result(head)
            self._answer = None

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._answer is not None:
            self._answer.set_exception(error or ConnectionResetError())
            self._answer = None

    async def ask(self, request: bytes) -> bytes:
        """Return the head of the answer, in small letters."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Clients:
    """Sends to one gateway, over as many connections as there are requests without an answer."""

    def __init__(self, host: str, port: int, operations: Operations) -> None:
        self._address = (host, port)
        self._operations = operations
        self._free: list[_Connection] = []
        self._all: list[_Connection] = []

    async def ask(self, body: bytes, answers: Answers, due: float, begin: float) -> bool:
        """Send a request that was due at ``due`` and note what came back. Return whether it was refused."""
        head = await self._head(body)
        now = time.perf_counter()
        row = (due - begin, now - due)
        is_kept, status = body is KEPT, head[9:12]
        if status == b"200":
            (answers.kept if is_kept else answers.answered).append(row)
        elif status == b"503":
            answers.without_retry_after += b"\r\nretry-after:" not in head
            answers.kept_refused += is_kept
            answers.refused.append(row)
        else:
            answers.others.append(head[:40].decode("latin-1"))
        return status == b"503"

    async def open_loop(self, rate: float, seconds: float, kept_rate: float = 0) -> tuple[Answers, float]:
        """Send at these rates, whatever is answered. Return the answers, and the seconds from the end of the sending
        until the last one came."""
        answers, tasks, chance = Answers(), set[asyncio.Task[bool]](), self._operations.chance
        begin = time.perf_counter() + 0.01
        due = begin
        while (due := due + chance.expovariate(rate + kept_rate)) < begin + seconds:
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            is_kept = chance.random() < kept_rate / (rate + kept_rate)
            body = KEPT if is_kept else self._operations.executed()
            task = asyncio.create_task(self.ask(body, answers, due, begin))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        ended = time.perf_counter()
        if tasks:
            await asyncio.wait(tasks, timeout=30)
        return answers, time.perf_counter() - ended

    async def closed_loop(self, connections: int, seconds: float) -> tuple[Answers, float]:
        """Let so many clients send, each when it has its answer. Return the answers, and how long it took."""
        answers = Answers()
        begin = time.perf_counter()

        async def one() -> None:
            while (now := time.perf_counter()) < begin + seconds:
                if await self.ask(self._operations.executed(), answers, now, begin):
                    await asyncio.sleep(0.05)

        await asyncio.gather(*(one() for _ in range(connections)))
        return answers, time.perf_counter() - begin

    def close(self) -> None:
        """Close all connections."""
        for each in self._all:
            each.close()

    async def _head(self, body: bytes) -> bytes:
        host, port = self._address
        request = (
            b"POST /graphql HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % (host.encode(), port, len(body))
        )
        connection = None
        while self._free and (connection is None or not connection.is_open):
            connection = self._free.pop()
        if connection is None:
            if len(self._all) >= CONNECTIONS:
                return b"         no free connection"
            connection = await self._connected()
        try:
            head = await connection.ask(request + body)
        except OSError as error:
            return f"         {type(error).__name__}".encode()
        self._free.append(connection)
        return head

    async def _connected(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _transport, connection = await loop.create_connection(_Connection, *self._address)
        self._all.append(connection)
        return connection


def quantile(rows: Sequence[tuple[float, float]], share: float, when: Callable[[float], bool]) -> float:
    """Return the time within which this share of those was answered that were due ``when``; not a number if none
    was."""
    values = sorted(seconds for due, seconds in rows if when(due))
    return values[min(len(values) - 1, int(len(values) * share))] if values else float("nan")
