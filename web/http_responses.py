"""Makes HTTP responses: ready to be sent, compressed, or refusals that GraphQL clients can show."""

from __future__ import annotations

import asyncio

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from web.cache_headers import Headers
from web.compression import compressed
from web.content_negotiation import accepted
from web.own_server_extension import extension_of
from web.security_headers import SECURITY_HEADERS

IN_THREAD = 200_000
"""The bytes from which compression takes milliseconds, so that it runs in a thread and other requests need not wait."""


class RawResponse(msgspec.Struct, frozen=True):
    """Holds a response that is ready to be sent."""

    status: int
    headers: Headers
    body: bytes = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, as an ASGI app."""
        await send_response(scope, send, self.status, self.headers, self.body)


async def send_response(scope: Scope, send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Send a whole response. The headers have the length of the body, unless the status has no body."""
    server = extension_of(scope)
    if server is not None and server.write(send, status, headers, body):
        return
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def content_headers(media_type: str, encoding: str | None, length: bytes) -> Headers:
    """Return the headers that describe a body of this many bytes; ``encoding`` is how it is compressed, if it is."""
    headers = [
        (b"content-type", f"{media_type}; charset=utf-8".encode()),
        (b"content-length", length),
    ]
    if encoding is not None:
        headers.append((b"content-encoding", encoding.encode()))
    return headers


async def compressed_aside(body: bytes, encoding: str) -> bytes:
    """Compress a body, a large one in a thread."""
    if len(body) < IN_THREAD:
        return compressed(body, encoding)
    return await asyncio.to_thread(compressed, body, encoding)


def decoded(headers: Headers) -> dict[str, str]:
    """Return headers as Starlette takes them."""
    return {name.decode(): value.decode() for name, value in headers}


def refusal(
    status: int, message: str, accept: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    """Return the answer to an HTTP request that is no GraphQL request: a GraphQL error, so that clients show it.

    ``accept`` is the header Accept of the request.
    """
    return failure(status, {"message": message, "extensions": {"code": "BAD_REQUEST"}}, accept, headers)


def failure(
    status: int, error: object, accept: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    """Return a response with one error, in the type that the client takes. No cache may keep it."""
    # The names are in lower case, like those of the endpoint, which may replace a header.
    told = {"cache-control": "no-store", "vary": "Accept"} | decoded(SECURITY_HEADERS) | (headers or {})
    content_type = f"{accepted(accept).refusal}; charset=utf-8"
    return Response(msgspec.json.encode({"errors": [error]}), status, told | {"content-type": content_type})
