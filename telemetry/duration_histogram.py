"""Counts durations by how long they are, as Prometheus counts them.

The library's own histogram takes a lock and several times as long, and its import takes longer than the start of the
gateway may.
"""

from __future__ import annotations

from bisect import bisect_left

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the buckets, in seconds. Cached answers take less than the first; a crawl's pages take up to 2.5,
and operations up to 5."""


class DurationHistogram:
    """Counts durations in buckets. ``sum`` is what they took together, in seconds."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        """How many durations are within each bucket. The last count is that of durations above all bounds."""
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self.sum += seconds
        self.counts[bisect_left(BOUNDS, seconds)] += 1


class DurationHistograms(dict[tuple[str, ...], DurationHistogram]):
    """Holds one histogram for each combination of labels that has occurred. No label comes from a client."""

    def __missing__(self, labels: tuple[str, ...]) -> DurationHistogram:
        histogram = self[labels] = DurationHistogram()
        return histogram
