"""Holds measurements in families of samples, as Prometheus does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Literal

import msgspec

from telemetry.duration_histogram import BOUNDS, DurationHistogram

Across = Literal["sum", "max", "min", "each"]
"""How the values of several workers are combined: the sum, the highest, the lowest, or one sample for each worker."""

WORKER = "worker"
"""The label that tells the samples of workers apart: the id of the process."""

Labels = tuple[tuple[str, str], ...]


class MetricSample(msgspec.Struct, frozen=True):
    """Holds one value, under its full name."""

    name: str
    labels: Labels
    value: float


class MetricFamily(msgspec.Struct, frozen=True):
    """Holds the samples of one name. ``name`` ends with ``_total`` for a counter; ``help`` is a sentence."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...]
    """The names of the labels that each sample has."""
    samples: tuple[MetricSample, ...]
    across: Across = "sum"


def counter(
    name: str, help: str, values: Mapping[tuple[str, ...], float] | float, *labels: str
) -> MetricFamily:
    """Return a counter: one value, or a value for each combination of the values of its labels."""
    return MetricFamily(name, "counter", help, labels, tuple(_samples(name, values, labels)))


def gauge(
    name: str,
    help: str,
    values: Mapping[tuple[str, ...], float] | float | None,
    *labels: str,
    across: Across = "sum",
) -> MetricFamily:
    """Return a gauge, with values as a counter has them. ``None`` means that there is no value now."""
    return MetricFamily(name, "gauge", help, labels, tuple(_samples(name, values, labels)), across)


def histogram(
    name: str, help: str, histograms: Mapping[tuple[str, ...], DurationHistogram], *labels: str
) -> MetricFamily:
    """Return a histogram of durations for each combination of the values of its labels."""
    samples = (
        sample
        for values, durations in sorted(histograms.items())
        for sample in _buckets(name, tuple(zip(labels, values, strict=True)), durations)
    )
    return MetricFamily(name, "histogram", help, labels, tuple(samples))


def _samples(
    name: str, values: Mapping[tuple[str, ...], float] | float | None, labels: tuple[str, ...]
) -> Iterator[MetricSample]:
    if isinstance(values, Mapping):
        for of_labels, value in sorted(values.items()):
            yield MetricSample(name, tuple(zip(labels, of_labels, strict=True)), float(value))
    elif values is not None:
        yield MetricSample(name, (), float(values))


def _buckets(name: str, labels: Labels, durations: DurationHistogram) -> Iterator[MetricSample]:
    counts = list(accumulate(durations.counts))
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
        yield MetricSample(f"{name}_bucket", (*labels, ("le", bound)), float(count))
    yield MetricSample(f"{name}_sum", labels, durations.sum)
    yield MetricSample(f"{name}_count", labels, float(counts[-1]))
