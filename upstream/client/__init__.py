"""Asks the REST API v4: one request with its limits, retries and checks at a time."""

from importlib import import_module
from typing import TYPE_CHECKING

from upstream.client.circuit_breaker import CircuitOpen
from upstream.client.client_health import GOOD_OUTCOMES, ClientHealth
from upstream.client.exchange_receipt import (
    Receipt,
    note_from_memory,
    note_not_looked_up,
    note_waiting,
    recording,
)
from upstream.client.trace_context import TRACEPARENT, continuing, trace_id
from upstream.client.upstream_address import without_credentials
from upstream.client.upstream_errors import (
    BudgetSpent,
    ContradictoryList,
    NothingStored,
    StorageAway,
    StorageUnavailable,
    StoredMeanwhile,
    UpstreamBadData,
    UpstreamError,
    UpstreamUnavailable,
)
from upstream.client.v4_records import (
    CATEGORY,
    GRID,
    KINDS,
    MAX_ID,
    PACKAGE,
    BadRecord,
    CategoryRecord,
    GridRecord,
    Kind,
    Moment,
    PackageRecord,
    Page,
    R,
    Record,
    SearchHitRecord,
)

if TYPE_CHECKING:
    from upstream.client.api_client import Client
    from upstream.client.api_client_limits import ClientLimits
    from upstream.client.http_transport import network
    from upstream.client.in_process_transport import in_process
    from upstream.client.retry_policy import FIRST_PAUSE

__all__ = [
    "CATEGORY",
    "FIRST_PAUSE",
    "GOOD_OUTCOMES",
    "GRID",
    "KINDS",
    "MAX_ID",
    "PACKAGE",
    "TRACEPARENT",
    "BadRecord",
    "BudgetSpent",
    "CategoryRecord",
    "CircuitOpen",
    "Client",
    "ClientHealth",
    "ClientLimits",
    "ContradictoryList",
    "GridRecord",
    "Kind",
    "Moment",
    "NothingStored",
    "PackageRecord",
    "Page",
    "R",
    "Receipt",
    "Record",
    "SearchHitRecord",
    "StorageAway",
    "StorageUnavailable",
    "StoredMeanwhile",
    "UpstreamBadData",
    "UpstreamError",
    "UpstreamUnavailable",
    "continuing",
    "in_process",
    "network",
    "note_from_memory",
    "note_not_looked_up",
    "note_waiting",
    "recording",
    "trace_id",
    "without_credentials",
]

_IMPORTED_WHEN_ASKED_FOR = {
    "Client": "upstream.client.api_client",
    "ClientLimits": "upstream.client.api_client_limits",
    "FIRST_PAUSE": "upstream.client.retry_policy",
    "in_process": "upstream.client.in_process_transport",
    "network": "upstream.client.http_transport",
}
"""They bring the HTTP client, which most commands never need."""


def __getattr__(name: str) -> object:
    """Import a name of the slower modules when somebody asks for it."""
    if name not in _IMPORTED_WHEN_ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_IMPORTED_WHEN_ASKED_FOR[name]), name)
