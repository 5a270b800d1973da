"""Runs clients that ask a gateway one request after another, and count how each ended."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

PACKAGES = "{ packages(first: 20) { totalCount nodes { title } } }"


async def asking(
    address: str,
    outcomes: Counter[str],
    number: int,
    *,
    anew: bool,
    query: str = PACKAGES,
    pause: float = 0,
    enough: asyncio.Event | None = None,
) -> None:
    """Ask until the gateway takes no more connections, or somebody has ``enough``; how each request ended is counted.

    There is a pause of so many seconds before each request. ``anew`` opens a connection for each. A connection that was
    ``closed`` before its next request could be read is no broken answer: a client may have been too slow for a server
    that stops, and sends again (RFC 9112, section 9.3.1).
    """
    host, _, port = address.removeprefix("http://").partition(":")
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    count, reused = 0, False
    while enough is None or not enough.is_set():
        if pause:
            await asyncio.sleep(pause)
        if streams is None:
            try:
                streams = await asyncio.open_connection(host, int(port))
                reused = False
            except ConnectionRefusedError:
                outcomes["refused"] += 1
                return
        reader, writer = streams
        count += 1
        body = json.dumps({"query": f"{query} # {number} {count}"})
        head = "POST /graphql HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        head += "Connection: close\r\n" if anew else ""
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        try:
            answer = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split()[1]) for line in answer.split(b"\r\n") if line.startswith(b"content-length")
            )
            await reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            was_idle = reused and not getattr(error, "partial", b"")
            outcomes["closed" if was_idle else f"broken: {type(error).__name__}"] += 1
            writer.close()
            streams = None
            continue
        reused = True
        outcomes[answer.split()[1].decode()] += 1
        if b"connection: close" in answer:
            writer.close()
            streams = None
    if streams is not None:
        streams[1].close()
