"""Measures the gateway beside its peers in one run: answers a second, the first answer, floors and servers.

    python -m benchmarks.bench                                  everything, in about 25 minutes
    python -m benchmarks.bench --quick                          the same in about 4, to see that all work
    python -m benchmarks.bench --only gateway,apollo --queries Q2,cold

What the peers need is fetched first, into folders that git ignores. A run of everything writes
``benchmarks/RESULTS.md``; a part, or a quick one, goes to the screen alone.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.side_by_side.answers import right_answers
from benchmarks.side_by_side.contenders import Contender, contenders, servers
from benchmarks.side_by_side.environments import fast_upstream, slow_upstream
from benchmarks.side_by_side.install import CannotInstall, need_programs
from benchmarks.side_by_side.measure import Measuring, Results
from benchmarks.side_by_side.processes import end_in_order, two_cores
from benchmarks.side_by_side.report import Run, report
from benchmarks.side_by_side.versions import versions
from benchmarks.side_by_side.workload import NAMES, BenchmarkQuery, queries
from upstream.embedded.generated_catalog import generated_catalog

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
COLD, SERVERS = "cold", "servers"
READY = [BenchmarkQuery("hello", "5 bytes", {}, [{}]), BenchmarkQuery("10kB", "10,000 bytes", {}, [{}])]
"""What the servers send that are to be chosen from."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and report. Stopped by Ctrl-C or SIGTERM, it stops what it has started."""
    chosen = _chosen(arguments)
    parts = _picked_parts(chosen.queries)
    taking_part = _picked_contenders(chosen.only)
    choosable = servers() if SERVERS in parts else []
    need_programs(["wrk", "nginx", "taskset", "node", "npm"])
    cores = two_cores()
    end_in_order()

    catalog = generated_catalog()
    known = queries(catalog)
    asked = {name: query for name, query in known.items() if name in parts}
    rounds, seconds, warm_up, compared = (1, 1, 0, 20) if chosen.quick else (3, 2, 1, 200)
    results = Results()
    _install([*taking_part, *choosable], results)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        # nginx serves from here as another user.
        folder.chmod(0o755)
        right = asyncio.run(right_answers(known.values(), catalog))
        _write_ready(folder / "ready", right)
        measuring = Measuring(cores, folder, seconds, warm_up, compared, right, results)
        with fast_upstream(cores, folder) as upstream:
            for number in range(rounds):
                for each in taking_part:
                    if each.loaded and asked and not (number and each.is_measured_once):
                        measuring.under_load(each, asked.values(), upstream)
                for each in choosable:
                    measuring.under_load(each, READY, upstream)
        with slow_upstream(cores, folder) as upstream:
            for _ in range(rounds if COLD in parts else 0):
                for each in taking_part:
                    if each.cold:
                        measuring.cold(each, known["Q2"], upstream)
    text = report(Run(rounds, seconds, asked, taking_part, choosable, READY, versions(), results))
    sys.stdout.write(text)
    if not (chosen.quick or chosen.only or chosen.queries):
        RESULTS.write_text(text)


def _chosen(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The gateway beside its peers, all in one run.")
    parser.add_argument("--quick", action="store_true", help="one round of a second: do they all work?")
    parser.add_argument("--only", default="", help="names of contenders, or their first words, with commas")
    parser.add_argument("--queries", default="", help=f"of Q1 to Q8, {COLD} and {SERVERS}, with commas")
    return parser.parse_args(arguments)


def _picked_parts(given: str) -> list[str]:
    known = [*NAMES, COLD, SERVERS]
    picked = given.split(",") if given else known
    if not set(picked) <= set(known):
        sys.exit(f'--queries is "{given}"; it can be of {", ".join(known)}, with commas.')
    return picked


def _picked_contenders(given: str) -> list[Contender]:
    known = contenders()
    if not given:
        return known
    names = given.split(",")
    unknown = [name for name in names if not any(_named(each, name) for each in known)]
    if unknown:
        sys.exit(f'--only is "{given}"; it can be of {", ".join(each.name for each in known)}, with commas.')
    return [each for each in known if any(_named(each, name) for name in names)]


def _named(contender: Contender, name: str) -> bool:
    return f"{contender.name} ".startswith(f"{name} ")


def _install(contenders: Sequence[Contender], results: Results) -> None:
    """Fetch what they need. Those that go without will not start, and say so."""
    for install in dict.fromkeys(each.install for each in contenders if each.install):
        try:
            install()
        except CannotInstall as error:
            results.gaps[install.__name__] = str(error)


def _write_ready(folder: Path, right: dict[str, list[bytes]]) -> None:
    """Write the bytes that the floors and the servers send, each in a file with the query's name."""
    folder.mkdir()
    for name, bodies in right.items():
        (folder / name).write_bytes(bodies[0])
    (folder / "hello").write_bytes(b"hello")
    (folder / "10kB").write_bytes(b"x" * 10_000)


if __name__ == "__main__":
    main()
