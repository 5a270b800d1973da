"""Gives the status of an answer: GraphQL over HTTP, edition of September 2026, section 5.4."""

from __future__ import annotations

from collections.abc import Mapping

from gateway import GraphQLAnswer, RequestFailure
from gateway.persisted import NOT_FOUND, RefusalKind, Refused
from web.content_negotiation import GRAPHQL_JSON, Accepted

PARTIAL_SUCCESS = 294
"""The status of data with errors, in application/graphql-response+json. Section 5.4.1 still has an example with
200, and 6.1 advises 294 only where the type tells what it means. So application/json has 200."""

STATUS_OF_FAILURE: Mapping[RequestFailure, int] = {
    "unparsable": 400,
    "unfit": 422,
    "late": 504,
    "overloaded": 503,
    "limited": 429,
    "fault": 500,
}
"""The status of an answer without data."""

STATUS_OF_REFUSED: Mapping[RefusalKind, int] = {"unknown": 422, "forbidden": 403, "malformed": 422}
"""The status of an answer to a request whose document is not known or not allowed."""


def status_of(answer: GraphQLAnswer, takes: Accepted) -> int:
    """Return the status of the answer to one request."""
    if answer.failure is not None:
        return STATUS_OF_FAILURE[answer.failure]
    return PARTIAL_SUCCESS if answer.failed and takes.json == GRAPHQL_JSON else 200


def status_of_refused(refused: Refused, takes: Accepted, *, by_path: bool = False) -> int:
    """Return the status for a document that is refused. ``by_path`` is whether the path names it, which then is 404.

    Apollo Gateway with ``apq: true`` sends the text only after PersistedQueryNotFound with a status of success. It
    does not name application/graphql-response+json, so for clients like it that one refusal has 200.
    """
    if by_path and refused.kind == "unknown":
        return 404
    if refused.code == NOT_FOUND and takes.json != GRAPHQL_JSON:
        return 200
    return STATUS_OF_REFUSED[refused.kind]
