"""Tests what a soak finds: memory that grows, tasks that are left behind, and clients that met errors."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from benchmarks.soak.changing_faults import CHANGES
from benchmarks.soak.observation import Held, Observation
from upstream.embedded.faults import Fault, State

QUIET = Held({"LeaderLoop.run": 1, "Server.serve": 1}, 20)
MB = 1_000_000


def observed(**changes: object) -> Observation:
    """Return an observation in which nothing is wrong, but for the changes."""
    same = {"clients": Counter({"good: 200": 100, "bad: 422": 7}), "memory": [100 * MB] * 30}
    return Observation(**{"seconds": 30.0, "before": QUIET, "after": QUIET} | same | changes)  # type: ignore[arg-type]


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert observed().faults() == []


def test_memory_that_was_needed_for_a_moment_is_no_growth() -> None:
    assert observed(memory=[60 * MB] * 10 + [100 * MB] * 10 + [400 * MB] + [100 * MB] * 9).faults() == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"memory": [(100 + 2 * second) * MB for second in range(30)]},
            "Memory grew by 26 MB after the warm-up.",
        ),
        (
            {"after": Held({"LeaderLoop.run": 1, "Server.serve": 1, "_events": 2}, 21)},
            "There was more in the end than at the start: {'_events': 2, 'descriptors': 1}.",
        ),
        ({"clients": Counter({"good: 200": 99, "good: 200 with errors": 1})}, "Good clients met errors: "),
        ({"clients": Counter({"good: 200": 89, "good: 503": 11})}, "Only 89 of 100 good clients"),
        ({"clients": Counter({"bad: 500": 1})}, "The gateway failed 1 clients: bad: 500."),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, object], sentence: str) -> None:
    (found,) = observed(**changes).faults()
    assert found.startswith(sentence)


def test_each_fault_is_one_that_the_embedded_upstream_has() -> None:
    for name, _method, path, body in CHANGES:
        if path == "faults":
            assert msgspec.convert(body, Fault), name
        elif path == "state":
            assert msgspec.convert(body["state"], State), name
