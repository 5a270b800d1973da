"""Adds up the measurements of several processes, so that one answer tells what all of them measured together."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from telemetry.metric_families import WORKER, Across, Labels, MetricFamily, MetricSample


def added_up(processes: Iterable[tuple[str, Iterable[MetricFamily]]]) -> list[MetricFamily]:
    """Return the families of several processes as one list. Each process has its id."""
    first: dict[str, MetricFamily] = {}
    values: dict[str, dict[tuple[str, Labels], float]] = {}
    for id, families in processes:
        for family in families:
            first.setdefault(family.name, family)
            ours = values.setdefault(family.name, {})
            for sample in family.samples:
                labels = (*sample.labels, (WORKER, id)) if family.across == "each" else sample.labels
                key = (sample.name, labels)
                ours[key] = _joined(family.across, ours[key], sample.value) if key in ours else sample.value
    return [
        msgspec.structs.replace(
            family,
            samples=tuple(MetricSample(*key, value) for key, value in values[name].items()),
        )
        for name, family in first.items()
    ]


def lasting(families: Iterable[MetricFamily]) -> list[MetricFamily]:
    """Return what remains of a process that has ended: what it counted, and nothing of its state."""
    return [family for family in families if family.type != "gauge" and family.across == "sum"]


def _joined(across: Across, one: float, other: float) -> float:
    if across == "max":
        return max(one, other)
    return min(one, other) if across == "min" else one + other
