"""Measures and traces work, and adds up what the worker processes of one server measured."""

from telemetry.build_version import gateway_version
from telemetry.duration_histogram import DurationHistogram, DurationHistograms
from telemetry.metric_addition import added_up
from telemetry.metric_families import (
    WORKER,
    MetricFamily,
    MetricSample,
    counter,
    gauge,
    histogram,
)
from telemetry.spans import (
    NOT_INSTALLED,
    Span,
    is_tracing_installed,
    span,
    spans_made_by,
    traced,
    tracer,
)
from telemetry.worker_metric_files import WorkerMetricFiles, folder_for_workers, worker_deaths

__all__ = [
    "NOT_INSTALLED",
    "WORKER",
    "DurationHistogram",
    "DurationHistograms",
    "MetricFamily",
    "MetricSample",
    "Span",
    "WorkerMetricFiles",
    "added_up",
    "counter",
    "folder_for_workers",
    "gateway_version",
    "gauge",
    "histogram",
    "is_tracing_installed",
    "span",
    "spans_made_by",
    "traced",
    "tracer",
    "worker_deaths",
]
