"""What the gateway is to reach beside its floor and its peers, as ratios of one run, and what it reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from benchmarks.side_by_side.contenders import Contender
from benchmarks.side_by_side.measure import Results

FLOOR = "uvicorn ready"
KEPT, EXECUTED, LIVE = "gateway", "gateway executing", "gateway no crawl"


@dataclass(frozen=True)
class Aim:
    """One of them. ``measured`` is ``None`` where this run does not tell."""

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
    not_rust = [name for name in everyone if not name.startswith("tailcall")]

    def beside(
        what: str, row: str, query: str, others: Iterable[str], other_query: str, wanted: float
    ) -> Aim:
        mine = rate(results, row, query)
        rates = {name: found for name in others if (found := rate(results, name, other_query))}
        if mine is None or not rates:
            return Aim(what, f"{wanted:g}", None, False)
        best = max(rates, key=rates.__getitem__)
        ratio = mine / rates[best]
        named = "" if best == FLOOR else f" of {best}"
        return Aim(what, f"{wanted:g}", f"{ratio:.2f}{named}", ratio >= wanted)

    floor = [FLOOR]
    return [
        beside("Q1, of the floor", KEPT, "Q1", floor, "Q1", 0.8),
        beside("Q1, of the best peer but Tailcall", KEPT, "Q1", not_rust, "Q1", 1),
        beside("Q2, of the floor", KEPT, "Q2", floor, "Q2", 0.8),
        beside("Q2, of the best peer", KEPT, "Q2", everyone, "Q2", 2),
        beside("Q3, of the best peer", KEPT, "Q3", everyone, "Q3", 3),
        beside("Q3 executed, of the best peer that executes", EXECUTED, "Q3", executing, "Q3", 2),
        beside("Q4, of the floor for Q2", KEPT, "Q4", floor, "Q2", 0.7),
        beside("Q4, of the best peer", KEPT, "Q4", everyone, "Q4", 4),
        beside("Q5, of the floor for Q2", EXECUTED, "Q5", floor, "Q2", 0.25),
        beside("Q5, of the best peer", EXECUTED, "Q5", everyone, "Q5", 4),
        *_cold(results, everyone),
    ]


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
        return f"{ratio:.2f} of {best}", ratio <= 1

    def again() -> tuple[str, bool]:
        most = max(cold.second_requests for cold in mine)
        return str(most), most == 0

    def second() -> tuple[str, bool]:
        time = median(cold.second for cold in mine)
        return f"{time:.2f} ms", time < 1.5

    known = bool(mine)
    return [
        aim("Cold Q2, rounds upstream", "at most 3", rounds, known),
        aim("Cold Q2, time beside the best peer", "at most 1", first, known and bool(theirs)),
        aim("The second Q2, requests upstream", "0", again, known),
        aim("The second Q2, time", "under 1.5 ms", second, known),
    ]
