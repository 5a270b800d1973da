"""Provides rows of the rules of GraphQL over HTTP: what is sent, and which status and type come back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import httpx

from web.content_negotiation import GRAPHQL_JSON as G
from web.content_negotiation import JSON as J

__all__ = ["ACCEPTS", "G", "J", "Row", "send"]

ACCEPTS = [G, J, "*/*", None]
"""The headers Accept that clients send: the edition's, those of older clients, and none."""


@dataclass(frozen=True)
class Row:
    """One request, and what the edition of September 2026 wants for it."""

    id: str
    status: int
    type: str | None = G
    body: bytes | str = b""
    params: str = ""
    """What is behind the ``?``; the method is GET then."""
    method: str = ""
    accept: str | None = G
    content_type: str = "application/json"

    def __str__(self) -> str:
        return self.id


async def send(http: httpx.AsyncClient, row: Row) -> httpx.Response:
    """Send a row's request, with no header beside those that it names; check its status and type."""
    method = row.method or ("GET" if row.params or not row.body else "POST")
    request = http.build_request(method, _address(http.base_url, row.params), content=row.body or None)
    del request.headers["Accept"]
    if row.accept is not None:
        request.headers["Accept"] = row.accept
    if method not in ("GET", "HEAD"):
        request.headers["Content-Type"] = row.content_type
    response = await http.send(request)
    assert response.status_code == row.status, response.text
    if row.type is not None:
        assert response.headers["Content-Type"] == f"{row.type}; charset=utf-8"
    return response


@cache
def _address(gateway: httpx.URL, params: str) -> httpx.URL:
    """Return the address of a request, read once: httpx looks at each character several times."""
    return gateway.join(f"/graphql?{params}" if params else "/graphql")
