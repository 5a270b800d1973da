"""Says in which form an answer goes out: its media type and its encoding."""

from __future__ import annotations

import msgspec

from web.cache_headers import Headers
from web.compression import SMALLEST
from web.content_negotiation import ANSWERS, Accepted
from web.http_responses import RawResponse, compressed_aside, content_headers
from web.request_parsing import BadRequest


class ResponseFormat(msgspec.Struct, frozen=True):
    """Describes the form in which an answer goes out."""

    takes: Accepted
    media_type: str
    """The type of an answer that has data."""
    encoding: str | None

    async def response(self, status: int, body: bytes, headers: Headers) -> RawResponse:
        """Return a response that is not cached."""
        encoding = self.encoding if len(body) >= SMALLEST else None
        if encoding is not None:
            body = await compressed_aside(body, encoding)
        media_type = self.takes.refusal if status >= 400 else self.media_type
        described = content_headers(media_type, encoding, b"%d" % len(body))
        return RawResponse(status, [*described, *headers], body)


def form_of(takes: Accepted, encoding: str | None) -> ResponseFormat:
    """Return the form of an answer with data, for a client that takes these types and this encoding.

    :raises BadRequest: the client takes none of the types.
    """
    if takes.json is None:
        raise BadRequest(
            406, f"The Accept header accepts none of the types that the endpoint offers: {ANSWERS}."
        )
    return ResponseFormat(takes, takes.json, encoding)
