"""Serves the schema as text at /schema.graphql: what ``server.py schema`` prints."""

from __future__ import annotations

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from schema import UnknownDialect, read_dialect, sdl
from web.cache_headers import names_tag
from web.content_negotiation import accept_of
from web.http_responses import refusal


async def schema_text(http: Request) -> Response:
    """Return the schema in the dialect of the address. It stays the same until another version of the gateway runs."""
    try:
        dialect = read_dialect(http.query_params.get("dialect", "plain"))
    except UnknownDialect as error:
        return refusal(400, str(error), accept_of(http.headers.raw))
    body = f"{sdl(dialect)}\n".encode()
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if names_tag(", ".join(http.headers.getlist("If-None-Match")).encode("latin-1"), tag.encode()):
        return Response(status_code=304, headers=headers)
    # It is not application/graphql, which is for requests and which a browser would download.
    return Response(body, headers=headers, media_type="text/plain")
