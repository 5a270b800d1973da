"""GraphiQL, the page that a browser gets at the endpoint, with the project's examples as its tabs.

Where ``make graphiql`` has built it, every byte comes from the gateway. Else the page takes GraphiQL 3 from a CDN,
held to its hashes: of version 4 the bundle has no history beside other plugins, and version 5 is published as
modules alone, of which no CDN serves a bundle whose bytes stay the same.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from gateway.persisted import NO_GRAPHIQL, PersistedDocuments
from web.pages.static_files import BuiltFiles

_FOLDER = Path(__file__).parent / "graphiql"
_BUILT = _FOLDER / "dist"
CANONICAL = Path(__file__).parent.parent.parent / "examples" / "canonical.graphql"
"""The first tab, and the query that the README and the start of the server show."""


def graphiql_response(built: Path = _BUILT) -> Response:
    """Return the page, as it is built now."""
    name = "built.html" if is_built(built) else "cdn.html"
    page = (_FOLDER / name).read_text(encoding="utf-8")
    headers = {
        "Content-Security-Policy": _policy(page),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
        "Vary": "Accept",
    }
    return HTMLResponse(page, headers=headers)


def graphiql_or_why_not(documents: PersistedDocuments) -> Response:
    """Return the page; where only trusted documents run, a sentence in its place."""
    return PlainTextResponse(NO_GRAPHIQL, 403) if documents.only_trusted else graphiql_response()


def is_built(folder: Path = _BUILT) -> bool:
    """Return whether GraphiQL comes from the gateway itself."""
    return (folder / "page.js").exists()


def graphiql_routes(documents: PersistedDocuments) -> list[BaseRoute]:
    """Return the page by its own name, and what it loads."""

    async def page(_request: Request) -> Response:
        return graphiql_or_why_not(documents)

    return [
        Route("/graphiql", page),
        Route("/graphiql/tabs.json", _tabs),
        Mount("/graphiql/source", BuiltFiles(_FOLDER / "src")),
        Mount("/graphiql", BuiltFiles(_BUILT)),
    ]


def _policy(page: str) -> str:
    """Scripts and styles from here and from the very addresses that the page names. Nothing else is a script.

    Monaco and CodeMirror write style elements and attributes as they go, hence ``unsafe-inline`` for styles.
    """
    scripts = " ".join(["'self'", *re.findall(r'src="(https:[^"]+)"', page)])
    styles = " ".join(["'self'", "'unsafe-inline'", *re.findall(r'href="(https:[^"]+)"', page)])
    return (
        f"default-src 'none'; script-src {scripts}; worker-src 'self'; style-src {styles}; font-src 'self' data:; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


async def _tabs(_request: Request) -> Response:
    others = sorted(path for path in CANONICAL.parent.glob("*.graphql") if path != CANONICAL)
    tabs = [{"query": path.read_text(encoding="utf-8")} for path in (CANONICAL, *others)]
    return Response(msgspec.json.encode(tabs), media_type="application/json")
