"""Lists the headers of a request that the GraphQL endpoint reads, and joins several of one name."""

from __future__ import annotations

from web.request_parsing import EXPLAIN_HEADER, RECEIPT_HEADER, ROUTER_HEADER, TRACE_HEADER

TELLING = frozenset(
    [
        b"accept",
        b"accept-encoding",
        b"content-type",
        b"content-encoding",
        b"if-none-match",
        b"x-gateway-receipt",
        b"x-gateway-explain",
    ]
)
"""The headers that an answer depends on."""

RUNNING = frozenset([b"router-authorization", b"apollo-federation-include-trace", b"traceparent"])
"""The headers that matter only when an operation runs: an answer that is cached is the same whatever they are."""

READ_HEADERS = TELLING | RUNNING
"""All headers that the endpoint reads, in lower case."""


def vary(*, public: bool, behind_router: bool) -> bytes:
    """Return the headers by which answers to one address differ (RFC 9110, 12.5.5)."""
    names = ["Accept", "Accept-Encoding", EXPLAIN_HEADER, RECEIPT_HEADER]
    if behind_router:
        names += [ROUTER_HEADER, TRACE_HEADER]
    if not public:
        names.append("Origin")
    return ", ".join(names).encode()


def by_name(telling: list[bytes]) -> dict[bytes, bytes]:
    """Return headers by their names, from a list of names and values in turn; the values of one name are joined."""
    headers: dict[bytes, bytes] = {}
    for name, value in zip(telling[::2], telling[1::2], strict=True):
        headers[name] = headers[name] + b", " + value if name in headers else value
    return headers
