"""Measures what it costs upstream to fetch many records, one by one and by the batcher's plans.

    python -m benchmarks.plans

Records are wanted at random, always the same ones, from the embedded upstream's whole catalog. The tables go to
the screen, to ``benchmarks/results/plans.md`` and from there into ``docs/batching.md``. Nothing is timed:
requests and bytes are counted, and upstream's time is what the contract's cost model says for them, so every run
writes the same.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from catalog.sync.full_crawl import LastGood, crawl
from setting_groups import client_limits
from settings import read_settings
from upstream.batching.batcher import Batcher
from upstream.batching.list_positions import ListPositions
from upstream.client.api_client import Client
from upstream.client.in_process_transport import in_process
from upstream.client.request_costs import nominal_detail, nominal_page
from upstream.client.v4_records import CATEGORY, GRID, KINDS, PACKAGE, GridRecord, Kind, PackageRecord
from upstream.embedded import EmbeddedUpstream

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "plans.md"
DOCUMENT = ROOT / "docs" / "batching.md"
SETTINGS = read_settings()
URL = "http://upstream.test/api/v4/"
SEED = 1
PACKAGES = 1, 10, 50, 500, 5000
GRIDS = 1, 10, 50, 400

_KINDS = {kind.plural: kind for kind in KINDS}


@dataclass(frozen=True)
class Cost:
    """Holds what some requests cost upstream."""

    requests: int
    pages: int
    """How many of the requests."""
    bytes: int
    seconds: float


@dataclass(frozen=True)
class Row:
    """Compares three ways to fetch the same records."""

    wanted: int
    one_by_one: Cost
    cold: Cost
    """By the batcher, when it knows nothing of their places."""
    crawled: Cost
    """By the batcher, when a crawl has shown all places."""


@dataclass(frozen=True)
class PlanFigures:
    """Holds everything that goes into the tables."""

    crawl: Cost
    packages: list[Row]
    grids: list[Row]


def main() -> None:
    """Count everything and write the tables."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    text = tables(asyncio.run(measure(EmbeddedUpstream())))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text, encoding="utf-8")
    document = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(with_results(document, text), encoding="utf-8")
    sys.stdout.write(text)


async def measure(
    upstream: EmbeddedUpstream, package_sizes: tuple[int, ...] = PACKAGES, grid_sizes: tuple[int, ...] = GRIDS
) -> PlanFigures:
    """Return all costs, of one embedded upstream."""
    positions = await _positions_after_a_crawl(upstream)
    crawl_cost = _spent(upstream)
    packages = sorted(upstream.catalog.packages), package_sizes
    grids = sorted(upstream.catalog.grids), grid_sizes
    return PlanFigures(
        crawl_cost,
        [await _row(upstream, PACKAGE, ids, positions) for ids in _samples(*packages)],
        [await _row(upstream, GRID, ids, positions) for ids in _samples(*grids)],
    )


def _samples(ids: list[int], sizes: tuple[int, ...]) -> list[list[int]]:
    draws = Random(SEED)
    return [draws.sample(ids, size) for size in sizes]


async def _positions_after_a_crawl(upstream: EmbeddedUpstream) -> dict[str, ListPositions]:
    client = Client(URL, in_process(upstream), client_limits(SETTINGS))
    batcher = Batcher(client, SETTINGS.upstream_budget)
    await crawl(batcher, client, LastGood())
    await batcher.aclose()
    await client.aclose()
    return batcher.positions


async def _row(
    upstream: EmbeddedUpstream, kind: Kind[Any], ids: list[int], positions: dict[str, ListPositions]
) -> Row:
    client = Client(URL, in_process(upstream), client_limits(SETTINGS))
    for id in ids:
        assert await client.detail(kind, id) is not None
    await client.aclose()
    return Row(
        wanted=len(ids),
        one_by_one=_spent(upstream),
        cold=await _fetched(upstream, kind, ids, {}),
        crawled=await _fetched(upstream, kind, ids, positions),
    )


async def _fetched(
    upstream: EmbeddedUpstream, kind: Kind[Any], ids: list[int], positions: dict[str, ListPositions]
) -> Cost:
    # A new client plans with the nominal prices, because it has not measured any request yet.
    client = Client(URL, in_process(upstream), client_limits(SETTINGS))
    batcher = Batcher(client, SETTINGS.upstream_budget)
    batcher.positions.update(positions)
    found = await batcher.fetch(kind, ids)
    await batcher.aclose()
    await client.aclose()
    assert all(isinstance(found[id], PackageRecord | GridRecord) for id in ids)
    return _spent(upstream)


def _spent(upstream: EmbeddedUpstream) -> Cost:
    """Return what was asked for since the last time. A page costs what it has, which at the end is less than
    its limit."""
    requests = upstream.requests.listed
    pages = 0
    seconds = 0.0
    for _, target in requests:
        url = urlsplit(target)
        plural, *key = url.path.removeprefix(urlsplit(URL).path).strip("/").split("/")
        kind = _KINDS[plural]
        if key:
            seconds += nominal_detail()
        else:
            pages += 1
            asked = {name: int(values[0]) for name, values in parse_qs(url.query).items()}
            left = max(0, _count(upstream, kind) - asked["offset"])
            seconds += nominal_page(kind, min(asked["limit"], left), asked["offset"] if left else 0)
    cost = Cost(len(requests), pages, upstream.requests.bytes, seconds)
    upstream.requests.reset()
    return cost


def _count(upstream: EmbeddedUpstream, kind: Kind[Any]) -> int:
    catalog = upstream.catalog
    return {
        PACKAGE: len(catalog.packages),
        GRID: len(catalog.grids),
        CATEGORY: len(catalog.categories),
    }[kind]


# The tables


def tables(measured: PlanFigures) -> str:
    """Return the costs as Markdown."""
    crawl = measured.crawl
    text = [
        "# What it costs upstream to fetch many records",
        "",
        "Written by `python -m benchmarks.plans`. Records are wanted at random from the embedded upstream's whole "
        "catalog and fetched by the batcher at once: when nothing is known of their places (cold), and after a "
        "crawl. Requests and bytes are counted; upstream's time is what the contract's cost model says for them.",
        "",
        f"A crawl of all three lists is {crawl.pages} pages, {crawl.bytes:,} bytes and {_ms(crawl.seconds)}.",
    ]
    for name, rows in (("packages", measured.packages), ("grids", measured.grids)):
        text += [
            "",
            f"| {name} wanted | fetched | requests | of these pages | bytes | upstream's time | of one by one |",
            "|---:|---|---:|---:|---:|---:|---:|",
        ]
        text += [line for row in rows for line in _lines(row)]
    return "\n".join(text) + "\n"


def with_results(document: str, results: str) -> str:
    """Return the document with these results, less their heading, between its two comments."""
    begin, end = "<!-- benchmarks/results/plans.md -->\n", "\n<!-- end -->"
    text = results.partition("\n\n")[2].rstrip()
    return re.sub(f"({begin}).*?({end})", lambda match: match[1] + text + match[2], document, flags=re.DOTALL)


def _lines(row: Row) -> list[str]:
    ways = ("one by one", row.one_by_one), ("cold", row.cold), ("after a crawl", row.crawled)
    return [
        f"| {row.wanted:,} | {way} | {cost.requests:,} | {cost.pages} | {cost.bytes:,} | {_ms(cost.seconds)} "
        f"| {cost.seconds / row.one_by_one.seconds:.0%} |"
        for way, cost in ways
    ]


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f} ms"


if __name__ == "__main__":
    main()
