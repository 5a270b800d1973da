"""Serves ``/llms.txt``: what a language model has to know of this gateway, and where the rest is (llmstxt.org)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from web.pages.documentation import doc_titles
from web.pages.page_frame import DEMO, Site

_SUMMARY = (
    "A GraphQL gateway over Django Packages (https://djangopackages.org/), the directory of packages for Django. One "
    "query gets a package, its grids, and the other packages of those grids; the answers come from a catalog in memory."
)
_GUIDES = ("graph.md", "http.md", "clients.md", "changes.md", "python.md", "files.md", "assistants.md")
"""The documents for those who ask the gateway, the most useful first. The others are for those who run it."""


class LlmsText:
    """Serves the text. ``has_tools`` is whether ``/mcp`` is there."""

    def __init__(self, site: Site, *, has_tools: bool) -> None:
        self._site = site
        self._has_tools = has_tools

    async def text(self, request: Request) -> Response:
        """Return the text, with whole addresses at the host that was asked."""
        base = str(request.base_url).rstrip("/")
        headers = {"Cache-Control": "no-cache"}
        return Response("\n".join(self._lines(base)), headers=headers, media_type="text/plain")

    def _lines(self, base: str) -> list[str]:
        titles = doc_titles()
        how = f"Send queries to {base}/graphql, by POST as JSON or by GET as `?query=`."
        if self._site.only_trusted:
            how = f"{base}/graphql runs trusted documents alone, by their ids."
        tools = [f"{base}/mcp offers tools by the Model Context Protocol."] if self._has_tools else []
        files = (
            [_link(f"{base}/catalog", "Files", "the whole catalog of any version")]
            if self._site.has_files
            else []
        )
        return [
            "# Django Packages, as a graph",
            "",
            f"> {_SUMMARY}",
            "",
            " ".join([how, *tools, *([DEMO] if self._site.demo else [])]),
            "",
            "## Schema",
            "",
            _link(f"{base}/schema.graphql", "Schema", "all types and fields with their descriptions, in SDL"),
            "",
            "## Documents",
            "",
            *(_link(f"{base}/docs/{name}", titles[name]) for name in _GUIDES),
            *(["", "## Files", "", *files] if files else []),
            "",
            "## Optional",
            "",
            *(_link(f"{base}/docs/{name}", title) for name, title in titles.items() if name not in _GUIDES),
            _link(f"{base}/readyz", "Readiness", "the state of the gateway and of its catalog, as JSON"),
            "",
        ]


def _link(address: str, name: str, notes: str = "") -> str:
    return f"- [{name}]({address}){f': {notes}' if notes else ''}"
