"""Explains how the engine runs an operation."""

from __future__ import annotations

from engine import Engine, Fallback
from gateway.document_cache import DocumentCache
from gateway.limits import DocumentLimits
from gateway.prepared_request import GraphQLRequest, PreparedRequest
from gateway.request_document import RequestDocument
from schema import schema


class Unplanned(Exception):
    """Says that the engine has no plan for an operation. The message is a sentence that says why."""


def explain(request: GraphQLRequest, limits: DocumentLimits) -> str:
    """Return how the engine runs the operation, as a text for people.

    :raises Unplanned: the engine does not run it.
    """
    found = RequestDocument(DocumentCache(limits).read(request.query), request.query, {})
    prepared = PreparedRequest.of(request, found, None)
    if prepared.refusals:
        raise Unplanned(prepared.refusals[0].message)
    node = prepared.document.node
    assert node is not None
    try:
        return Engine(schema).explain(request.query, node, request.operation_name, request.variables)
    except Fallback as error:
        raise Unplanned(
            f"The engine leaves this operation to Strawberry's execution: {error.reason}."
        ) from None
