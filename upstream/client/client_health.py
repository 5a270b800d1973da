"""Says how a client's requests to upstream have gone since the process started."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from telemetry import DurationHistograms
from upstream.client.circuit_breaker import State
from upstream.client.record_drift import FieldDrift

GOOD_OUTCOMES = ("answered", "missing", "given up")
"""The outcomes of a request that are not a failure of upstream."""


class RequestCosts(msgspec.Struct, frozen=True):
    """Holds what requests for one kind of record cost lately, in seconds."""

    kind: str
    """The kind, as in ``Kind.singular``."""
    detail: float
    page: float
    """The fixed part of a page."""
    record: float
    """Each record on a page."""
    skipped: float
    """Each record before a page."""


class ClientHealth(msgspec.Struct, frozen=True):
    """Holds what operators can know of upstream."""

    breaker: State
    outcomes: Mapping[str, int]
    """How many requests were ``answered``, ``missing``, ``given up``, or failed with a code."""
    durations: DurationHistograms
    """How long they took: by ``record``, ``page`` or ``search``, and by outcome."""
    last_outcome: str | None
    """The outcome of the last request, named in the same way; ``None`` if there was none."""
    received_bytes: int
    """The bytes of the bodies of upstream's answers."""
    seconds: float
    """The seconds that all requests took together."""
    in_flight: int
    """Requests under way."""
    in_flight_limit: int
    """Requests that may be under way now."""
    bad_records: int
    """Records from upstream that did not fit and were left out."""
    drift: tuple[FieldDrift, ...]
    """The fields in which upstream's records differ from what the gateway knows."""
    costs: tuple[RequestCosts, ...]
    """The costs of each kind."""
