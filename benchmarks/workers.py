"""Measures what the workers of one server cost: memory and time to start, by their number and by the size of the
catalog.

    python -m benchmarks.workers                      two catalogs with 1, 2 and 4 workers, in about five minutes
    python -m benchmarks.workers --sizes 5400 --workers 1,2

The memory is the proportional set size, in which a page that several processes share counts once. It is taken when all
workers have started, after 1,000 requests for each worker, and after one new version of the catalog. The table goes to
the screen and to ``benchmarks/results/workers.md``.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn

from benchmarks.machine import processor
from benchmarks.replica_programs import seconds_until
from benchmarks.side_by_side.processes import Running, end_in_order, free_port, running
from upstream.embedded import EmbeddedUpstream, generated_catalog

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "workers.md"
SIZES, WORKERS = "5400,54000", "1,2,4"

REQUESTS = 1000
"""Requests for each worker, each for another package with its grids and their packages."""

LOOKS = 20
"""Answers in a row for each worker that have the new version before all are taken to serve it."""

STARTED = "A worker has started"
"""What each worker logs when it can answer from the catalog."""

QUERY = (
    "query ($slug: String!) { package(slug: $slug) { title repoWatchers category { title } "
    "grids { title packages { title slug repoWatchers } } } }"
)


@dataclass(frozen=True)
class WorkerFigures:
    """Holds what a number of workers cost.

    ``start`` and the time of the ``processor`` until then are in seconds, and the others are in bytes of all processes.
    """

    packages: int
    workers: int
    start: float
    processor: float
    memory: int
    after_requests: int
    after_version: int


def main() -> None:
    """Measure, and write the table. Stopped by Ctrl-C or SIGTERM, it stops what it has started."""
    parser = argparse.ArgumentParser(description="What the workers of one server cost.")
    parser.add_argument("--sizes", default=SIZES, help="packages, with commas (default: %(default)s)")
    parser.add_argument("--workers", default=WORKERS, help="numbers, with commas (default: %(default)s)")
    given = parser.parse_args()
    end_in_order()
    figures = [
        each
        for size in given.sizes.split(",")
        for each in measured(int(size), [int(number) for number in given.workers.split(",")], served_by_us)
    ]
    text = table(figures)
    RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def served_by_us(port: int, workers: int) -> list[str]:
    """Return the command that serves with this many workers."""
    return [sys.executable, "server.py", "serve", "--port", str(port), "--workers", str(workers)]


def measured(
    packages: int, numbers: Sequence[int], serve: Callable[[int, int], list[str]]
) -> Iterator[WorkerFigures]:
    """Measure servers of a catalog of this many packages, one after another, with these numbers of workers.

    ``serve`` gives the command for a port and a number of workers.
    """
    with tempfile.TemporaryDirectory() as made, _upstream(packages) as (embedded, address):
        folder = Path(made)
        environment = {
            "GATEWAY_STORAGE": str(folder / "catalog.sqlite"),
            "GATEWAY_UPSTREAM": address,
            "GATEWAY_CRAWL": "off",
            "GATEWAY_FILES": "off",
            "GATEWAY_FAIR_USE": "off",
        }
        _sync(environment)
        for workers in numbers:
            port, log = free_port(), folder / f"gateway-{workers}.log"
            begun = time.perf_counter()
            with running(
                serve(port, workers),
                core=",".join(map(str, sorted(os.sched_getaffinity(0)))),
                ready=lambda log=log, workers=workers: log.read_text().count(STARTED) == workers,  # type: ignore[misc]
                log=log,
                environment=environment,
                limit=300,
            ) as process:
                took, processor_took = time.perf_counter() - begun, process.processor_seconds()
                memory = _memory(process, port, workers, embedded, environment)
            figures = WorkerFigures(packages, workers, took, processor_took, *memory)
            sys.stderr.write(f"{figures}\n")
            yield figures


def _memory(
    process: Running, port: int, workers: int, embedded: EmbeddedUpstream, environment: dict[str, str]
) -> tuple[int, int, int]:
    """Return the bytes at the start, after the requests and after a new version."""
    at_the_start = process.memory()
    slugs = [package.slug for package in embedded.catalog.packages.values()]
    # Each request has a connection of its own, so that they are spread over the workers.
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers={"Connection": "close"}, timeout=60
    ) as http:
        for number in range(REQUESTS * workers):
            slug = slugs[number * 7919 % len(slugs)]
            answer = http.post("/graphql", json={"query": QUERY, "variables": {"slug": slug}}).json()
            if "errors" in answer or not answer["data"]["package"]:
                raise SystemExit(f"The package {slug} is not answered as expected: {answer}")
        after_requests = process.memory()
        before = _version(http)
        embedded.catalog.insert_package()
        _sync(environment)
        seconds_until(lambda: all(_version(http) != before for _ in range(LOOKS * workers)))
        return at_the_start, after_requests, process.memory()


def _version(http: httpx.Client) -> str:
    version: str = http.get("/readyz").json()["catalog"]["version"]
    return version


def _sync(environment: dict[str, str]) -> None:
    command = [sys.executable, "server.py", "sync"]
    subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, check=True
    )


@contextmanager
def _upstream(packages: int) -> Iterator[tuple[EmbeddedUpstream, str]]:
    """Serve the embedded upstream in a thread of this process; gives it and its address."""
    embedded, port = EmbeddedUpstream(catalog=generated_catalog(packages)), free_port()
    server = uvicorn.Server(uvicorn.Config(embedded, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    seconds_until(lambda: server.started)
    try:
        yield embedded, f"http://127.0.0.1:{port}/api/v4/"
    finally:
        server.should_exit = True
        thread.join()


def table(figures: Sequence[WorkerFigures]) -> str:
    """Return the figures as Markdown."""
    lines = [
        "# Workers",
        "",
        f"Written by `python -m benchmarks.workers` on {processor()}, Python {platform.python_version()}.",
        f"The workers start together, and share {len(os.sched_getaffinity(0))} cores. The memory is that of all",
        "processes of a server, where a page that several of them share counts once: when all workers have started,",
        f"after {REQUESTS:,} requests for each worker for another package each time, and after a new version.",
        "",
        "| packages | workers | start, s | its processor time, s | memory, MB | after requests, MB | "
        "after a new version, MB |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {each.packages:,} | {each.workers} | {each.start:.1f} | {each.processor:.1f} "
            f"| {each.memory / 1e6:.0f} | {each.after_requests / 1e6:.0f} | {each.after_version / 1e6:.0f} |"
            for each in figures
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
