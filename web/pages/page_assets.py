"""Serves the styles and scripts of the pages, at /pages/: each compressed once, and known by its tag."""

from __future__ import annotations

import mimetypes
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from web.cache_headers import names_tag
from web.compression import compressed, encoding_for

_FOLDER = Path(__file__).parent
_SUFFIXES = {"styles": ".css", "scripts": ".js"}
"""The folders that are served, and what is served of each."""


async def page_asset(request: Request) -> Response:
    """Return a file of one of the folders, in the best encoding that the browser takes."""
    path = request.path_params["path"]
    if path not in _paths():
        raise HTTPException(404)
    encoding = encoding_for(request.headers.get("Accept-Encoding"))
    body, tag = _body(path, encoding)
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if names_tag(", ".join(request.headers.getlist("If-None-Match")).encode("latin-1"), tag.encode()):
        return Response(status_code=304, headers=headers)
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    return Response(body, headers=headers, media_type=mimetypes.guess_type(path)[0])


@cache
def _paths() -> frozenset[str]:
    return frozenset(
        f"{folder}/{path.name}"
        for folder, suffix in _SUFFIXES.items()
        for path in (_FOLDER / folder).glob(f"*{suffix}")
    )


@lru_cache(maxsize=128)
def _body(path: str, encoding: str | None) -> tuple[bytes, str]:
    """Return a file in this encoding, and its tag."""
    body = (_FOLDER / path).read_bytes()
    if encoding is not None:
        body = compressed(body, encoding)
    return body, f'"{sha256(body).hexdigest()[:32]}"'
