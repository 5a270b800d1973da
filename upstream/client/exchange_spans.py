"""Traces requests to upstream by the semantic conventions of OpenTelemetry for HTTP clients."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from telemetry import Span, span, tracer

if TYPE_CHECKING:
    import httpx


def exchange_span() -> AbstractContextManager[Span]:
    """Return the span of one request and its answer."""
    return span("GET", "client")


def describe_exchange(traced: Span, response: httpx.Response) -> None:
    """Say in a span what was asked for and answered. A missing record is no failure."""
    if tracer() is None:
        return
    # Search texts of clients are private.
    url = response.request.url.copy_remove_param("q")
    traced.set("http.request.method", response.request.method)
    traced.set("url.full", str(url))
    traced.set("server.address", url.host)
    traced.set("server.port", url.port or (443 if url.scheme == "https" else 80))
    traced.set("http.response.status_code", response.status_code)
    if response.status_code >= 400 and response.status_code != 404:
        traced.fail(str(response.status_code))
