"""Gives the measurements of the server: its HTTP requests, its connections, its event loop and its process."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from typing import Literal

from telemetry import (
    DurationHistogram,
    MetricFamily,
    MetricSample,
    counter,
    gateway_version,
    gauge,
    histogram,
    worker_deaths,
)
from web.request_counts import RequestCounts
from web.serving.connection_and_websocket_limits import Connections


def server_metrics(
    requests: RequestCounts, connections: Connections, lags: DurationHistogram
) -> Iterator[MetricFamily]:
    """Yield the families. ``lags`` are how late the event loop was."""
    yield from _requests(requests)
    yield from _connections(connections)
    yield histogram(
        "gateway_event_loop_lag_seconds",
        "How late the event loop ran a timer, measured twice a second.",
        {(): lags},
    )
    yield from _process()
    yield worker_deaths(0)
    yield gauge(
        "gateway_build_info",
        "1 for the version of the gateway and of Python.",
        {(gateway_version(), platform.python_version()): 1},
        "version",
        "python",
        across="max",
    )


def _requests(requests: RequestCounts) -> Iterator[MetricFamily]:
    yield counter(
        "http_requests_total",
        "HTTP requests, by method, by the first segment of the path, and by status. A client that left before its "
        "answer began has 499.",
        {
            (method, handler, str(status)): count
            for (method, handler, status), count in requests.counts.items()
        },
        "method",
        "handler",
        "status",
    )
    yield histogram(
        "http_request_duration_seconds",
        "Time of HTTP requests until their answer began.",
        requests.durations,
        "handler",
    )


def _connections(connections: Connections) -> Iterator[MetricFamily]:
    quotas = {
        "open": connections.open,
        "socket": connections.sockets,
        "subscription": connections.subscriptions.quota,
    }
    yield gauge(
        "gateway_connections",
        "Open connections, open WebSockets and running subscriptions.",
        {(kind,): quota.taken for kind, quota in quotas.items()},
        "kind",
    )
    yield counter(
        "gateway_connections_refused_total",
        "Connections, WebSockets and subscriptions that were refused because of a limit.",
        {(kind,): quota.refused for kind, quota in quotas.items()},
        "kind",
    )
    yield gauge(
        "gateway_unsent_bytes", "Bytes that wait to be written to slow readers.", connections.slow.unsent
    )
    yield counter(
        "gateway_slow_readers_total",
        "Connections cut off because their client read too slowly.",
        connections.slow.cut_off,
    )
    yield counter("gateway_garbage_requests_total", "Requests that were not HTTP.", connections.garbage)


def _process() -> Iterator[MetricFamily]:
    # This is done here, because it would slow down the start.
    from prometheus_client import ProcessCollector

    for metric in ProcessCollector(registry=None).collect():
        samples = tuple(MetricSample(each.name, (), each.value) for each in metric.samples)
        type_: Literal["counter", "gauge"] = "counter" if metric.type == "counter" else "gauge"
        yield MetricFamily(samples[0].name, type_, metric.documentation, (), samples, across="each")
