"""Writes measurements as Prometheus reads them, with the library that Prometheus offers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

from telemetry import MetricFamily

__all__ = ["CONTENT_TYPE_LATEST", "prometheus_text"]


def prometheus_text(families: Iterable[MetricFamily]) -> bytes:
    """Return the families in Prometheus's text format, whose media type is ``CONTENT_TYPE_LATEST``."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(families))
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, families: Iterable[MetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        for family in self._families:
            metric = Metric(family.name.removesuffix("_total"), family.help, family.type)
            for sample in family.samples:
                metric.add_sample(sample.name, dict(sample.labels), sample.value)
            yield metric
