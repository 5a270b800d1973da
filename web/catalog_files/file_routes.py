"""Declares the routes under ``/catalog``, finds the file that a request asks for, and answers where there is none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from catalog import CatalogSource
from catalog.export import (
    EXPORTED_FILES,
    NDJSON,
    CannotWriteParquet,
    FilesUnavailable,
    NoSuchFile,
    OnDemandExport,
    TooManyFiles,
)
from catalog.history import HistoryDamaged, TooManyRebuilds
from upstream.client import StorageUnavailable, UpstreamError
from web.catalog_files.sent_file import SentFile
from web.catalog_files.version_list import VersionList
from web.content_negotiation import accept_of, weighted
from web.http_responses import failure, refusal
from web.pages.page_frame import Site

FOREVER = "public, max-age=31536000, immutable"
"""The ``Cache-Control`` of a file whose address names its version."""

EXPOSED = ("Accept-Ranges", "Content-Disposition", "Content-Location", "Content-Range", "ETag")
"""Headers of files that pages of other origins may read too."""

Endpoint = Callable[[Request], Awaitable[ASGIApp]]


class CatalogFileRoutes:
    """Serves files of a source. ``max_age`` is the seconds for which answers on the newest version may be cached."""

    def __init__(self, source: CatalogSource, files: OnDemandExport, max_age: int) -> None:
        self._source = source
        self._files = files
        self._briefly = f"public, max-age={max_age}"

    def routes(self, site: Site) -> list[Route]:
        """Return all routes, the more special ones first."""
        versions = VersionList(self._source, site, self._briefly).versions
        endpoints: dict[str, Endpoint] = {
            "/catalog": versions,
            "/catalog/": versions,
            "/catalog/changes.ndjson": self._changes,
            "/catalog/latest/{name}": self._latest,
            "/catalog/{version}/{name}": self._file,
        }
        return [Route(path, _or_refused(endpoint)) for path, endpoint in endpoints.items()]

    async def _file(self, request: Request) -> ASGIApp:
        version, name = request.path_params["version"], request.path_params["name"]
        opened = await self._files.open(version, name, compressed=(gzipped := _takes_gzip(request.headers)))
        file = EXPORTED_FILES[name]
        headers = self._described(file.media_type, f"{version[:12]}-{name}")
        if file.compressible:
            headers |= _encoded(gzipped)
        return SentFile(opened, headers | {"Cache-Control": FOREVER})

    async def _latest(self, request: Request) -> ASGIApp:
        name = request.path_params["name"]
        if name not in EXPORTED_FILES:
            raise NoSuchFile(
                f'There is no file "{name}" of the catalog; there are {", ".join(EXPORTED_FILES)}.'
            )
        version = (await self._source.first_catalog()).version
        return RedirectResponse(f"/catalog/{version}/{name}", headers={"Cache-Control": self._briefly})

    async def _changes(self, request: Request) -> ASGIApp:
        since, until = request.query_params.get("since"), request.query_params.get("until")
        if since is None:
            return refusal(
                400,
                "/catalog/changes.ndjson needs since=, the version that you have; /catalog lists the versions.",
                accept_of(request.headers.raw),
            )
        newest = until or (await self._source.first_catalog()).version
        opened = await self._files.open_changes(
            since, newest, compressed=(gzipped := _takes_gzip(request.headers))
        )
        return SentFile(
            opened,
            {
                **self._described(NDJSON, f"{since[:12]}-{newest[:12]}-changes.ndjson"),
                **_encoded(gzipped),
                "Cache-Control": FOREVER if until else self._briefly,
                # This names the version, for clients that asked for the newest one.
                "Content-Location": f"/catalog/changes.ndjson?since={since}&until={newest}",
            },
        )

    def _described(self, media_type: str, name: str) -> dict[str, str]:
        origin = "demo" if self._source.embedded else "djangopackages"
        return {"Content-Type": media_type, "Content-Disposition": f'attachment; filename="{origin}-{name}"'}


def _takes_gzip(headers: Headers) -> bool:
    """Return whether a file is to be sent compressed. Ranges are always ranges of the uncompressed file."""
    weights = weighted(headers.get("Accept-Encoding", ""))
    return "Range" not in headers and weights.get("gzip", weights.get("*", 0.0)) > 0


def _encoded(gzipped: bool) -> dict[str, str]:
    vary = {"Vary": "Accept-Encoding"}
    return vary | {"Content-Encoding": "gzip"} if gzipped else vary


def _or_refused(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint that answers with a sentence where there is nothing to send."""

    async def answered(request: Request) -> ASGIApp:
        accept = accept_of(request.headers.raw)
        try:
            return await endpoint(request)
        except NoSuchFile as error:
            return refusal(404, str(error), accept)
        except CannotWriteParquet as error:
            return refusal(501, str(error), accept)
        except (TooManyFiles, TooManyRebuilds) as error:
            return _later(str(error), "RATE_LIMITED", accept, error.retry_after)
        except StorageUnavailable as error:
            return _later(error.told, error.code, accept)
        except (HistoryDamaged, FilesUnavailable) as error:
            return _later(str(error), StorageUnavailable.code, accept)
        except UpstreamError as error:
            return _later(str(error), error.code, accept, error.retry_after)

    return answered


def _later(sentence: str, code: str, accept: str | None, retry_after: float | None = None) -> ASGIApp:
    headers = None if retry_after is None else {"retry-after": str(int(retry_after) or 1)}
    return failure(503, {"message": sentence, "extensions": {"code": code}}, accept, headers)
