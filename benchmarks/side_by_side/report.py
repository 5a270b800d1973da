"""Writes the tables of a run, as Markdown."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.machine import processor
from benchmarks.side_by_side.contenders import CONNECTIONS, Contender
from benchmarks.side_by_side.goals import EXECUTED, KEPT, aims, processor_time, rate
from benchmarks.side_by_side.load import Load
from benchmarks.side_by_side.measure import Results
from benchmarks.side_by_side.workload import BenchmarkQuery

IDLE = 0.8
"""The share of the gateway's core below which something else was the limit."""


@dataclass(frozen=True)
class Run:
    """Holds what was measured, and how."""

    rounds: int
    seconds: int
    queries: Mapping[str, BenchmarkQuery]
    contenders: Sequence[Contender]
    servers: Sequence[Contender]
    server_queries: Sequence[BenchmarkQuery]
    versions: Mapping[str, str]
    results: Results


def report(run: Run) -> str:
    """Return the whole document; a part for which nothing was measured is left out."""
    loads, cold = run.results.loads, run.results.cold
    parts = [
        ["# The gateway beside its peers", "", _introduction(run)],
        ["## Answers a second", "", *_rates(run), "", *_notes()] if run.queries else [],
        ["## The first answer of a fresh process", "", *_cold(run)] if cold else [],
        ["## What is aimed at", "", *_aims(run)] if any(loads.values()) or cold else [],
        ["## The choice of the server", "", *_servers(run)] if run.servers else [],
        ["## Missing", "", *(f"- {what}: {_line(why)}" for what, why in run.results.gaps.items())]
        if run.results.gaps
        else [],
        ["## What is asked", "", *(f"- **{query.name}** {query.meaning}." for query in run.queries.values())]
        if run.queries
        else [],
        ["## Who answers", "", *(f"- **{each.name}** {each.meaning}." for each in run.contenders)],
        ["## Every figure", "", *_every_figure(run)] if run.queries else [],
        ["## Versions", "", ", ".join(f"{name} {version}" for name, version in run.versions.items()) + "."],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _introduction(run: Run) -> str:
    return (
        f"Written by `make bench`; [how to read it](../docs/performance.md). {processor()}, Python "
        f"{platform.python_version()}. The gateway has one core, the load and upstream another. Medians of "
        f"{run.rounds} rounds of {run.seconds} s with {CONNECTIONS} connections; each round starts every contender "
        "anew, and compares its answers with the gateway's before and after each load. "
        f"{run.results.repeated} loads that were disturbed were measured again."
    )


def _rates(run: Run) -> list[str]:
    names = list(run.queries)
    lines = _header("", [*names, "MB"])
    for each in run.contenders:
        if each.name not in run.results.loads:
            continue
        cells = [_rate_cell(run, each, name) for name in names]
        memory = run.results.memory.get(each.name)
        lines.append(_row(each.name, [*cells, f"{median(memory) / 1e6:,.0f}" if memory else ""]))
    return lines


def _rate_cell(run: Run, each: Contender, query: str) -> str:
    found = rate(run.results, each.name, query)
    if found is None:
        return ""
    loads = run.results.loads[each.name][query]
    base = rate(run.results, EXECUTED if run.queries[query].executed else KEPT, query)
    ratio = f" ({found / base:.{_digits(found / base)}f})" if base else ""
    time = processor_time(run.results, each.name, query) or 0.0
    return f"{_number(found)}{ratio}{_marks(each, query, loads)} {1e3 * time:,.0f} us"


def _marks(each: Contender, query: str, loads: Sequence[Load]) -> str:
    marks = ""
    if any(load.errors for load in loads):
        marks += "!"
    if median(load.busy for load in loads) < IDLE:
        marks += "~"
    if any(load.is_disturbed for load in loads):
        marks += "?"
    if query in each.connections:
        marks += f" [{each.connections[query]}]"
    if each.is_measured_once:
        marks += "*"
    return marks


def _notes() -> list[str]:
    return [
        f"In brackets the share of `{KEPT}`'s rate, for Q5 and Q8 of `{EXECUTED}`'s; last the processor time of an "
        "answer in microseconds, which other work on the machine disturbs less. `[8]`: with so many connections, "
        f"because {CONNECTIONS} were too many. `!`: some requests failed. `~`: the gateway's core was not busy, so "
        "something else was the limit. `?`: other work on the machine disturbed it, again and again. "
        "`*`: one round alone, because others are several times as fast at everything. MB: memory after all loads.",
    ]


def _aims(run: Run) -> list[str]:
    peers = [each for each in run.contenders if each.dialect != "ours" and not each.floor]
    lines = ["| | wanted | measured | reached |", "|---|---:|---:|---|"]
    for aim in aims(run.results, peers):
        reached = "" if aim.measured is None else "yes" if aim.reached else "no"
        lines.append(_row(aim.what, [aim.wanted, aim.measured or "", reached]))
    return lines


def _cold(run: Run) -> list[str]:
    lines = [
        "Q2 against an upstream that takes 20 ms for each answer; nothing is stored. Medians of the rounds. Chain: the "
        "most requests of which each began after the one before had ended. Rounds: those of which each needed the one "
        "before, by our gateway's receipt; its chain is longer, because it sends few at a time.",
        "",
        *_header("", ["ms", "requests upstream", "chain", "rounds", "second, ms", "second, requests"]),
    ]
    for each in run.contenders:
        cold = run.results.cold.get(each.name)
        if cold:
            rounds = [one.rounds for one in cold if one.rounds is not None]
            cells = [
                f"{median(one.first for one in cold):,.0f}",
                f"{median(one.requests for one in cold):,.0f}",
                f"{median(one.chain for one in cold):,.0f}",
                f"{median(rounds):,.0f}" if rounds else "",
                f"{median(one.second for one in cold):,.1f}",
                f"{median(one.second_requests for one in cold):,.0f}",
            ]
            lines.append(_row(each.name, cells))
    return lines


def _servers(run: Run) -> list[str]:
    names = [query.name for query in run.server_queries]
    lines = _header("ready bytes, answers a second", [query.meaning for query in run.server_queries])
    for each in run.servers:
        rates = [rate(run.results, each.name, name) for name in names]
        if any(rates):
            lines.append(
                _row(
                    f"{each.name.removeprefix('server ')}: {each.meaning}",
                    ["" if one is None else _number(one) for one in rates],
                )
            )
    return lines


def _every_figure(run: Run) -> list[str]:
    columns = [
        "median",
        "least",
        "most",
        "p50 ms",
        "p99 ms",
        "processor, ms an answer",
        "core busy",
        "errors",
    ]
    lines = _header("", columns)
    for each in run.contenders:
        for name, loads in run.results.loads.get(each.name, {}).items():
            if loads:
                lines.append(_row(f"{each.name}, {name}", _figures(loads)))
    return lines


def _figures(loads: Sequence[Load]) -> list[str]:
    rates = [load.rate for load in loads]
    return [
        *map(_number, (median(rates), min(rates), max(rates))),
        f"{median(load.p50 for load in loads):,.2f}",
        f"{median(load.p99 for load in loads):,.2f}",
        f"{median(load.processor_ms for load in loads):,.3f}",
        f"{median(load.busy for load in loads):.2f}",
        f"{sum(load.errors for load in loads):,}",
    ]


def _header(first: str, columns: Sequence[str]) -> list[str]:
    return [_row(first, columns), "|---|" + "---:|" * len(columns)]


def _row(first: str, cells: Sequence[str]) -> str:
    return f"| {first} | {' | '.join(cells)} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _digits(ratio: float) -> int:
    return 2 if ratio >= 0.1 else 3


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
