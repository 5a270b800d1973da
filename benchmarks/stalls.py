"""Measures how long the event loop stands still while upstream is crawled and queries are answered at the same time.

    python -m benchmarks.stalls --crawls 10

A crawl reads 5,400 packages from an embedded upstream in a process of its own, over loopback HTTP; the gateway
runs in another, on uvloop as under ``server.py serve``, and answers the canonical query again and again. What is
measured is the longest time between two turns of the loop, as a request that has just come would feel it. The table
goes to the screen and to ``benchmarks/results/stalls.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

import httpx
import msgspec
import uvloop

from benchmarks.machine import processor
from catalog.catalog_source import CatalogSource
from gateway.prepared_request import GraphQLRequest
from settings import read_settings
from web.pages.graphiql import CANONICAL
from wiring import make_gateway, open_source

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "stalls.md"
PACKAGES = 5400
GOAL = 0.020
"""Seconds that the loop may stand still."""


@dataclass
class Watched:
    """Holds what happened while something ran, in seconds."""

    turns: list[float] = field(default_factory=list)
    """The turns of the loop, from one to the next."""
    work: list[float] = field(default_factory=list)
    """What of each was processor time of the loop's thread; the rest was waiting, for events or for the interpreter."""
    queries: list[float] = field(default_factory=list)
    seconds: float = 0.0


class StallFigures(msgspec.Struct):
    """Holds one column of the table, in seconds."""

    name: str
    times: int
    seconds: float
    """The median of one time."""
    longest: float
    """The longest turn of all times."""
    usual_longest: float
    """The median of each time's longest turn."""
    over_goal: int
    turns: int
    longest_work: float
    query: float
    """The median query."""
    longest_query: float
    queries: int


def main() -> None:
    """Measure and write the table."""
    arguments = argparse.ArgumentParser(description="How long the event loop stands still during a crawl.")
    arguments.add_argument("--crawls", type=int, default=10, help="how many (default: %(default)s)")
    arguments.add_argument("--one", help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.one:
        rows = uvloop.run(measure(chosen.one, chosen.crawls))
        sys.stdout.buffer.write(msgspec.json.encode(rows))
        return
    with _upstream() as address:
        command = [sys.executable, "-m", "benchmarks.stalls", "--one", address]
        command += ["--crawls", str(chosen.crawls)]
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    text = table(msgspec.json.decode(done.stdout, type=list[StallFigures]))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text)
    sys.stdout.write(text)


@contextmanager
def _upstream() -> Iterator[str]:
    """Return the embedded upstream in a process of its own; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "server.py", "upstream", "--port", port, "--packages", str(PACKAGES)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}/api/v4/"
    try:
        while True:
            assert process.poll() is None, "the upstream ended"
            with suppress(httpx.TransportError):
                httpx.get(address)
                break
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait()


async def measure(address: str, crawls: int) -> list[StallFigures]:
    """Return all columns, in this process."""
    first, alone, later = [], [], []
    async with _source(address) as source:
        # Once without being watched, for what is imported and made at the first use.
        await _watched(source, source.crawl)
        alone = [await _watched(source, lambda: asyncio.sleep(1)) for _ in range(crawls)]
        for _ in range(crawls):
            await _change(address)
            later.append(await _watched(source, source.crawl))
    for _ in range(crawls):
        async with _source(address) as source:
            first.append(await _watched(source, source.crawl))
    return [
        _column("no crawl", alone),
        _column("a crawl", later),
        _column("the first crawl, queries answered live", first),
    ]


@asynccontextmanager
async def _source(address: str) -> AsyncIterator[CatalogSource]:
    with tempfile.TemporaryDirectory() as folder:
        storage = str(Path(folder) / "catalog.sqlite")
        async with open_source(read_settings(upstream=address, storage=storage, crawl="off")) as source:
            yield source
    gc.unfreeze()


async def _change(address: str) -> None:
    """Let every hundredth package be another one than at the last crawl."""
    async with httpx.AsyncClient() as client:
        page = (await client.get(f"{address}packages/?limit=1000000")).json()
        for record in page["results"][::100]:
            url = httpx.URL(address).join(f"/__control__/packages/{record['id']}")
            changed = await client.patch(url, json={"repo_watchers": record["repo_watchers"] + 1})
            changed.raise_for_status()


async def _watched(source: CatalogSource, work: Callable[[], Awaitable[object]]) -> Watched:
    """Work, while the loop is watched and queries are answered."""
    watched, done = Watched(), asyncio.Event()
    watching = asyncio.create_task(_watch(watched, done))
    querying = asyncio.create_task(_query(source, watched.queries, done))
    await asyncio.sleep(0.1)
    for what in (watched.turns, watched.work, watched.queries):
        what.clear()
    started = time.perf_counter()
    await work()
    watched.seconds = time.perf_counter() - started
    done.set()
    await asyncio.gather(watching, querying)
    return watched


async def _watch(watched: Watched, done: asyncio.Event) -> None:
    turned, worked = time.perf_counter(), time.thread_time()
    while not done.is_set():
        await asyncio.sleep(0)
        now, now_worked = time.perf_counter(), time.thread_time()
        watched.turns.append(now - turned)
        watched.work.append(now_worked - worked)
        turned, worked = now, now_worked


async def _query(source: CatalogSource, queries: list[float], done: asyncio.Event) -> None:
    gateway, request = make_gateway(read_settings(), source), GraphQLRequest(CANONICAL.read_text())
    while not done.is_set():
        started = time.perf_counter()
        answer = await gateway.execute(request)
        queries.append(time.perf_counter() - started)
        assert not answer.failed
        # A client that reads the answer before it asks again.
        await asyncio.sleep(0.002)


def _column(name: str, all_watched: list[Watched]) -> StallFigures:
    turns = [turn for watched in all_watched for turn in watched.turns]
    queries = [query for watched in all_watched for query in watched.queries]
    return StallFigures(
        name=name,
        times=len(all_watched),
        seconds=median(watched.seconds for watched in all_watched),
        longest=max(turns),
        usual_longest=median(max(watched.turns) for watched in all_watched),
        over_goal=sum(turn > GOAL for turn in turns),
        turns=len(turns),
        longest_work=max(max(watched.work) for watched in all_watched),
        query=median(queries),
        longest_query=max(queries),
        queries=len(queries),
    )


def table(columns: list[StallFigures]) -> str:
    """Return the columns as Markdown, under the machine they were measured on."""
    lines: list[tuple[str, Callable[[StallFigures], str]]] = [
        ("how often, and how long one took", lambda each: f"{each.times}, {_ms(each.seconds)}"),
        ("longest turn of the loop, the worst of all times", lambda each: _ms(each.longest)),
        ("longest turn, the median of the times", lambda each: _ms(each.usual_longest)),
        ("turns over 20 ms, of how many", lambda each: f"{each.over_goal:,} of {each.turns:,}"),
        ("most processor time of the loop's thread in one turn", lambda each: _ms(each.longest_work)),
        ("the canonical query, median", lambda each: _ms(each.query)),
        ("the canonical query, longest", lambda each: _ms(each.longest_query)),
        ("queries answered", lambda each: f"{each.queries:,}"),
    ]
    text = [
        "# How long the event loop stands still during a crawl",
        "",
        f"Written by `python -m benchmarks.stalls`. Python {platform.python_version()}, uvloop {version('uvloop')}, "
        f"{processor()}, {os.cpu_count()} processors. {PACKAGES:,} packages over loopback HTTP from an embedded "
        "upstream in a process of its own. One client asks the canonical query again and again; a turn of the loop "
        "with a query in it includes the query. Times are wall-clock.",
        "",
        "| while there is | " + " | ".join(each.name for each in columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    text += [f"| {name} | " + " | ".join(show(each) for each in columns) + " |" for name, show in lines]
    return "\n".join(text) + "\n"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f} ms"


if __name__ == "__main__":
    main()
