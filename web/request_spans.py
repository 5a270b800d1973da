"""Traces HTTP requests by the semantic conventions of OpenTelemetry for HTTP servers.

A span has nothing that only the client should know: no query string, no header and no address.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from starlette.types import Scope

from telemetry import Span, span, tracer
from web.request_counts import OTHER, RequestLabels

_CONTEXT = (b"traceparent", b"tracestate")
"""The headers that say which trace a request belongs to (W3C Trace Context)."""


def request_span(scope: Scope) -> AbstractContextManager[Span]:
    """Return the span of a request, which continues the trace that its headers name."""
    if tracer() is None:
        return span("HTTP")
    parent = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _CONTEXT}
    return span("HTTP", "server", parent=parent)


def describe_request(traced: Span, scope: Scope, labels: RequestLabels) -> None:
    """Say in a span what was asked for and how it was answered. The request is counted by ``labels``."""
    method, handler, status = labels
    is_known = method != OTHER
    traced.rename(f"{method if is_known else 'HTTP'} {handler}")
    traced.set("http.request.method", method if is_known else "_OTHER")
    traced.set("http.route", handler)
    traced.set("http.response.status_code", status)
    traced.set("url.path", scope["path"])
    traced.set("url.scheme", scope.get("scheme", "http"))
    traced.set("network.protocol.version", scope.get("http_version"))
    if status >= 500:
        traced.fail(str(status))
