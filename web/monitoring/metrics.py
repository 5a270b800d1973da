"""Shows the gateway's measurements to Prometheus. Each worker process has its own."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from catalog import SourceHealth
from engine import Engine
from gateway import Gateway
from gateway.persisted import OUTCOMES, PersistedDocuments
from upstream.client import KINDS
from web.response_cache import ResponseCache
from web.serving.open_connections import Connections


def metrics(gateway: Gateway, responses: ResponseCache, connections: Connections) -> Response:
    """Return the measurements in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Measurements(gateway.source.health()))
    registry.register(_OperationMeasurements(gateway))
    registry.register(_DocumentMeasurements(gateway.persisted))
    if gateway.engine is not None:
        registry.register(_EngineMeasurements(gateway.engine))
    registry.register(_ResponseMeasurements(responses))
    registry.register(_ConnectionMeasurements(connections))
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class _Measurements(Collector):
    def __init__(self, health: SourceHealth) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        yield from self._upstream()
        yield from self._costs()
        yield from self._catalog()
        yield from self._following()

    def _upstream(self) -> Iterator[Metric]:
        upstream = self._health.upstream
        requests = CounterMetricFamily(
            "gateway_upstream_requests", "Requests to upstream, by outcome.", labels=["outcome"]
        )
        for outcome, count in sorted(upstream.outcomes.items()):
            requests.add_metric([outcome], count)
        yield requests
        yield CounterMetricFamily(
            "gateway_upstream_received_bytes",
            "Bytes of the bodies of upstream's answers.",
            value=upstream.received_bytes,
        )
        yield GaugeMetricFamily(
            "gateway_upstream_requests_in_flight", "Requests to upstream in flight.", value=upstream.in_flight
        )
        yield GaugeMetricFamily(
            "gateway_upstream_concurrency_limit",
            "The number of requests that upstream gets at the same time now.",
            value=upstream.in_flight_limit,
        )
        breaker = GaugeMetricFamily(
            "gateway_upstream_breaker", "1 for the present state of the circuit breaker.", labels=["state"]
        )
        for state in ("closed", "open", "half-open"):
            breaker.add_metric([state], upstream.breaker == state)
        yield breaker
        yield CounterMetricFamily(
            "gateway_upstream_bad_records",
            "Records from upstream that did not fit and were left out.",
            value=upstream.bad_records,
        )
        drift = CounterMetricFamily(
            "gateway_upstream_drift",
            "Fields of upstream's records that are unknown, missing or retyped.",
            labels=["kind", "field", "difference"],
        )
        for each in upstream.drift:
            drift.add_metric([each.kind, each.field, each.difference], each.count)
        yield drift

    def _costs(self) -> Iterator[Metric]:
        costs = GaugeMetricFamily(
            "gateway_upstream_cost_seconds",
            "The price of requests: a detail, the fixed part of a page, each record on it, and each record "
            "before it.",
            labels=["kind", "part"],
        )
        for kind in self._health.upstream.costs:
            costs.add_metric([kind.kind, "detail"], kind.detail)
            costs.add_metric([kind.kind, "page"], kind.page)
            costs.add_metric([kind.kind, "record"], kind.record)
            costs.add_metric([kind.kind, "skipped"], kind.skipped)
        yield costs

    def _catalog(self) -> Iterator[Metric]:
        status = self._health.catalog
        yield GaugeMetricFamily(
            "gateway_catalog_syncing", "1 while the catalog is being refreshed.", value=status.syncing
        )
        if status.version is None or status.age_seconds is None:
            return
        yield GaugeMetricFamily(
            "gateway_catalog_age_seconds", "Seconds since the last refresh.", value=status.age_seconds
        )
        yield GaugeMetricFamily("gateway_catalog_stale", "1 if the catalog is stale.", value=status.stale)
        records = GaugeMetricFamily(
            "gateway_catalog_records", "The number of records in the catalog.", labels=["kind"]
        )
        counts = (status.package_count, status.grid_count, status.category_count)
        for kind, count in zip(KINDS, counts, strict=True):
            records.add_metric([kind.singular], count or 0)
        yield records

    def _following(self) -> Iterator[Metric]:
        following = self._health.following
        refreshes = CounterMetricFamily(
            "gateway_refreshes", "Attempts to refresh the catalog, by outcome.", labels=["outcome"]
        )
        for outcome, count in sorted(following.outcomes.items()):
            refreshes.add_metric([outcome], count)
        yield refreshes
        yield GaugeMetricFamily(
            "gateway_refresh_leads", "1 if this process refreshes the catalog.", value=following.leads
        )
        yield GaugeMetricFamily(
            "gateway_catalog_refused",
            "1 while upstream's catalog is refused as implausible.",
            value=following.refused is not None,
        )
        if following.seconds_since_success is not None:
            yield GaugeMetricFamily(
                "gateway_refresh_seconds_since_success",
                "Seconds since the last attempt that succeeded, or since this process began to lead.",
                value=following.seconds_since_success,
            )


class _OperationMeasurements(Collector):
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[Metric]:
        refused = CounterMetricFamily(
            "gateway_operations_too_complex",
            "Operations refused, by the limit that they exceeded.",
            labels=["limit"],
        )
        for limit, count in sorted(self._gateway.refused.items()):
            refused.add_metric([limit], count)
        yield refused
        operations = GaugeMetricFamily(
            "gateway_operations",
            "Operations that run, that wait for a slot, and that wait for Django Packages.",
            labels=["state"],
        )
        admission = self._gateway.admission
        for state, count in (
            ("running", admission.running),
            ("waiting", admission.waiting),
            ("away", admission.away),
        ):
            operations.add_metric([state], count)
        yield operations
        yield CounterMetricFamily(
            "gateway_operations_overloaded",
            "Operations that were answered 503, because no slot became free.",
            value=admission.refused,
        )
        answers = CounterMetricFamily(
            "gateway_answers_made",
            "Operations that ran, by where their data came from. Cached answers are not among them.",
            labels=["from"],
        )
        answers.add_metric(["memory"], self._gateway.from_memory)
        answers.add_metric(["upstream"], self._gateway.from_upstream)
        yield answers


class _DocumentMeasurements(Collector):
    def __init__(self, documents: PersistedDocuments) -> None:
        self._documents = documents

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "gateway_persisted_documents",
            "Requests for persisted documents, by outcome. Requests that the response cache answers by "
            "their bytes are not among them.",
            labels=["outcome"],
        )
        for outcome in OUTCOMES:
            requests.add_metric([outcome], self._documents.outcomes[outcome])
        yield requests
        registered = self._documents.registered
        yield GaugeMetricFamily(
            "gateway_registered_documents", "Documents that clients registered.", value=len(registered)
        )
        yield GaugeMetricFamily(
            "gateway_registered_documents_bytes",
            "Bytes of the texts of registered documents.",
            value=registered.bytes,
        )
        trusted = self._documents.trusted
        if trusted is None:
            return
        trusted.look()
        yield GaugeMetricFamily(
            "gateway_trusted_documents", "Documents in the manifest.", value=len(trusted.manifest.names)
        )
        yield GaugeMetricFamily(
            "gateway_trusted_documents_unfit",
            "Documents in the manifest that do not fit the schema.",
            value=len(trusted.unfit),
        )
        yield CounterMetricFamily(
            "gateway_trusted_documents_reload_failures",
            "How often a new manifest could not be used.",
            value=trusted.failures,
        )


class _EngineMeasurements(Collector):
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "gateway_engine_answers", "Operations that the engine answered.", value=self._engine.answered
        )
        fallbacks = CounterMetricFamily(
            "gateway_engine_handed_over",
            "Operations that the engine left to Strawberry's execution, by reason.",
            labels=["reason"],
        )
        for reason, count in sorted(self._engine.fallbacks.items()):
            fallbacks.add_metric([reason], count)
        yield fallbacks


class _ResponseMeasurements(Collector):
    def __init__(self, responses: ResponseCache) -> None:
        self._responses = responses

    def collect(self) -> Iterator[Metric]:
        answers = self._responses.answers
        found = CounterMetricFamily(
            "gateway_response_cache_requests",
            "Requests that looked for a cached answer: found before they were parsed, by the bytes of what the "
            "answer depends on, by their meaning, or not found.",
            labels=["outcome"],
        )
        found.add_metric(["unparsed"], self._responses.found_unparsed)
        found.add_metric(["bytes"], self._responses.found)
        found.add_metric(["meaning"], answers.found)
        found.add_metric(["none"], answers.missed)
        yield found
        yield GaugeMetricFamily("gateway_response_cache_answers", "Cached answers.", value=len(answers))
        yield GaugeMetricFamily(
            "gateway_response_cache_bytes",
            "Bytes of the cached answers, and of the pieces of answers that share their memory.",
            value=answers.budget.taken,
        )


class _ConnectionMeasurements(Collector):
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def collect(self) -> Iterator[Metric]:
        all_ = self._connections
        quotas = {"open": all_.open, "socket": all_.sockets, "subscription": all_.subscriptions.quota}
        taken = GaugeMetricFamily(
            "gateway_connections",
            "Open connections, open WebSockets and running subscriptions.",
            labels=["kind"],
        )
        refused = CounterMetricFamily(
            "gateway_connections_refused",
            "Connections, WebSockets and subscriptions that were refused because of a limit.",
            labels=["kind"],
        )
        for kind, quota in quotas.items():
            taken.add_metric([kind], quota.taken)
            refused.add_metric([kind], quota.refused)
        yield taken
        yield refused
        yield GaugeMetricFamily(
            "gateway_unsent_bytes", "Bytes that wait to be written to slow readers.", value=all_.slow.unsent
        )
        yield CounterMetricFamily(
            "gateway_slow_readers",
            "Connections cut off because their client read too slowly.",
            value=all_.slow.cut_off,
        )
        yield CounterMetricFamily(
            "gateway_garbage_requests", "Requests that were not HTTP.", value=all_.garbage
        )
