"""Gives the measurements of the catalog, of its crawls, and of the requests to upstream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from catalog import CatalogSource, SourceHealth, Stage
from telemetry import MetricFamily, counter, gauge, histogram
from upstream.client import KINDS, ClientHealth


def catalog_metrics(source: CatalogSource) -> Iterator[MetricFamily]:
    """Yield the families."""
    health = source.health()
    yield from _upstream(health.upstream)
    yield from _catalog(source, health)
    yield from _crawls(health)


def _upstream(upstream: ClientHealth) -> Iterator[MetricFamily]:
    yield histogram(
        "gateway_upstream_request_duration_seconds",
        "Time of the requests to upstream, by what was asked for (record, page, search) and by outcome.",
        upstream.durations,
        "kind",
        "outcome",
    )
    yield counter(
        "gateway_upstream_received_bytes_total",
        "Bytes of the bodies of upstream's answers.",
        upstream.received_bytes,
    )
    yield gauge("gateway_upstream_requests_in_flight", "Requests to upstream in flight.", upstream.in_flight)
    yield gauge(
        "gateway_upstream_concurrency_limit",
        "The number of requests that upstream gets at the same time now.",
        upstream.in_flight_limit,
    )
    yield gauge(
        "gateway_upstream_breaker",
        "Workers whose circuit breaker is in this state now.",
        {(state,): upstream.breaker == state for state in ("closed", "open", "half-open")},
        "state",
    )
    yield counter(
        "gateway_upstream_bad_records_total",
        "Records from upstream that did not fit and were left out.",
        upstream.bad_records,
    )
    yield counter(
        "gateway_upstream_drift_total",
        "Fields of upstream's records that are unknown, missing or retyped.",
        {(each.kind, each.field, each.difference): each.count for each in upstream.drift},
        "kind",
        "field",
        "difference",
    )
    yield gauge(
        "gateway_upstream_cost_seconds",
        "The price of requests: a detail, the fixed part of a page, each record on it, and each record before it.",
        {
            (kind.kind, part): getattr(kind, part)
            for kind in upstream.costs
            for part in ("detail", "page", "record", "skipped")
        },
        "kind",
        "part",
        across="max",
    )


def _catalog(source: CatalogSource, health: SourceHealth) -> Iterator[MetricFamily]:
    status, snapshot = health.catalog, source.latest
    stage = "none" if snapshot is None else source.freshness.stage_of(snapshot)
    yield gauge(
        "gateway_catalog_freshness",
        "Workers whose catalog is at this stage now, or that have none.",
        {(each,): each == stage for each in (*get_args(Stage), "none")},
        "stage",
    )
    yield gauge(
        "gateway_catalog_age_seconds", "Seconds since the last refresh.", status.age_seconds, across="max"
    )
    counts = (status.package_count, status.grid_count, status.category_count)
    records = zip(KINDS, counts, strict=True)
    yield gauge(
        "gateway_catalog_records",
        "The number of records in the catalog.",
        {(kind.singular,): count for kind, count in records if count is not None},
        "kind",
        across="max",
    )
    yield gauge(
        "gateway_storage_works",
        "1 if the storage could be used lately.",
        health.storage_error is None,
        across="min",
    )


def _crawls(health: SourceHealth) -> Iterator[MetricFamily]:
    following = health.following
    yield gauge(
        "gateway_catalog_syncing",
        "1 while the catalog is being refreshed.",
        health.catalog.syncing,
        across="max",
    )
    yield counter(
        "gateway_refreshes_total",
        "Attempts to refresh the catalog, by outcome.",
        {(outcome,): count for outcome, count in following.outcomes.items()},
        "outcome",
    )
    yield gauge("gateway_refresh_leads", "Workers that refresh the catalog.", following.leads)
    yield gauge(
        "gateway_catalog_refused",
        "1 while upstream's catalog is refused as implausible.",
        following.refused is not None,
        across="max",
    )
    yield gauge(
        "gateway_refresh_seconds_since_success",
        "Seconds since the last attempt that succeeded, or since the worker that refreshes began to do so.",
        following.seconds_since_success,
        across="min",
    )
