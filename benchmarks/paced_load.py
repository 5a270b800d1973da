"""Sends one request at a fixed rate from a thread of this process, whatever becomes of earlier requests.

Each request takes about 0.3 ms of processor time here. Connections are kept open and used again.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

MAX_AT_ONCE = 500
"""Requests that may wait for an answer; beyond that the next ones are sent later, and count as slow."""

LONGEST = 90.0
"""Seconds that an answer may take."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class PacedLoad:
    """Sends a query by POST. An answer is right if it has the status 200, ``found`` in its body, and no errors."""

    def __init__(self, address: str, query: str, *, found: bytes, rate: float) -> None:
        """``address`` is like ``http://127.0.0.1:8000``, and ``rate`` the number of requests a second."""
        host = urlsplit(address)
        self._host, self._port = host.hostname, host.port
        body = json.dumps({"query": query}).encode()
        head = f"POST /graphql HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Type: application/json\r\n"
        self._request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self._found = found
        self._rate = rate
        self._ended = threading.Event()
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.times: list[float] = []
        """How many seconds each right answer took, from the moment at which its request was due."""
        self.wrong: list[str] = []
        """What came in place of a right answer, shortened."""
        self.processor_seconds = 0.0
        """How much processor time the load has taken; known when it has ended."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send requests until the block ends, and wait for their answers."""
        thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    async def _run(self) -> None:
        loop, number = asyncio.get_running_loop(), 0
        turns, begun = asyncio.Semaphore(MAX_AT_ONCE), loop.time()
        async with asyncio.TaskGroup() as asking:
            while not self._ended.is_set():
                due = begun + number / self._rate
                await asyncio.sleep(due - loop.time())
                await turns.acquire()
                asking.create_task(self._ask(due)).add_done_callback(lambda _: turns.release())
                number += 1
        for _, writer in self._idle:
            writer.close()
        self.processor_seconds = time.thread_time()

    async def _ask(self, due: float) -> None:
        try:
            async with asyncio.timeout(LONGEST):
                status, body = await self._answer()
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self.wrong.append(repr(error))
            return
        if status == b"200" and self._found in body and b'"errors"' not in body:
            self.times.append(asyncio.get_running_loop().time() - due)
        else:
            self.wrong.append(f"{status!r} {body[:200]!r}")

    async def _answer(self) -> tuple[bytes, bytes]:
        """Return the status and the body of one answer, on a connection that is idle or new."""
        while self._idle:
            connection = self._idle.pop()
            try:
                return await self._exchange(*connection)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                # The other side closed it before it read the request, which is sent again (RFC 9112, section 9.3.1).
                if getattr(error, "partial", b""):
                    raise
        return await self._exchange(*await asyncio.open_connection(self._host, self._port))

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[bytes, bytes]:
        try:
            head, body = await self._read_answer(reader, writer)
        except BaseException:
            writer.close()
            raise
        if b"\r\nconnection: close\r\n" in head.lower():
            writer.close()
        else:
            self._idle.append((reader, writer))
        return head.split(b" ", 2)[1], body

    async def _read_answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[bytes, bytes]:
        writer.write(self._request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is None:
            raise ValueError(f"The answer has no length: {head[:200]!r}")
        try:
            return head, await reader.readexactly(int(length[1]))
        except asyncio.IncompleteReadError:
            raise ValueError("The answer was cut off.") from None
