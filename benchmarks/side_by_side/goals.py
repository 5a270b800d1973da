"""Compares what the gateway reached with its goals beside its floor and its peers, as ratios of one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from benchmarks.side_by_side.contenders import Contender
from benchmarks.side_by_side.measure import Results

FLOOR, NGINX = "uvicorn ready", "nginx ready"
FLOORS = [("Q1", "Q1"), ("Q2", "Q2"), ("Q4", "Q2")]
"""The queries of which all requests are like ones before, and those whose bytes the floors send beside them."""
KEPT, EXECUTED, LIVE = "gateway", "gateway executing", "gateway no crawl"


@dataclass(frozen=True)
class Aim:
    """Describes one goal. ``measured`` is ``None`` if this run does not tell."""

    what: str
    wanted: str
    measured: str | None
    reached: bool


def rate(results: Results, name: str, query: str) -> float | None:
    """Return the median of the answers a second; ``None`` if there is none."""
    loads = results.loads.get(name, {}).get(query, [])
    return median(load.rate for load in loads) if loads else None


def aims(results: Results, peers: Iterable[Contender]) -> list[Aim]:
    """Return all of them, against the best of the peers that were measured."""
    everyone = [peer.name for peer in peers]
    executing = [peer.name for peer in peers if not peer.keeps_answers]

    def beside(
        what: str, row: str, query: str, others: Iterable[str], other_query: str, wanted: float
    ) -> Aim:
        mine = rate(results, row, query)
        rates = {name: found for name in others if (found := rate(results, name, other_query))}
        if mine is None or not rates:
            return Aim(what, f"{wanted:g}", None, False)
        best = max(rates, key=rates.__getitem__)
        ratio = mine / rates[best]
        named = f" of {best}" if best in everyone else ""
        return Aim(what, f"{wanted:g}", f"{ratio:.2f}{named}", ratio >= wanted)

    floor, nginx = [FLOOR], [NGINX]
    return [
        *(beside(f"{name}, of the floor", KEPT, name, floor, of, 3) for name, of in FLOORS),
        *(beside(f"{name}, of nginx", KEPT, name, nginx, of, 0.7) for name, of in FLOORS),
        beside("Q1, of the best peer", KEPT, "Q1", everyone, "Q1", 1.2),
        beside("Q2, of the best peer", KEPT, "Q2", everyone, "Q2", 7),
        beside("Q4, of the best peer", KEPT, "Q4", everyone, "Q4", 12),
        beside("Q3 executed, of the best peer that executes", EXECUTED, "Q3", executing, "Q3", 15),
        beside("Q5, of the floor for Q2", EXECUTED, "Q5", floor, "Q2", 0.5),
        beside("Q5, of the best peer that executes", EXECUTED, "Q5", executing, "Q5", 6),
        beside("Q6 executed, of Q2 executed", EXECUTED, "Q6", [EXECUTED], "Q2", 0.8),
        beside("Q7 executed, of Q1 executed", EXECUTED, "Q7", [EXECUTED], "Q1", 0.8),
        beside("Q7, of the best peer", KEPT, "Q7", everyone, "Q7", 2),
        beside("Q7 executed, of the best peer that executes", EXECUTED, "Q7", executing, "Q7", 2),
        *(_workers(results, one, f"{one} two workers") for one in (KEPT, EXECUTED)),
        *_cold(results, everyone),
    ]


def processor_time(results: Results, name: str, query: str) -> float | None:
    """Return the median of the milliseconds of processor time for an answer; ``None`` if there is none."""
    loads = results.loads.get(name, {}).get(query, [])
    return median(load.processor_ms for load in loads) if loads else None


def _workers(results: Results, one: str, two: str) -> Aim:
    what = f"{two}, Q2, processor time of an answer beside one's"
    mine, alone = processor_time(results, two, "Q2"), processor_time(results, one, "Q2")
    if mine is None or not alone:
        return Aim(what, "at most 1.05", None, False)
    return Aim(what, "at most 1.05", f"{mine / alone:.2f}", mine <= 1.05 * alone)


def _cold(results: Results, peers: list[str]) -> list[Aim]:
    mine = results.cold.get(LIVE, [])
    theirs = {
        name: median(cold.first for cold in results.cold[name]) for name in peers if results.cold.get(name)
    }

    def aim(what: str, wanted: str, told: Callable[[], tuple[str, bool]], known: bool) -> Aim:
        return Aim(what, wanted, *told()) if known else Aim(what, wanted, None, False)

    def rounds() -> tuple[str, bool]:
        most = max(cold.rounds or cold.chain for cold in mine)
        return str(most), most <= 3

    def first() -> tuple[str, bool]:
        best = min(theirs, key=theirs.__getitem__)
        ratio = median(cold.first for cold in mine) / theirs[best]
        return f"{ratio:.2f} of {best}", ratio <= 1.3

    def requests() -> tuple[str, bool]:
        most = max(cold.requests for cold in mine)
        return str(most), most <= 52

    def again() -> tuple[str, bool]:
        most = max(cold.second_requests for cold in mine)
        return str(most), most == 0

    def second() -> tuple[str, bool]:
        time = median(cold.second for cold in mine)
        return f"{time:.2f} ms", time < 1.5

    known = bool(mine)
    return [
        aim("Cold Q2, rounds upstream", "at most 3", rounds, known),
        aim("Cold Q2, time beside the best peer", "at most 1.3", first, known and bool(theirs)),
        aim("Cold Q2, requests upstream", "at most 52", requests, known),
        aim("The second Q2, requests upstream", "0", again, known),
        aim("The second Q2, time", "under 1.5 ms", second, known),
    ]
