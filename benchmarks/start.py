"""Measures how long a gateway takes from its start to its first answer from storage, and where that time goes.

    python -m benchmarks.start --packages 5400 --runs 9

Each start is a process of its own: ``server.py serve`` with a stored catalog and an upstream that is off. The clock
runs from before the process is made until the canonical query has been answered over HTTP. The tables go to the
screen and to ``benchmarks/results/start.md``.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.machine import processor

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "start.md"
CANONICAL = (ROOT / "examples" / "canonical.graphql").read_text()

MAX_PACKAGES = 14
"""Python packages that the table of imports lists."""

PHASES = """
import asyncio, json, sys, time
begun = time.perf_counter()
laps = {}

def lap(name):
    global begun
    now = time.perf_counter()
    laps[name], begun = now - begun, time.perf_counter()

import server
lap("import server")
from settings import read_settings
import uvicorn.protocols.http.httptools_impl, uvicorn.loops.uvloop, uvicorn.lifespan.on
lap("import uvicorn")
server.app
lap("import web.app: the schema")
from catalog.storage.sqlite_storage import Storage
from storage_wiring import storage_path
settings = read_settings(crawl="off")
storage = Storage(storage_path(settings))
lap("open the storage, with its check")
stored = storage.load()
storage.close()
lap("read and decode the records")
from catalog.indexed_catalog import Catalog
catalog = Catalog.build(stored.packages, stored.grids, stored.categories)
lap("build the catalog")

async def answer():
    from gateway.prepared_request import GraphQLRequest
    from wiring import make_gateway, open_source
    async with open_source(settings) as source:
        global begun
        begun = time.perf_counter()
        answer = await make_gateway(settings, source).execute(GraphQLRequest(sys.argv[1]))
        assert not answer.failed
        lap("the first answer")

asyncio.run(answer())
print(json.dumps(laps))
"""


@dataclass(frozen=True)
class StartFigures:
    """Holds what goes into the tables. Times are in seconds, each as the list of all runs."""

    packages: int
    wall: list[float]
    processor: list[float]
    phases: dict[str, list[float]]
    imports: list[dict[str, float]]
    """The seconds of each run that the modules of each Python package took themselves."""
    modules: Counter[str]


def main() -> None:
    """Measure and write the tables."""
    arguments = argparse.ArgumentParser(description="How long a start takes.")
    arguments.add_argument("--packages", type=int, default=5400, help="in the catalog (default: %(default)s)")
    arguments.add_argument("--runs", type=int, default=9, help="of each measurement (default: %(default)s)")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = table(measure(Path(folder), chosen.packages, chosen.runs))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text)
    sys.stdout.write(text)


def measure(folder: Path, packages: int, runs: int) -> StartFigures:
    """Store a catalog, then start over it again and again."""
    upstream_port = _free_port()
    environment = os.environ | {
        "GATEWAY_UPSTREAM": f"http://127.0.0.1:{upstream_port}/api/v4/",
        "GATEWAY_STORAGE": str(folder / "catalog.sqlite"),
        # Compiled once, as for whoever starts it a second time, but not in the project's folder.
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    upstream = ["upstream", "--port", str(upstream_port), "--packages", str(packages)]
    with _server(upstream, environment, upstream_port):
        command = [sys.executable, "server.py", "sync"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    start(environment)
    starts = [start(environment) for _ in range(runs)]
    laps = [_phases(environment) for _ in range(runs)]
    profiles = [_imports(environment) for _ in range(runs)]
    return StartFigures(
        packages=packages,
        wall=[wall for wall, _ in starts],
        processor=[processor for _, processor in starts],
        phases={phase: [lap[phase] for lap in laps] for phase in laps[0]},
        imports=[seconds for seconds, _ in profiles],
        modules=profiles[0][1],
    )


# Starting


def start(environment: dict[str, str]) -> tuple[float, float]:
    """Return the seconds until the first answer, by the clock and of the processor."""
    port = _free_port()
    command = [sys.executable, "server.py", "serve", "--port", str(port)]
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        answer = _first_answer(port, process)
        wall, processor = time.perf_counter() - begun, _processor_time(process.pid)
        assert "errors" not in answer, answer
        return wall, processor
    finally:
        process.terminate()
        process.wait()


def _first_answer(port: int, process: subprocess.Popen[bytes]) -> dict[str, object]:
    body = json.dumps({"query": CANONICAL})
    while process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        with suppress(ConnectionError):
            connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
            answer: dict[str, object] = json.loads(connection.getresponse().read())
            return answer
        time.sleep(0.005)
    raise SystemExit("The gateway ended.")


def _processor_time(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _server(arguments: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "server.py", *arguments], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        while process.poll() is None:
            with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Where the time goes


def _phases(environment: dict[str, str]) -> dict[str, float]:
    command = [sys.executable, "-c", PHASES, CANONICAL]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=dict[str, float])


def _imports(environment: dict[str, str]) -> tuple[dict[str, float], Counter[str]]:
    """Return by Python package the seconds that its modules took themselves, and how many they are."""
    code = "import server, uvicorn.protocols.http.httptools_impl; server.app"
    code += "; import catalog.catalog_source, upstream.client.http_transport"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    seconds: defaultdict[str, float] = defaultdict(float)
    modules = Counter[str]()
    for own, name in re.findall(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", done.stderr, re.MULTILINE):
        package = name.partition(".")[0]
        if package in sys.stdlib_module_names or package.startswith("_"):
            package = "the standard library"
        elif any((ROOT / f"{package}{suffix}").exists() for suffix in ("", ".py")):
            package = "this project"
        seconds[package] += int(own) / 1e6
        modules[package] += 1
    return seconds, modules


# The tables


def table(measured: StartFigures) -> str:
    """Return the figures as Markdown, under the machine they were measured on."""
    runs = len(measured.wall)
    text = [
        "# How long a start takes",
        "",
        f"Written by `python -m benchmarks.start`. Python {platform.python_version()}, {processor()}. "
        f"{measured.packages:,} packages are stored, and upstream is off. Of {runs} runs the best and the median; "
        "the modules were compiled before.",
        "",
        "| from the start to the first answer over HTTP | best | median |",
        "|---|---:|---:|",
        _row("by the clock", measured.wall),
        _row("time of the processor", measured.processor),
        "",
        "The same steps by themselves, in one process:",
        "",
        "| step | best | median |",
        "|---|---:|---:|",
        *(_row(phase, seconds) for phase, seconds in measured.phases.items()),
        "",
        "The imports, by `python -X importtime`, which makes each slower; a module's time is without those it imports:",
        "",
        "| package | modules | best | median |",
        "|---|---:|---:|---:|",
    ]
    times = {name: [run[name] for run in measured.imports] for name in measured.modules}
    for name in sorted(times, key=lambda name: -min(times[name]))[:MAX_PACKAGES]:
        text.append(_row(f"{name} | {measured.modules[name]}", times[name]))
    text.append(_row(f"all | {measured.modules.total()}", [sum(run.values()) for run in measured.imports]))
    return "\n".join(text) + "\n"


def _row(name: str, seconds: list[float]) -> str:
    return f"| {name} | {min(seconds) * 1e3:,.0f} ms | {statistics.median(seconds) * 1e3:,.0f} ms |"


if __name__ == "__main__":
    main()
