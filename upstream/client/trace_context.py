"""Continues the trace of a request on its requests to upstream (W3C Trace Context).

A gateway that makes no spans of its own passes ``traceparent`` on as it came, which section 3.4 of the recommendation
allows. A gateway that makes spans names its span for the request. An exchange that several requests wait for belongs to
the trace of the one that began it.
"""

from __future__ import annotations

import re
from contextvars import ContextVar

from telemetry import tracer

TRACEPARENT = "traceparent"

_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def trace_id(traceparent: str | None) -> str | None:
    """Return the id of the trace in the header, 32 hexadecimal digits; ``None`` if the header is not well-formed."""
    well_formed = traceparent is not None and _PARENT.fullmatch(traceparent)
    return well_formed[1] if well_formed else None


class continuing:
    """Makes every exchange that starts in this context belong to this trace, or to none if the header is not
    well-formed.

    It is a class, because that takes half of the time of a generator, and every operation is run inside.
    """

    __slots__ = ("_token", "_traceparent")

    def __init__(self, traceparent: str | None) -> None:
        self._traceparent = None if trace_id(traceparent) is None else traceparent

    def __enter__(self) -> None:
        self._token = _current.set(self._traceparent)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def trace_headers() -> dict[str, str]:
    """Return the headers by which an exchange belongs to the trace of this context, if it has one."""
    makes_spans = tracer()
    if makes_spans is not None:
        return makes_spans.headers()
    traceparent = _current.get()
    return {} if traceparent is None else {TRACEPARENT: traceparent}
