"""Makes spans by OpenTelemetry, and sends them by its protocol over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from threading import Thread

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from telemetry.spans import Span, SpanKind, SpanValue

NAME = "djangopackages-graphql"
"""The name of the service, unless ``OTEL_SERVICE_NAME`` says another one."""

LONGEST_END = 3.0
"""Seconds for the last spans to be sent when the gateway stops."""

_KINDS = {
    "internal": trace.SpanKind.INTERNAL,
    "server": trace.SpanKind.SERVER,
    "client": trace.SpanKind.CLIENT,
}
# OTEL_PROPAGATORS is ignored, because the baggage of a client must not reach upstream.
_headers = TraceContextTextMapPropagator()


@asynccontextmanager
async def sending(version: str) -> AsyncIterator[TracerProvider]:
    """Yield a provider that sends spans to ``OTEL_EXPORTER_OTLP_ENDPOINT``. Spans that wait are sent at the end."""
    ours = Resource.create({"service.name": NAME, "service.version": version})
    # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence over these.
    resource = ours.merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield provider
    finally:
        # If the collector does not answer, this tries for longer than a stop may take.
        ending = Thread(target=provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, LONGEST_END)


class OpenTelemetryTracer:
    """Makes spans of one provider."""

    def __init__(self, provider: trace.TracerProvider, *, documents: bool) -> None:
        self.documents = documents
        self._tracer = provider.get_tracer(NAME)

    def span(
        self, name: str, kind: SpanKind, parent: Mapping[str, str] | None, is_current: bool
    ) -> AbstractContextManager[Span]:
        """Return a span that begins now, and ends when it is left."""
        around = None if parent is None else _headers.extract(parent)
        return _Span(self._tracer.start_span(name, around, _KINDS[kind]), is_current)

    def headers(self) -> dict[str, str]:
        """Return ``traceparent``, and ``tracestate`` if the trace has one."""
        headers: dict[str, str] = {}
        _headers.inject(headers)
        return headers

    def trace_id(self) -> str | None:
        """Return the id of the trace of the running span."""
        running = trace.get_current_span().get_span_context()
        return trace.format_trace_id(running.trace_id) if running.is_valid else None


class _Span:
    def __init__(self, span: trace.Span, is_current: bool) -> None:
        self._span = span
        self._is_current = is_current

    @property
    def is_recorded(self) -> bool:
        return self._span.is_recording()

    def __enter__(self) -> _Span:
        if self._is_current:
            self._token = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if self._is_current:
            context.detach(self._token)
        if error is not None and not isinstance(error, GeneratorExit):
            self.fail(type(error).__name__)
        self._span.end()

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, name: str, value: SpanValue | None) -> None:
        if value is not None:
            self._span.set_attribute(name, value)

    def fail(self, error_type: str) -> None:
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(trace.StatusCode.ERROR)
