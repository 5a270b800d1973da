"""Tests what the benchmark of an overload says of what was answered and refused."""

from __future__ import annotations

from benchmarks.overload.__main__ import OverloadFigures, table
from benchmarks.overload.load import Answers, quantile


def test_a_quantile_is_of_those_that_were_due_then() -> None:
    rows = [(0.5, 3.0), (1.5, 0.2), (1.6, 0.1)]
    assert quantile(rows, 0.99, lambda due: due >= 1) == 0.2
    assert quantile(rows, 0.5, lambda due: due < 1) == 3.0


def test_the_table_compares_an_overload_with_a_calm_load() -> None:
    calm = Answers(answered=[(0.1, 0.002), (0.2, 0.004)])
    overload = Answers(
        answered=[(0.5, 0.02), (2.0, 0.01)], refused=[(0.6, 0.001), (0.7, 0.03)], kept=[(0.1, 0.001)]
    )
    figures = OverloadFigures(calm, 100.0, calm, overload, 0.05, calm, 0.1)
    lines = table([figures], 10).splitlines()
    assert "| refused | 2 of 4 |" in lines
    assert "| p99 of the whole overload, over that of a fifth | 5.0 |" in lines
    assert "| refused after: p50, longest | 30.0 ms, 30.0 ms |" in lines
    assert "| kept answers: p50, p99, longest | 1.0 ms, 1.0 ms, 1.0 ms |" in lines
    assert "| all answered after the end, within | 50.0 ms |" in lines
