"""Durations are counted in the buckets in which Prometheus's own client counts them."""

from __future__ import annotations

import random

import pytest
from prometheus_client import CollectorRegistry, Histogram

from telemetry import DurationHistograms, histogram
from telemetry.duration_histogram import BOUNDS


def test_the_samples_are_those_of_the_library() -> None:
    theirs = Histogram("d_seconds", "Durations.", ["kind"], buckets=BOUNDS, registry=CollectorRegistry())
    ours = DurationHistograms()
    durations = [*BOUNDS, 0.0, 60.0, *(random.Random(7).expovariate(5) for _ in range(1000))]
    for seconds in durations:
        theirs.labels("a").observe(seconds)
        ours[("a",)].observe(seconds)
    (family,) = theirs.collect()
    expected = {
        (sample.name, tuple(sample.labels.values())): sample.value
        for sample in family.samples
        if not sample.name.endswith("_created")
    }
    made = histogram("d_seconds", "Durations.", ours, "kind")
    # The library writes the bounds of whole seconds with a point, as we do.
    assert {
        (sample.name, tuple(value for _label, value in sample.labels)): sample.value
        for sample in made.samples
    } == pytest.approx(expected)
