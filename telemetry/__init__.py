"""Measures how long work takes, and adds up what the worker processes of one server measured."""

from telemetry.duration_histogram import DurationHistogram, DurationHistograms
from telemetry.metric_families import (
    WORKER,
    MetricFamily,
    MetricSample,
    added_up,
    counter,
    gauge,
    histogram,
)
from telemetry.worker_files import WorkerFiles, folder_for_workers, worker_deaths

__all__ = [
    "WORKER",
    "DurationHistogram",
    "DurationHistograms",
    "MetricFamily",
    "MetricSample",
    "WorkerFiles",
    "added_up",
    "counter",
    "folder_for_workers",
    "gauge",
    "histogram",
    "worker_deaths",
]
