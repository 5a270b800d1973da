"""Measures what the gateway's own search costs: the time to build the index, its memory, and the time of a search.

    python -m benchmarks.search --sizes 5400,54000

Each size runs in a process of its own, over the generated catalog. The table goes to the screen and to
``benchmarks/results/search.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import os
import platform
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import msgspec

from catalog.indexed_catalog import Catalog
from catalog.search.full_text_index import FullTextIndex
from setting_groups import client_limits
from settings import read_settings
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.client.v4_records import CATEGORY, GRID, PACKAGE, GridRecord, Kind, PackageRecord, R
from upstream.embedded import EmbeddedUpstream

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "search.md"
SIZES = "5400,54000"
REPEATS = 5

QUERIES = {
    "one word": "celery",
    "two words": "celery email",
    "a phrase": '"celery email"',
    "OR and minus": "celery OR email -cache",
    "a beginning": "cel",
    "a misspelt word": "celry",
    "a word of three in four records": "django",
    "nothing": "qqqqqqqqq",
}


class SearchFigures(msgspec.Struct):
    """Holds one column of the table, in seconds."""

    packages: int
    build: float
    build_cpu: float
    bytes_of_index: int
    first_spelling: float
    searches: dict[str, tuple[int, float, float]]
    """Results, seconds and seconds of processor time."""
    again: float


def main() -> None:
    """Measure each size and write the table."""
    arguments = argparse.ArgumentParser(description="What the gateway's own search costs.")
    arguments.add_argument("--sizes", default=SIZES, help="packages, with commas (default: %(default)s)")
    arguments.add_argument("--one", type=int, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.one:
        sys.stdout.buffer.write(msgspec.json.encode(measure(asyncio.run(_catalog(chosen.one)))))
        return
    rows = [_in_fresh_process(size) for size in chosen.sizes.split(",")]
    text = table(rows)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text)
    sys.stdout.write(text)


def _in_fresh_process(size: str) -> SearchFigures:
    command = [sys.executable, "-m", "benchmarks.search", "--one", size]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=SearchFigures)


async def _catalog(size: int) -> Catalog:
    limits = replace(client_limits(read_settings()), exchange=600, total=600, answer_bytes=10**9)
    client = Client("http://upstream.test/api/v4/", in_process(EmbeddedUpstream(packages=size)), limits)

    async def all_of(kind: Kind[R]) -> list[R]:
        records: list[R] = []
        while True:
            page = await client.page(kind, limit=2000, offset=len(records))
            records += page.records
            if len(records) >= page.count:
                return records

    packages: list[PackageRecord] = await all_of(PACKAGE)
    grids: list[GridRecord] = await all_of(GRID)
    catalog = Catalog.build(packages, grids, await all_of(CATEGORY))
    await client.aclose()
    return catalog


def measure(catalog: Catalog) -> SearchFigures:
    """Return all numbers for one catalog, in this process."""
    _give_back()
    before = _resident()
    began, began_cpu = time.perf_counter(), time.process_time()
    index = FullTextIndex(catalog)
    build, build_cpu = time.perf_counter() - began, time.process_time() - began_cpu
    _give_back()
    size = _resident() - before
    began = time.perf_counter()
    index.search("djngo")
    first_spelling = time.perf_counter() - began
    searches = {name: _search(index, query) for name, query in QUERIES.items()}
    index.search("celery")
    began = time.perf_counter()
    for _ in range(10_000):
        index.search("celery")
    again = (time.perf_counter() - began) / 10_000
    return SearchFigures(len(catalog.packages), build, build_cpu, size, first_spelling, searches, again)


def _search(index: FullTextIndex, query: str) -> tuple[int, float, float]:
    """Return the best of several. Blanks ahead make it another query, whose ranking is not kept yet."""
    found = 0
    best = best_cpu = float("inf")
    for repeat in range(REPEATS):
        began, began_cpu = time.perf_counter(), time.process_time()
        found = len(index.search(" " * (repeat + 1) + query).rows)
        best = min(best, time.perf_counter() - began)
        best_cpu = min(best_cpu, time.process_time() - began_cpu)
    return found, best, best_cpu


def _give_back() -> None:
    """Give free memory back to the system, because the index would otherwise take what making the catalog has left."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def _resident() -> int:
    """Bytes that this process holds in RAM, as Linux tells it."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def table(measured: list[SearchFigures]) -> str:
    """Return the numbers as Markdown, one column for each size."""
    rows: list[tuple[str, list[str]]] = [
        ("packages", [f"{each.packages:,}" for each in measured]),
        ("build the index, in a thread", [_ms(each.build) for each in measured]),
        ("... processor time", [_ms(each.build_cpu) for each in measured]),
        ("memory of the index", [f"{each.bytes_of_index / 1e6:,.1f} MB" for each in measured]),
        (
            "the first misspelt word, with the table of trigrams",
            [_ms(each.first_spelling) for each in measured],
        ),
    ]
    for name, query in QUERIES.items():
        cells = [each.searches[name] for each in measured]
        rows.append(
            (
                f"{name}: `{query}`",
                [f"{_ms(seconds)} ({_ms(cpu)}), {found:,} found" for found, seconds, cpu in cells],
            )
        )
    rows.append(("the next page of a search", [f"{each.again * 1e6:,.1f} us" for each in measured]))
    (head, sizes), *others = rows
    lines = [
        "# What the gateway's own search costs",
        "",
        f"Written by `python -m benchmarks.search`. Python {platform.python_version()}, SQLite "
        f"{sqlite3.sqlite_version}. A search ranks and counts all that it finds; the best of {REPEATS}, wall-clock "
        "(processor time), in a thread while the event loop goes on.",
        "",
        f"| {head} | {' | '.join(sizes)} |",
        f"|---|{'---:|' * len(sizes)}",
        *(f"| {name} | {' | '.join(cells)} |" for name, cells in others),
    ]
    return "\n".join(lines) + "\n"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.2f} ms"


if __name__ == "__main__":
    main()
