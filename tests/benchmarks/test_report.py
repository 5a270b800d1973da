"""Tests the tables of `make bench`."""

from __future__ import annotations

import pytest

from benchmarks.bench import main
from benchmarks.side_by_side.contenders import Contender
from benchmarks.side_by_side.load import Load
from benchmarks.side_by_side.measure import Cold, Results
from benchmarks.side_by_side.report import Run, report
from benchmarks.side_by_side.workload import BenchmarkQuery

GATEWAY = Contender("gateway", "ours", [], "ours", keeps_answers=True)
EXECUTING = Contender("gateway executing", "ours without a cache", [], "ours")
LIVE = Contender("gateway no crawl", "ours without a crawl", [], "ours", loaded=False)
PEER = Contender("peer", "another", [], connections={"Q2": 8})
FLOOR = Contender("uvicorn ready", "the floor", [], floor=True)
SERVER = Contender("server uvicorn", "uvloop", [], floor=True)
QUERIES = {
    "Q2": BenchmarkQuery("Q2", "one package", {}, [{}]),
    "Q5": BenchmarkQuery("Q5", "something else each time", {}, [{}], executed=True),
}
HELLO = [BenchmarkQuery("hello", "5 bytes", {}, [{}])]


def seen(rate: float, *, errors: int = 0, busy: float = 1, disturbance: float = 0) -> Load:
    return Load(rate, 7000, 1.25, 2.5, errors, busy, 0.5, disturbance)


def run_of(results: Results) -> Run:
    contenders = [GATEWAY, EXECUTING, LIVE, PEER, FLOOR]
    return Run(3, 3, QUERIES, contenders, [SERVER], HELLO, {"wrk": "4.1.0"}, results)


@pytest.fixture
def results() -> Results:
    """Figures of three rounds; the medians are 8,000, 2,000, 1,000, 400, 10,000."""
    results = Results()
    results.loads["gateway"]["Q2"] = [seen(7000), seen(9000), seen(8000)]
    results.loads["gateway two workers"]["Q2"] = [seen(7_500)]
    results.loads["gateway executing"]["Q5"] = [seen(2000)]
    results.loads["peer"]["Q2"] = [seen(1000, errors=2, disturbance=1)]
    results.loads["peer"]["Q5"] = [seen(400, busy=0.5)]
    results.loads["uvicorn ready"]["Q2"] = [seen(10_000)]
    results.loads["server uvicorn"]["hello"] = [seen(30_000)]
    results.memory["gateway"] = [80_000_000, 82_000_000, 81_000_000]
    return results


def test_a_rate_is_a_median_beside_its_share_of_ours_and_its_marks(results: Results) -> None:
    lines = report(run_of(results)).splitlines()
    assert "| gateway | 8,000 (1.00) 500 us |  | 81 |" in lines
    assert "| gateway executing |  | 2,000 (1.00) 500 us |  |" in lines
    assert "| peer | 1,000 (0.12)!? [8] 500 us | 400 (0.20)~ 500 us |  |" in lines
    assert "| uvicorn ready | 10,000 (1.25) 500 us |  |  |" in lines
    assert "| uvicorn: uvloop | 30,000 |" in lines
    assert "| gateway, Q2 | 8,000 | 7,000 | 9,000 | 1.25 | 2.50 | 0.500 | 1.00 | 0 |" in lines
    assert not any(line.startswith("| gateway no crawl") for line in lines)


def test_aims_are_told_as_reached_missed_or_not_measured(results: Results) -> None:
    results.cold["gateway no crawl"] = [Cold(90, 52, 14, 3, 1.2, 0)]
    results.cold["peer"] = [Cold(60, 57, 4, None, 30, 57)]
    lines = report(run_of(results)).splitlines()
    assert "| Q2, of the floor | 3 | 0.80 | no |" in lines
    assert "| Q2, of the best peer | 7 | 8.00 of peer | yes |" in lines
    assert "| Q5, of the floor for Q2 | 0.5 | 0.20 | no |" in lines
    assert "| Q1, of the floor | 3 |  |  |" in lines
    assert "| Cold Q2, rounds upstream | at most 3 | 3 | yes |" in lines
    assert "| Cold Q2, time beside the best peer | at most 1.3 | 1.50 of peer | no |" in lines
    assert "| Cold Q2, requests upstream | at most 52 | 52 | yes |" in lines
    workers = "gateway two workers, Q2, processor time of an answer beside one's"
    assert f"| {workers} | at most 1.05 | 1.00 | yes |" in lines
    assert "| The second Q2, requests upstream | 0 | 0 | yes |" in lines
    assert "| gateway no crawl | 90 | 52 | 14 | 3 | 1.2 | 0 |" in lines
    assert "| peer | 60 | 57 | 4 |  | 30.0 | 57 |" in lines


def test_what_is_missing_is_told_with_its_reason(results: Results) -> None:
    results.gaps["peer, Q3"] = "1 of 1 answers differ\nfrom the gateway's"
    assert "- peer, Q3: 1 of 1 answers differ from the gateway's" in report(run_of(results)).splitlines()


def test_parts_for_which_nothing_was_measured_are_left_out(results: Results) -> None:
    text = report(run_of(results))
    assert "## Missing" not in text
    assert "## The first answer of a fresh process" not in text
    nothing = Run(1, 1, {}, [PEER], [], HELLO, {"wrk": "4.1.0"}, Results())
    headings = [line for line in report(nothing).splitlines() if line.startswith("## ")]
    assert headings == ["## Who answers", "## Versions"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--only", "gateway,nobody"],
            '--only is "gateway,nobody"; it can be of gateway, gateway executing,',
        ),
        (
            ["--queries", "Q9"],
            '--queries is "Q9"; it can be of Q1, Q2, Q3, Q4, Q5, Q6, Q7, Q8, cold, servers, with commas.',
        ),
    ],
)
def test_unknown_names_are_refused_in_a_sentence(arguments: list[str], sentence: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert str(stopped.value).startswith(sentence)
