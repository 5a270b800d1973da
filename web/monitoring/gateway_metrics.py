"""Gives the measurements of the operations, their documents and the cached answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from gateway import Gateway
from gateway.persisted import OUTCOMES
from telemetry import MetricFamily, counter, gauge, histogram
from web.response_cache import ResponseCache

_Label = TypeVar("_Label", bound=str)


def gateway_metrics(gateway: Gateway, responses: ResponseCache) -> Iterator[MetricFamily]:
    """Yield the families."""
    yield from _operations(gateway)
    yield from _engine(gateway)
    yield from _cache(responses)
    yield from _documents(gateway)


def _operations(gateway: Gateway) -> Iterator[MetricFamily]:
    measured, admission = gateway.measurements, gateway.admission
    yield histogram(
        "graphql_operation_duration_seconds",
        "Time of the operations that ran or were refused, with their wait for a slot. Cached answers, subscriptions "
        "and answers in parts are not among them.",
        measured.durations,
        "type",
        "outcome",
    )
    yield counter(
        "graphql_errors_total", "Errors that clients were told, by code.", _by(measured.errors), "code"
    )
    yield gauge(
        "gateway_operations",
        "Operations that run, that wait for a slot, and that wait for Django Packages.",
        _by({"running": admission.running, "waiting": admission.waiting, "away": admission.away}),
        "state",
    )
    yield counter(
        "gateway_limits_hit_total",
        "Operations that went beyond a limit, by limit.",
        _by(gateway.refused),
        "limit",
    )
    yield counter(
        "gateway_operations_shed_total",
        "Operations that were answered 503, because no slot became free.",
        admission.refused,
    )
    yield counter(
        "gateway_answers_made_total",
        "Operations that ran, by where their data came from. Cached answers are not among them.",
        _by({"memory": gateway.measurements.from_memory, "upstream": gateway.measurements.from_upstream}),
        "from",
    )
    fair_use = gateway.fair_use
    yield counter(
        "gateway_fair_use_units_total",
        "Units of cost that clients have used.",
        {} if fair_use is None else fair_use.taken,
    )
    yield counter(
        "gateway_fair_use_refused_total",
        "Requests and operations that were answered 429, because their client had too few units.",
        {} if fair_use is None else fair_use.refused,
    )
    sharing = None if fair_use is None else fair_use.sharing
    yield gauge(
        "gateway_fair_use_shared",
        "1 if the server that gateways share could count the units of clients lately; 0 while each gateway counts by "
        "itself.",
        None if sharing is None else sharing.works,
        across="min",
    )


def _engine(gateway: Gateway) -> Iterator[MetricFamily]:
    engine = gateway.engine
    yield counter(
        "gateway_engine_answers_total",
        "Operations that the engine answered.",
        {} if engine is None else engine.answered,
    )
    yield counter(
        "gateway_engine_handed_over_total",
        "Operations that the engine left to Strawberry's execution, by reason.",
        {} if engine is None else _by(engine.fallbacks),
        "reason",
    )


def _cache(responses: ResponseCache) -> Iterator[MetricFamily]:
    answers = responses.answers
    yield counter(
        "gateway_response_cache_requests_total",
        "Requests that looked for a cached answer. A hit is found before the request is parsed, by the bytes of what "
        "the answer depends on, or by its meaning.",
        {
            ("hit", "unparsed"): responses.found_unparsed,
            ("hit", "bytes"): responses.found,
            ("hit", "meaning"): answers.found,
            ("miss", "meaning"): answers.missed,
        },
        "result",
        "stage",
    )
    yield gauge("gateway_response_cache_answers", "Cached answers.", len(answers))
    yield gauge(
        "gateway_response_cache_bytes",
        "Bytes of the cached answers, and of the subtrees of answers that share their memory.",
        answers.budget.taken,
    )


def _documents(gateway: Gateway) -> Iterator[MetricFamily]:
    documents, trusted = gateway.persisted, gateway.persisted.trusted
    yield counter(
        "gateway_persisted_documents_total",
        "Requests for persisted documents, by outcome. Requests that the response cache answers by their bytes are not "
        "among them.",
        {(outcome,): documents.outcomes[outcome] for outcome in OUTCOMES},
        "outcome",
    )
    yield gauge(
        "gateway_registered_documents", "Documents that clients registered.", len(documents.registered)
    )
    yield gauge(
        "gateway_registered_documents_bytes",
        "Bytes of the texts of registered documents.",
        documents.registered.bytes,
    )
    if trusted is not None:
        trusted.look()
    yield gauge(
        "gateway_trusted_documents",
        "Documents in the manifest.",
        None if trusted is None else len(trusted.manifest.names),
        across="max",
    )
    yield gauge(
        "gateway_trusted_documents_unfit",
        "Documents in the manifest that do not fit the schema.",
        None if trusted is None else len(trusted.unfit),
        across="max",
    )
    yield counter(
        "gateway_trusted_documents_reload_failures_total",
        "How often a new manifest could not be used.",
        {} if trusted is None else trusted.failures,
    )


def _by(counts: Mapping[_Label, float]) -> dict[tuple[str, ...], float]:
    return {(label,): count for label, count in counts.items()}
