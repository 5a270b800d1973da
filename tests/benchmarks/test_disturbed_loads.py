"""A load that other work on the machine disturbs is measured again, a bounded number of times."""

from __future__ import annotations

from benchmarks.side_by_side.load import DISTURBED, Load
from benchmarks.side_by_side.measure import MAX_REPEATED, Results, least_disturbed


def measured(results: Results, *disturbances: float) -> tuple[float, int]:
    """Return the disturbance of the load that counts, and how many were measured."""
    loads = [Load(100.0, 7000, 1.25, 2.5, 0, 1.0, 0.5, each) for each in disturbances]
    left = iter(loads)
    seen = least_disturbed(lambda: next(left), results)
    return seen.disturbance, len(loads) - len(list(left))


def test_a_load_that_nothing_disturbs_is_measured_once() -> None:
    results = Results()
    assert measured(results, DISTURBED, 0.0) == (DISTURBED, 1)
    assert results.repeated == 0


def test_the_first_undisturbed_load_counts() -> None:
    results = Results()
    assert measured(results, 0.9, 0.1, 0.0) == (0.1, 2)
    assert results.repeated == 1


def test_where_all_are_disturbed_the_least_disturbed_counts() -> None:
    results = Results()
    assert measured(results, 0.9, 0.3, 0.6, 0.0) == (0.3, 3)
    assert results.repeated == 2


def test_a_run_repeats_no_more_loads_than_a_few_minutes_allow() -> None:
    results = Results(repeated=MAX_REPEATED)
    assert measured(results, 0.9, 0.0) == (0.9, 1)
