"""Soaks a gateway: good, bad, slow and leaving clients for minutes, over an upstream whose faults change.

    python -m benchmarks.soak
    python -m benchmarks.soak --seconds 180 --rate 20

Gateway and upstream are processes of their own on this machine. Memory must stay flat after the first third of the
time, no task and no descriptor may be left when the clients have gone, and good clients get whole answers. Otherwise
the exit status is 1. The figures go to the screen and, after 15 minutes or more, to ``benchmarks/results/soak.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.attack.measuring import machine
from benchmarks.side_by_side.processes import ROOT, Running, end_in_order, free_port, running
from benchmarks.soak.changing_faults import CHANGES, change_faults
from benchmarks.soak.clients import SHARES, Doors, SoakClient
from benchmarks.soak.observation import Held, Observation
from benchmarks.soak.watched_app import HELD

RESULTS = ROOT / "benchmarks" / "results" / "soak.md"
WRITTEN_AFTER = 900
"""Seconds that a soak must take for its figures to be written."""
PACKAGES = 600
ROUNDS = 3
"""How often all faults come."""
LONGEST_CLIENT = 30.0
"""Seconds after which a client gives up."""
REST = 60.0
"""Seconds in which what the clients have left behind must be gone."""


@dataclass(frozen=True)
class Soaked:
    """Holds a gateway on loopback, its process, and the address of its embedded upstream."""

    port: int
    process: Running
    upstream: str

    def held(self) -> Held:
        """Ask the gateway what it holds. What this request itself holds is there each time."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{HELD}", timeout=30) as answer:
            return Held(**json.load(answer))


def main() -> None:
    """Soak a gateway, and print the figures."""
    parser = argparse.ArgumentParser(description="Good, bad, slow and leaving clients for minutes.")
    parser.add_argument("--seconds", type=float, default=900, help="how long (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=20, help="clients a second (default: %(default)s)")
    chosen = parser.parse_args()
    end_in_order()
    with started() as soaked:
        observation = asyncio.run(soak(soaked, chosen.seconds, chosen.rate))
    text = (
        f"# A soak\n\nWritten by `python -m benchmarks.soak`. {machine()}. {PACKAGES} packages at first; "
        f"{chosen.rate:g} clients a second for {chosen.seconds:g} seconds, while {len(CHANGES)} faults of upstream "
        f"came {ROUNDS} times. An outcome is a status, or what a client did.\n\n{observation.table()}"
    )
    sys.stdout.write(text)
    if chosen.seconds >= WRITTEN_AFTER:
        RESULTS.write_text(text)
    if faults := observation.faults():
        sys.exit("\n".join(faults))


@contextmanager
def started() -> Iterator[Soaked]:
    """Return a gateway over an embedded upstream, each a process, from when its catalog is known on."""
    upstream_port, port = free_port(), free_port()
    upstream, core = f"http://127.0.0.1:{upstream_port}", max(os.sched_getaffinity(0))
    with (
        tempfile.TemporaryDirectory() as folder,
        running(
            [
                *(sys.executable, "server.py", "upstream"),
                *("--port", str(upstream_port), "--packages", str(PACKAGES)),
            ],
            core=core,
            ready=lambda: _read(f"{upstream}/api/v4/categories/1/")["id"] == 1,
            log=Path(folder) / "upstream.log",
        ),
        running(
            [sys.executable, "-m", "benchmarks.soak.watched_app", str(port)],
            core=core,
            ready=lambda: _read(f"http://127.0.0.1:{port}/readyz")["answersFrom"] == "catalog",
            log=Path(folder) / "gateway.log",
            environment={
                "GATEWAY_UPSTREAM": f"{upstream}/api/v4/",
                "GATEWAY_STORAGE": f"{folder}/catalog.sqlite",
                "GATEWAY_CRAWL_INTERVAL": "60",
                "GATEWAY_NEWEST_INTERVAL": "10",
                "GATEWAY_UPSTREAM_BUDGET": "1000",
                # By default cached answers take 64 MB, which fill so slowly that a leak would look the same.
                "GATEWAY_RESPONSE_CACHE_BYTES": "1000000",
            },
        ) as process,
    ):
        yield Soaked(port, process, upstream)


async def soak(soaked: Soaked, seconds: float, rate: float) -> Observation:
    """Return what was seen while so many clients a second came for so many seconds."""
    observation = Observation(seconds)
    doors = Doors(soaked.port, seed=1)
    # Each part of the gateway has worked once before anything is counted: caches, threads, files.
    await asyncio.gather(*(_served(client, doors, observation) for client in SHARES))
    observation.clients.clear()
    observation.before = await _quiet(soaked)
    used = soaked.process.processor_seconds()
    faults = asyncio.create_task(change_faults(soaked.upstream, seconds / (ROUNDS * len(CHANGES))))
    watching = asyncio.create_task(_watch(soaked, observation))
    await _crowd(doors, observation, seconds, rate)
    for task in (faults, watching):
        task.cancel()
    await asyncio.gather(faults, watching, return_exceptions=True)
    observation.gateway_processor = soaked.process.processor_seconds() - used
    observation.after = await _quiet(soaked, observation.before)
    return observation


async def _crowd(doors: Doors, observation: Observation, seconds: float, rate: float) -> None:
    """Let clients come at this rate, whatever becomes of those before, and wait for the last of them."""
    sorts, shares = list(SHARES), list(SHARES.values())
    begun = time.monotonic()
    async with asyncio.TaskGroup() as clients:
        for number in range(round(seconds * rate)):
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
            (client,) = doors.random.choices(sorts, shares)
            clients.create_task(_served(client, doors, observation))


async def _served(client: SoakClient, doors: Doors, observation: Observation) -> None:
    name = client.__name__.replace("_", " ")
    try:
        async with asyncio.timeout(LONGEST_CLIENT):
            outcome = await client(doors)
    except (OSError, EOFError, TimeoutError) as error:
        outcome = type(error).__name__
    observation.clients[f"{name}: {outcome}"] += 1


async def _watch(soaked: Soaked, observation: Observation) -> None:
    while True:
        held = await asyncio.to_thread(soaked.held)
        observation.saw(held, soaked.process.memory())
        await asyncio.sleep(1)


async def _quiet(soaked: Soaked, before: Held | None = None) -> Held:
    """Return what is held when no more is gone for ten seconds, or no more is there than before."""
    least = await asyncio.to_thread(soaked.held)
    since = begun = time.monotonic()
    while time.monotonic() < min(since + 10, begun + REST) or (before and time.monotonic() < begun + REST):
        if before and not least.more_than(before):
            break
        await asyncio.sleep(0.2)
        held = await asyncio.to_thread(soaked.held)
        if least.more_than(held):
            least, since = held, time.monotonic()
    return least


def _read(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=5) as answer:
        told: dict[str, object] = json.load(answer)
        return told


if __name__ == "__main__":
    main()
