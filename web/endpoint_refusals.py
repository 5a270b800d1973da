"""Makes the responses to GraphQL requests that are refused before an operation runs."""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import ASGIApp

from gateway import RateLimited, RetryLater, later_error
from gateway.persisted import Refused
from web.answer_status import STATUS_OF_FAILURE, status_of_refused
from web.cache_headers import NO_STORE, Headers
from web.content_negotiation import JSON, Accepted
from web.http_responses import RawResponse, content_headers, decoded, failure


def document_refusal(takes: Accepted, refused: Refused, always: Headers, *, by_path: bool) -> ASGIApp:
    """Return the response for a document that is not known or not allowed."""
    status = status_of_refused(refused, takes, by_path=by_path)
    media_type = takes.refusal if status >= 400 else takes.json or JSON
    headers = content_headers(media_type, None, b"%d" % len(refused.body))
    return RawResponse(status, [*headers, *always, *NO_STORE], refused.body)


def later_refusal(error: RetryLater, accept: str | None, headers: Headers) -> Response:
    """Return the response to a client that has too few units of its allowance, or finds the gateway too busy to read
    its document."""
    status = STATUS_OF_FAILURE["limited" if isinstance(error, RateLimited) else "overloaded"]
    again = (b"retry-after", b"%d" % error.retry_after)
    return failure(status, later_error(error), accept, decoded([*headers, again]))
