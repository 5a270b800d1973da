"""Makes the attacks over WebSockets: many subscriptions, and heavy operations that are abandoned."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from benchmarks.attack.case import Case, Scale
from benchmarks.attack.load import Sent
from benchmarks.attack.single_requests import nested
from benchmarks.attack.target import Target, control

SUBSCRIPTION = "subscription{catalogChanged{slug}}"
NEW_PACKAGES = 5


async def _opened(target: Target, count: int, sent: Sent) -> list[ClientConnection]:
    """Open so many sockets and do their handshakes; those that are refused are counted."""
    made = []
    for _ in range(count):
        try:
            async with asyncio.timeout(5):
                socket = await connect(
                    f"ws://{target.host}:{target.port}/graphql",
                    subprotocols=[Subprotocol("graphql-transport-ws")],
                    compression=None,
                    max_size=None,
                )
                await socket.send('{"type":"connection_init"}')
                await socket.recv()
                made.append(socket)
        except (OSError, TimeoutError, WebSocketException) as error:
            sent.answers[f"refused: {type(error).__name__}"] += 1
    return made


async def _subscribed(
    sockets: Sequence[ClientConnection], each: int, query: dict[str, object], sent: Sent
) -> None:
    for socket in sockets:
        with suppress(WebSocketException, OSError):
            for number in range(each):
                message = json.dumps({"id": str(number), "type": "subscribe", "payload": query})
                sent.bytes_in += len(message)
                await socket.send(message)


async def _counted(socket: ClientConnection, sent: Sent) -> None:
    with suppress(WebSocketException, OSError):
        async for message in socket:
            sent.bytes_out += len(message)
            sent.answers[json.loads(message)["type"]] += 1


async def _subscribe(target: Target, scale: Scale, sent: Sent, subscriptions: int, new: int) -> None:
    before = target.resident_bytes()
    sockets = await _opened(target, scale.count(subscriptions // 100), sent)
    readers = [asyncio.create_task(_counted(socket, sent)) for socket in sockets]
    await _subscribed(sockets, 100, {"query": SUBSCRIPTION}, sent)
    for number in range(new):
        assert target.upstream is not None
        control(target.upstream, "packages", {"title": f"attack-{time.time_ns()}-{number}"})
    # New packages are looked for every 10 s.
    await asyncio.sleep(15 if new else scale.seconds(3))
    sent.note = f"memory {before / 1e6:.0f} -> {target.resident_bytes() / 1e6:.0f} MB"
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*(socket.close() for socket in sockets), *readers, return_exceptions=True)


async def _ten_thousand(target: Target, scale: Scale, sent: Sent) -> None:
    """Subscribe 10,000 times on 100 sockets."""
    await _subscribe(target, scale, sent, 10_000, 0)


async def _new_packages(target: Target, scale: Scale, sent: Sent) -> None:
    """Subscribe 3,000 times on 30 sockets and let five packages come."""
    await _subscribe(target, scale, sent, 3_000, NEW_PACKAGES)


async def _abandoned(target: Target, scale: Scale, sent: Sent) -> None:
    """Begin 100 heavy operations on one socket and cut it off."""
    for socket in await _opened(target, 1, sent):
        await _subscribed([socket], scale.count(100), nested(1), sent)
        await asyncio.sleep(0.2)
        socket.transport.abort()
    await asyncio.sleep(scale.seconds(5))


CASES = (
    Case("10,000 subscriptions on 100 sockets", "`/healthz` 11 s, +61 MB", _ten_thousand, limit=40),
    Case(
        "3,000 subscriptions and 5 new packages",
        "15,000 messages in 10.1 s, worst `/healthz` 308 ms",
        _new_packages,
        limit=40,
        needs_upstream=True,
    ),
    Case("100 heavy operations on a socket, then gone", "not cancelled, `/healthz` over 30 s", _abandoned),
)
