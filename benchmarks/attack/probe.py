"""Watches a gateway from a process of its own: how long its loop stands still, and how long newcomers wait.

    python -m benchmarks.attack.probe 127.0.0.1 8000

It runs until its input ends, then writes two lists as JSON, in seconds: ``turns``, what ``/healthz`` took over one kept
connection, and ``newcomers``, what a simple query took over connections of their own, connecting included. A wait that
is cut off by the end counts with what it lasted.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

PAUSE = 0.01
"""Seconds between two questions to ``/healthz``."""
NEWCOMERS = 0.1
"""Seconds between two newcomers."""
MAX_WAITING = 300
"""Newcomers that wait at a time at most."""
LIMIT = 30.0
"""Seconds that any of them waits at most."""

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: %b\r\n\r\n"
QUERY = b'{"query":"{ __typename }"}'
NEWCOMER = (
    b"POST /graphql HTTP/1.1\r\nHost: %b\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Content-Length: " + str(len(QUERY)).encode() + b"\r\n\r\n" + QUERY
)


async def main(host: str, port: int) -> None:
    """Ask until the input ends."""
    loop = asyncio.get_running_loop()
    name = f"{host}:{port}".encode()
    turns: list[float] = []
    newcomers: list[float] = []
    tasks = {asyncio.create_task(_turns(host, port, HEALTH % name, turns))}
    tasks.add(asyncio.create_task(_arrivals(host, port, NEWCOMER % name, newcomers)))
    await loop.run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    sys.stdout.write(json.dumps({"turns": turns, "newcomers": newcomers}))


async def _turns(host: str, port: int, question: bytes, turns: list[float]) -> None:
    while True:
        started = time.monotonic()
        try:
            reader, writer = await asyncio.open_connection(host, port)
            try:
                while True:
                    started = time.monotonic()
                    writer.write(question)
                    async with asyncio.timeout(LIMIT):
                        head = await reader.readuntil(b"\r\n\r\n")
                        length = int(head.lower().partition(b"content-length:")[2].split()[0])
                        await reader.readexactly(length)
                    turns.append(time.monotonic() - started)
                    await asyncio.sleep(PAUSE)
            finally:
                writer.close()
        except (OSError, EOFError, TimeoutError, ValueError, IndexError, asyncio.CancelledError) as error:
            if not isinstance(error, EOFError):
                # An idle connection may have been closed; everything else is a wait.
                turns.append(time.monotonic() - started)
            if isinstance(error, asyncio.CancelledError):
                raise
            await asyncio.sleep(PAUSE)


async def _arrivals(host: str, port: int, question: bytes, waits: list[float]) -> None:
    waiting: set[asyncio.Task[None]] = set()
    try:
        while True:
            if len(waiting) < MAX_WAITING:
                task = asyncio.create_task(_newcomer(host, port, question, waits))
                waiting.add(task)
                task.add_done_callback(waiting.discard)
            await asyncio.sleep(NEWCOMERS)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _newcomer(host: str, port: int, question: bytes, waits: list[float]) -> None:
    started = time.monotonic()
    try:
        async with asyncio.timeout(LIMIT):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(question)
                await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        pass  # it waited as long as it did
    finally:
        waits.append(time.monotonic() - started)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
