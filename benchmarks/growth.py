"""Measures the gateway as things grow: packages in the catalog, packages in an answer, and connections.

    python -m benchmarks.growth                      three catalogs, the largest of 540,000, in about 9 minutes
    python -m benchmarks.growth --sizes 5400

The gateway has a core of its own; the load and the embedded upstream, from which it reads the catalog once, have
another. The tables go to the screen and to ``benchmarks/results/growth.md``.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.machine import processor
from benchmarks.side_by_side.answers import ask, posted
from benchmarks.side_by_side.environments import knows_all
from benchmarks.side_by_side.install import need_programs
from benchmarks.side_by_side.load import Load, load
from benchmarks.side_by_side.processes import (
    Cores,
    Running,
    end_in_order,
    free_port,
    listens,
    running,
    two_cores,
)

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "growth.md"
SIZES = "5400,54000,540000"
ANSWERS = [1, 10, 100, 1000]
"""Packages in an answer."""

CONNECTIONS = [1, 8, 64, 512]
USUAL_ANSWER, USUAL_CONNECTIONS = 10, 32
ROUNDS, SECONDS = 3, 1
SYNC_LIMIT = 600
"""Seconds within which the largest catalog has to be read."""

PAGE = 100
ORDERS = ["TITLE", "STARS", "FORKS", "CREATED", "MODIFIED"]
CACHES = {"with": {}, "without": {"GATEWAY_RESPONSE_CACHE_BYTES": "0"}}
"""The gateway with and without its response cache."""


class LoadFigures(NamedTuple):
    """What loads of one kind gave."""

    rate: float
    """Answers a second."""
    memory: int
    """Bytes that the gateway had after them."""

    def __str__(self) -> str:
        return f"{self.rate:,.0f} ({self.memory / 1e6:,.0f} MB)"


@dataclass
class GrowthFigures:
    """Holds the figures of one size of the catalog: seconds and bytes, and answers a second by cache and by what was
    varied."""

    packages: int
    sync: float
    stored: int
    start: float = 0
    memory: int = 0
    by_answer: dict[tuple[str, int], LoadFigures] = field(default_factory=dict)
    by_connections: dict[tuple[str, int], LoadFigures] = field(default_factory=dict)


def main() -> None:
    """Measure and write the tables. Stopped by Ctrl-C or SIGTERM, it stops what it has started."""
    parser = argparse.ArgumentParser(description="How the gateway does as things grow.")
    parser.add_argument("--sizes", default=SIZES, help="packages, with commas (default: %(default)s)")
    sizes = [int(size) for size in parser.parse_args().sizes.split(",")]
    end_in_order()
    need_programs(["wrk", "taskset"])
    cores = two_cores()
    text = table([_measured(size, cores) for size in sizes])
    RESULTS.write_text(text)
    sys.stdout.write(text)


def document(packages: int) -> str:
    """Return a query with so many packages in its answer: pages of 100, each in another order."""
    orders = [f"{by}_{way}" for way in ("DESC", "ASC") for by in ORDERS]
    pages = [
        f"p{page}:packages(first:{min(PAGE, packages)},orderBy:{orders[page]})"
        "{nodes{title slug repoWatchers pypiVersion category{title}}}"
        for page in range(-(-packages // PAGE))
    ]
    return f"{{{' '.join(pages)}}}"


def _measured(size: int, cores: Cores) -> GrowthFigures:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        # The stored catalog is that of an address; nobody answers there any more.
        environment = {
            "GATEWAY_STORAGE": str(folder / "catalog.sqlite"),
            "GATEWAY_UPSTREAM": f"http://127.0.0.1:{free_port()}/api/v4/",
            "GATEWAY_CRAWL": "off",
            # The first to ask for an order of a large catalog waits until that has been sorted.
            "GATEWAY_LIMIT_SECONDS": "60",
        }
        measured = _synced(size, cores, folder, environment)
        for cache, settings in CACHES.items():
            begun = time.perf_counter()
            with _gateway(folder, cores, {**environment, **settings}) as (process, port):
                measured.start = time.perf_counter() - begun
                measured.memory = process.memory()

                def loaded(
                    packages: int, connections: int, process: Running = process, port: int = port
                ) -> LoadFigures:
                    rate = _rate(process, port, packages, connections, folder)
                    return LoadFigures(rate, process.memory())

                for packages in ANSWERS:
                    measured.by_answer[cache, packages] = loaded(packages, USUAL_CONNECTIONS)
                for connections in CONNECTIONS:
                    measured.by_connections[cache, connections] = loaded(USUAL_ANSWER, connections)
        sys.stderr.write(f"{measured}\n")
        return measured


def _synced(size: int, cores: Cores, folder: Path, environment: dict[str, str]) -> GrowthFigures:
    """Return the catalog read once from the embedded upstream, and stored."""
    port = urlsplit(environment["GATEWAY_UPSTREAM"]).port or 0
    command = [sys.executable, "server.py", "upstream", "--port", str(port), "--packages", str(size)]
    # The largest catalog takes a minute to make.
    with running(
        command, core=cores.load, ready=lambda: listens(port), log=folder / "upstream.log", limit=300
    ):
        begun = time.perf_counter()
        subprocess.run(
            ["taskset", "-c", str(cores.gateway), sys.executable, "server.py", "sync"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=SYNC_LIMIT,
        )
        sync = time.perf_counter() - begun
    return GrowthFigures(size, sync, sum(file.stat().st_size for file in folder.glob("catalog.sqlite*")))


@contextmanager
def _gateway(folder: Path, cores: Cores, environment: dict[str, str]) -> Iterator[tuple[Running, int]]:
    """Our gateway over the stored catalog."""
    port = free_port()
    command = [sys.executable, "server.py", "serve", "--port", str(port)]
    with running(
        command,
        core=cores.gateway,
        ready=lambda: knows_all(port),
        log=folder / "gateway.log",
        environment=environment,
        limit=300,
    ) as process:
        yield process, port


def _rate(process: Running, port: int, packages: int, connections: int, folder: Path) -> float:
    query = document(packages)
    status, answer = ask(port, query, {})
    if status != 200 or b'"errors"' in answer or answer.count(b'"slug"') != packages:
        raise SystemExit(f"{packages} packages are not answered as expected: {answer[:300]!r}")

    def under_load() -> Load:
        address = f"http://127.0.0.1:{port}/graphql"
        bodies = [posted(query, {})]
        return load(process, address, bodies, seconds=SECONDS, connections=connections, folder=folder)

    return median(under_load().rate for _ in range(ROUNDS))


def table(measured: list[GrowthFigures]) -> str:
    """Return the figures as Markdown."""
    sizes = [f"{each.packages:,}" for each in measured]

    def rows(figures: dict[str, list[str]]) -> list[str]:
        return [f"| {name} | {' | '.join(cells)} |" for name, cells in figures.items()]

    header = ["| packages in the catalog | " + " | ".join(sizes) + " |", "|---|" + "---:|" * len(sizes)]
    once = {
        "read from upstream and stored, s": [f"{each.sync:,.1f}" for each in measured],
        "the file, MB": [f"{each.stored / 1e6:,.0f}" for each in measured],
        "from the start to the first answer, s": [f"{each.start:,.1f}" for each in measured],
        "memory then, MB": [f"{each.memory / 1e6:,.0f}" for each in measured],
    }
    answers = {
        f"{packages:,} in the answer, {cache} response cache": [
            str(each.by_answer[cache, packages]) for each in measured
        ]
        for cache in CACHES
        for packages in ANSWERS
    }
    connections = {
        f"connections: {number}, {cache} response cache": [
            str(each.by_connections[cache, number]) for each in measured
        ]
        for cache in CACHES
        for number in CONNECTIONS
    }
    lines = [
        "# As things grow",
        "",
        f"Written by `make bench-growth`. {processor()}, Python {platform.python_version()}; the gateway has one core, "
        f"the load another. Medians of {ROUNDS} loads of {SECONDS} s.",
        "",
        *header,
        *rows(once),
        "",
        f"Answers a second with {USUAL_CONNECTIONS} connections, and the memory after them:",
        "",
        *header,
        *rows(answers),
        "",
        f"Answers a second with {USUAL_ANSWER} packages in the answer, and the memory after them:",
        "",
        *header,
        *rows(connections),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
