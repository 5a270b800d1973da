"""Serves the files of a frontend build, which are compressed beforehand. Browsers cache them as their names allow."""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from web.content_negotiation import weighted

_NAMED_BY_CONTENT = re.compile(r"-[A-Z0-9]{8}\.\w+$")
"""Matches the names that esbuild gives, which differ if the content differs."""

_SUFFIXES = {"br": ".br", "gzip": ".gz"}
"""The encodings that builds make, and how the names of their files end; the smaller first."""


class PrebuiltFiles(StaticFiles):
    """Serves the files of a folder, which may appear and disappear while the gateway runs.

    If ``x.js.br`` or ``x.js.gz`` exists beside ``x.js``, clients that accept that encoding get it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, check_dir=False)
        self.config_checked = True  # A folder that does not exist yet has no files, and is no error.

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file, or the range or the 304 that the request asks for."""
        response = await self._compressed(path, scope) or await super().get_response(path, scope)
        immutable = "public, max-age=31536000, immutable"
        response.headers["Cache-Control"] = immutable if _NAMED_BY_CONTENT.search(path) else "no-cache"
        response.headers["Vary"] = "Accept-Encoding"
        return response

    async def _compressed(self, path: str, scope: Scope) -> Response | None:
        taken = weighted(Headers(scope=scope).get("Accept-Encoding", ""))
        for encoding, suffix in _SUFFIXES.items():
            if not taken.get(encoding):
                continue
            try:
                response = await super().get_response(f"{path}{suffix}", scope)
            except HTTPException as error:
                if error.status_code == 404:
                    continue
                raise
            response.headers["Content-Encoding"] = encoding
            response.headers["Content-Type"] = mimetypes.guess_type(path)[0] or "application/octet-stream"
            return response
        return None
