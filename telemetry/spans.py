"""Traces work as spans, if an operator has switched that on. Otherwise a span is one object that does nothing.

Code that does the work opens a span with :func:`span`. Only :func:`traced` imports the module that makes and sends
spans (``telemetry/open_telemetry_export.py``), because its packages are not installed by default.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from importlib.util import find_spec
from typing import Literal, Protocol

SpanValue = str | int | float | bool
SpanKind = Literal["internal", "server", "client"]

NOT_INSTALLED = "GATEWAY_TRACES is not off, but OpenTelemetry is not installed; `make tracing` installs it."


class Span(Protocol):
    """Describes a piece of work with a name, a beginning and an end. The spans that are opened inside are its
    children."""

    @property
    def is_recorded(self) -> bool:
        """Return whether the span is recorded."""

    def rename(self, name: str) -> None:
        """Give the span a name that was not known at its beginning."""

    def set(self, name: str, value: SpanValue | None) -> None:
        """Set an attribute, unless the value is ``None``."""

    def fail(self, error_type: str) -> None:
        """Note that the work failed, and by what kind of error."""


class Tracer(Protocol):
    """Makes spans, and tells other programs and the log which trace the running work belongs to."""

    documents: bool
    """Whether spans have the texts of documents."""

    def span(
        self, name: str, kind: SpanKind, parent: Mapping[str, str] | None, is_current: bool
    ) -> AbstractContextManager[Span]:
        """Return a span: see :func:`span`."""

    def headers(self) -> dict[str, str]:
        """Return the headers by which a request belongs to the running span."""

    def trace_id(self) -> str | None:
        """Return the id of the trace of the running span, 32 hexadecimal digits; ``None`` if there is none."""


class _NoSpan:
    is_recorded = False

    def __enter__(self) -> _NoSpan:
        return self

    def __exit__(self, _kind: object, _error: object, _traceback: object) -> None:
        return None

    def rename(self, name: str) -> None:
        return None

    def set(self, name: str, value: SpanValue | None) -> None:
        return None

    def fail(self, error_type: str) -> None:
        return None


_NO_SPAN = _NoSpan()
_tracer: Tracer | None = None


def tracer() -> Tracer | None:
    """Return the tracer of this process; ``None`` if it has none."""
    return _tracer


def span(
    name: str,
    kind: SpanKind = "internal",
    parent: Mapping[str, str] | None = None,
    is_current: bool = True,
) -> AbstractContextManager[Span]:
    """Return a span that lasts while it is entered. An exception that leaves it is its failure.

    ``parent`` has the headers of a request, whose trace it continues; without them it is a child of the running span.
    A span that is not made the running span may be left in another context than the one in which it was entered.
    """
    return _NO_SPAN if _tracer is None else _tracer.span(name, kind, parent, is_current)


def is_tracing_installed() -> bool:
    """Return whether the packages that spans need are installed."""
    try:
        return all(map(find_spec, ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")))
    except ModuleNotFoundError:
        return False


@contextmanager
def spans_made_by(tracer: Tracer) -> Iterator[None]:
    """Let this tracer make the spans of this process while this is entered."""
    global _tracer
    before, _tracer = _tracer, tracer
    try:
        yield
    finally:
        _tracer = before


@asynccontextmanager
async def traced(version: str, mode: Literal["off", "on", "documents"]) -> AsyncIterator[None]:
    """Send the spans of this process to where the variables of OpenTelemetry say, while this is entered.

    ``documents`` gives the spans of operations the texts of their documents. ``version`` is that of the gateway.
    """
    if mode == "off":
        yield
        return
    from telemetry.open_telemetry_export import OpenTelemetryTracer, sending

    async with sending(version) as provider:
        with spans_made_by(OpenTelemetryTracer(provider, documents=mode == "documents")):
            yield
