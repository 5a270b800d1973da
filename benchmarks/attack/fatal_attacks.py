"""Makes the attacks that end a gateway, each on one of its own: an upstream that lies, and a stop under load."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.attack.case import Case, Scale
from benchmarks.attack.load import AttackClient, Sent, again_and_again
from benchmarks.attack.target import Target, upstream_requests


async def _lying_count(target: Target, scale: Scale, sent: Sent) -> None:
    """Let upstream say that its lists are 100,000 times as long as they are, from the gateway's start on."""
    assert target.upstream is not None
    most, waited = 0, 0.0
    ends = time.monotonic() + scale.seconds(12)
    async with AttackClient(target, sent) as client:
        while time.monotonic() < ends:
            asked = time.monotonic()
            with suppress(TimeoutError):
                async with asyncio.timeout(10):
                    await client.post('{package(slug:"django-celery-email"){title}}')
            waited = max(waited, time.monotonic() - asked)
            most = max(most, target.resident_bytes())
            await asyncio.sleep(0.2)
    asked_for = upstream_requests(target.upstream)["total"]
    alive = await _seconds_to_end(target)
    sent.note = (
        f"memory {most / 1e6:.0f} MB, slowest request {waited:.1f} s, {asked_for} upstream requests, "
        f"alive for {alive:.1f} s after SIGTERM"
    )


async def _sigterm(target: Target, scale: Scale, sent: Sent) -> None:
    """Stop the gateway by SIGTERM while 20 clients ask it."""
    numbers = itertools.count()

    async def asking(client: AttackClient) -> None:
        async def send(_turn: int) -> None:
            await client.post(f"{{packages(first:20){{nodes{{title grids{{title}}}}}}}} # {next(numbers)}")

        await again_and_again(20, 4, 100_000, send)

    async with AttackClient(target, sent, 20) as client:
        load = asyncio.create_task(asking(client))
        await asyncio.sleep(1)
        before = sent.answers.copy()
        alive = await _seconds_to_end(target)
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
    later = sent.answers - before
    # What cannot connect any more is no broken answer.
    broken = sum(
        count for name, count in later.items() if not name.startswith(("200", "503", "ClientConnector"))
    )
    sent.answers = before
    sent.note = f"{broken} broken answers, alive for {alive:.1f} s"


async def _seconds_to_end(target: Target) -> float:
    started = time.monotonic()
    os.killpg(target.process.group, signal.SIGTERM)
    for _ in range(1000):
        if not _lives(target.process.group):
            break
        await asyncio.sleep(0.02)
    return time.monotonic() - started


def _lives(process: int) -> bool:
    with suppress(OSError):
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


CASES = (
    Case(
        "upstream's count times 100,000",
        "memory 1,049 MB, one request 18.6 s, 6,134 upstream requests, alive for 15 s",
        _lying_count,
        limit=60,
        own_gateway="lying",
    ),
    Case(
        "SIGTERM under load",
        "10 broken answers, alive for 5 to 7 s",
        _sigterm,
        limit=40,
        own_gateway="honest",
    ),
)
