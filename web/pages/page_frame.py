"""Writes the frame of every page of the gateway: its head, the header with the link home, and the footer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from web.compression import compressed, encoding_for

PLACES = {"/explore/": "Compare grids", "/graphql": "GraphiQL", "/docs/": "Docs"}
"""The links in the header of every page, besides the home page."""

_WITH_QUERIES = ("/explore/", "/graphql")
"""The links that are useless where only trusted documents run."""

DEMO = "Demo data: five real packages, the rest generated."
HOW_TO_USE_THE_REAL_SITE = "/docs/operating.md#the-real-site"

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The policy on what a page may load: files of this gateway, and nothing that is written into the page itself."""

_STYLES = ("tokens", "elements", "frame", "code")
_FOOTER = (
    '<p>Data of <a href="https://djangopackages.org/">Django Packages</a>, over its REST API v4.</p>\n'
    '<p><a href="/schema.graphql">Schema</a> &middot; <a href="/metrics">Metrics</a> &middot; '
    '<a href="/readyz">Readiness</a></p>'
)


_FILES = '\n<p><a href="/catalog">The whole catalog, as files</a></p>'


@dataclass(frozen=True, slots=True)
class Site:
    """Holds what is the same on all pages of a gateway."""

    demo: bool
    """Whether the data are those of the embedded upstream."""
    only_trusted: bool
    """Whether it runs only trusted documents, so that no page offers a query."""
    has_files: bool = False
    """Whether ``/catalog`` has the catalog as files, to which pages then link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FramedPage:
    """Holds what a page has of its own. ``main`` and ``footer`` are HTML, and the other texts are not."""

    title: str
    main: str
    description: str = ""
    kind: str
    """The class of its body, by which its styles know it."""
    here: str = ""
    """The place of the header that it belongs to."""
    styles: tuple[str, ...] = ()
    """The names of its own style sheets in ``styles/``."""
    scripts: tuple[str, ...] = ()
    """The addresses of its scripts, which are modules."""
    footer: str = _FOOTER


def page_response(html: str, request: Request, headers: Mapping[str, str], status: int = 200) -> Response:
    """Return a page as a response, compressed if the client accepts that."""
    vary = {"Vary": "Accept, Accept-Encoding"}
    encoding = encoding_for(request.headers.get("Accept-Encoding"))
    if encoding is None:
        return HTMLResponse(html, status, {**headers, **vary})
    described = {**headers, **vary, "Content-Encoding": encoding}
    return HTMLResponse(compressed(html.encode(), encoding), status, described)


def framed(page: FramedPage, site: Site) -> str:
    """Return a whole page of HTML."""
    left_out = _WITH_QUERIES if site.only_trusted else ()
    places = [each for each in PLACES.items() if each[0] not in left_out]
    styles = [f"/pages/styles/{name}.css" for name in (*_STYLES, *page.styles)]
    loaded = [
        *(f'<link rel="stylesheet" href="{address}">' for address in styles),
        *(f'<script type="module" src="{address}"></script>' for address in page.scripts),
    ]
    demo = (
        f'<aside class="demo" aria-label="About the data"><p class="width">{DEMO} '
        f'<a href="{HOW_TO_USE_THE_REAL_SITE}">How to use the real site</a></p></aside>'
    )
    return _template().substitute(
        title=escape(page.title),
        description=escape(page.description),
        kind=page.kind,
        loaded="\n".join(loaded),
        places="\n".join(_place(address, name, page.here) for address, name in places),
        demo=demo if site.demo else "",
        main=page.main,
        footer=page.footer + (_FILES if site.has_files else ""),
    )


def _place(address: str, name: str, here: str) -> str:
    current = ' aria-current="page"' if address == here else ""
    return f'<li><a href="{address}"{current}>{name}</a></li>'


@cache
def _template() -> Template:
    return Template((Path(__file__).parent / "frame.html").read_text(encoding="utf-8"))
