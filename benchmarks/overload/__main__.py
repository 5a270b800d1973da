"""Measures what a gateway does with twice as many operations as it can answer.

    python -m benchmarks.overload
    python -m benchmarks.overload --rounds 1

Each round starts a gateway over an embedded upstream of 5,400 packages. First 32 clients ask it, each when it has its
answer, which gives the times of a load that begins and how many operations it can answer. Then operations come at a
fifth of that rate, and at twice that rate for ten seconds, whether or not they are answered. Their texts never come
again, so all are executed; a share of others has answers that are kept. The table goes to the screen and to
``benchmarks/results/overload.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import uvloop

from benchmarks.attack.target import Target, started
from benchmarks.overload.load import CONNECTIONS, Answers, Clients, Operations, quantile
from benchmarks.side_by_side.processes import ROOT, Cores, busy_seconds, end_in_order, two_cores

RESULTS = ROOT / "benchmarks" / "results" / "overload.md"
PACKAGES = 5400
CLIENTS = 32
KEPT_SHARE = 0.2
"""How many operations with kept answers come for one that is executed."""


@dataclass
class OverloadFigures:
    """Holds one round. Times are in seconds."""

    begin: Answers
    capacity: float
    """Operations a second."""
    calm: Answers
    overload: Answers
    drained: float
    """From the last request on until all were answered."""
    after: Answers
    """What came at a fifth of the capacity again, from the end of the overload on."""
    others: float
    """Processor time of the machine that was neither the gateway's nor the clients', of each second."""


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="how many (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=10, help="of each overload (default: %(default)s)")
    chosen = parser.parse_args()
    end_in_order()
    cores = two_cores()
    rounds = [_measured(number, chosen.seconds, cores) for number in range(chosen.rounds)]
    text = table(rounds, chosen.seconds)
    RESULTS.write_text(text)
    sys.stdout.write(text)


def _measured(number: int, seconds: float, cores: Cores) -> OverloadFigures:
    with started(PACKAGES, cores.gateway) as target:
        return uvloop.run(measure(target, random.Random(number), seconds))


async def measure(target: Target, chance: random.Random, seconds: float) -> OverloadFigures:
    """Return one round, with a gateway that has executed nothing yet."""
    clients = Clients(target.host, target.port, Operations(_slugs(target), chance))
    busy, ours, since = (
        busy_seconds(),
        target.process.processor_seconds() + time.process_time(),
        time.monotonic(),
    )
    try:
        begin, _took = await clients.closed_loop(CLIENTS, 2)
        full, took = await clients.closed_loop(CLIENTS, 3)
        capacity = len(full.answered) / took
        # What is cached was asked before the overload, as it is by clients that ask it all the time.
        calm, _drained = await clients.open_loop(capacity / 5, 4, capacity / 5 * KEPT_SHARE)
        overload, drained = await clients.open_loop(2 * capacity, seconds, 2 * capacity * KEPT_SHARE)
        after, _drained = await clients.open_loop(capacity / 5, 3)
    finally:
        clients.close()
    ours = target.process.processor_seconds() + time.process_time() - ours
    others = (busy_seconds() - busy - ours) / (time.monotonic() - since)
    return OverloadFigures(begin, capacity, calm, overload, drained, after, others)


def _slugs(target: Target) -> list[str]:
    """Return the slugs of a hundred packages."""
    body = json.dumps({"query": "{packages(first:100){nodes{slug}}}"}).encode()
    request = urllib.request.Request(f"{target.address}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return [node["slug"] for node in json.load(answer)["data"]["packages"]["nodes"]]


def table(rounds: list[OverloadFigures], seconds: float) -> str:
    """Return the rounds as Markdown, under the machine they were measured on."""
    lines: list[tuple[str, Callable[[OverloadFigures], str]]] = [
        ("processors that were busy with something else", lambda each: f"{each.others:.2f}"),
        (
            f"{CLIENTS} clients, first two seconds: p50, p99, longest",
            lambda each: _quantiles(each.begin, _always),
        ),
        ("and refused", lambda each: _refused(each.begin)),
        ("capacity, operations a second", lambda each: f"{each.capacity:,.0f}"),
        ("a fifth of it: p50, p99, longest", lambda each: _quantiles(each.calm, _always)),
        ("and refused", lambda each: _refused(each.calm)),
        ("twice of it, first second: p50, p99, longest", lambda each: _quantiles(each.overload, _first)),
        ("and after it", lambda each: _quantiles(each.overload, _later)),
        ("p99 of the whole overload, over that of a fifth", lambda each: _ratio(each)),
        ("answered a second, over the capacity", lambda each: _used(each, seconds)),
        ("refused", lambda each: _refused(each.overload)),
        ("refused after: p50, longest", lambda each: _refusals(each.overload)),
        ("refused without Retry-After", lambda each: f"{each.overload.without_retry_after:,}"),
        ("kept answers: p50, p99, longest", lambda each: _times(each.overload.kept, _always)),
        ("kept answers refused", lambda each: f"{each.overload.kept_refused:,}"),
        (
            f"found none of {CONNECTIONS} connections free, or broke",
            lambda each: f"{len(each.overload.others):,}",
        ),
        ("all answered after the end, within", lambda each: _ms(each.drained)),
        ("a fifth again, first second: p50, p99, longest", lambda each: _quantiles(each.after, _first)),
        ("and refused", lambda each: _refused(each.after)),
        ("and after it", lambda each: _quantiles(each.after, _later)),
    ]
    text = [
        "# Twice as much as can be answered",
        "",
        f"Written by `python -m benchmarks.overload`. Python {platform.python_version()}, uvloop {version('uvloop')}, "
        f"{os.cpu_count()} processors, {PACKAGES:,} packages. The gateway has one processor, and the clients another. "
        "Of ten operations six look up a package, three list 20 packages with their grids, and one lists 100 packages "
        f"with the packages of their grids. The overload lasts {seconds:.0f} seconds. Times are wall-clock, from "
        "the moment at which a request was due.",
        "",
        "| | " + " | ".join(f"round {number + 1}" for number in range(len(rounds))) + " |",
        "|---|" + "---:|" * len(rounds),
    ]
    text += [f"| {name} | " + " | ".join(show(each) for each in rounds) + " |" for name, show in lines]
    return "\n".join(text) + "\n"


def _always(_due: float) -> bool:
    return True


def _first(due: float) -> bool:
    return due < 1


def _later(due: float) -> bool:
    return due >= 1


def _quantiles(answers: Answers, when: Callable[[float], bool]) -> str:
    return _times(answers.answered, when)


def _times(rows: list[tuple[float, float]], when: Callable[[float], bool]) -> str:
    return ", ".join(_ms(quantile(rows, share, when)) for share in (0.5, 0.99, 1))


def _ratio(figures: OverloadFigures) -> str:
    calm = quantile(figures.calm.answered, 0.99, _always)
    return f"{quantile(figures.overload.answered, 0.99, _always) / calm:.1f}"


def _used(figures: OverloadFigures, seconds: float) -> str:
    return f"{len(figures.overload.answered) / seconds / figures.capacity:.2f}"


def _refused(answers: Answers) -> str:
    came = len(answers.answered) + len(answers.refused)
    return f"{len(answers.refused):,} of {came:,}"


def _refusals(answers: Answers) -> str:
    return ", ".join(_ms(quantile(answers.refused, share, _always)) for share in (0.5, 1))


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f} ms"


if __name__ == "__main__":
    main()
