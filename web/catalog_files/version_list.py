"""Lists the versions of the catalog at ``/catalog``: as a page for people, as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from catalog import CatalogSource
from catalog.export import ATTRIBUTION, DEMO, exported_files
from catalog.history import CatalogVersion
from web.content_negotiation import accept_of, accepted
from web.http_responses import refusal
from web.pages.markdown_html import rendered
from web.pages.page_frame import POLICY, FramedPage, Site, framed, page_response

VERSIONS = 50
"""How many versions are listed at once, newest first."""


class VersionList:
    """Lists the versions of a source. ``cached`` is the ``Cache-Control`` of the list."""

    def __init__(self, source: CatalogSource, site: Site, cached: str) -> None:
        self._source = source
        self._site = site
        self._cached = cached

    async def versions(self, request: Request) -> Response:
        """Return the versions stored before the one numbered ``before``, or the newest ones.

        :raises StorageUnavailable: the storage cannot be read.
        """
        asked = request.query_params.get("before")
        if asked is not None and not (asked.isascii() and asked.isdecimal() and len(asked) <= 18):
            return refusal(
                400,
                f'before= is "{asked[:50]}"; it can be a number that this list gave as "next".',
                accept_of(request.headers.raw),
            )
        found = await self._source.history.versions(VERSIONS + 1, None if asked is None else int(asked))
        following = found[VERSIONS - 1].number if len(found) > VERSIONS else None
        headers = {"Cache-Control": self._cached, "Vary": "Accept"}
        if accepted(request.headers.get("Accept")).page:
            return self._page(request, found[:VERSIONS], following, headers)
        body = msgspec.json.encode(self._facts(found[:VERSIONS], following))
        return Response(msgspec.json.format(body, indent=2) + b"\n", 200, headers, "application/json")

    def _facts(self, versions: Sequence[CatalogVersion], following: int | None) -> dict[str, object]:
        latest = self._source.latest
        return {
            "origin": "demo" if self._source.embedded else "site",
            "source": DEMO if self._source.embedded else ATTRIBUTION,
            "documentation": "/docs/files.md",
            "latest": None if latest is None else latest.catalog.version,
            "files": [
                {
                    "name": each.name,
                    "latest": f"/catalog/latest/{each.name}",
                    "mediaType": each.media_type,
                    "meaning": each.meaning,
                }
                for each in exported_files()
            ],
            "versions": [_version(each) for each in versions],
            "next": None if following is None else f"/catalog?before={following}",
        }

    def _page(
        self,
        request: Request,
        versions: Sequence[CatalogVersion],
        following: int | None,
        headers: dict[str, str],
    ) -> Response:
        text = _text(DEMO if self._source.embedded else ATTRIBUTION, versions, following)
        page = FramedPage(
            title="The catalog as files: Django Packages, as a graph",
            main=f"<article>\n{rendered(text, lambda link: link).html}</article>",
            kind="documents",
            styles=("documents",),
        )
        return page_response(framed(page, self._site), request, headers | {"Content-Security-Policy": POLICY})


def _version(version: CatalogVersion) -> dict[str, object]:
    return {
        "version": version.version,
        "storedAt": version.at,
        "refreshedAt": version.refreshed_at,
        "records": version.counts,
        "changes": version.changes,
        "files": f"/catalog/{version.version}/{{name}}",
        "changesSince": f"/catalog/changes.ndjson?since={version.version}",
    }


def _text(source: str, versions: Sequence[CatalogVersion], following: int | None) -> str:
    """Return the page as Markdown."""
    lines = ["# The catalog as files", "", source, "", "[How to use them](/docs/files.md)", ""]
    lines += ["| newest file | what it has |", "| --- | --- |"]
    lines += [f"| [{each.name}](/catalog/latest/{each.name}) | {each.meaning} |" for each in exported_files()]
    # Older versions have no links, because a crawler that follows links must not cause them to be rebuilt.
    lines += ["", "## Versions", "", "The files of a version are at `/catalog/<version>/<file>`.", ""]
    lines += [
        "| version | stored, UTC | packages | grids | categories |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| `{each.version}` | {each.at:%Y-%m-%d %H:%M:%S} | {each.counts.get('package', 0):,} | "
        f"{each.counts.get('grid', 0):,} | {each.counts.get('category', 0):,} |"
        for each in versions
    ]
    older = [] if following is None else ["", f"[Older versions](/catalog?before={following})"]
    return "\n".join([*lines, *older, ""])
