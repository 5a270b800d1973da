"""Traces operations by the semantic conventions of OpenTelemetry for GraphQL servers.

The name of an operation is an attribute and not the name of its span, because clients choose it.
"""

from __future__ import annotations

from gateway.named_operation import operation_name, operation_type
from gateway.prepared_request import GraphQLRequest
from schema import Document
from telemetry import Span, tracer

UNNAMED = "GraphQL Operation"
"""The name of a span until the type of its operation is known."""

OF_CLIENT = ("unparsable", "unfit")
"""The outcomes whose cause only the client can correct."""

_SUCCESSES = ("answered", "closed", *OF_CLIENT)


def describe_operation(
    traced: Span,
    request: GraphQLRequest,
    document: Document | None,
    outcome: str,
    upstream_requests: int | None,
) -> None:
    """Say in a span which operation ran, and its outcome.

    ``document`` is ``None`` if the operation was refused before that was read, and ``upstream_requests`` if they were
    not counted.
    """
    type_ = None if document is None else operation_type(document, request.operation_name)
    if type_ is not None:
        traced.rename(type_)
        traced.set("graphql.operation.type", type_)
    traced.set("graphql.operation.name", operation_name(request.operation_name, document))
    makes_spans = tracer()
    if makes_spans is not None and makes_spans.documents:
        traced.set("graphql.document", request.query)
    traced.set("gateway.outcome", outcome)
    traced.set("gateway.upstream_requests", upstream_requests)
    if outcome not in _SUCCESSES:
        traced.fail(outcome)
