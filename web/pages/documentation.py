"""Serves the project's own documents at /docs/: as pages for browsers, and as Markdown for other clients.

The documents of docs/ have their own names there. A file beside them that a document links to, such as
upstream/CONTRACT.md, has its path in the project. No other file is served.
"""

from __future__ import annotations

import asyncio
from functools import cache, lru_cache
from html import escape
from pathlib import Path, PurePosixPath
from posixpath import normpath
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from web.content_negotiation import accepted, weighted
from web.pages.markdown_html import Rendered, links_of, rendered
from web.pages.page_frame import POLICY, FramedPage, Site, framed, page_response
from web.pages.syntax_colours import coloured

_ROOT = Path(__file__).parent.parent.parent
_OWN_PLACES = {"schema.graphql": "/schema.graphql", "subgraph.graphql": "/schema.graphql?dialect=federation"}
_OUR_ADDRESS = "http://127.0.0.1:8000"
"""The address of a gateway in the documents. A page has the address of the gateway that sends it instead."""

_MARKDOWN = "text/markdown"
_HEADERS = {"Cache-Control": "no-cache", "Vary": "Accept"}


class Documentation:
    """Serves the documents of a gateway."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._turn = asyncio.Lock()

    async def document(self, request: Request) -> Response:
        """Return a document: a page if ``text/html`` is asked for first, else its text.

        The first request reads all documents, which takes a quarter of a second. So documents are made in a thread, one
        at a time.
        """
        async with self._turn:
            return await asyncio.to_thread(self._response, request)

    def _response(self, request: Request) -> Response:
        name = request.path_params["path"]
        path = _path_of(name) if name else ""
        if path is None or (path and path not in _served()):
            raise HTTPException(404)
        accept = request.headers.get("Accept")
        if accepted(accept).page:
            headers = {**_HEADERS, "Content-Security-Policy": POLICY}
            return page_response(_page(path, self._site), request, headers)
        # It is sent as plain text, which browsers show, unless Markdown is asked for by its name.
        is_markdown = weighted(accept or "").get(_MARKDOWN, 0) and not path.endswith(".py")
        return Response(_text(path), headers=_HEADERS, media_type=_MARKDOWN if is_markdown else "text/plain")


@cache
def doc_titles() -> dict[str, str]:
    """Return the title of each document of docs/, by the name of its file."""
    return {path.name: _title(path) for path in sorted((_ROOT / "docs").glob("*.md"))}


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        return next(lines).removeprefix("#").strip()


def _path_of(name: str) -> str | None:
    """Return the path in the project of what is served under a name, or None."""
    return f"docs/{name}" if name in doc_titles() else None if name.startswith("docs/") else name


def _address_of(path: str) -> str:
    return _OWN_PLACES.get(path) or f"/docs/{path.removeprefix('docs/')}"


@cache
def _served() -> frozenset[str]:
    """Return the paths of all files that are served: the documents, and what they link to, step by step."""
    found: set[str] = set()
    waiting = ["README.md", *(f"docs/{name}" for name in doc_titles())]
    while waiting:
        path = waiting.pop()
        if path in found or path in _OWN_PLACES or not (_ROOT / path).is_file():
            continue
        found.add(path)
        if path.endswith(".md"):
            targets = (_target(path, link) for link in links_of(_text(path)))
            waiting += [target for target in targets if target is not None]
    return frozenset(found)


def _target(path: str, link: str) -> str | None:
    """Return the path in the project to which a link of the document at ``path`` leads, or None."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or not parts.path:
        return None
    target = normpath(PurePosixPath(path).parent / parts.path)
    return None if target.startswith(("..", "/")) else target


def _text(path: str) -> str:
    return (_ROOT / path).read_text(encoding="utf-8") if path else _list_of_documents()


def _list_of_documents() -> str:
    lines = [f"- [{title}]({name})" for name, title in doc_titles().items()]
    return "\n".join(
        ["# Documents", "", "Begin with [the project's README](../README.md).", "", *lines, ""],
    )


@lru_cache(maxsize=128)
def _page(path: str, site: Site) -> str:
    if path and not path.endswith(".md"):
        document = Rendered(path, _code(path), ())
    else:
        document = rendered(_text(path), lambda link: _address(path or "docs/index.md", link))
    page = FramedPage(
        title=f"{document.title}: Django Packages, as a graph",
        main=f'<div class="columns">\n{_aside(path, document)}\n<article>\n{document.html}</article>\n</div>',
        kind="documents",
        here="/docs/",
        styles=("documents",),
        scripts=("/pages/scripts/copy_buttons.js",),
    )
    return framed(page, site)


def _code(path: str) -> str:
    code = coloured(_text(path))
    return f'<h1>{escape(path)}</h1>\n<div class="copied"><pre tabindex="0"><code>{code}</code></pre></div>\n'


def _address(path: str, link: str) -> str | None:
    if link.startswith(_OUR_ADDRESS):
        return link.removeprefix(_OUR_ADDRESS)
    target = _target(path, link)
    if target is None:
        return link
    if target not in _served() and target not in _OWN_PLACES:
        # The target is a folder, which has no page.
        return None
    fragment = urlsplit(link).fragment
    return f"{_address_of(target)}#{fragment}" if fragment else _address_of(target)


def _aside(path: str, document: Rendered) -> str:
    here = [
        f'<li class="level-{each.level}"><a href="#{each.anchor}">{escape(each.text)}</a></li>'
        for each in document.contents
    ]
    contents = (
        f'<nav aria-label="Contents"><details open><summary>On this page</summary><ul>\n{chr(10).join(here)}\n'
        "</ul></details></nav>"
    )
    links = "\n".join(_document_link(name, title, path) for name, title in doc_titles().items())
    documents = f'<nav aria-label="Documents"><h2>Documents</h2><ul>\n{links}\n</ul></nav>'
    return f"<aside>\n{contents if here else ''}\n{documents}\n</aside>"


def _document_link(name: str, title: str, path: str) -> str:
    current = ' aria-current="page"' if path == f"docs/{name}" else ""
    return f'<li><a href="/docs/{name}"{current}>{escape(title)}</a></li>'
